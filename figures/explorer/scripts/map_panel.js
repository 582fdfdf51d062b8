// The phase map over (alpha, eta): observed phases as cells, proved boundaries as lines.

const PHASE_COLOURS = ["phase-flow", "phase-catapult", "phase-oscillation", "phase-diverges", "phase-undecided"];
const MAP_KEYS = { ArrowLeft: ["alpha", 1 / 1.05], ArrowRight: ["alpha", 1.05], ArrowUp: ["step_size", 1.05], ArrowDown: ["step_size", 1 / 1.05] };

/** The map's windows: round, so that the point can move within them. */
function mapWindows(state) {
  const round = (value, parts) => Math.round(Math.log10(value) * parts) / parts;
  const alpha = round(Math.max(state.alpha, 3), 1);
  const eta = round(state.step_size, 2);
  return { alpha: [10 ** (alpha - 1), 10 ** (alpha + 1)], eta: [10 ** (eta - 1.25), 10 ** (eta + 1.25)] };
}

/** Curves eta(alpha) with the statement that each one is. */
const BOUNDARIES = [
  { name: "flow", claim: "G2", text: "flow's end stable below", dash: "", of: (p, s) => 2 / twin.flowLimit(p, s).sharpness },
  { name: "stable", claim: "G3", text: "η*: no stable minimum above", dash: "8 4", of: (p) => twin.largestStableStep(p) },
  { name: "start", claim: "H1", text: "start beyond the edge above", dash: "2 3", of: (p, s) => 2 / twin.sharpnessAt(p, s.c, s.epsilon, s.n, s.o) },
];

function boundarySeries({ problem, start }, windows) {
  const alphas = Array.from({ length: 81 }, (_, i) => windows.alpha[0] * 100 ** (i / 80));
  return BOUNDARIES.filter(({ name }) => name === "start" || (problem.beta_norm > 0 && start.c > 0)).map(
    ({ name, dash, of }) => ({
      name: `boundary_${name}`, kind: "line", colour: "edge", width: 1.8, dash,
      x: alphas, y: alphas.map((alpha) => of({ ...problem, alpha }, start)),
    }),
  );
}

/** The map panel: draw(now) asks the worker where the map has changed, and marks the point. */
function makeMapPanel(host, status, change) {
  const plot = makePlot(host, { height: (width) => Math.min(Math.max(0.85 * width, 260), 380), describe: describeMap });
  const panel = { plot, image: null, counts: null, job: null, now: null, level: 0 };
  const worker = makeMapWorker((answer) => {
    if (answer.id !== panel.job?.id) return;
    Object.assign(panel, { image: picture(answer), counts: countPhases(answer), level: answer.count });
    status.textContent = answer.count === MAP_LEVELS.at(-1) ? "" : "refining the map …";
    redraw(panel);
  });
  panel.draw = (now) => {
    panel.now = now;
    const windows = mapWindows(now.state);
    const { alpha: _alpha, ...problem } = now.problem;
    const key = JSON.stringify([problem, now.start, windows]);
    if (panel.job?.key !== key) {
      panel.job = { id: (panel.job?.id ?? 0) + 1, key, windows };
      Object.assign(panel, { image: null, counts: null, level: 0 });
      status.textContent = "computing the map …";
      worker.ask({ id: panel.job.id, problem: now.problem, start: now.start, ...windows });
    }
    redraw(panel);
  };
  panel.forget = () => (panel.job = panel.job && { ...panel.job, key: null });
  plot.root.addEventListener("click", (event) => {
    const { x, y } = plot.frame;
    const box = plot.root.getBoundingClientRect();
    const alpha = x.value(event.clientX - box.left);
    const eta = y.value(event.clientY - box.top);
    const inside = alpha >= x.low && alpha <= x.high && eta >= y.low && eta <= y.high;
    if (inside) change({ alpha: rounded(alpha), step_size: rounded(eta) });
  });
  plot.root.addEventListener("keydown", (event) => {
    if (!(event.key in MAP_KEYS) || !panel.now) return;
    event.preventDefault();
    const [name, factor] = MAP_KEYS[event.key];
    change({ [name]: rounded(panel.now.state[name] * factor) });
  });
  return panel;
}

const rounded = (value) => Number(value.toPrecision(4));

function redraw(panel) {
  const { now, job, plot } = panel;
  const { alpha, eta } = job.windows;
  const colours = { colour: "edge" };
  plot.draw({
    x: { low: alpha[0], high: alpha[1], log: true, label: "α" },
    y: { low: eta[0], high: eta[1], log: true, label: "step size η" },
    image: { href: panel.image ?? "data:," },
    series: boundarySeries(now, job.windows),
    marks: [{ x: now.state.alpha, y: now.state.step_size, text: "you are here", ...colours }],
    counts: panel.counts,
    now,
  });
}

/** The cells as a small picture, one pixel each, row 0 (least eta) at the bottom. */
function picture({ count, rows }) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = count;
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const colours = PHASE_COLOURS.map((name) => style.getPropertyValue(`--${name}`).trim());
  rows.forEach((row, i) =>
    row.forEach((phase, j) => {
      pen.fillStyle = colours[phase];
      pen.fillRect(j, count - 1 - i, 1, 1);
    }),
  );
  return canvas.toDataURL();
}

function countPhases({ count, rows }) {
  const shares = twin.PHASES.map((_, phase) => rows.flat().filter((x) => x === phase).length);
  return shares.map((cells) => cells / (count * count));
}

function describeMap({ counts, now }) {
  const point = `The current point is α = ${shown(now.state.alpha)}, η = ${shown(now.state.step_size)}.`;
  const shares = (counts ?? []).map((share, i) => `${twin.PHASES[i].replace("_", " ")} ${Math.round(100 * share)}%`);
  const cells = counts ? `Cells: ${shares.join(", ")}.` : "The cells are being computed.";
  return `Map of how descent ends over α and η. ${cells} ${point} Arrow keys move the point; a click sets it.`;
}
