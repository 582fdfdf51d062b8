// Gradient descent on the four numbers, o and n carried as logarithm and sign (G1).
// Twin of linmodel/descent.py, operation by operation: o can fall to e^(-20000) and come back.

const ESCAPE = 1e30; // beyond this size the cubic map never returns

function logSize(value) {
  return value !== 0 ? Math.log(Math.abs(value)) : -Infinity;
}

function signOf(value) {
  return value < 0 || Object.is(value, -0) ? -1 : 1;
}

/**
 * Call visit(step, c, epsilon, n, log|o|, sign of o) for the start and every step, until `steps`,
 * escape, or visit returns true. Returns the number of states visited.
 */
function descend(problem, start, eta, steps, visit) {
  const { alpha, beta_norm: b } = problem;
  let { c, epsilon, n, o } = start;
  let [logN, signN] = [logSize(n), signOf(n)];
  let [logO, signO] = [logSize(o), signOf(o)];
  const top = Math.log(ESCAPE);
  for (let step = 0; step <= steps; step++) {
    if (visit(step, c, epsilon, n, logO, signO) === true) return step + 1;
    const square = c * c;
    const slope = epsilon * (b - c * epsilon) - c * (n * n + alpha * o * o);
    epsilon += eta * c * (b - c * epsilon);
    const factorN = 1 - eta * square;
    const factorO = 1 - eta * alpha * square;
    logN += logSize(factorN);
    logO += logSize(factorO);
    signN = signOf(signN * factorN);
    signO = signOf(signO * factorO);
    c += eta * slope;
    const escaped = !(Math.max(Math.abs(c), Math.abs(epsilon)) < ESCAPE);
    if (escaped || Math.max(logN, logO) > top) return step + 1;
    n = signN * Math.exp(logN);
    o = signO * Math.exp(logO);
  }
  return steps + 1;
}

/** Descent as columns (log_abs_o and sign_o beside o), with status and events. */
function descent(problem, start, step_size, steps) {
  const run = newRun();
  const count = descend(problem, start, step_size, steps, run.record);
  return finished(problem, run, count, step_size, steps);
}

/** Where a run of any optimiser is written down. */
function newRun() {
  const states = [];
  const logs = [];
  const signs = [];
  const record = (_step, c, epsilon, n, logO, signO) => {
    states.push([c, epsilon, n, signO * Math.exp(logO)]);
    logs.push(logO);
    signs.push(signO);
  };
  return { states, logs, signs, record };
}

function finished(problem, run, count, step_size, steps) {
  const columns = columnsOf(problem, run.states);
  const time = run.states.map((_, i) => step_size * i);
  return {
    time,
    ...columns,
    log_abs_o: run.logs,
    sign_o: run.signs,
    status: count === steps + 1 ? "completed" : "diverged",
    diverged_at_step: count === steps + 1 ? null : count,
    t_dip: firstMinimum(time, columns.opposing_curvature),
    t_edge: firstRise(time, columns.opposing_curvature, 2 / step_size),
  };
}

/** Time of the first local minimum that the curve leaves upwards; NaN where there is none. */
function firstMinimum(time, curve) {
  const at = curve.findIndex((value, i) => curve[i + 1] > value);
  return at < 0 ? NaN : time[at];
}

/** First time at which the curve, below `level` one step earlier, is at or above it. */
function firstRise(time, curve, level) {
  const at = curve.findIndex((value, i) => value < level && curve[i + 1] >= level);
  return at < 0 ? NaN : time[at + 1];
}
