// Bounds of the flow and the hypotheses of the theorems. Twin of linmodel/bounds.py, hypotheses.py.

/** a^2 = square + rest exactly (Dekker). */
function exactSquare(a) {
  const big = 134217729 * a; // 2^27 + 1 halves a float's 53 bits
  const high = big - (big - a);
  const low = a - high;
  const square = a * a;
  return [square, high * high - square + 2 * high * low + low * low];
}

/** M6: kappa = c^2 - epsilon^2 - n^2 - o^2, summed as if with twice the digits. */
function conserved({ c, epsilon, n, o }) {
  let total = 0;
  let lost = 0;
  for (const [sign, value] of [[1, c], [-1, epsilon], [-1, n], [-1, o]]) {
    for (const part of exactSquare(value)) {
      const term = sign * part;
      const next = total + term;
      const moved = next - total;
      lost += total - (next - moved) + (term - moved);
      total = next;
    }
  }
  return total + lost;
}

/** F5: the positive root of x - B^2/x = kappa, without cancellation. */
function limitSquare(kappa, b) {
  const root = Math.hypot(kappa, 2 * b) + Math.abs(kappa);
  return kappa >= 0 ? root / 2 : (2 * b * b) / root;
}

/** F5: where the flow ends. */
function flowLimit(problem, start) {
  const square = limitSquare(conserved(start), problem.beta_norm);
  const curvature = problem.alpha * square;
  const other = square + problem.beta_norm ** 2 / square;
  return { c_square: square, opposing_curvature: curvature, sharpness: Math.max(curvature, other) };
}

/** G3: eta*, above which no minimum is stable. */
function largestStableStep({ alpha, beta_norm: b }) {
  return alpha <= 2 ? 1 / b : (2 * Math.sqrt(alpha - 1)) / (alpha * b);
}

/** The standing hypothesis of F1-F11 that fails, in words; "" where they hold. */
function standingFailure({ alpha, beta_norm: b }, { c, epsilon }) {
  if (alpha < 1) return "α ≥ 1";
  if (!(b > 0)) return "B > 0";
  if (!(c > 0)) return "c₀ > 0";
  if (epsilon < 0) return "ε₀ ≥ 0";
  if (!(c * epsilon < b)) return "c₀ε₀ < B";
  return "";
}

/** F7: c(t)^2 is at least this for all t. */
function dipFloor({ alpha, beta_norm }, start) {
  const { c, epsilon, n, o } = start;
  const b = beta_norm / c;
  const slack = b - epsilon;
  const fallen = (b * n) ** 2 / (slack * slack + n * n);
  const slow = epsilon * slack < n * n ? conserved(start) + fallen : (c - o) * (c + o);
  const drag = n * n + alpha * o * o;
  const far = Math.sqrt(epsilon * epsilon + n * n + o * o);
  const ends = [epsilon / (epsilon * epsilon + drag), far / (far * far + drag)];
  const slaved = beta_norm * Math.min(...ends.filter((x) => !Number.isNaN(x)));
  return Math.min(Math.max(slow, Number.isFinite(slaved) ? slaved * slaved : 0), c * c);
}
