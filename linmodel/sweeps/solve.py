"""One run of consecutive cells of a sweep: the kernels, and the safe path where they hand back."""

from __future__ import annotations

import numpy as np

from linmodel.flow import gradient_flow
from linmodel.formulas import loss, sharpness
from linmodel.kernels.descent import DIVERGED as ESCAPED
from linmodel.kernels.descent import SETTLED as AT_MINIMUM
from linmodel.kernels.descent import descend
from linmodel.kernels.descent_path import descend_path
from linmodel.kernels.flow import flow_sharpness
from linmodel.kernels.packing import pack
from linmodel.kernels.path import flow_path
from linmodel.problem import ESCAPE, OpposingSignals, State
from linmodel.sweeps.frame import FAILED, FAST, REGIMES, SAFE
from linmodel.sweeps.plan import KINDS, Column, Plan

PATH_CURVES = ("c", "epsilon", "n", "o", "loss", "opposing_curvature")
EVENTS = ("t_dip", "dip_depth", "t_edge")
# Of eta alpha c^2: the limit map stays below 4 (G7) where it does not diverge.
TOO_FAR = 100.0


def empty(plan: Plan, cells: int) -> dict[str, Column]:
    """Unset results for `cells` cells: (cells,) for a scalar, (cells, times) for a curve."""
    return {
        name: np.empty(
            (cells, len(plan.grid)) if name in plan.curves else cells,
            KINDS.get(name, np.dtype(float)),
        )
        for name in plan.variables
    }


def solve(plan: Plan, low: int, high: int, out: dict[str, Column]) -> None:
    """Fill `out` (arrays as `empty` makes them, or views) with cells low to high of the plan."""
    columns = plan.columns(low, high)
    if plan.method == "flow" and plan.device is not None:
        _closed_flow(plan, columns, out, plan.device)
    elif plan.method == "flow":
        _flow(plan, columns, out)
    else:
        _descent(plan, columns, out)


def _flow(plan: Plan, at: dict[str, Column], out: dict[str, Column]) -> None:
    count = len(at["alpha"])
    status = np.zeros(count, np.int64)
    known = _in_kernel_domain(at)
    fit = np.flatnonzero(known)
    chosen = at if len(fit) == count else {name: values[fit] for name, values in at.items()}
    curve = out.get("sharpness")
    last = np.empty((count, 1)) if curve is None and "final_sharpness" in out else None
    if len(fit):
        source, rows = pack(
            *(chosen[name] for name in ("alpha", "beta_norm", "c", "epsilon", "n", "o", "scale"))
        )
        rows = fit[rows]
        if curve is not None:
            flow_sharpness(source, rows, plan.grid, curve, status)
        if last is not None:
            flow_sharpness(source, rows, plan.grid[-1:], last, status)
        if any(name in out for name in (*PATH_CURVES, *EVENTS)):
            _paths(plan, at, source, rows, out, status)
    if "final_sharpness" in out:
        out["final_sharpness"][:] = last[:, 0] if last is not None else curve[:, -1]  # type: ignore[index]
    out["status"][:] = FAST
    doubtful = (status != 0) | ~known
    for name in ("sharpness", "final_sharpness"):
        if name in out:
            doubtful |= ~np.isfinite(out[name].reshape(count, -1)[:, -1])
    for cell in np.flatnonzero(doubtful):
        _safe_cell(plan, at, out, int(cell))


def _closed_flow(plan: Plan, at: dict[str, Column], out: dict[str, Column], device: str) -> None:
    from linmodel.kernels.torch_twin import closed_flow

    curve = out.get("sharpness")
    if curve is None:
        curve = np.empty((len(at["alpha"]), len(plan.grid)))
    closed_flow(at, plan.grid, curve, device)
    out["status"][:] = FAST
    if "final_sharpness" in out:
        out["final_sharpness"][:] = curve[:, -1]
    for cell in np.flatnonzero(~np.isfinite(curve).all(1)):
        _safe_cell(plan, at, out, int(cell))


def _in_kernel_domain(at: dict[str, Column]) -> Column:
    """alpha, B > 0 and c0 not 0; and sizes whose fourth powers a float can hold."""
    largest = np.max([np.abs(at[name]) for name in ("c", "epsilon", "n", "o")], axis=0)
    return (at["beta_norm"] > 0) & (at["alpha"] > 0) & (at["c"] != 0) & (largest < ESCAPE)


def _paths(
    plan: Plan,
    at: dict[str, Column],
    source: Column,
    rows: Column,
    out: dict[str, Column],
    status: Column,
) -> None:
    """States and events by flow_path, then everything that follows from them."""
    count = len(status)
    wanted = [name for name in PATH_CURVES if name in out]
    grid = plan.grid if wanted else plan.grid[-1:]
    states, events = np.empty((count, 4, len(grid))), np.full((count, 3), np.nan)
    level = np.full(count, np.nan)
    if "t_edge" in out:
        level = 2 / (at["step_size"] * np.maximum(at["alpha"], 1e-300))
    flow_path(source, rows, grid, level, states, events, status)
    if "t_dip" in out:
        out["t_dip"][:] = events[:, 0] * at["scale"]
    if "dip_depth" in out:
        out["dip_depth"][:] = events[:, 1] / at["c"] ** 2
    if "t_edge" in out:
        out["t_edge"][:] = events[:, 2] * at["scale"]
    c, epsilon = states[:, 0], states[:, 1]
    n, o = states[:, 2] * np.sign(at["n"])[:, None], states[:, 3] * np.sign(at["o"])[:, None]
    alpha, strength = at["alpha"][:, None], at["beta_norm"][:, None]
    for name in wanted:
        out[name][:] = _curve(name, alpha, strength, c, epsilon, n, o)


def _curve(
    name: str, alpha: Column, strength: Column, c: Column, epsilon: Column, n: Column, o: Column
) -> Column:
    if name == "loss":
        return loss(alpha, strength, c, epsilon, n, o)
    if name == "opposing_curvature":
        return alpha * c**2
    return {"c": c, "epsilon": epsilon, "n": n, "o": o}[name]


def _safe_cell(plan: Plan, at: dict[str, Column], out: dict[str, Column], cell: int) -> None:
    """One cell by linmodel.gradient_flow; NaN and status FAILED where that fails too."""
    value = {name: float(values[cell]) for name, values in at.items()}
    try:
        found = gradient_flow(
            OpposingSignals(value["alpha"], value["beta_norm"], value["k"]),
            State(value["c"], value["epsilon"], value["n"], value["o"]),
            plan.grid * value["scale"],
            step_size=value["step_size"] if "t_edge" in out else None,
        )
    except (RuntimeError, ArithmeticError, ValueError):
        for name in out:
            out[name][cell] = FAILED if name == "status" else np.nan
        return
    t_dip = float(found.t_dip)
    for name in out:
        if name == "status":
            out[name][cell] = SAFE
        elif name == "final_sharpness":
            out[name][cell] = found.sharpness.values[-1]
        elif name == "dip_depth":
            out[name][cell] = _depth(value, t_dip)
        else:
            out[name][cell] = found[name].values


def _depth(value: dict[str, float], t_dip: float) -> float:
    if not t_dip > 0:
        return 1.0 if t_dip == 0 else np.nan
    problem = OpposingSignals(value["alpha"], value["beta_norm"], value["k"])
    start = State(value["c"], value["epsilon"], value["n"], value["o"])
    c = float(gradient_flow(problem, start, [t_dip]).c.values[0])
    return (c / value["c"]) ** 2 if value["c"] != 0 else np.inf


def _descent(plan: Plan, at: dict[str, Column], out: dict[str, Column]) -> None:
    count = len(at["alpha"])
    start = np.array(
        [
            at["c"],
            at["epsilon"],
            at["n"],
            at["o"],
            np.zeros(count),
            at["c"] ** 2,
            np.zeros(count),
            at["step_size"],
            at["alpha"],
            at["beta_norm"],
        ]
    )
    # Events that nobody asks for count as known: the kernel looks for those that are NaN.
    final, asked = np.empty((6, count)), any(name in out for name in EVENTS)
    events = np.full((count, 3), np.nan if asked else 0.0)
    status, taken = np.zeros(count, np.int64), np.zeros(count, np.int64)
    if plan.curves:
        curves = np.full((count, 4, len(plan.grid)), np.nan)
        descend_path(start, plan.grid, final, events, status, taken, curves)
        _descent_curves(at, curves, out)
    elif plan.device is not None:
        from linmodel.kernels.torch_twin import descend as descend_on

        descend_on(start, int(plan.grid[-1]), final, events, status, taken, plan.device)
    else:
        descend(start, int(plan.grid[-1]), final, events, status, taken)
    c, epsilon, n, log_o, _, peak = final
    peak = peak * at["alpha"]
    found = {
        "t_dip": events[:, 0] * at["step_size"],
        "dip_depth": events[:, 1] / np.where(at["c"] == 0, np.nan, at["c"] ** 2),
        "t_edge": events[:, 2] * at["step_size"],
        "final_c": c,
        "final_epsilon": epsilon,
        "final_n": n,
        "final_log_abs_o": log_o,
        "peak_curvature": peak,
        "steps_taken": taken,
        "status": status,
        "regime": regimes(status, at["step_size"] * peak, at["step_size"] * at["alpha"] * c**2),
    }
    if "final_sharpness" in out:
        o = np.exp(np.minimum(log_o, 140.0))
        out["final_sharpness"][:] = sharpness(at["alpha"], at["beta_norm"], c, epsilon, n, o)
    # A descent that diverged has no end; how far it got is in peak_curvature.
    nowhere = status == ESCAPED
    for name in (name for name in out if name.startswith("final_")):
        (out if name == "final_sharpness" else found)[name][nowhere] = np.nan
    for name, values in found.items():
        if name in out:
            out[name][:] = values


def regimes(status: Column, peak: Column, last: Column) -> Column:
    """Index into REGIMES from how descent ended, the largest and the last eta alpha c^2.

    What has not ended oscillates where it passed 2 and stayed below TOO_FAR; beyond that it is on
    its way out, and not finished. What settled past 2 has o = 0 (from the start, or since a step
    with eta alpha c^2 = 1 to rounding): nothing threw it.
    """
    past_edge, kept = (peak > 2) & ~(last > 2), peak < TOO_FAR
    settled, escaped = status == AT_MINIMUM, status == ESCAPED
    return np.select(
        [settled & ~past_edge, settled, escaped, (peak > 2) & kept],
        [REGIMES.index(name) for name in ("like_flow", "catapult", "diverged", "oscillating")],
        REGIMES.index("unfinished"),
    )


def _descent_curves(at: dict[str, Column], curves: Column, out: dict[str, Column]) -> None:
    c, epsilon, n, log_o = (curves[:, row] for row in range(4))
    o = np.exp(np.minimum(log_o, 140.0))
    alpha, strength = at["alpha"][:, None], at["beta_norm"][:, None]
    for name in ("c", "epsilon", "n", "loss", "opposing_curvature"):
        if name in out:
            out[name][:] = _curve(name, alpha, strength, c, epsilon, n, o)
    if "log_abs_o" in out:
        out["log_abs_o"][:] = log_o
    if "sharpness" in out:
        out["sharpness"][:] = sharpness(alpha, strength, c, epsilon, n, o)
