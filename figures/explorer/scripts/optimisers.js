// Other optimisers of the four numbers: heavy ball, sharpness-aware minimisation, noise in o.
// Twin of linmodel/network/optimisers.py on the reduced loss. Each keeps n and o as mantissa and
// logarithm, since their updates are linear in n and in o: neither is lost to underflow.

const OPTIMISERS = {
  gd: { label: "gradient descent" },
  heavy_ball: { label: "heavy ball (momentum)", setting: "momentum" },
  sam: { label: "SAM (sharpness-aware)", setting: "radius" },
  noise: { label: "descent with noise in o", setting: "noise" },
};

/** A number as mantissa x e^log, with a speed of the same scale. */
function scaled(value) {
  return { mantissa: value, speed: 0, log: 0 };
}

function settle(number) {
  const size = Math.max(Math.abs(number.mantissa), Math.abs(number.speed));
  if (size === 0 || (size > 1e-100 && size < 1e100)) return;
  number.mantissa /= size;
  number.speed /= size;
  number.log += Math.log(size);
}

const logOf = (number) => logSize(number.mantissa) + number.log;
const valueOf = (number) => number.mantissa * Math.exp(number.log);

/** Run any optimiser; columns as descent() gives them. settings: momentum, radius, noise, seed. */
function optimise(problem, start, settings, step_size, steps) {
  if (settings.optimiser === "gd") return descent(problem, start, step_size, steps);
  const rule = { heavy_ball: heavyBall, sam: sharpnessAware, noise: noisy }[settings.optimiser];
  const run = newRun();
  const now = { ...start, n: scaled(start.n), o: scaled(start.o), speed_c: 0, speed_epsilon: 0 };
  const advance = rule(problem, settings, step_size);
  const top = Math.log(ESCAPE);
  let count = 0;
  while (count <= steps) {
    run.record(count, now.c, now.epsilon, valueOf(now.n), logOf(now.o), signOf(now.o.mantissa));
    count += 1;
    advance(now);
    settle(now.n);
    settle(now.o);
    const escaped = !(Math.max(Math.abs(now.c), Math.abs(now.epsilon)) < ESCAPE);
    if (escaped || !(Math.max(logOf(now.n), logOf(now.o)) <= top)) break;
  }
  return finished(problem, run, count, step_size, steps);
}

/** v+ = m v + g, theta+ = theta - eta v+. */
function heavyBall(problem, { momentum }, eta) {
  return (now) => {
    const square = now.c * now.c;
    const slope = velocity(problem, now.c, now.epsilon, valueOf(now.n), valueOf(now.o));
    now.speed_c = momentum * now.speed_c - slope[0];
    now.speed_epsilon = momentum * now.speed_epsilon - slope[1];
    now.c -= eta * now.speed_c;
    now.epsilon -= eta * now.speed_epsilon;
    for (const [number, curvature] of [[now.n, square], [now.o, problem.alpha * square]]) {
      number.speed = momentum * number.speed + curvature * number.mantissa;
      number.mantissa -= eta * number.speed;
    }
  };
}

/** theta - eta grad L(theta + r g / |g|): n and o are multiplied by a factor. */
function sharpnessAware(problem, { radius }, eta) {
  return (now) => {
    const [n, o] = [valueOf(now.n), valueOf(now.o)];
    const slope = velocity(problem, now.c, now.epsilon, n, o);
    const length = Math.hypot(...slope);
    const reach = length > 0 ? radius / length : 0;
    const [c, epsilon] = [now.c - reach * slope[0], now.epsilon - reach * slope[1]];
    const curvatures = [now.c * now.c, problem.alpha * now.c * now.c];
    const [upN, upO] = curvatures.map((curvature) => 1 + reach * curvature);
    const uphill = velocity(problem, c, epsilon, n * upN, o * upO);
    now.c += eta * uphill[0];
    now.epsilon += eta * uphill[1];
    now.n.mantissa *= 1 - eta * c * c * upN;
    now.o.mantissa *= 1 - eta * problem.alpha * c * c * upO;
  };
}

/** A step of descent, then normal noise of standard deviation `noise` added to o (G6). */
function noisy(problem, { noise, noise_seed }, eta) {
  const draw = legacyNormal(noise_seed);
  return (now) => {
    const square = now.c * now.c;
    const slope = velocity(problem, now.c, now.epsilon, valueOf(now.n), valueOf(now.o));
    now.c += eta * slope[0];
    now.epsilon += eta * slope[1];
    now.n.mantissa *= 1 - eta * square;
    const o = valueOf(now.o) * (1 - eta * problem.alpha * square) + noise * draw();
    now.o = scaled(o);
  };
}
