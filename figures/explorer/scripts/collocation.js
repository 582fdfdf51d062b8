// Stiff integration by collocation at Radau's points (Radau IIA, implicit, L-stable).
//
// On each piece the solution is the polynomial of degree STAGES that meets the equation at STAGES
// points; Newton's method finds it. The flow is stiff where o0 > c0 at large alpha: there an
// explicit method needs about alpha^2 steps and this one a few dozen. The polynomial is kept by its
// values, not its slopes: a stiff slope amplifies every rounding of the state.

const STAGES = 11;
const TOLERANCE = 2e-14; // size of the last coefficients, relative to the component's size
const NEWTON = 12;
const MOST_PIECES = 20000;

const NODES = radauNodes(STAGES);
const INTEGRALS = integralMatrix(); // INTEGRALS[i][j]: int_0^(node i) of the j-th basis polynomial
const TO_SERIES = inverse([0, ...NODES].map((x) => legendre(STAGES, 2 * x - 1)));

function integralMatrix() {
  const values = inverse(NODES.map((x) => legendre(STAGES - 1, 2 * x - 1)));
  return NODES.map((node) => {
    const p = legendre(STAGES, 2 * node - 1);
    // int_(-1)^x P_k = (P_(k+1) - P_(k-1)) / (2 k + 1); half of it on [0, 1].
    const areas = p.slice(0, STAGES).map((_, k) =>
      k === 0 ? node : (p[k + 1] - p[k - 1]) / (2 * k + 1) / 2,
    );
    return NODES.map((_, j) => areas.reduce((sum, area, k) => sum + area * values[k][j], 0));
  });
}

/**
 * Pieces {begin, length, series} of y' = rate(y), y(0) = initial, on [0, end].
 *
 * system  initial (array), rate(y) -> array, jacobian(y) -> rows, sizes(values) -> what each
 *         component may be compared with on a piece; values: its rows at 0 and at the nodes
 * Throws where Newton's method fails even on tiny pieces.
 */
function integrate(system, end) {
  const pieces = [];
  let begin = 0;
  let start = system.initial;
  let length = end / 1000;
  while (begin < end) {
    length = Math.min(length, end - begin);
    const values = solvePiece(system, start, length, pieces.at(-1));
    const { series, error } = values ? seriesOf(system, values) : { series: null, error: Infinity };
    if (error <= TOLERANCE) {
      pieces.push({ begin, length, series });
      if (pieces.length > MOST_PIECES) break;
      begin = end - begin - length < 1e-15 * end ? end : begin + length;
      start = values[STAGES];
    } else if (length < 1e-14 * begin || length < 1e-300) {
      break;
    }
    const factor = error > 0 ? 0.8 * (TOLERANCE / error) ** (1 / STAGES) : 5;
    length *= Math.min(5, Math.max(error === Infinity ? 0.1 : 0.2, factor));
  }
  if (begin < end) {
    throw new Error(`the integrator stopped at time ${begin}: take an earlier last time.`);
  }
  return pieces;
}

/**
 * The values at 0 and at the nodes, or null where Newton's method does not converge. The matrix is
 * factored again only where the last factors no longer serve.
 */
function solvePiece(system, start, length, before) {
  const width = start.length;
  const values = NODES.map((node) =>
    before ? evaluate(before, 1 + (node * length) / before.length) : start.slice(),
  );
  let last = Infinity;
  let factors = null;
  for (let round = 0; round < NEWTON; round++) {
    const fresh = factors === null;
    if (fresh) factors = factorize(newtonMatrix(system, length, values));
    const step = solveFactored(factors, missOf(system, start, length, values));
    const sizes = system.sizes([start, ...values]);
    let size = 0;
    for (let i = 0; i < STAGES; i++) {
      for (let p = 0; p < width; p++) {
        values[i][p] += step[i * width + p];
        size = Math.max(size, Math.abs(step[i * width + p]) / sizes[p]);
      }
    }
    if (!(size < 1e8)) return null;
    // Converged to rounding: with fresh factors the next step would be the square of this one.
    if (size < 1e-15 || (fresh && size < 1e-11)) return [start, ...values];
    if (size > last / 30) factors = null;
    last = size;
  }
  return null;
}

/** start + length (integrals of the rates) - values: 0 for the solution. */
function missOf(system, start, length, values) {
  const width = start.length;
  const rates = values.map(system.rate);
  const miss = new Float64Array(STAGES * width);
  for (let i = 0; i < STAGES; i++) {
    for (let p = 0; p < width; p++) {
      let sum = start[p] - values[i][p];
      for (let j = 0; j < STAGES; j++) sum += length * INTEGRALS[i][j] * rates[j][p];
      miss[i * width + p] = sum;
    }
  }
  return miss;
}

/** The derivative of -missOf by the values. */
function newtonMatrix(system, length, values) {
  const width = values[0].length;
  const slopes = values.map(system.jacobian);
  return Array.from({ length: STAGES * width }, (_, at) => {
    const [i, p] = [Math.floor(at / width), at % width];
    const row = new Float64Array(STAGES * width);
    for (let j = 0; j < STAGES; j++) {
      const weight = -length * INTEGRALS[i][j];
      for (let q = 0; q < width; q++) row[j * width + q] = weight * slopes[j][p][q];
    }
    row[at] += 1;
    return row;
  });
}

/** Legendre series of each component, and how large its last two terms are. */
function seriesOf(system, values) {
  const sizes = system.sizes(values);
  let error = 0;
  const series = sizes.map((size, p) => {
    const terms = TO_SERIES.map((row) => row.reduce((sum, x, i) => sum + x * values[i][p], 0));
    error = Math.max(error, (Math.abs(terms[STAGES]) + Math.abs(terms[STAGES - 1]) / 8) / size);
    return terms;
  });
  return { series, error };
}

/** The solution at the share x of a piece (0: its start, 1: its end). */
function evaluate(piece, x) {
  const p = legendre(STAGES, 2 * x - 1);
  return piece.series.map((terms) => terms.reduce((sum, term, k) => sum + term * p[k], 0));
}

/** The solution at a time covered by `pieces`. */
function pathAt(pieces, time) {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pieces[middle].begin <= time) low = middle;
    else high = middle - 1;
  }
  return evaluate(pieces[low], (time - pieces[low].begin) / pieces[low].length);
}
