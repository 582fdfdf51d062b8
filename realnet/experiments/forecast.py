"""The bridge's forecasts against what happened: 3 networks x 3 step sizes x 3 seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from linmodel.errors import InvalidInput
from realnet.bridge.fitting import fit
from realnet.bridge.forecasting import forecast
from realnet.bridge.rules import RULES
from realnet.bridge.scoring import compare, observed
from realnet.bridge.searching import FULL, Search
from realnet.bridge.status import NONE
from realnet.config import TrainConfig
from realnet.experiments.kit.definition import Configs, Experiment, Runs, Scale
from realnet.training.two_runs import SHARE

# Per network: fields, horizon in time, small step size, and as multiples of it the second run's and
# three larger ones. The ViT's small step is near its own edge: 1.3 is what is left for its second.
# The larger ones lie where sharpness starts below 2/eta and the small-step run comes near it: where
# a run starts beyond 2/eta there is nothing to forecast.
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"net": "mlp", "width": 50, "depth": 2, "size": 1000}
    | {"time": 100.0, "small": 0.025, "second": 2.0, "larger": (3.8, 4.4, 5.0)},
    "cnn": {"net": "cnn", "width": 4, "depth": 2, "size": 300}
    | {"time": 60.0, "small": 0.05, "second": 2.0, "larger": (6.5, 7.0, 7.5)},
    "vit": {"net": "vit", "width": 16, "depth": 1, "size": 300}
    | {"time": 40.0, "small": 0.01, "second": 1.3, "larger": (1.5, 1.75, 2.0)},
}


@dataclass(frozen=True)
class Settings:
    """Networks; shares of the small-step run, in time, that forecasts are made from.

    windows: all of it, where most of the larger steps' edges are within the window and need only
    be read, and the first half. The second run is seen no further than the small one.
    """

    networks: Mapping[str, dict[str, Any]] = field(default_factory=lambda: dict(NETWORKS))
    windows: tuple[float, ...] = (1.0, 0.5)
    seeds: int = 3
    search: Search = FULL


def configs(settings: Settings, scale: Scale) -> Configs:
    """For each network and seed: the small step, the larger ones over the same time, and the
    second run, over half of it."""
    found: Configs = {}
    for name, known in settings.networks.items():
        fields = {key: known[key] for key in ("net", "width", "depth", "size")}
        planned = [(f"x{factor:g}", factor, 1.0, 120) for factor in known["larger"]]
        planned += [("x1", 1.0, 1.0, 60), ("second", known["second"], SHARE, 30)]
        for arm, factor, share, points in planned:
            eta = factor * known["small"]
            steps = round(share * known["time"] / eta)
            every = max(1, steps // points)
            for seed in scale.seeds(settings.seeds):
                train = TrainConfig(
                    data="digits", loss="mse", step_size=eta, steps=steps, every=every, seed=seed,
                    **fields,
                )  # fmt: skip
                found[f"{name} {arm}", seed] = scale.scaled(train)
    return found


def collect(runs: Runs, settings: Settings, _scale: Scale) -> xr.Dataset:
    """Forecast and observation on (window, model, network, larger, seed); NaN: no honest number."""
    networks, windows = settings.networks, settings.windows
    seeds = sorted({seed for _, seed in runs})
    models = RULES
    most = max(len(known["larger"]) for known in networks.values())
    shape = (len(windows), len(models), len(networks), most, len(seeds))
    names = ("edge_time", "low", "high", "plateau", "edge_log_error", "plateau_log_error")
    table = {name: np.full(shape, np.nan) for name in names}
    seen = {f"observed_{name}": np.full(shape[2:], np.nan) for name in ("edge_time", "plateau")}
    status = np.full(shape, NONE, dtype=object)
    fits = np.full((shape[0], shape[2], shape[4]), "", dtype=object)
    agrees = np.zeros(shape, dtype=np.int8)
    for n, (name, known) in enumerate(networks.items()):
        for s, seed in enumerate(seeds):
            larger = [runs[f"{name} x{factor:g}", seed] for factor in known["larger"]]
            for j, run in enumerate(larger):
                happened = observed(run)
                for key in ("edge_time", "plateau"):
                    seen[f"observed_{key}"][n, j, s] = happened[key]
            for w, window in enumerate(windows):
                small = _first(runs[f"{name} x1", seed], window)
                second = runs[f"{name} second", seed].sel(time=slice(0, float(small.time[-1])))
                fits[w, n, s], beside = _beside(small, second, larger, seed, settings.search)
                if beside is None:
                    continue
                for key in names:
                    table[key][w, :, n, :, s] = beside[key].values
                status[w, :, n, :, s] = beside.status.values
                agrees[w, :, n, :, s] = beside.agrees.values
    return _dataset(settings, table, seen, status, fits, agrees, seeds)


def _first(run: xr.Dataset, share: float) -> xr.Dataset:
    """The first `share` of a run, in time."""
    return run.isel(time=run.time.values <= share * float(run.time[-1]))


def _beside(
    small: xr.Dataset, second: xr.Dataset, larger: list[xr.Dataset], seed: int, search: Search
) -> tuple[str, xr.Dataset | None]:
    """The fit's status, and its forecast beside what was observed; None where it is refused."""
    try:
        status = fit(small, seed=seed, searched=search).status
        etas = [run.attrs["step_size"] for run in larger]
        predicted = forecast(small, second, etas, seed=seed, searched=search)
    except InvalidInput as error:
        return f"refused: {error}"[:120], None
    return status, compare(predicted, larger)


def _dataset(
    settings: Settings,
    table: dict,
    seen: dict,
    status: np.ndarray,
    fits: np.ndarray,
    agrees: np.ndarray,
    seeds: list,
) -> xr.Dataset:
    networks = settings.networks
    dims = ("window", "model", "network", "larger", "seed")
    data = xr.Dataset(
        coords={
            "window": list(settings.windows),
            "model": list(RULES),
            "network": list(networks),
            "seed": seeds,
        }
    )
    for name, values in table.items():
        data[name] = (dims, values, {"units": "1", "long_name": name.replace("_", " ")})
    for name, values in seen.items():
        data[name] = (dims[2:], values, {"units": "1", "long_name": name.replace("_", " ")})
    data["status"] = (dims, status.astype(str), {"long_name": "how far to trust the row"})
    data["agrees"] = (dims, agrees, {"units": "1", "long_name": "1: both have an edge, or neither"})
    data["fit_status"] = (
        ("window", "network", "seed"),
        fits.astype(str),
        {"long_name": "the toy's fit"},
    )
    small = [known["small"] for known in networks.values()]
    etas = [[known["small"] * factor for factor in known["larger"]] for known in networks.values()]
    data["step_size"] = (("network", "larger"), etas, {"units": "1", "long_name": "larger steps"})
    data["small_step"] = ("network", small, {"units": "1", "long_name": "small step size"})
    return data


EXPERIMENTS = (
    Experiment(
        name="forecast",
        title="The bridge's forecasts from two small-step runs against larger step sizes",
        statements=("S1", "G6"),
        settings=Settings(),
        plan=configs,
        gather=collect,
        place=40,
        extra_seconds=300.0,
    ),
)
