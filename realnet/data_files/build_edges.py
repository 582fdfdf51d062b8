"""How edges.nc was made: small-step runs of many networks, and the edges of larger step sizes.

python realnet/data_files/build_edges.py [--cifar FOLDER] [--seeds 3]

edges.nc is written whole after each network and seed, and those that it holds are not trained
again: stopped anywhere, the same command goes on; without edges.nc, all are trained. FOLDER holds
one sub-folder of images a class of CIFAR-10; without it those networks are left out.

Each network and seed: a small step size eta0 = 0.6/(its largest sharpness, known roughly from one
trial) over the whole window; 2 eta0 over half of it; then the larger steps, which the small curve
chooses: edges at 35, 65 and 90% of its rise (in logarithms), where that takes 13 steps or more, and
one at 1.5 times its maximum, which it does not reach.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from linmodel.console import progress
from linmodel.events import first_rise
from linmodel.store import load, save
from realnet.bridge.curve import rise_time
from realnet.config import TrainConfig
from realnet.training.train import train

# Network, activation, loss, data; samples, width, depth; of seed 0: sharpness at the start, length
# of the window times that, largest sharpness over that; whether trained after the rule was frozen.
NETWORKS = """
mlp tanh mse digits      100  50  2   11.14  500   2.0
mlp relu mse digits      100  50  2   6.835  200   2.2
mlp gelu mse digits      100  40  3   1.417   40    12
mlp tanh ce digits       100  50  2   1.092   20     4
mlp relu ce digits       100  50  2  0.8322   12    15
mlp tanh mse clothes      60  50  2   39.57  700   1.6
mlp relu ce clothes       60  50  2    2.72   30    14
mlp gelu mse clothes      60  50  2    10.8   50   3.7
mlp tanh mse planted      60  50  2   24.83  600   2.0
mlp gelu ce planted       60  50  2   9.047   50   3.5
mlp tanh mse cifar        50  40  2   153.6  600  1.45
cnn tanh mse digits       50   4  2   4.823  480   1.7
cnn relu mse digits       50   6  2   3.207   90   3.5
cnn gelu ce digits        50   6  2  0.1859   12    40
cnn relu mse clothes      30   4  2   26.36  100   3.5
cnn tanh ce clothes       30   4  2    4.04   40   3.6
cnn gelu mse cifar        30   4  2   7.347   40    10
cnn tanh mse planted      30   4  2   5.867  240   2.4
vgg relu mse digits       40   4  2   1.986  220     5
resnet tanh mse digits    30   4  2    5.87  170   3.5
resnet relu ce digits     30   4  2  0.4141   16    60
vit gelu ce digits        60  16  1    8.16   44     7
vit tanh ce digits        60  16  1   9.377   44   6.5
vit relu mse clothes      20  16  1   81.76  440   3.0
gpt gelu ce text          20  16  1  0.7828   36    20
gpt relu ce text          20  32  1   1.085   36    16
mlp tanh mse mnist        60  60  3   13.98  380   3.2
mlp gelu ce clothes       60  60  2   3.367   40    16
cnn tanh mse mnist        30   4  2   20.93   60   1.7
cnn gelu mse digits       50   5  2   1.613   44     9
cnn relu ce cifar         30   4  2   3.506   16    45
vit gelu ce planted       40  16  1   24.57   24    25
gpt tanh ce text          20  16  2   1.399   32    22
mlp relu mse planted      50  40  2   27.39  300   2.0 fresh
mlp gelu mse mnist        50  50  2   7.932   60     4 fresh
mlp tanh ce planted       50  40  2    10.6   50     4 fresh
cnn tanh mse clothes      30   4  2   21.91  150   2.2 fresh
cnn relu mse mnist        30   4  2   22.54   90   2.6 fresh
resnet gelu mse digits    30   4  2   1.788   60     8 fresh
vit gelu mse digits       40  16  1   71.37  200     3 fresh
resnet8 gelu ce digits    30   4  2  0.3823   18    80 fresh
resnet8+group relu mse digits  30 4 2 10.06  240   2.4 fresh
vgg+batch tanh mse digits 40   4  1   1.546   60    18 fresh
mlp elu mse stripes       60  24  4   2.352   50   3.6 fresh
mlp tanh ce stripes       60  24  5  0.6145   16   9.5 fresh
mlp relu smooth clothes   60  30  4  0.6036   16    44 fresh
cnn gelu smooth digits    40   5  2  0.1655   10   150 fresh
cnn relu stablemax digits 40   5  2  0.3431   14   120 fresh
cnn elu mse photos        30   4  2   9.319  120   9.6 fresh
gpt elu ce text           16  32  1  0.9702   28    66 fresh
"""
LOSSES: dict[str, dict] = {
    "mse": {"loss": "mse"},
    "ce": {"loss": "cross-entropy"},
    "smooth": {"loss": "cross-entropy", "label_smoothing": 0.1},
    "stablemax": {"loss": "stablemax"},
}
DATA = {"clothes": "fashion", "cifar": "folder", "mnist": "mnist5k"}
TEXT = {"context": 16, "vocabulary": 32}
FILE = Path(__file__).parent / "edges.nc"
AT_TOP, SHARES, ABOVE, FEWEST_STEPS = 0.6, (0.35, 0.65, 0.9), 1.5, 13
# eta0 times the largest sharpness, where it is not AT_TOP.
WIDEST = {"vit relu mse clothes": 0.8}
CURVES = ("small", "second")
LARGER = ("large0", "large1", "large2", "never")
EDGES = ("larger_step_size", "edge_time", "watched")
VARIABLES = {
    "network": ("1", "net, activation, loss, data", str),
    "seed": ("1", "seed of the start and of the data", int),
    "fresh": ("1", "1: trained after the rule was frozen", np.int8),
    "processor_time": ("s", "what the runs of this line took", np.float32),
    "small_step_size": ("1", "step size of the small run", float),
    "second_step_size": ("1", "step size of the second run", float),
    "larger_step_size": ("1", "larger step sizes", float),
    "edge_time": ("step size x step", "first rise through 2/eta; NaN: none", float),
    "watched": ("step size x step", "last time looked at", float),
}


@dataclass(frozen=True)
class Network:
    """One line of NETWORKS: the configuration's fields, eta0 and the length of the window."""

    name: str
    fresh: bool
    fields: dict
    step_size: float
    span: float


def networks(cifar: Path | None) -> Iterator[Network]:
    """Those of NETWORKS that can be trained."""
    for line in NETWORKS.strip().splitlines():
        net, activation, loss, data, size, width, depth, start, length, top, *fresh = line.split()
        name = f"{net} {activation} {loss} {data}"
        dials: dict = TEXT if data == "text" else {}
        if data == "cifar":
            if cifar is None:
                continue
            dials = {"path": str(cifar)}
        kind, _, norm = net.partition("+")
        fields = {
            "net": kind,
            "norm": norm or "none",
            "activation": activation,
            **LOSSES[loss],
            "data": DATA.get(data, data),
            "size": int(size),
            "width": int(width),
            "depth": int(depth),
            "dials": dials,
            "device": "cpu",
        }
        eta0 = WIDEST.get(name, AT_TOP) / (float(top) * float(start))
        span = float(length) / float(start)
        yield Network(name, bool(fresh), fields, _rounded(eta0), span)


def run_all(network: Network, seed: int) -> dict[str, xr.Dataset]:
    """The runs of one network and seed, by kind."""

    def run(step_size: float, steps: int, points: int) -> xr.Dataset:
        every = max(1, steps // points)
        config = TrainConfig(
            **network.fields, step_size=step_size, steps=steps, every=every, seed=seed
        )
        return train(config)

    eta0, span = network.step_size, network.span
    found = {"small": run(eta0, round(span / eta0), 48)}
    found["second"] = run(2 * eta0, round(0.5 * span / (2 * eta0)), 24)
    times, sharpness = found["small"].time.values, found["small"].sharpness.values
    edge = first_rise(sharpness, 2 / eta0)
    times, sharpness = times[:edge], sharpness[:edge]
    for kind, level in zip(LARGER, levels(sharpness), strict=True):
        eta = _rounded(2 / level)
        if kind == "never":
            found[kind] = run(eta, max(20, round(span / eta)), 24)
            continue
        at = rise_time(times, sharpness, 2 / eta)
        if at / eta >= FEWEST_STEPS:
            steps = max(20, round(min(1.5 * at, times[-1]) / eta))
            found[kind] = run(eta, steps, 40)
    return found


def levels(sharpness: np.ndarray) -> list[float]:
    """Sharpness at the edges of the larger step sizes; NaN where the curve does not rise."""
    top = int(np.argmax(sharpness[1:])) + 1
    high, low = sharpness[top], max(sharpness[0], sharpness[:top].min())
    rises = high > 1.1 * low
    shares = [low * (high / low) ** share if rises else math.nan for share in SHARES]
    return [*shares, ABOVE * sharpness.max()]


def row_of(network: Network, seed: int, runs: dict[str, xr.Dataset], took: float) -> dict:
    """The table's line: VARIABLES, and the curves of the two small runs."""
    row: dict = {"network": network.name, "seed": seed, "fresh": int(network.fresh)}
    row["processor_time"] = took
    for kind in CURVES:
        row[f"{kind}_step_size"] = runs[kind].attrs["step_size"]
        row[f"{kind}_time"] = runs[kind].time.values
        row[f"{kind}_sharpness"] = runs[kind].sharpness.values
    edges = np.array([_edge(runs.get(kind)) for kind in LARGER])
    return row | dict(zip(EDGES, edges.T, strict=True))


def rows_of(data: xr.Dataset) -> list[dict]:
    """The lines of a table."""
    rows = []
    for i in range(data.sizes["run"]):
        row = {str(name): values.values[()] for name, values in data.isel(run=i).items()}
        for kind in CURVES:
            known = np.isfinite(row[f"{kind}_time"])
            for name in ("time", "sharpness"):
                row[f"{kind}_{name}"] = row[f"{kind}_{name}"][known]
        rows.append(row)
    return rows


def table(rows: list[dict]) -> xr.Dataset:
    """The table as `realnet.bridge.calibration` reads it."""
    data = xr.Dataset()
    for kind in CURVES:
        for name, units, kept in (
            ("time", "step size x step", "f8"),
            ("sharpness", "curvature", "f4"),
        ):
            values = _padded([row[f"{kind}_{name}"] for row in rows]).astype(kept)
            about = {"units": units, "long_name": f"{name} of the {kind} run"}
            data[f"{kind}_{name}"] = (("run", f"{kind}_point"), values, about)
    for name, (units, long_name, dtype) in VARIABLES.items():
        values = np.array([row[name] for row in rows]).astype(dtype)
        dims = ("run", "larger") if name in EDGES else ("run",)
        data[name] = (dims, values, {"units": units, "long_name": long_name})
    data.attrs["title"] = "small-step curves and edges of larger step sizes"
    return data


def _edge(run: xr.Dataset | None) -> tuple[float, float, float]:
    if run is None:
        return math.nan, math.nan, math.nan
    eta, known = run.attrs["step_size"], np.isfinite(run.sharpness.values)
    times, sharpness = run.time.values[known], run.sharpness.values[known]
    return eta, rise_time(times, sharpness, 2 / eta), float(times[-1])


def _padded(rows: list[np.ndarray]) -> np.ndarray:
    found = np.full((len(rows), max(map(len, rows))), np.nan)
    for place, row in zip(found, rows, strict=True):
        place[: len(row)] = row
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.3g}") if math.isfinite(value) else value


def known(file: Path) -> set[tuple[str, int]]:
    """Networks and seeds that a table holds."""
    rows = rows_of(load(file)) if file.exists() else []
    return {(str(row["network"]), int(row["seed"])) for row in rows}


def main() -> None:
    """Train what is missing; write edges.nc beside this file after each network and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cifar", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="networks whose name holds this")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    order = [network.name for network in networks(Path("any"))]
    wanted = [(net, seed) for seed in range(asked.seeds) for net in networks(asked.cifar)]
    with progress(len(wanted), "networks") as advance:
        for network, seed in wanted:
            if asked.only in network.name and (network.name, seed) not in known(FILE):
                begun = time.process_time()
                runs = run_all(network, seed)
                row = row_of(network, seed, runs, time.process_time() - begun)
                rows = [*(rows_of(load(FILE)) if FILE.exists() else []), row]
                rows.sort(key=lambda row: (order.index(row["network"]), int(row["seed"])))
                save(table(rows), FILE)
            advance(1, f"{network.name}, seed {seed}")


if __name__ == "__main__":
    main()
