// The fields and sliders: each pair shows one number; a bad value is refused in words beside it.

const MAIN_FIELDS = ["alpha", "beta_norm", "k", "step_size", "steps"];
const START_FIELDS = { seed: ["seed", "d1"], numbers: ["c", "epsilon", "n", "o"] };
const RULE_FIELDS = { gd: [], heavy_ball: ["momentum"], sam: ["radius"], noise: ["noise", "noise_seed"] };
const NOTCHES = 1000;

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** One field with its slider (where it has a range) and its line for a refusal. */
function makeField(name, change) {
  const field = FIELDS[name];
  const input = element("input", { id: name, type: "text", inputmode: "decimal", autocomplete: "off", "aria-describedby": `${name}-error` });
  const label = element("label", { for: name }, field.label);
  const error = element("p", { id: `${name}-error`, class: "error", role: "alert" });
  const row = element("div", { class: "field" }, label, input);
  let slider = null;
  if (field.slider) {
    slider = element("input", { type: "range", id: `${name}-slider`, min: 0, max: NOTCHES, step: 1, "aria-label": `${field.label}, slider` });
    slider.addEventListener("input", () => change({ [name]: fromSlider(field, Number(slider.value)) }));
    row.append(slider);
  }
  row.append(error);
  const refuse = (message) => {
    error.textContent = message;
    input.toggleAttribute("aria-invalid", message !== "");
  };
  input.addEventListener("change", () => {
    try {
      const value = numberFor(name, input.value);
      refuse("");
      change({ [name]: value });
    } catch (problem) {
      refuse(`${problem.message} The curves still show ${input.dataset.last}.`);
    }
  });
  const show = (value) => {
    refuse("");
    input.value = input.dataset.last = String(value);
    if (!slider) return;
    slider.value = toSlider(field, value);
    slider.setAttribute("aria-valuetext", shown(value));
  };
  return { row, show, refuse };
}

function fromSlider(field, notch) {
  const [low, high] = field.slider;
  const value = low * (high / low) ** (notch / NOTCHES);
  return field.whole ? Math.max(1, Math.round(value)) : Number(value.toPrecision(4));
}

function toSlider(field, value) {
  const [low, high] = field.slider;
  const place = Math.log(Math.max(value, low) / low) / Math.log(high / low);
  return Math.round(NOTCHES * Math.min(place, 1));
}

/** A choice among few: a select with its label. */
function makeChoice(name, label, options, change) {
  const select = element("select", { id: name });
  for (const [value, text] of options) select.append(element("option", { value }, text));
  select.addEventListener("change", () => change({ [name]: select.value }));
  const row = element("div", { class: "field choice" }, element("label", { for: name }, label), select);
  return { row, show: (value) => (select.value = value) };
}

/** All controls in `host`; returns show(state) and refuse(name, message). */
function makeControls(host, change) {
  const parts = {};
  const group = (title, ...rows) => {
    const box = element("fieldset", {}, element("legend", {}, title), ...rows);
    host.append(box);
    return box;
  };
  const field = (name, onChange = change) => (parts[name] = makeField(name, onChange)).row;
  const choice = (name, label, options) => (parts[name] = makeChoice(name, label, options, change)).row;
  group("Problem and steps", ...MAIN_FIELDS.map((name) => field(name)));
  const hint = element("p", { class: "hint" });
  group(
    "Start",
    choice("start", "from", [["seed", "a drawn start (seed)"], ["numbers", "four numbers"]]),
    ...START_FIELDS.seed.map((name) => field(name)),
    choice("support", "opposing signal", [["isotropic", "isotropic"], ["aligned", "aligned"]]),
    ...START_FIELDS.numbers.map((name) => field(name)),
    hint,
  );
  const optimisers = Object.entries(twin.OPTIMISERS).map(([value, { label }]) => [value, label]);
  const ruleFields = [...new Set(Object.values(RULE_FIELDS).flat())];
  group("Optimiser", choice("optimiser", "rule", optimisers), ...ruleFields.map((name) => field(name)));
  group("Groups", field("outlier_fraction"));
  const show = (state, start) => {
    for (const [name, part] of Object.entries(parts)) part.show(state[name]);
    const drawn = state.start === "seed";
    for (const name of [...START_FIELDS.seed, "support"]) parts[name].row.hidden = !drawn;
    for (const name of START_FIELDS.numbers) parts[name].row.hidden = drawn;
    for (const name of ruleFields) parts[name].row.hidden = !RULE_FIELDS[state.optimiser].includes(name);
    const numbers = start && ["c", "epsilon", "n", "o"].map((name) => shown(start[name])).join(", ");
    hint.textContent = drawn
      ? `(c₀, ε₀, n₀, o₀) = (${numbers})`
      : "With four numbers given, k and d₁ change nothing: they act through the start only (M5).";
  };
  const refuse = (name, message) => parts[name]?.refuse?.(message);
  return { show, refuse };
}
