// The reduced model in closed form: loss (M1), group losses (M9), velocity, sharpness (H1).
// Twin of linmodel/landscape.py. Loss with factor 1/2; time is step size x step.
// problem: {alpha, beta_norm}; a state is the four numbers c, epsilon, n, o.

/** M1: 1/2 ((c epsilon - B)^2 + c^2 n^2 + alpha c^2 o^2). */
function lossAt(problem, c, epsilon, n, o) {
  const residual = c * epsilon - problem.beta_norm;
  return 0.5 * (residual * residual + (c * n) ** 2 + problem.alpha * (c * o) ** 2);
}

/** s' = -grad L. */
function velocity(problem, c, epsilon, n, o) {
  const { alpha, beta_norm: b } = problem;
  return [
    epsilon * b - c * (epsilon * epsilon + n * n) - alpha * c * o * o,
    c * (b - c * epsilon),
    -c * c * n,
    -alpha * c * c * o,
  ];
}

/** M9: mean losses of the outliers with x_o = +a and -a, a^2 = alpha / p. */
function groupLosses(problem, c, epsilon, n, o) {
  const common = (c * epsilon - problem.beta_norm) ** 2 + (c * n) ** 2;
  const size = Math.sqrt(problem.alpha / problem.outlier_fraction);
  return [1, -1].map((sign) => 0.5 * (common + (size * (sign * c * o - 1)) ** 2));
}

/** H1: the largest eigenvalue of the loss Hessian, that of the arrowhead in (c; b; o). */
function sharpnessAt(problem, c, epsilon, n, o) {
  const { alpha, beta_norm: b } = problem;
  const corner = epsilon * epsilon + n * n + alpha * o * o;
  const signal = Math.hypot(2 * c * epsilon - b, 2 * c * n);
  return largestEigenvalue([
    [corner, signal, 2 * alpha * c * o],
    [signal, c * c, 0],
    [2 * alpha * c * o, 0, alpha * c * c],
  ]);
}

/** Of a symmetric 3 x 3 matrix, by Jacobi's rotations: backward stable, so no digits are lost. */
function largestEigenvalue(a) {
  const pairs = [[0, 1, 2], [0, 2, 1], [1, 2, 0]];
  for (let sweep = 0; sweep < 20; sweep++) {
    let rest = 0;
    for (const [p, q, r] of pairs) {
      const off = a[p][q];
      const size = Math.abs(a[p][p]) + Math.abs(a[q][q]);
      if (Math.abs(off) <= 1e-17 * size || off === 0) continue;
      rest = 1;
      const half = (a[q][q] - a[p][p]) / (2 * off);
      const t = (half >= 0 ? 1 : -1) / (Math.abs(half) + Math.hypot(half, 1));
      const cos = 1 / Math.hypot(t, 1);
      const sin = t * cos;
      a[p][p] -= t * off;
      a[q][q] += t * off;
      a[p][q] = a[q][p] = 0;
      const [x, y] = [a[r][p], a[r][q]];
      a[r][p] = a[p][r] = cos * x - sin * y;
      a[r][q] = a[q][r] = sin * x + cos * y;
    }
    if (rest === 0) break;
  }
  return Math.max(a[0][0], a[1][1], a[2][2]);
}

/** What the model says along states: columns c, epsilon, n, o, sharpness and so on. */
function columnsOf(problem, states) {
  const pick = (f) => states.map(([c, epsilon, n, o]) => f(problem, c, epsilon, n, o));
  return {
    c: states.map((s) => s[0]),
    epsilon: states.map((s) => s[1]),
    n: states.map((s) => s[2]),
    o: states.map((s) => s[3]),
    sharpness: pick(sharpnessAt),
    opposing_curvature: states.map((s) => problem.alpha * (s[0] * s[0])),
    loss: pick(lossAt),
  };
}
