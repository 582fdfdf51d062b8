"""`python -m realnet bridge RUN`: fit, say what it means, save. Needs no torch."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from linmodel.files import require_writable
from linmodel.store import load, save
from realnet.bridge.fitting import BridgeResult, fit
from realnet.bridge.forecasting import forecast
from realnet.bridge.toy import PARAMETERS
from realnet.bridge.uncertainty import bootstrap
from realnet.training.runfolder import load_run


def bridge_command(
    run: Path,
    out: Path | None = None,
    *,
    scales: int = 2,
    seed: int = 0,
    draws: int = 0,
    step_sizes: tuple[float, ...] = (),
) -> int:
    """Fit the toy to the run (a run folder, or a NetCDF file with sharpness on time) and print it.

    draws > 0 adds bootstrap intervals; step_sizes adds forecasts. `out` gets one Dataset with all
    of it. Returns the exit status: 0, or 1 where the fit is "poor" or "not_converged".

    Raises InvalidInput for a bad run, a curve that cannot be fitted, bad options.
    """
    if out is not None:
        require_writable(out)
    real = load(run) if Path(run).is_file() else load_run(run)
    result = fit(real, scales=scales, seed=seed)
    intervals = bootstrap(result, draws=draws, seed=seed) if draws else None
    predicted = None
    if step_sizes:
        predicted = forecast(result, step_sizes, draws=draws or 20, seed=seed)
    print(f"{result.status}: {result.message}")
    print(_parameters(result, intervals))
    if predicted is not None:
        print(_forecast(predicted))
    if out is not None:
        save(together(result.dataset, intervals, predicted), out)
        print(f"written: {out}")
    return 0 if result.status in {"ok", "systematic"} else 1


def together(
    dataset: xr.Dataset, intervals: xr.Dataset | None, predicted: xr.Dataset | None
) -> xr.Dataset:
    """One Dataset: the fit, and interval_* and forecast_* variables where they were computed."""
    whole = dataset
    if intervals is not None:
        whole = whole.assign(
            {f"interval_{key}": intervals[key] for key in ("low", "high", "pinned")}
        )
    if predicted is not None:
        whole = whole.assign({f"forecast_{key}": predicted[key] for key in predicted.data_vars})
    return whole


def _parameters(result: BridgeResult, intervals: xr.Dataset | None) -> str:
    head = f"{'95% interval':<22} {'with a random start':<22}" if intervals is not None else ""
    lines = [f"{'parameter':<16} {'value':>12}  {head} note"]
    bounded = result.space.at_bound(result.best.point)
    for name in PARAMETERS:
        span = ""
        notes = [] if name in result.free else ["fixed: 1/sharpness_scale"]
        if intervals is not None:
            row = intervals.sel(parameter=name)
            for low, high in zip(row.low.values, row.high.values, strict=True):
                span += f"{f'[{low:.4g}, {high:.4g}]':<22} "
            if not int(row.pinned):
                notes.append("not pinned down by the curve")
        if name in bounded:
            notes.append("at a bound")
        value = f"{result.values[name]:.5g}"
        lines.append(f"{name:<16} {value:>12}  {span}{'; '.join(notes)}".rstrip())
    return "\n".join(lines)


def _forecast(predicted: xr.Dataset) -> str:
    lines = [f"{'step size':>10} {'model':<12} {'edge step':>10} {'plateau':>10}  status"]
    for eta in predicted.step_size.values:
        for model in predicted.model.values:
            row = predicted.sel(model=model, step_size=eta)
            step, plateau = float(row.edge_step), float(row.plateau)
            lines.append(
                f"{eta:>10.4g} {model:<12} {step:>10.0f} {plateau:>10.4g}  {row.status.item()}"
            )
    return "\n".join(lines)
