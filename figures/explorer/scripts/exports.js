// What can be taken away: Python, command lines, CSV, SVG.

const numberText = (value) => String(value);

/** The problem and start as Python. */
function pythonProblem(state) {
  const fields = ["alpha", "beta_norm", "k", "d1"].map((name) => `${name}=${numberText(state[name])}`);
  fields.push(`support="${state.support}"`, `outlier_fraction=${numberText(state.outlier_fraction)}`);
  const numbers = ["c", "epsilon", "n", "o"].map((name) => `${name}=${numberText(state[name])}`);
  const drawn = state.start === "seed";
  return {
    imports: drawn ? "standard_state" : "State",
    lines: [
      `problem = OpposingSignals(${fields.join(", ")})`,
      drawn ? `start = standard_state(problem, ${state.seed})` : `start = State(${numbers.join(", ")})`,
    ],
  };
}

/** Python that computes what is plotted: flow and run, and the theory's curves where there are any. */
function pythonText({ state, central, envelope }) {
  const { imports, lines } = pythonProblem(state);
  const names = ["OpposingSignals", imports, "gradient_flow", "group_losses", "State"];
  if (state.optimiser === "gd") names.push("gradient_descent");
  else names.push("gradient", "opposing_curvature", "sharpness");
  const head = ["import numpy as np", `from linmodel import ${[...new Set(names)].sort().join(", ")}`];
  const body = [
    "",
    ...lines,
    `step_size, steps = ${numberText(state.step_size)}, ${state.steps}`,
    `times = step_size * steps * np.linspace(0, 1, ${GRID + 1}) ** 3`,
    "flow = gradient_flow(problem, start, times, step_size=step_size)",
  ];
  if (central) {
    head.push("from linmodel.central_flow import central_flow");
    body.push("central = central_flow(problem, start, times, step_size)");
  }
  if (envelope) {
    head.push("from linmodel.envelope import envelope");
    const { step, pieces } = ENVELOPE;
    body.push(`bounds = envelope(problem, start, times, step=${step}, pieces=${pieces})`);
  }
  if (state.optimiser === "gd") {
    body.push("descent = gradient_descent(problem, start, step_size, steps)");
    body.push("path = State(*(descent[name].values for name in (\"c\", \"epsilon\", \"n\", \"o\")))");
    body.push("curves = {\"sharpness\": descent.sharpness.values, \"log_abs_o\": descent.log_abs_o.values}");
  } else {
    body.push(...optimiserPython(state));
  }
  body.push("plus, minus = group_losses(problem, path)");
  body.push("print(f\"dip at {float(flow.t_dip):.6g}, crossing of 2/eta at {float(flow.t_edge):.6g}\")");
  return [...head, ...body, ""].join("\n");
}

/** The other optimisers as a loop in Python, in plain floats. */
function optimiserPython(state) {
  const rules = {
    heavy_ball: `HeavyBall(step_size, momentum=${numberText(state.momentum)})`,
    sam: `SharpnessAware(step_size, radius=${numberText(state.radius)})`,
    noise: "GradientDescent(step_size)",
  };
  const rule = rules[state.optimiser];
  const noisy = state.optimiser === "noise";
  const draw = `${numberText(state.noise)} * np.random.RandomState(${state.noise_seed}).standard_normal(steps)`;
  return [
    `from linmodel.network.optimisers import ${rule.split("(")[0]}`,
    "# Plain floats: an o below 1e-308 becomes 0 here; the page carries its logarithm.",
    `rule = ${rule}`,
    ...(noisy ? [`noise = ${draw}`] : []),
    "theta = np.array(list(start), dtype=float)",
    "memory, rows = rule.start(theta), [theta]",
    "for step in range(steps):",
    "    theta, memory = rule.step(",
    "        theta, lambda at: np.array(list(gradient(problem, State(*at)))), memory",
    "    )",
    ...(noisy ? ["    theta = theta + np.array([0, 0, 0, noise[step]])"] : []),
    "    if not np.abs(theta).max() < 1e30:",
    "        break  # diverged",
    "    rows.append(theta)",
    "path = State(*np.array(rows).T)",
    "with np.errstate(divide=\"ignore\"):",
    "    curves = {\"sharpness\": sharpness(problem, path), \"log_abs_o\": np.log(np.abs(path.o))}",
  ];
}

/** Command lines of the flow and of descent; throws where there is none. */
function commandText(state) {
  if (state.optimiser !== "gd") {
    const allowed = "gradient descent; take \"copy as Python\" for the others";
    throw new RangeError(refusal("the optimiser of a command line", state.optimiser, allowed));
  }
  const numbers = [state.c, state.epsilon, state.n, state.o].map(numberText).join(",");
  const start = state.start === "seed" ? `--seed ${state.seed}` : `--state=${numbers}`;
  const shared = `--alpha ${state.alpha} --beta-norm ${state.beta_norm} --k ${state.k} --d1 ${state.d1} --support ${state.support} ${start} --step-size ${state.step_size}`;
  const end = state.step_size * state.steps;
  return [
    `python -m linmodel flow ${shared} --t-end ${numberText(end)}`,
    `python -m linmodel descent ${shared} --steps ${state.steps}`,
    "",
  ].join("\n");
}

/** All plotted numbers as CSV: one row a point, `curve` says of which curve. */
function csvText({ flow, run, groups, flowGroups, central }) {
  const columns = ["time", "c", "epsilon", "n", "o", "log_abs_o", "sharpness", "opposing_curvature", "loss"];
  const lines = [["curve", ...columns, "loss_plus", "loss_minus"].join(",")];
  const add = (curve, data, pair) => {
    data.time.forEach((_, i) => {
      const cells = columns.map((name) => data[name]?.[i] ?? "");
      lines.push([curve, ...cells, pair?.plus[i] ?? "", pair?.minus[i] ?? ""].join(","));
    });
  };
  add("flow", flow, flowGroups);
  add("descent", run, groups);
  if (central) add("central_flow", central, null);
  return `${lines.join("\n")}\n`;
}

/** A plot as a file of its own: colours written out, the page's letters named. */
function svgText(root) {
  const style = getComputedStyle(document.documentElement);
  const copy = root.cloneNode(true);
  copy.setAttribute("xmlns", SVG);
  copy.querySelector(".cursor")?.remove();
  const rules = document.createElementNS(SVG, "style");
  rules.textContent = document.getElementById("plot-style").textContent;
  copy.prepend(rules);
  const paper = document.createElementNS(SVG, "rect");
  for (const [key, value] of [["width", "100%"], ["height", "100%"], ["style", "fill:var(--paper)"]]) {
    paper.setAttribute(key, value);
  }
  copy.insertBefore(paper, rules.nextSibling);
  const text = new XMLSerializer().serializeToString(copy);
  return text.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
}

/** Offer `text` as a file. */
function saveFile(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Copy `text`, and show it, so that it can be taken by hand where copying is not allowed. */
async function showText(title, text) {
  const dialog = document.getElementById("text-dialog");
  dialog.querySelector("h2").textContent = title;
  const area = dialog.querySelector("textarea");
  area.value = text;
  dialog.showModal();
  area.select();
  const note = dialog.querySelector("p");
  try {
    await navigator.clipboard.writeText(text);
    note.textContent = "Copied.";
  } catch {
    note.textContent = "Press Ctrl+C (⌘C) to copy.";
  }
}
