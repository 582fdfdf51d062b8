// The three panels in time: sharpness, log|o| with its sign, the two groups' losses.

const CURVE_LABELS = {
  descent: "descent: sharpness",
  descent_opposing: "descent: αc²",
  flow: "flow: sharpness",
  flow_opposing: "flow: αc²",
  envelope: "flow's αc², proved bounds",
  central: "central flow: sharpness",
};
const CURVE_COLOURS = {
  descent: "sharpness", descent_opposing: "opposing", flow: "sharpness", flow_opposing: "opposing",
  envelope: "opposing", central: "central",
};
const DASHED = "7 4";

const hiddenCurves = (state) => state.hidden.split(".");

/** Series of the sharpness panel that are not hidden and exist. */
function sharpnessSeries({ state, flow, run, central, envelope }, overlay) {
  const series = {
    envelope: envelope && {
      kind: "band", x: flow.time,
      y: envelope.opposing_curvature_lower, y2: envelope.opposing_curvature_upper,
    },
    flow: { x: flow.time, y: flow.sharpness, dash: DASHED, width: 1.6 },
    flow_opposing: { x: flow.time, y: flow.opposing_curvature, dash: DASHED, width: 1.6 },
    central: central && { x: central.time, y: central.sharpness, width: 2.4, dash: "2 3" },
    descent_opposing: { x: run.time, y: run.opposing_curvature },
    descent: { x: run.time, y: run.sharpness, width: 2 },
  };
  const hidden = hiddenCurves(state);
  const list = Object.entries(series)
    .filter(([name, each]) => each && !hidden.includes(name))
    .map(([name, each]) => ({ kind: "line", ...each, name, colour: CURVE_COLOURS[name] }));
  if (overlay?.time) {
    list.unshift({ name: "real", kind: "dots", x: overlay.time, y: overlay.sharpness, colour: "real" });
  }
  return list;
}

function sharpnessContent(now, overlay, held) {
  const { state, flow } = now;
  const level = 2 / state.step_size;
  const series = sharpnessSeries(now, overlay);
  const log = state.y_axis === "log";
  // A run that diverges must not flatten everything else.
  const steady = Math.max(level, ...flow.sharpness.filter(Number.isFinite));
  const heights = series.filter((each) => each.kind !== "band").map((each) => each.y);
  const seen = heights.map((list) => list.filter((y) => y <= 12 * steady));
  let [low, high] = extent([...seen, levelsOf(state).map((each) => each.y)], log);
  if (!log) low = 0;
  [low, high] = held ?? [low, high];
  const marks = [];
  if (flow.t_dip > 0) marks.push(markAt(now, flow.t_dip, "dip"));
  if (flow.t_edge > 0) marks.push({ ...markAt(now, flow.t_edge, "crossing"), y: level });
  return {
    x: timeAxis(now),
    y: { low, high, log, label: "curvature" },
    series, marks,
    levels: levelsOf(state),
    now,
  };
}

/** 2/eta, and heavy ball's own edge beside it. */
function levelsOf({ step_size, optimiser, momentum }) {
  const levels = [{ y: 2 / step_size, text: `2/η = ${shown(2 / step_size)}`, colour: "edge" }];
  if (optimiser === "heavy_ball") {
    const y = (2 * (1 + momentum)) / step_size;
    levels.push({ y, text: `2(1 + m)/η = ${shown(y)}`, colour: "soft" });
  }
  return levels;
}

function markAt({ problem, path }, time, text) {
  return { x: time, y: problem.alpha * path.at(time)[0] ** 2, text, colour: "edge" };
}

function timeAxis({ state, times }) {
  const log = state.x_axis === "log";
  return {
    low: log ? times[Math.round(GRID / 20)] : 0,
    high: times.at(-1),
    log,
    label: "time = η × step",
  };
}

function opposingContent(now) {
  const { run, flow } = now;
  const flowLog = flow.o.map((o) => Math.log(Math.abs(o)));
  const plus = { x: [], y: [] };
  const minus = { x: [], y: [] };
  run.log_abs_o.forEach((value, i) => {
    const side = run.sign_o[i] > 0 ? plus : minus;
    side.x.push(run.time[i]);
    side.y.push(value);
  });
  const [low, high] = extent([run.log_abs_o], false);
  return {
    x: timeAxis(now),
    y: { low, high, log: false, label: "log |o|" },
    series: [
      { name: "flow_o", kind: "line", x: flow.time, y: flowLog, colour: "soft", dash: DASHED, width: 1.4 },
      { name: "log_abs_o", kind: "line", x: run.time, y: run.log_abs_o, colour: "line", width: 1 },
      { name: "o_positive", kind: "dots", ...plus, colour: "plus", width: 4.5 },
      { name: "o_negative", kind: "dots", ...minus, colour: "minus", width: 4.5 },
    ],
    now,
  };
}

function lossContent(now) {
  const { run, groups } = now;
  const steady = 1e4 * Math.max(groups.plus[0], groups.minus[0], run.loss[0]);
  const seen = [groups.plus, groups.minus].map((list) => list.filter((y) => y < steady));
  const [low, high] = extent(seen, true, 0.15);
  return {
    x: timeAxis(now),
    y: { low, high, log: true, label: "loss" },
    series: [
      { name: "loss", kind: "line", x: run.time, y: run.loss, colour: "soft", width: 1.4 },
      { name: "loss_plus", kind: "line", x: run.time, y: groups.plus, colour: "plus" },
      { name: "loss_minus", kind: "line", x: run.time, y: groups.minus, colour: "minus" },
    ],
    now,
  };
}

function describeSharpness({ now }) {
  const { flow, run, state } = now;
  const parts = [
    `Sharpness against time. The flow's begins at ${shown(flow.sharpness[0])} and ends at ${shown(flow.sharpness.at(-1))}.`,
    `Descent ends at ${shown(run.sharpness.at(-1))}; 2/η is ${shown(2 / state.step_size)}.`,
    flow.t_dip > 0 ? `The dip is at time ${shown(flow.t_dip)}.` : "",
    flow.t_edge > 0 ? `The flow crosses 2/η at time ${shown(flow.t_edge)}.` : "",
    "Arrow keys left and right read values, up and down move 2/η.",
  ];
  return parts.filter(Boolean).join(" ");
}

function describeOpposing({ now }) {
  const { log_abs_o: log, sign_o: sign } = now.run;
  const flips = sign.filter((value, i) => i > 0 && value !== sign[i - 1]).length;
  const least = log.reduce((low, x) => Math.min(low, x), Infinity);
  return `Logarithm of |o| under descent: begins at ${shown(log[0])}, is least at ${shown(least)}, ends at ${shown(log.at(-1))}; o changes sign ${flips} times.`;
}

function describeLoss({ now }) {
  const { groups, run } = now;
  return `Mean losses of the two groups of outliers under descent: they begin at ${shown(groups.plus[0])} and ${shown(groups.minus[0])} and end at ${shown(groups.plus.at(-1))} and ${shown(groups.minus.at(-1))}; the loss above its minimum ends at ${shown(run.loss.at(-1))}.`;
}
