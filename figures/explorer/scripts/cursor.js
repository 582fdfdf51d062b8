// The cursor that the panels in time share, and 2/eta as a line that can be dragged.

const NEAR = 9; // pixels from the line of 2/eta at which it is taken

/** Move all cursors together; `say` gets the values there in words. */
function linkCursors(plots, say) {
  let at = null;
  const showAt = (time) => {
    at = time;
    for (const plot of plots) {
      const { x } = plot.frame;
      const inside = time !== null && time >= x.low && time <= x.high;
      plot.cursor.setAttribute("visibility", inside ? "visible" : "hidden");
      if (!inside) continue;
      plot.cursor.setAttribute("x1", x.place(time));
      plot.cursor.setAttribute("x2", x.place(time));
    }
    say(time);
  };
  for (const plot of plots) {
    plot.root.addEventListener("pointermove", (event) => {
      const box = plot.root.getBoundingClientRect();
      showAt(plot.frame.x.value(event.clientX - box.left));
    });
    plot.root.addEventListener("pointerleave", () => showAt(null));
    plot.root.addEventListener("keydown", (event) => {
      const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") showAt(null);
      if (!turn) return;
      event.preventDefault();
      const { x } = plot.frame;
      const from = at === null ? x.place(x.low) : x.place(at);
      const reach = Math.abs(x.place(x.high) - x.place(x.low)) / 100;
      const time = x.value(from + turn * reach);
      showAt(Math.min(Math.max(time, x.low), x.high));
    });
  }
  return () => showAt(at);
}

/** Values at `time` in one line. */
function valuesAt({ run, flow, state }, time) {
  if (time === null) return "Move over a curve, or focus it and press the arrow keys, to read values.";
  const step = Math.min(Math.max(Math.round(time / state.step_size), 0), run.time.length - 1);
  const at = flow.time.findIndex((t) => t >= time);
  const near = at < 0 ? flow.time.length - 1 : at;
  return [
    `t = ${shown(time)}, step ${step}`,
    `descent: sharpness ${shown(run.sharpness[step])}, αc² ${shown(run.opposing_curvature[step])}, log|o| ${shown(run.log_abs_o[step])}`,
    `flow: sharpness ${shown(flow.sharpness[near])}, αc² ${shown(flow.opposing_curvature[near])}`,
  ].join(" · ");
}

/** Let 2/eta be dragged in `plot`, or moved by the arrow keys up and down. */
function dragEdge(plot, state, change, hold) {
  const near = (event) => {
    const box = plot.root.getBoundingClientRect();
    const level = plot.frame.y.place(2 / state().step_size);
    return Math.abs(event.clientY - box.top - level) <= NEAR;
  };
  let dragging = false;
  const set = (level) => change({ step_size: rounded(2 / level) });
  plot.root.addEventListener("pointerdown", (event) => {
    if (!near(event)) return;
    dragging = true;
    hold([plot.frame.y.low, plot.frame.y.high]);
    plot.root.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  plot.root.addEventListener("pointermove", (event) => {
    plot.root.classList.toggle("on-edge", dragging || near(event));
    if (!dragging) return;
    const { y } = plot.frame;
    const box = plot.root.getBoundingClientRect();
    const level = y.value(event.clientY - box.top);
    set(Math.min(Math.max(level, y.low, y.high * 1e-6), y.high));
  });
  const release = () => {
    if (!dragging) return;
    dragging = false;
    hold(null);
  };
  plot.root.addEventListener("pointerup", release);
  plot.root.addEventListener("pointercancel", release);
  plot.root.addEventListener("keydown", (event) => {
    const factor = { ArrowUp: 1.02, ArrowDown: 1 / 1.02 }[event.key];
    if (!factor) return;
    event.preventDefault();
    set((2 / state().step_size) * factor);
  });
}
