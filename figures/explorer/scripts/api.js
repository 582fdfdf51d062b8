// window.opposingSignals: the page's arithmetic for tests and for people at the console.

/** The problem and start of `given`, checked. Throws RangeError in linmodel's words. */
function checkedProblem(given) {
  const numbers = ["alpha", "beta_norm", "c", "epsilon", "n", "o"];
  const [alpha, beta_norm, c, epsilon, n, o] = numbers.map((name) => numberFor(name, given[name]));
  const outlier_fraction = numberFor("outlier_fraction", given.outlier_fraction ?? 0.05);
  return { problem: { alpha, beta_norm, outlier_fraction }, start: { c, epsilon, n, o } };
}

function checkedTimes(times) {
  const allowed = "a 1-d sequence of finite times >= 0 that strictly increase";
  const grid = Array.isArray(times) || ArrayBuffer.isView(times) ? Array.from(times) : null;
  const bad =
    !grid || grid.length === 0 ||
    grid.some((t, i) => !Number.isFinite(t) || t < 0 || (i > 0 && t <= grid[i - 1]));
  if (bad) throw new RangeError(refusal("times", times, allowed));
  return grid;
}

/** flow({alpha, beta_norm, c, epsilon, n, o, times, step_size?}): columns at `times`. */
function apiFlow(given) {
  const { problem, start } = checkedProblem(given);
  const times = checkedTimes(given.times);
  const eta = given.step_size === undefined ? undefined : numberFor("step_size", given.step_size);
  return twin.flow(problem, start, times, eta);
}

/** descent({alpha, beta_norm, c, epsilon, n, o, step_size, steps}): columns, log_abs_o included. */
function apiDescent(given) {
  const { problem, start } = checkedProblem(given);
  const eta = numberFor("step_size", given.step_size);
  const steps = numberFor("steps", given.steps);
  const largest = Math.max(...Object.values(start).map(Math.abs));
  if (!(largest < 1e30)) {
    throw new RangeError(refusal("largest component of the start", largest, "a size below 1e+60"));
  }
  return twin.descent(problem, start, eta, steps);
}
