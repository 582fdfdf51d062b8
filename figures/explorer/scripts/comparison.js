// Flows without an opposing signal in closed form (M8): what the envelope is pieced together from.
// Twin of linmodel/comparison.py. c' = epsilon B - c (epsilon^2 + r^2), epsilon' = c (B - c epsilon),
// r' = -c^2 r; `rest` is r0^2, s the flow's own time, tau = int c^2 ds.

const QUADRATURE = gauss(12);
const SHORT = 0.5; // rho s below which the quadrature is exact to rounding

/** (1 - e^(-x)) / x for x >= 0. */
function meanDecay(x) {
  return x > 0 ? -Math.expm1(-x) / x : 1;
}

/** e^(-scale s) int_0^s e^(rate x) dx for scale >= rate, scale >= 0, without overflow. */
function scaledIntegral(rate, s, scale) {
  return Math.exp((Math.max(rate, 0) - scale) * s) * s * meanDecay(Math.abs(rate) * s);
}

/** {at(s) -> [c, epsilon], intrinsic(s) -> tau, clock(tau) -> s, c, epsilon, rest, b, rho}. */
function comparison(c, epsilon, rest, b) {
  const kappa = (c - epsilon) * (c + epsilon) - rest;
  const rho = Math.hypot(b, kappa / 2);
  const long = rho + Math.abs(kappa) / 2;
  const size = Math.hypot(long, b);
  // The unit eigenvector for +rho: its squares and product.
  const cc = ((kappa >= 0 ? long : b) / size) ** 2;
  const ee = ((kappa >= 0 ? b : long) / size) ** 2;
  const ce = (long / size) * (b / size);
  const rate = kappa >= 0 ? 2 * rho + kappa : (4 * b * b) / (2 * rho - kappa); // 2 c_inf^2

  const at = (s) => {
    const gone = Math.exp(-2 * rho * s);
    const met = -Math.expm1(-2 * rho * s);
    const cTop = c * (cc + ee * gone) + epsilon * ce * met;
    const eTop = epsilon * (ee + cc * gone) + c * ce * met;
    const grow = epsilon ** 2 * ee + c ** 2 * cc + 2 * c * epsilon * ce;
    const fall = epsilon ** 2 * cc + c ** 2 * ee - 2 * c * epsilon * ce;
    const lead = kappa >= 0 ? gone : Math.exp(((-4 * b * b) / (2 * rho - kappa)) * s);
    const across = lead * s * meanDecay(Math.abs(kappa) * s);
    const root = Math.sqrt(gone + ((grow + fall * gone) * met) / (2 * rho) + rest * across);
    return [cTop / root, eTop / root];
  };

  const short = (s) => {
    let total = 0;
    QUADRATURE.nodes.forEach((node, i) => {
      const x = (s * (node + 1)) / 2;
      const top =
        c * (cc * Math.exp(rho * x) + ee * Math.exp(-rho * x)) +
        epsilon * ce * 2 * Math.sinh(rho * x);
      total += (QUADRATURE.weights[i] / 2) * top * top * Math.exp(kappa * x);
    });
    return Math.log1p(2 * s * total) / 2;
  };
  const p = c * cc + epsilon * ce;
  const q = c * ee - epsilon * ce;
  const later = (s) => {
    const total =
      p * p * scaledIntegral(rate, s, rate) +
      2 * p * q * scaledIntegral(kappa, s, rate) +
      q * q * scaledIntegral(kappa - 2 * rho, s, rate);
    const grown = rate * s;
    if (grown < 1) return Math.log1p(2 * total * Math.exp(grown)) / 2;
    return (grown + Math.log(Math.exp(-grown) + 2 * total)) / 2;
  };
  const intrinsic = (s) => (rho * s < SHORT ? short(s) : later(s));

  /** Newton's method inside a bracket. */
  const clock = (tau) => {
    let low = 0;
    let high = tau / Math.min(c * c, rate / 2) + 1 / rho;
    for (let i = 0; i < 100 && intrinsic(high) < tau; i++) high *= 2;
    let s = Math.min(tau / (c * c), high);
    for (let i = 0; i < 100; i++) {
      const miss = intrinsic(s) - tau;
      if (miss <= 0) low = s;
      if (miss >= 0) high = s;
      let guess = s - miss / at(s)[0] ** 2;
      if (!(guess >= low && guess <= high)) guess = (low + high) / 2;
      const done = Math.abs(guess - s) <= 1e-13 * s;
      s = guess;
      if (done) break;
    }
    return s;
  };
  return { c, epsilon, rest, b, rho, at, intrinsic, clock };
}
