// Legendre polynomials on [-1, 1]: the nodes, weights and matrices of collocation and quadrature.

/** [P_0(x), ..., P_degree(x)] by the three-term recurrence. */
function legendre(degree, x) {
  const values = [1, x];
  for (let k = 1; k < degree; k++) {
    values.push(((2 * k + 1) * x * values[k] - k * values[k - 1]) / (k + 1));
  }
  return values.slice(0, degree + 1);
}

/** The `count` roots in (-1, 1) of a polynomial with simple roots there, ascending. */
function rootsInside(polynomial, count) {
  const samples = 64 * count;
  const roots = [];
  // Evenly spaced angles, as the roots are.
  const place = (i) => -Math.cos((Math.PI * (i + 0.5)) / (samples + 1));
  for (let i = 0; i < samples && roots.length < count; i++) {
    if (polynomial(place(i)) * polynomial(place(i + 1)) < 0) {
      roots.push(bisect(polynomial, place(i), place(i + 1)));
    }
  }
  return roots;
}

/** Where `f` changes sign between low and high, to the last bit. */
function bisect(f, low, high) {
  const rising = f(high) > 0;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= Math.min(low, high) || middle >= Math.max(low, high)) return high;
    if (f(middle) > 0 === rising) high = middle;
    else low = middle;
  }
}

/** Gauss's nodes and weights on [-1, 1]. */
function gauss(count) {
  const nodes = rootsInside((x) => legendre(count, x)[count], count);
  const weights = nodes.map((x) => {
    const [before, last] = legendre(count, x).slice(-2);
    const slope = (count * (before - x * last)) / (1 - x * x);
    return 2 / ((1 - x * x) * slope * slope);
  });
  return { nodes, weights };
}

/** Radau's nodes on [0, 1], the last at 1: the roots of P_count - P_(count - 1). */
function radauNodes(count) {
  const polynomial = (x) => {
    const [before, last] = legendre(count, x).slice(-2);
    return before - last;
  };
  return [...rootsInside(polynomial, count - 1).map((x) => (x + 1) / 2), 1];
}

/** Factor a matrix (rows, changed in place) by elimination with row exchanges. */
function factorize(rows) {
  const size = rows.length;
  const order = rows.map((_, i) => i);
  for (let k = 0; k < size; k++) {
    let best = k;
    for (let i = k + 1; i < size; i++) {
      if (Math.abs(rows[i][k]) > Math.abs(rows[best][k])) best = i;
    }
    [rows[k], rows[best]] = [rows[best], rows[k]];
    [order[k], order[best]] = [order[best], order[k]];
    const row = rows[k];
    for (let i = k + 1; i < size; i++) {
      const other = rows[i];
      if (other[k] === 0) continue;
      const factor = (other[k] /= row[k]);
      for (let j = k + 1; j < size; j++) other[j] -= factor * row[j];
    }
  }
  return { rows, order };
}

/** x with (the factored matrix) x = right. */
function solveFactored({ rows, order }, right) {
  const size = rows.length;
  const x = Float64Array.from(order, (i) => right[i]);
  for (let k = 1; k < size; k++) {
    for (let j = 0; j < k; j++) x[k] -= rows[k][j] * x[j];
  }
  for (let k = size - 1; k >= 0; k--) {
    for (let j = k + 1; j < size; j++) x[k] -= rows[k][j] * x[j];
    x[k] /= rows[k][k];
  }
  return x;
}

/** The inverse of a small matrix, column by column. */
function inverse(matrix) {
  const factors = factorize(matrix.map((row) => row.slice()));
  const unit = (j) => matrix.map((_, i) => (i === j ? 1 : 0));
  const columns = matrix.map((_, j) => solveFactored(factors, unit(j)));
  return matrix.map((_, i) => columns.map((column) => column[i]));
}
