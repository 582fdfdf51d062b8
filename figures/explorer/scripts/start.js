// The standard initialisation, reduced to four numbers. Twin of linmodel's standard_state.

/** c = 1; b and b_o independent N(0, 1/d); beta along the first axis. Same draw as NumPy's. */
function standardState({ k, d1, support }, seed) {
  const d2 = Math.max(1, roundHalfEven(k * d1));
  const draw = standardNormal(seed);
  const scale = (d1 + d2) ** -0.5;
  const b = Array.from({ length: d1 }, () => scale * draw());
  const opposing = Array.from({ length: d2 }, () => scale * draw());
  const along = opposing.reduce((sum, x) => sum + x, 0) / Math.sqrt(d2);
  const o = support === "aligned" ? along : norm(opposing);
  return { c: 1, epsilon: b[0], n: norm(b.slice(1)), o };
}

function norm(vector) {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}

/** Python's round(). */
function roundHalfEven(x) {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
