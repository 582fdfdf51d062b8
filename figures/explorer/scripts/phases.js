// What descent does in the end (G2-G4), for one run and for a map over (alpha, eta).
// Twin of linmodel/phases.py's observe_phase.

const PHASES = ["like_flow", "catapult", "oscillating", "diverged", "unfinished"];
const RESTS = 1e-3; // relative change of alpha c^2 below which descent has come to rest
const SHORTEST_RUN = 2000;
const LONGEST_RUN = 20000; // of a cell of the map

/**
 * Name what a run did: u = eta alpha c^2 and log|o| of its `count` states.
 *
 * Settled: over the last fifth u varies by less than 1e-3 of its size and |o| falls or is 0.
 * Oscillation: it varies by more, by half to twice of what it did in the fifth before, and turns
 * round at least twice.
 */
function phaseOf(u, logO, count, diverged) {
  if (diverged) return "diverged";
  const fifth = Math.max(Math.floor(count / 5), 1);
  const swing = swingOf(u, count - fifth, count);
  const earlier = swingOf(u, count - 2 * fifth, count - fifth);
  if (swing < RESTS && (logO[count - 1] < logO[count - fifth] || logO[count - 1] === -Infinity)) {
    let top = 0;
    for (let i = 0; i < count; i++) top = Math.max(top, u[i]);
    return top > 2 && u[count - 1] < top * (1 - RESTS) ? "catapult" : "like_flow";
  }
  const alike = earlier / 2 < swing && swing < 2 * earlier;
  if (swing >= RESTS && alike && turns(u, count - fifth, count) >= 2) return "oscillating";
  return "unfinished";
}

/** How often the values turn round; a stretch where they do not move is a turn at either end. */
function turns(values, begin, end) {
  let count = 0;
  for (let i = begin + 1; i < end - 1; i++) {
    if (Math.sign(values[i] - values[i - 1]) !== Math.sign(values[i + 1] - values[i])) count++;
  }
  return count;
}

function swingOf(values, begin, end) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = begin; i < end; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return (high - low) / high;
}

/** Steps that a cell of the map gets: time 60 / c_inf^2, from 2,000 to 20,000 steps. */
function cellSteps(problem, start, eta) {
  const square = limitSquare(conserved(start), problem.beta_norm);
  return Math.trunc(Math.min(Math.max(60 / (eta * square), SHORTEST_RUN), LONGEST_RUN));
}

/** The phase of one cell; `room` is a pair of Float64Array of LONGEST_RUN + 1 numbers. */
function cellPhase(problem, start, eta, room) {
  const [u, logO] = room;
  const steps = cellSteps(problem, start, eta);
  const gain = eta * problem.alpha;
  const count = descend(problem, start, eta, steps, (step, c, _epsilon, _n, log) => {
    u[step] = gain * c * c;
    logO[step] = log;
  });
  return phaseOf(u, logO, count, count <= steps);
}

/** Names of the phases, row by row: etas (rows) by alphas (columns); a row may be asked alone. */
function phaseRow(problem, start, alphas, eta, room) {
  return alphas.map((alpha) => PHASES.indexOf(cellPhase({ ...problem, alpha }, start, eta, room)));
}
