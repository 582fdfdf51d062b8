// The page: one state, drawn whole whenever it changes.

const DATA = JSON.parse(document.getElementById("data").textContent);
const FIRST = { ...DEFAULTS, ...DATA.first };
const byId = (id) => document.getElementById(id);

const page = { state: { ...FIRST }, now: null, held: null, waiting: false, milliseconds: 0 };

const SMALL = (width) => Math.min(Math.max(0.92 * width, 230), 340);
const sharpnessPlot = makePlot(byId("sharpness-plot"), { height: (width) => Math.min(Math.max(0.55 * width, 280), 480), describe: describeSharpness });
const opposingPlot = makePlot(byId("opposing-plot"), { height: SMALL, describe: describeOpposing });
const lossPlot = makePlot(byId("loss-plot"), { height: SMALL, describe: describeLoss });
const map = makeMapPanel(byId("map-plot"), byId("map-status"), change);
const controls = makeControls(byId("controls"), change);
const timePlots = [sharpnessPlot, opposingPlot, lossPlot];
const refreshCursors = linkCursors(timePlots, (time) => {
  if (page.now) byId("values").textContent = valuesAt(page.now, time);
});
dragEdge(sharpnessPlot, () => page.state, change, (range) => {
  page.held = range;
  schedule();
});

/** Take new values; the page is drawn once before the next frame. */
function change(values) {
  page.state = { ...page.state, ...values };
  // Editing the start by hand begins from what is shown.
  if (values.start === "numbers" && page.now) {
    for (const [name, value] of Object.entries(page.now.start)) page.state[name] = value;
  }
  schedule();
}

function schedule() {
  if (page.waiting) return;
  page.waiting = true;
  requestAnimationFrame(() => {
    page.waiting = false;
    show();
  });
}

/** Compute and draw the state; where that fails the last good one stays, and the page says why. */
function show() {
  const begun = performance.now();
  let now;
  try {
    now = compute(page.state);
  } catch (error) {
    say(`${error.message} The curves still show the last state that could be computed.`);
    controls.show(page.state, page.now?.start);
    return;
  }
  say("");
  page.now = now;
  sharpnessPlot.draw(sharpnessContent(now, DATA.run, page.held));
  opposingPlot.draw(opposingContent(now));
  lossPlot.draw(lossContent(now));
  showReadings(byId("readings"), readingsOf(now), DATA.claims);
  controls.show(page.state, now.start);
  showToggles();
  refreshCursors();
  page.milliseconds = performance.now() - begun;
  map.draw(now);
  history.replaceState(null, "", toFragment(page.state, FIRST));
}

function say(message) {
  byId("problem").textContent = message;
}

/** The legend: one button a curve, pressed while the curve is drawn. */
function makeToggles() {
  for (const name of CURVES) {
    const key = element("span", { class: `key ${name}`, style: `--key:var(--${CURVE_COLOURS[name]})` });
    const button = element("button", { type: "button", id: `toggle-${name}` }, key, CURVE_LABELS[name]);
    button.addEventListener("click", () => {
      const hidden = hiddenCurves(page.state).filter(Boolean);
      const rest = hidden.filter((each) => each !== name);
      change({ hidden: (rest.length < hidden.length ? rest : [...hidden, name]).join(".") });
    });
    byId("toggles").append(button);
  }
  if (DATA.run?.time) {
    const key = element("span", { class: "key real", style: "--key:var(--real)" });
    byId("toggles").append(element("span", { class: "entry" }, key, "real run, scaled by the fit"));
  }
  for (const axis of ["x_axis", "y_axis"]) {
    byId(axis).addEventListener("click", () =>
      change({ [axis]: page.state[axis] === "log" ? "linear" : "log" }),
    );
  }
}

function showToggles() {
  const hidden = hiddenCurves(page.state);
  for (const name of CURVES) {
    byId(`toggle-${name}`).setAttribute("aria-pressed", String(!hidden.includes(name)));
  }
  for (const axis of ["x_axis", "y_axis"]) {
    byId(axis).setAttribute("aria-pressed", String(page.state[axis] === "log"));
  }
}

function makeButtons() {
  const offer = (id, act) => byId(id).addEventListener("click", () => {
    try {
      act();
    } catch (error) {
      say(error.message);
    }
  });
  offer("copy-python", () => showText("As Python", pythonText(page.now)));
  offer("copy-command", () => showText("As command lines", commandText(page.state)));
  offer("copy-link", () => showText("Address of this state", location.href));
  offer("save-csv", () => saveFile("opposing-signals.csv", "text/csv", csvText(page.now)));
  offer("reset", () => {
    page.state = { ...FIRST };
    schedule();
  });
  for (const [id, plot] of [["sharpness", sharpnessPlot], ["opposing", opposingPlot], ["loss", lossPlot], ["map", map.plot]]) {
    offer(`save-${id}`, () => saveFile(`${id}.svg`, "image/svg+xml", svgText(plot.root)));
  }
}

/** Links to statements open them; they must not replace the state in the address. */
function openClaim(id) {
  const entry = byId(id);
  if (!entry) {
    const there = "a statement of this page; another version may have it";
    return say(refusal("the address's statement", id.replace("claim-", ""), there));
  }
  byId("statements").open = true;
  entry.open = true;
  entry.scrollIntoView({ block: "center" });
  entry.querySelector("summary").focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#claim-"]');
  if (!link) return;
  event.preventDefault();
  openClaim(link.getAttribute("href").slice(1));
});

function readAddress() {
  const claim = location.hash.startsWith("#claim-") ? location.hash.slice(1) : "";
  const { state, problems } = fromFragment(claim ? "" : location.hash, FIRST);
  page.state = state;
  show();
  if (problems.length) say(problems.join(" "));
  if (claim) openClaim(claim);
}

showClaims(byId("claims"), DATA.claims);
makeToggles();
makeButtons();
byId("run-note").textContent = DATA.run?.message ?? "";
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  map.forget();
  schedule();
});
addEventListener("hashchange", readAddress);
readAddress();

window.opposingSignals = {
  flow: apiFlow,
  descent: apiDescent,
  current: () => ({ ...page.now, milliseconds: page.milliseconds }),
  python: () => pythonText(page.now),
  command: () => commandText(page.state),
  csv: () => csvText(page.now),
  mapLevel: () => map.level,
};
