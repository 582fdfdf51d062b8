// NumPy's random numbers, so that a seed means the same start here and in Python.
//
// default_rng(seed): SeedSequence, PCG64 (O'Neill), the ziggurat of 256 layers.
// RandomState(seed): MT19937 and the polar method, for the noise of "copy as Python".

const MASK32 = 0xffffffffn;
const MASK64 = (1n << 64n) - 1n;
const MASK128 = (1n << 128n) - 1n;
const PCG_MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** SeedSequence(seed).generate_state(count) as unsigned 32-bit integers. */
function seedWords(seed, count) {
  const entropy = [];
  for (let rest = BigInt(seed); rest > 0n; rest >>= 32n) entropy.push(Number(rest & MASK32));
  const fold = (x) => (x ^ (x >>> 16)) >>> 0;
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    return fold(Math.imul(mixed, constant));
  };
  const mix = (x, y) => fold(Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y));
  const pool = [0, 1, 2, 3].map((i) => hash(entropy[i] ?? 0));
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) if (i !== j) pool[j] = mix(pool[j], hash(pool[i]));
  }
  for (const word of entropy.slice(4)) {
    for (let j = 0; j < 4; j++) pool[j] = mix(pool[j], hash(word));
  }
  let later = 0x8b51f9dd;
  return Array.from({ length: count }, (_, i) => {
    const mixed = pool[i % 4] ^ later;
    later = Math.imul(later, 0x58f38ded);
    return fold(Math.imul(mixed, later));
  });
}

/** next() of PCG64 seeded as default_rng(seed): 64 bits as a BigInt. */
function pcg64(seed) {
  const words = seedWords(seed, 8).map(BigInt);
  const pair = (i) => (words[i + 1] << 32n) | words[i];
  const increment = ((((pair(4) << 64n) | pair(6)) << 1n) | 1n) & MASK128;
  let state = 0n;
  const advance = () => (state = (state * PCG_MULTIPLIER + increment) & MASK128);
  advance();
  state = (state + ((pair(0) << 64n) | pair(2))) & MASK128;
  advance();
  return () => {
    advance();
    const mixed = (state >> 64n) ^ (state & MASK64);
    const turn = state >> 122n;
    return ((mixed >> turn) | (mixed << (-turn & 63n))) & MASK64;
  };
}

const RIGHT = 3.6541528853610088; // where the ziggurat's tail begins
const AREA = 0.004928673233974655; // of each layer
const SCALE = 2 ** 52;
const ZIGGURAT = zigguratTables();

function zigguratTables() {
  const density = (x) => Math.exp(-0.5 * x * x);
  const x = new Array(256);
  x[255] = RIGHT;
  for (let i = 254; i > 0; i--) {
    x[i] = Math.sqrt(-2 * Math.log(AREA / x[i + 1] + density(x[i + 1])));
  }
  const base = AREA / density(RIGHT);
  const inside = x.map((right, i) => (i === 1 ? 0 : (x[i - 1] / right) * SCALE));
  inside[0] = (RIGHT / base) * SCALE;
  x[0] = base;
  return { width: x.map((right) => right / SCALE), inside, height: x.map(density).with(0, 1) };
}

/** next() of default_rng(seed).standard_normal. */
function standardNormal(seed) {
  const bits = pcg64(seed);
  const uniform = () => Number(bits() >> 11n) / 2 ** 53;
  const { width, inside, height } = ZIGGURAT;
  return () => {
    for (;;) {
      const word = bits();
      const layer = Number(word & 255n);
      const place = Number((word >> 9n) & 0xfffffffffffffn);
      const x = (word & 256n ? -1 : 1) * place * width[layer];
      if (place < inside[layer]) return x;
      if (layer === 0) {
        for (;;) {
          const far = -Math.log1p(-uniform()) / RIGHT;
          const depth = -Math.log1p(-uniform());
          if (2 * depth > far * far) return (word >> 17n) & 1n ? -(RIGHT + far) : RIGHT + far;
        }
      }
      const drop = height[layer - 1] - height[layer];
      if (drop * uniform() + height[layer] < Math.exp(-0.5 * x * x)) return x;
    }
  };
}

/** next() of RandomState(seed).standard_normal. */
function legacyNormal(seed) {
  const words = new Uint32Array(624);
  words[0] = seed;
  for (let i = 1; i < 624; i++) {
    const before = words[i - 1] ^ (words[i - 1] >>> 30);
    words[i] = Math.imul(1812433253, before) + i;
  }
  let at = 624;
  const bits = () => {
    if (at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (words[i] & 0x80000000) | (words[(i + 1) % 624] & 0x7fffffff);
        words[i] = words[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = words[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  const uniform = () => ((bits() >>> 5) * 2 ** 26 + (bits() >>> 6)) / 2 ** 53;
  let kept = null;
  return () => {
    if (kept !== null) {
      const value = kept;
      kept = null;
      return value;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      kept = factor * x;
      return factor * y;
    }
  };
}
