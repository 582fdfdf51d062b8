// What can be set, within what range, and how it travels in the URL's fragment.

const VERSION = "1";
// label, allowed range as linmodel has it, slider range (logarithmic), and where it is explained.
const FIELDS = {
  alpha: { label: "α, opposing signal's magnitude", low: 0, slider: [1, 1e5] },
  beta_norm: { label: "B, signal's strength ‖β‖", low: 0, slider: [0.1, 1e3] },
  k: { label: "k, opposing signal's pervasiveness", above: 0, slider: [0.1, 100] },
  step_size: { label: "η, step size", above: 0, slider: [1e-6, 1] },
  steps: { label: "steps", low: 1, most: 200000, whole: true, slider: [10, 20000] },
  c: { label: "c₀, second layer" },
  epsilon: { label: "ε₀, along β" },
  n: { label: "n₀, rest of b" },
  o: { label: "o₀, opposing weight" },
  seed: { label: "seed", low: 0, most: 2 ** 53 - 1, whole: true },
  d1: { label: "d₁, signal coordinates", low: 1, most: 10000, whole: true },
  outlier_fraction: { label: "p, share of outliers", above: 0, most: 1, slider: [1e-3, 1] },
  momentum: { label: "momentum m", low: 0, below: 1 },
  radius: { label: "SAM's radius r", low: 0 },
  noise: { label: "noise's standard deviation", low: 0 },
  noise_seed: { label: "noise's seed", low: 0, most: 2 ** 32 - 1, whole: true },
};
const CHOICES = {
  start: ["seed", "numbers"],
  support: ["isotropic", "aligned"],
  optimiser: ["gd", "heavy_ball", "sam", "noise"],
  x_axis: ["linear", "log"],
  y_axis: ["linear", "log"],
};
const CURVES = ["descent", "descent_opposing", "flow", "flow_opposing", "envelope", "central"];
const MOST_DRAWS = 200000; // coordinates that a seed's start may need

const DEFAULTS = {
  alpha: 50, beta_norm: 10, k: 4, step_size: 0.006, steps: 200,
  c: 1, epsilon: 0.1, n: 0.45, o: 0.9, seed: 3, d1: 100, outlier_fraction: 0.05,
  momentum: 0.5, radius: 0.01, noise: 0.001, noise_seed: 0,
  start: "seed", support: "isotropic", optimiser: "gd", x_axis: "linear", y_axis: "log",
  hidden: "",
};

/** "alpha is -1; allowed: a finite number >= 0." as linmodel says it. */
function refusal(name, value, allowed) {
  const said = typeof value === "number" ? value : JSON.stringify(value);
  return `${name} is ${said === undefined || value === null ? "missing" : said}; allowed: ${allowed}.`;
}

function allowedText({ low, above, most, below, whole }) {
  const parts = [whole ? "a whole number" : "a finite number"];
  if (above !== undefined) parts.push(`> ${above}`);
  if (low !== undefined) parts.push(`>= ${low}`);
  if (most !== undefined) parts.push(`<= ${most}`);
  if (below !== undefined) parts.push(`< ${below}`);
  return parts.length > 2 ? `${parts[0]} ${parts.slice(1).join(" and ")}` : parts.join(" ");
}

/** `value` (a number or what was typed) as a number in the field's range; throws in words. */
function numberFor(name, value) {
  const field = FIELDS[name];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  const fits =
    typeof number === "number" && Number.isFinite(number) &&
    !(number < field.low) && !(number <= field.above) &&
    !(number > field.most) && !(number >= field.below) &&
    !(field.whole && !Number.isInteger(number));
  if (!fits) throw new RangeError(refusal(name, value, allowedText(field)));
  return number;
}

/** The four numbers of the start that `state` describes. */
function startOf(state) {
  if (state.start === "numbers") {
    return { c: state.c, epsilon: state.epsilon, n: state.n, o: state.o };
  }
  const draws = state.d1 * (1 + state.k);
  if (draws > MOST_DRAWS) {
    const allowed = `at most ${MOST_DRAWS} on this page (linmodel takes more)`;
    throw new RangeError(refusal("d1 (1 + k) of a drawn start", draws, allowed));
  }
  return twin.standardState(state, state.seed);
}

/** The state as a fragment: only what differs from the page's first state, in a fixed order. */
function toFragment(state, first) {
  const changed = Object.keys(DEFAULTS).filter((name) => state[name] !== first[name]);
  const pairs = [["v", VERSION], ...changed.map((name) => [name, String(state[name])])];
  return `#${new URLSearchParams(pairs)}`;
}

/** {state, problems}: the state of a fragment; what cannot be read keeps its first value. */
function fromFragment(fragment, first) {
  const state = { ...first };
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  if (![...given].length) return { state, problems: [] };
  if (given.get("v") !== VERSION) {
    const allowed = `version ${VERSION}; the page shows its first state`;
    return { state, problems: [refusal("the address's version", given.get("v"), allowed)] };
  }
  const problems = [];
  for (const [name, text] of given) {
    try {
      if (name !== "v") state[name] = readValue(name, text);
    } catch (error) {
      problems.push(error.message);
    }
  }
  return { state, problems };
}

function readValue(name, text) {
  if (Object.hasOwn(FIELDS, name)) return numberFor(name, text);
  if (Object.hasOwn(CHOICES, name)) {
    if (CHOICES[name].includes(text)) return text;
    throw new RangeError(refusal(name, text, `one of ${CHOICES[name].join(", ")}`));
  }
  if (name === "hidden") {
    const names = text.split(".").filter((each) => each !== "");
    const unknown = names.filter((each) => !CURVES.includes(each));
    if (!unknown.length) return text;
    throw new RangeError(refusal(name, unknown[0], `curves of ${CURVES.join(", ")}`));
  }
  throw new RangeError(refusal("a name in the address", name, "the names that this page writes"));
}
