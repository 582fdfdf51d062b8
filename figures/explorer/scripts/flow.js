// Gradient flow with its events: the dip (F4) and the crossing of 2/eta (F10).
// Twin of linmodel/flow.py: (c, epsilon, w) is integrated, w = max(alpha, 1) tau with tau the
// intrinsic time int c^2 dt (M7), so that n = n0 e^(-tau) and o = o0 e^(-alpha tau) keep all digits.

const NOISE = 3e-11; // relative rise of c^2 that counts as a dip's other side

/** The equation in (c, epsilon, w) and the way back to the four numbers. */
function flowSystem(problem, start) {
  const { alpha, beta_norm: b } = problem;
  const fast = Math.max(alpha, 1);
  const size = Math.hypot(start.c, start.epsilon, start.n, start.o);
  const across = (w) => {
    // A trial step may reach w < 0, where the exponentials overflow.
    const decayed = Math.max(w, (-100 * fast) / Math.max(alpha, 1));
    const nSquare = start.n ** 2 * Math.exp((-2 * decayed) / fast);
    return [nSquare, alpha * start.o ** 2 * Math.exp((-2 * decayed * alpha) / fast)];
  };
  const rate = ([c, epsilon, w]) => {
    const [nSquare, opposing] = across(w);
    const residual = b - c * epsilon;
    return [epsilon * residual - c * (nSquare + opposing), c * residual, fast * c * c];
  };
  const jacobian = ([c, epsilon, w]) => {
    const [nSquare, opposing] = across(w);
    const mixed = b - 2 * c * epsilon;
    const decay = (2 * c * (nSquare + alpha * opposing)) / fast;
    return [
      [-epsilon * epsilon - nSquare - opposing, mixed, decay],
      [mixed, -c * c, 0],
      [2 * fast * c, 0, 0],
    ];
  };
  const sizes = (values) => {
    const largest = [0, 0, 0];
    for (const y of values) y.forEach((v, p) => (largest[p] = Math.max(largest[p], Math.abs(v))));
    const floor = 1e-20 * size;
    return [largest[0] + floor, largest[1] + floor, largest[2] + 1];
  };
  const state = ([c, epsilon, w]) => [
    c,
    epsilon,
    start.n * Math.exp(-w / fast),
    start.o * Math.exp(-w * (alpha / fast)),
  ];
  return { initial: [start.c, start.epsilon, 0], rate, jacobian, sizes, state, alpha };
}

/** {at(time) -> [c, epsilon, n, o], t_dip, t_edge} up to `end`; step_size may be missing. */
function flowPath(problem, start, end, step_size) {
  const system = flowSystem(problem, start);
  const still = system.rate(system.initial);
  const acrossGone = start.n === 0 && problem.alpha * start.o === 0;
  if (end === 0 || (still[0] === 0 && still[1] === 0 && (start.c === 0 || acrossGone))) {
    return { at: () => system.state(system.initial), t_dip: NaN, t_edge: NaN };
  }
  const pieces = integrate(system, end);
  const level = 2 / (step_size * problem.alpha);
  const edges = step_size ? rises(pieces, (y) => y[0] * y[0] - level) : [];
  return {
    at: (time) => system.state(pathAt(pieces, time)),
    t_dip: firstDip(system, pieces),
    t_edge: edges.length ? edges[0].time : NaN,
  };
}

/** First minimum of alpha c^2; 0 if it rises from the start, NaN where there is none. */
function firstDip(system, pieces) {
  if (system.alpha === 0) return NaN;
  const slope = (y) => y[0] * system.rate(y)[0];
  if (slope(system.initial) > 0) return 0;
  for (const { time, value } of rises(pieces, slope)) {
    // Where c nears its limit from above, rounding makes the slope change sign without a dip.
    const later = pieces.filter((piece) => piece.begin + piece.length > time);
    const top = Math.max(...later.map((piece) => evaluate(piece, 1)[0] ** 2));
    if (top > value[0] ** 2 * (1 + NOISE)) return time;
  }
  return NaN;
}

/** Times at which f of the solution changes from <= 0 to > 0, with the solution there. */
function rises(pieces, f) {
  const found = [];
  for (const piece of pieces) {
    const marks = [0, ...NODES];
    const signs = marks.map((x) => f(evaluate(piece, x)) > 0);
    for (let i = 0; i + 1 < marks.length; i++) {
      if (signs[i] || !signs[i + 1]) continue;
      const x = bisect((share) => f(evaluate(piece, share)), marks[i], marks[i + 1]);
      found.push({ time: piece.begin + x * piece.length, value: evaluate(piece, x) });
    }
  }
  return found;
}

/** The flow at `times` (ascending, >= 0), as columns, with t_dip and t_edge. */
function flow(problem, start, times, step_size, path) {
  path ??= flowPath(problem, start, times.at(-1), step_size);
  const columns = columnsOf(problem, times.map(path.at));
  return { time: times, ...columns, t_dip: path.t_dip, t_edge: path.t_edge };
}
