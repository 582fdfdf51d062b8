"""The bridge's forecasts against what happened: 3 networks x 3 step sizes x 3 seeds."""

from __future__ import annotations

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput
from realnet import bridge, bridge_forecast
from realnet.config import TrainConfig
from realnet.experiments.definition import Experiment, Runs, Scale, Trials
from realnet.experiments.trial import Trial

SEEDS = 3
# Per network: fields, small step size, horizon in time, and the larger step sizes as multiples.
NETWORKS: dict[str, dict] = {
    "mlp": {"net": "mlp", "width": 50, "depth": 2, "size": 1000, "time": 100.0, "small": 0.025},
    "cnn": {"net": "cnn", "width": 4, "depth": 2, "size": 300, "time": 60.0, "small": 0.05},
    "vit": {"net": "vit", "width": 16, "depth": 1, "size": 300, "time": 40.0, "small": 0.02},
}
LARGER = (4.0, 6.0, 8.0)
DRAWS = 20


def trials(scale: Scale) -> Trials:
    """For each network and seed: the small step, then the larger ones, over the same time."""
    found: Trials = {}
    for name, known in NETWORKS.items():
        fields = {key: known[key] for key in ("net", "width", "depth", "size")}
        for factor in (1.0, *LARGER):
            eta = factor * known["small"]
            steps = round(known["time"] / eta)
            every = max(1, steps // (60 if factor == 1.0 else 120))
            for seed in scale.seeds(SEEDS):
                train = TrainConfig(
                    data="digits", loss="mse", step_size=eta, steps=steps, every=every, seed=seed,
                    **fields,
                )  # fmt: skip
                found[f"{name} x{factor:g}", seed] = scale.scaled(Trial(train))
    return found


def collect(runs: Runs, _scale: Scale) -> xr.Dataset:
    """Forecast and observation on (model, network, factor, seed); NaN where no honest number."""
    seeds = sorted({seed for _, seed in runs})
    models = bridge_forecast.FORECASTS
    shape = (len(models), len(NETWORKS), len(LARGER), len(seeds))
    names = ("edge_time", "edge_low", "edge_high", "plateau", "edge_log_error", "plateau_log_error")
    table = {name: np.full(shape, np.nan) for name in names}
    seen = {f"observed_{name}": np.full(shape[1:], np.nan) for name in ("edge_time", "plateau")}
    status = np.full(shape, "unreliable", dtype=object)
    fits = np.full((shape[1], shape[3]), "", dtype=object)
    agrees = np.zeros(shape, dtype=np.int8)
    for n, name in enumerate(NETWORKS):
        for s, seed in enumerate(seeds):
            larger = [runs[f"{name} x{factor:g}", seed] for factor in LARGER]
            for j, run in enumerate(larger):
                observed = bridge_forecast.observed(run)
                for key in ("edge_time", "plateau"):
                    seen[f"observed_{key}"][n, j, s] = observed[key]
            etas = [run.attrs["step_size"] for run in larger]
            try:
                fit = bridge.fit(runs[f"{name} x1", seed], seed=seed)
                forecast = bridge_forecast.forecast(fit, etas, draws=DRAWS, seed=seed)
                beside = bridge_forecast.compare(forecast, larger)
            except InvalidInput as error:
                fits[n, s] = f"refused: {error}"[:120]
                continue
            fits[n, s] = fit.status
            for key in names:
                table[key][:, n, :, s] = beside[key].values
            status[:, n, :, s] = beside.status.values
            agrees[:, n, :, s] = beside.agrees.values
    return _dataset(table, seen, status, fits, agrees, seeds)


def _dataset(
    table: dict, seen: dict, status: np.ndarray, fits: np.ndarray, agrees: np.ndarray, seeds: list
) -> xr.Dataset:
    dims = ("model", "network", "factor", "seed")
    data = xr.Dataset(
        coords={
            "model": list(bridge_forecast.FORECASTS),
            "network": list(NETWORKS),
            "factor": list(LARGER),
            "seed": seeds,
        }
    )
    for name, values in table.items():
        data[name] = (dims, values, {"units": "1", "long_name": name.replace("_", " ")})
    for name, values in seen.items():
        data[name] = (dims[1:], values, {"units": "1", "long_name": name.replace("_", " ")})
    data["status"] = (dims, status.astype(str), {"long_name": "how far to trust the row"})
    data["agrees"] = (dims, agrees, {"units": "1", "long_name": "1: both have an edge, or neither"})
    data["fit_status"] = (("network", "seed"), fits.astype(str), {"long_name": "the toy's fit"})
    small = [known["small"] for known in NETWORKS.values()]
    data["small_step"] = ("network", small, {"units": "1", "long_name": "small step size"})
    return data


def summary(data: xr.Dataset) -> dict[str, dict[str, float]]:
    """For each model: median |log error| of the edge and of the plateau, and how many of each.

    Forecasts of an edge that runs start beyond are left out: there is nothing to forecast.
    """
    found = {}
    for model in data.model.values:
        own = data.sel(model=model)
        edge = np.abs(own.edge_log_error.where(own.status != "at_start").values)
        plateau = np.abs(own.plateau_log_error.values)
        row = {"agrees": float(own.agrees.mean())}
        for name, values in (("edge", edge), ("plateau", plateau)):
            known = values[np.isfinite(values)]
            row[f"{name}_error"] = float(np.median(known)) if known.size else float("nan")
            row[f"{name}_count"] = int(known.size)
        found[str(model)] = row
    return found


EXPERIMENT = Experiment(
    name="forecast",
    title="The bridge's forecasts from a small-step run against larger step sizes",
    statements=("S1", "G6"),
    trials=trials,
    collect=collect,
    extra_seconds=300.0,
    settings={"networks": NETWORKS, "larger": LARGER, "draws": DRAWS},
)
