// A plot as SVG: axes, curves thinned to the pixels, a cursor that all plots share.

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, parent, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

/** A plot in `host` (an element). draw(content) draws it anew; see `content` below. */
function makePlot(host, { height, describe }) {
  const root = svg("svg", { class: "plot", role: "img", tabindex: "0" }, host);
  const plot = { root, host, height, content: null, frame: null };
  plot.draw = (content) => {
    plot.content = content;
    drawPlot(plot);
    root.setAttribute("aria-label", describe(content));
  };
  new ResizeObserver(() => plot.content && drawPlot(plot)).observe(host);
  return plot;
}

/**
 * content: x, y {low, high, log, label}; series [{name, x, y, y2?, colour, kind, dash?, width?}];
 * levels [{y, text, colour}]; marks [{x, y, text, colour}]; image {href}; note.
 * kind: line, dots, band (between y and y2). colour: the name of a custom property.
 */
function drawPlot(plot) {
  const { root, host, content } = plot;
  const width = Math.max(host.clientWidth, 240);
  const height = typeof plot.height === "function" ? plot.height(width) : plot.height;
  const inner = { left: 56, right: width - 20, top: 10, bottom: height - 38 };
  const x = makeScale(content.x.low, content.x.high, inner.left, inner.right, content.x.log);
  const y = makeScale(content.y.low, content.y.high, inner.bottom, inner.top, content.y.log);
  plot.frame = { inner, x, y, width, height };
  root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  root.setAttribute("width", width);
  root.setAttribute("height", height);
  root.replaceChildren();
  const clip = `clip-${host.id}`;
  const box = { x: inner.left, y: inner.top, width: inner.right - inner.left, height: inner.bottom - inner.top };
  svg("rect", box, svg("clipPath", { id: clip }, svg("defs", {}, root)));
  if (content.image) {
    const picture = { ...box, preserveAspectRatio: "none", style: "image-rendering:pixelated" };
    svg("image", { ...picture, href: content.image.href }, root);
  }
  drawAxes(root, content, inner, x, y);
  const layer = svg("g", { "clip-path": `url(#${clip})` }, root);
  for (const series of content.series) drawSeries(layer, series, x, y);
  for (const level of content.levels ?? []) drawLevel(layer, level, y, inner);
  for (const mark of content.marks ?? []) drawMark(layer, mark, x, y, inner);
  plot.cursor = svg("line", { class: "cursor", y1: inner.top, y2: inner.bottom, visibility: "hidden" }, root);
  if (content.after) content.after(root, plot.frame);
}

function drawAxes(root, content, inner, x, y) {
  const axes = svg("g", { class: "axes" }, root);
  const grid = content.image ? "tick" : "grid";
  for (const tick of x.ticks) {
    const at = x.place(tick);
    svg("line", { class: grid, x1: at, x2: at, y1: grid === "grid" ? inner.top : inner.bottom, y2: inner.bottom + 4 }, axes);
    svg("text", { x: at, y: inner.bottom + 16, "text-anchor": "middle" }, axes, tickText(tick));
  }
  for (const tick of y.ticks) {
    const at = y.place(tick);
    svg("line", { class: grid, y1: at, y2: at, x1: inner.left - 4, x2: grid === "grid" ? inner.right : inner.left }, axes);
    svg("text", { x: inner.left - 7, y: at + 4, "text-anchor": "end" }, axes, tickText(tick));
  }
  const middle = (inner.left + inner.right) / 2;
  svg("text", { class: "label", x: middle, y: inner.bottom + 33, "text-anchor": "middle" }, axes, content.x.label);
  const turn = `translate(12 ${(inner.top + inner.bottom) / 2}) rotate(-90)`;
  svg("text", { class: "label", transform: turn, "text-anchor": "middle" }, axes, content.y.label);
}

function tickText(value) {
  return shown(value, 3);
}

function drawSeries(layer, series, x, y) {
  const colour = `var(--${series.colour})`;
  if (series.kind === "band") {
    const up = pathOf(series.x, series.y, x, y);
    const down = pathOf(series.x.toReversed(), series.y2.toReversed(), x, y);
    if (up && down) {
      svg("path", { d: `${up}L${down.slice(1)}Z`, style: `fill:${colour};opacity:.25`, "data-name": series.name }, layer);
    }
    return;
  }
  if (series.kind === "dots") {
    const d = dotsOf(series, x, y);
    svg("path", { d, style: `fill:none;stroke:${colour};stroke-width:${series.width ?? 4};stroke-linecap:round`, "data-name": series.name }, layer);
    return;
  }
  const style = `fill:none;stroke:${colour};stroke-width:${series.width ?? 1.8};stroke-linejoin:round`;
  const dash = series.dash ? { "stroke-dasharray": series.dash } : {};
  svg("path", { d: pathOf(series.x, series.y, x, y), style, ...dash, "data-name": series.name }, layer);
}

const clampPixel = (value) => Math.min(Math.max(value, -5000), 5000).toFixed(1);

/** A polyline; where points are denser than pixels, the least and greatest of each column. */
function pathOf(xs, ys, x, y) {
  const parts = [];
  let column = null;
  const flush = () => {
    if (!column) return;
    for (const at of [column.first, column.low, column.high, column.last]) {
      const point = `${at[0].toFixed(1)} ${clampPixel(at[1])}`;
      if (parts.at(-1)?.slice(1) !== point) parts.push((parts.length && !column.gap ? "L" : "M") + point);
      column.gap = false;
    }
    column = null;
  };
  let gap = false;
  for (let i = 0; i < xs.length; i++) {
    const at = [x.place(xs[i]), y.place(ys[i])];
    if (!Number.isFinite(at[0]) || Number.isNaN(at[1]) || (y.log && ys[i] <= 0)) {
      gap = true;
      continue;
    }
    const key = Math.round(at[0]);
    if (!column || column.key !== key) {
      flush();
      column = { key, first: at, low: at, high: at, last: at, gap };
      gap = false;
    } else {
      if (at[1] < column.low[1]) column.low = at;
      if (at[1] > column.high[1]) column.high = at;
      column.last = at;
    }
  }
  flush();
  return parts.join("");
}

/** Dots as strokes of no length; one for each pixel at most. */
function dotsOf(series, x, y) {
  const places = new Set();
  series.x.forEach((value, i) => {
    const [px, py] = [x.place(value), y.place(series.y[i])];
    if (Number.isFinite(px) && Number.isFinite(py)) places.add(`M${px.toFixed(0)} ${clampPixel(py)}h0`);
  });
  return [...places].join("");
}

function drawLevel(layer, level, y, inner) {
  const at = y.place(level.y);
  if (!Number.isFinite(at)) return;
  const style = `stroke:var(--${level.colour});stroke-dasharray:6 4;stroke-width:1.4`;
  svg("line", { x1: inner.left, x2: inner.right, y1: at, y2: at, style }, layer);
  const below = at - inner.top < 16;
  svg("text", { class: "halo", x: inner.right - 6, y: at + (below ? 15 : -5), "text-anchor": "end" }, layer, level.text);
}

function drawMark(layer, mark, x, y, inner) {
  const [px, py] = [x.place(mark.x), y.place(mark.y)];
  if (!Number.isFinite(px) || !Number.isFinite(py)) return;
  svg("circle", { cx: px, cy: py, r: 5, style: `fill:var(--paper);stroke:var(--${mark.colour});stroke-width:2.2` }, layer);
  const left = px > inner.right - 90;
  const above = py > inner.bottom - 24;
  const place = { x: px + (left ? -9 : 9), y: py + (above ? -9 : 17), "text-anchor": left ? "end" : "start" };
  svg("text", { class: "halo", ...place }, layer, mark.text);
}
