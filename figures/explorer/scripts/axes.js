// Scales, ticks and numbers of a plot.

/** {place(value) -> pixel, value(pixel), ticks} for values low..high on pixels from..to. */
function makeScale(low, high, from, to, log) {
  const f = log ? Math.log10 : (x) => x;
  const [a, b] = [f(low), f(high)];
  const place = (value) => from + ((f(value) - a) / (b - a)) * (to - from);
  const value = (pixel) => {
    const inner = a + ((pixel - from) / (to - from)) * (b - a);
    return log ? 10 ** inner : inner;
  };
  const room = Math.abs(to - from);
  return { place, value, low, high, log, ticks: log ? logTicks(low, high, room) : evenTicks(low, high, room) };
}

function evenTicks(low, high, room) {
  const wanted = Math.max(2, room / 70);
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((m) => m * power >= raw) ?? 10);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

function logTicks(low, high, room) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const decades = Math.log10(high) - Math.log10(low);
  if (decades < 0.4) return evenTicks(low, high, room);
  const narrow = decades < 0.9 ? [1, 2, 3, 4, 5, 6, 8] : [1, 2, 5];
  const marks = decades < 1.5 ? narrow : decades < 3 && room > 200 ? [1, 3] : [1];
  const every = Math.max(1, Math.ceil((decades * 45) / room));
  const ticks = [];
  for (let power = first - 1; power <= last; power++) {
    if (power % every !== 0) continue;
    for (const mark of marks) ticks.push(Number((mark * 10 ** power).toPrecision(12)));
  }
  return ticks.filter((x) => x >= low * (1 - 1e-9) && x <= high * (1 + 1e-9));
}

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

function power(exponent) {
  return `10${[...String(exponent)].map((x) => SUPERSCRIPT[x]).join("")}`;
}

/** A number for reading: four significant digits, a true minus sign, powers of ten set. */
function shown(value, digits = 4) {
  if (value === null || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e5 || size < 1e-3) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const short = String(Number(mantissa));
    text = short === "1" ? power(Number(exponent)) : `${short}·${power(Number(exponent))}`;
  } else {
    text = String(Number(value.toPrecision(digits)));
  }
  return text.replace("-", "−");
}

/** [low, high] of finite values with a margin; on a log axis of the positive ones. */
function extent(lists, log, margin = 0.06) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const value of list) {
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!(low <= high)) return log ? [0.1, 10] : [0, 1];
  if (log) {
    const pad = Math.max((high / low) ** margin, 1.05);
    return [low / pad, high * pad];
  }
  const pad = (high - low || Math.abs(high) || 1) * margin;
  return [low - pad, high + pad];
}
