// The two curves between which epsilon runs (F11): x^alpha, x = e^(-2 tau), is replaced by chords
// (above it) or tangents (below it); every piece is a comparison flow.
// Twin of linmodel's envelope pieces: see there for why true time is bounded too.

const TAIL = 1e-12; // pieces end where o^2 < TAIL c^2
const LONGEST = 4; // of a piece in log(o^2)
const SHORTEST = 1e-3;
const CLEAR = 1e-9; // on a plateau only a clear fall counts, and as much is given away
const ROUNDING = 1e-15;

/** Pieces {tau, time, stretch, flow}: where each starts, a bound of dt/ds on it, its flow. */
function envelopeCurve(problem, start, step, most, upper) {
  const { alpha, beta_norm: b } = problem;
  let { c, epsilon } = start;
  let tau = 0;
  let time = 0;
  const pieces = [];
  for (let count = 0; count <= most && Number.isFinite(tau); count++) {
    const oSquare = start.o ** 2 * Math.exp(-2 * alpha * tau);
    const wanted = (step * c) / Math.sqrt(Math.max(oSquare, 1e-300));
    const last = oSquare <= TAIL * c * c || count === most;
    const length = last ? Infinity : Math.min(Math.max(wanted, SHORTEST), LONGEST);
    for (const line of (upper ? tangents : chord)(alpha, oSquare, length)) {
      const rest = start.n ** 2 * Math.exp(-2 * tau) + line.rest;
      const flow = comparison(c, epsilon, rest, b);
      const ends = Number.isFinite(line.span);
      const s = ends ? flow.clock(line.span) : 0;
      const after = flow.at(s);
      const stretch = stretchOf(flow, after, s, ends, line.gap, upper);
      pieces.push({ tau, time, stretch, flow });
      [c, epsilon] = after;
      tau += line.span;
      time = ends ? time + (s > 0 ? stretch : 1) * s : Infinity;
      if (!ends) break;
    }
  }
  return pieces;
}

/** The chord of x^alpha from 1 to e^(-length/alpha); to 0 where length is infinite. */
function chord(alpha, oSquare, length) {
  const slope = Math.expm1(-length) / Math.expm1(-length / alpha);
  const power = Math.max(alpha - 1, ROUNDING);
  const widest = Math.exp(Math.log(slope / alpha) / power);
  const over = slope * (widest - Math.exp(-length / alpha));
  const gap = Math.exp(-length) + over - widest ** alpha;
  const span = length / (2 * alpha);
  return [{ rest: oSquare * slope, span, gap: oSquare * openGap(alpha, gap) }];
}

/** The tangents of x^alpha at 1 and at e^(-length/alpha), up to and from where they meet. */
function tangents(alpha, oSquare, length) {
  const power = Math.max(alpha - 1, ROUNDING);
  const crossing =
    (power * Math.expm1(-length)) / (alpha * Math.expm1((-power * length) / alpha));
  const meet = alpha > 1 ? crossing : Math.exp(-length / 2);
  const gap = oSquare * openGap(alpha, meet ** alpha - 1 - alpha * (meet - 1));
  const final = !Number.isFinite(length);
  const first = -Math.log(meet) / 2;
  const second = final ? Infinity : length / (2 * alpha) - first;
  const slope = final ? 0 : alpha * meet * Math.exp(-length * (power / alpha));
  return [
    { rest: oSquare * alpha, span: first, gap },
    { rest: oSquare * slope, span: second, gap },
  ];
}

function openGap(alpha, gap) {
  return alpha > 1 ? Math.max(gap, 0) + ROUNDING : 0;
}

/** Bound of dt/ds on a piece: 1/(1 - gap/c_min^2) from above, 1/(1 + gap/c_min^2) below. */
function stretchOf(flow, after, s, ends, gap, upper) {
  const ratio = gap / lowestSquare(flow, after, s, ends);
  if (upper) return 1 / (1 + ratio);
  return ratio < 1 ? 1 / (1 - ratio) : Infinity;
}

/** Least c^2 on a piece: an end of it, or the one dip inside (F4). */
function lowestSquare(flow, after, s, ends) {
  const fallsLast = ends && fallsAt(flow, after, flow.intrinsic(s));
  let lowest = (fallsLast ? after[0] : flow.c) ** 2;
  if (fallsAt(flow, [flow.c, flow.epsilon], 0) && !fallsLast) {
    lowest = dipBefore(flow, ends ? s : Infinity) ** 2;
  }
  return lowest * (1 - 10 * CLEAR);
}

function fallsAt(flow, [c, epsilon], tau) {
  const drag = c * (epsilon * epsilon + flow.rest * Math.exp(-2 * tau));
  return epsilon * flow.b < drag * (1 - CLEAR);
}

/** c at a time just before its minimum on [0, s], by bisection. */
function dipBefore(flow, s) {
  const falls = (x) => fallsAt(flow, flow.at(x), flow.intrinsic(x));
  let low = 0;
  let high = Number.isFinite(s) ? s : 1 / flow.rho;
  for (let i = 0; i < 400 && s === Infinity && falls(high); i++) high *= 2;
  for (let i = 0; i < 400 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2;
    if (falls(middle)) low = middle;
    else high = middle;
  }
  return flow.at(low)[0];
}
