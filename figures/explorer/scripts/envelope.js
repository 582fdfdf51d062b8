// F11: proved two-sided bounds of alpha c^2 and of the sharpness in time, closed forms only.
// Twin of linmodel's envelope.

const SLACK = 1e-10; // covers the floats' roundings

/** {opposing_curvature_lower, ..._upper, sharpness_lower, ..._upper} at `times`; null where floats
 *  cannot resolve the bounds. Needs the standing hypotheses. */
function envelope(problem, start, times, step, pieces) {
  const lower = envelopeCurve(problem, start, step, pieces, false);
  const upper = envelopeCurve(problem, start, step, pieces, true);
  const kappa = conserved(start);
  const floor = dipFloor(problem, start) * (1 - SLACK);
  const top = Math.max(start.c ** 2, limitSquare(kappa, problem.beta_norm));
  const names = ["opposing_curvature", "sharpness"];
  const columns = Object.fromEntries(names.flatMap((x) => [[`${x}_lower`, []], [`${x}_upper`, []]]));
  for (const time of times) {
    const [slow, low] = onCurve(lower, time);
    const [fast, high] = onCurve(upper, time);
    const box = envelopeBox(problem, start, kappa, floor, top, slow, low, fast, high);
    if (!(box.c[0] <= box.c[1])) return null;
    const sharp = sharpnessRange(problem, box);
    ["lower", "upper"].forEach((side, i) => {
      columns[`opposing_curvature_${side}`].push(problem.alpha * box.c[i] ** 2);
      columns[`sharpness_${side}`].push(sharp[i]);
    });
  }
  return columns;
}

/** [tau, epsilon] at which this curve's clock shows `time`. */
function onCurve(pieces, time) {
  const piece = pieces.findLast((each) => each.time <= time);
  const s = (time - piece.time) / piece.stretch;
  return [piece.tau + piece.flow.intrinsic(s), piece.flow.at(s)[1]];
}

function envelopeBox(problem, start, kappa, floor, top, slowTau, lowE, fastTau, highE) {
  const { alpha, beta_norm: b } = problem;
  const [low, high] = [lowE * (1 - SLACK), highE * (1 + SLACK)];
  const [slow, fast] = [slowTau * (1 - SLACK), fastTau * (1 + SLACK)];
  const n = [fast, slow].map((tau) => Math.abs(start.n) * Math.exp(-tau));
  const o = [fast, slow].map((tau) => Math.abs(start.o) * Math.exp(-alpha * tau));
  const rounding = SLACK * 1e-5 * (Math.abs(kappa) + high ** 2 + n[1] ** 2 + o[1] ** 2);
  const ceiling = Math.min(top, (b / low) ** 2) * (1 + SLACK);
  const cLow = Math.max(kappa + low ** 2 + n[0] ** 2 + o[0] ** 2 - rounding, floor);
  const cHigh = Math.min(kappa + high ** 2 + n[1] ** 2 + o[1] ** 2 + rounding, ceiling);
  return { c: [Math.sqrt(cLow), Math.sqrt(cHigh)], epsilon: [low, high], n, o };
}

/** lambda_max over a box: it grows with the size of every entry of the arrowhead. */
function sharpnessRange({ alpha, beta_norm: b }, box) {
  const gaps = [0, 1].map((i) => 2 * box.c[i] * box.epsilon[i] - b);
  const sizes = gaps.map(Math.abs);
  const least = gaps[0] * gaps[1] <= 0 ? 0 : Math.min(...sizes);
  return [0, 1].map((i) => {
    const [c, epsilon, n, o] = [box.c[i], box.epsilon[i], box.n[i], box.o[i]];
    const border = Math.hypot(i ? Math.max(...sizes) : least, 2 * c * n);
    const side = 2 * alpha * c * o;
    const value = largestEigenvalue([
      [epsilon ** 2 + n ** 2 + alpha * o ** 2, border, side],
      [border, c * c, 0],
      [side, 0, alpha * c * c],
    ]);
    return value * (i ? 1 + SLACK : 1 - SLACK);
  });
}
