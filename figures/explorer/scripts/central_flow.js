// G6: the central flow, the time average of descent at the edge. Twin of linmodel/central_flow.py.

/** Why there is no central flow here, in words; "" where there is one. */
function centralFailure(problem, start, step_size) {
  const failure = standingFailure(problem, start);
  if (failure) return `the central flow is stated for ${failure}`;
  const largest = largestStableStep(problem);
  return step_size > largest ? `η is above η* = ${largest.toPrecision(4)}: no stable minimum` : "";
}

/** The flow up to t_edge, then alpha c^2 = 2/eta held by <o^2>; o is the root mean square. */
function centralFlow(problem, start, times, step_size, path) {
  path ??= flowPath(problem, start, times.at(-1), step_size);
  if (Number.isNaN(path.t_edge)) return { time: times, ...columnsOf(problem, times.map(path.at)) };
  const square = 2 / (step_size * problem.alpha);
  const c = Math.sqrt(square);
  const [, epsilon0, n0] = path.at(path.t_edge);
  const end = problem.beta_norm / c;
  const states = times.map((time) => {
    if (time < path.t_edge) return path.at(time);
    const decay = Math.exp(-square * (time - path.t_edge));
    const epsilon = end - (end - epsilon0) * decay;
    const n = n0 * decay;
    const meanSquare = Math.max(epsilon * (end - epsilon) - n * n, 0) / problem.alpha;
    return [c, epsilon, n, Math.sqrt(meanSquare)];
  });
  return { time: times, ...columnsOf(problem, states) };
}
