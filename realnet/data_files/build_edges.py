"""How edges.nc was made: small-step runs of many networks, and the edges of larger step sizes.

python realnet/data_files/build_edges.py RUNS [--cifar FOLDER] [--seeds 3]

RUNS holds a run folder for each run; stopped anywhere, the same command goes on. FOLDER is what
`realnet train --data cifar10 --dial folder=FOLDER` takes; without it those networks are left out.
All of it takes about 15 minutes of one processor; the progress says how much is left.

Each network and seed: a small step size eta0 = 0.6/(its largest sharpness, known roughly from one
trial) over the whole window; 2 eta0 over half of it; then the larger steps, which the small curve
chooses: edges at 35, 65 and 90% of its rise (in logarithms), where that takes 13 steps or more, and
one at 1.5 times its maximum, which it does not reach.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from linmodel.console import progress
from linmodel.store import save
from realnet.bridge.curve import first_rise, rise_time
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
mlp tanh mse mnist        60  60  3   13.98  380   3.2 fresh
mlp gelu ce clothes       60  60  2   3.367   40    16 fresh
cnn tanh mse mnist        30   4  2   20.93   60   1.7 fresh
cnn gelu mse digits       50   5  2   1.613   44     9 fresh
cnn relu ce cifar         30   4  2   3.506   16    45 fresh
vit gelu ce planted       40  16  1   24.57   24    25 fresh
gpt tanh ce text          20  16  2   1.399   32    22 fresh
"""
LOSSES = {"mse": "mse", "ce": "cross-entropy"}
DATA = {"clothes": "fashion", "cifar": "cifar10", "mnist": "mnist5k"}
TEXT = {"context": 16, "vocabulary": 32}
AT_TOP, SHARES, ABOVE, FEWEST_STEPS = 0.6, (0.35, 0.65, 0.9), 1.5, 13
WIDEST = {"vit relu mse clothes": 0.8}
"""eta0 times the largest sharpness, where it is not AT_TOP."""
LARGER = ("large0", "large1", "large2", "never")


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
            dials = {"folder": str(cifar)}
        fields = {
            "net": net,
            "activation": activation,
            "loss": LOSSES[loss],
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


def run_all(network: Network, seed: int, runs: Path) -> dict[str, xr.Dataset]:
    """The runs of one network and seed, by kind; those that are there are read."""

    def run(kind: str, step_size: float, steps: int, points: int) -> xr.Dataset:
        every = max(1, steps // points)
        config = TrainConfig(
            **network.fields, step_size=step_size, steps=steps, every=every, seed=seed
        )
        folder = runs / f"{network.name} {seed} {kind}".replace(" ", "-")
        return train(config, out=folder, checkpoint_every=10**6)

    eta0, span = network.step_size, network.span
    found = {"small": run("small", eta0, round(span / eta0), 48)}
    found["second"] = run("second", 2 * eta0, round(0.5 * span / (2 * eta0)), 24)
    time, sharpness = found["small"].time.values, found["small"].sharpness.values
    edge = first_rise(sharpness, 2 / eta0)
    time, sharpness = time[:edge], sharpness[:edge]
    for kind, level in zip(LARGER, levels(sharpness), strict=True):
        eta = _rounded(2 / level)
        if kind == "never":
            found[kind] = run(kind, eta, max(20, round(span / eta)), 24)
            continue
        at = rise_time(time, sharpness, 2 / eta)
        if at / eta >= FEWEST_STEPS:
            steps = max(20, round(min(1.5 * at, time[-1]) / eta))
            found[kind] = run(kind, eta, steps, 40)
    return found


def levels(sharpness: np.ndarray) -> list[float]:
    """Sharpness at the edges of the larger step sizes; NaN where the curve does not rise."""
    top = int(np.argmax(sharpness[1:])) + 1
    high, low = sharpness[top], max(sharpness[0], sharpness[:top].min())
    rises = high > 1.1 * low
    shares = [low * (high / low) ** share if rises else math.nan for share in SHARES]
    return [*shares, ABOVE * sharpness.max()]


def table(rows: list[tuple[Network, int, dict[str, xr.Dataset]]]) -> xr.Dataset:
    """The table as `realnet.bridge.calibration` reads it."""
    data = xr.Dataset()
    for kind in ("small", "second"):
        for name, units in (("time", "step size x step"), ("sharpness", "curvature")):
            values = _padded([runs[kind][name].values for _, _, runs in rows])
            dtype = np.float32 if name == "sharpness" else np.float64
            about = {"units": units, "long_name": f"{name} of the {kind} run"}
            data[f"{kind}_{name}"] = (("run", f"{kind}_point"), values.astype(dtype), about)
        etas = [runs[kind].attrs["step_size"] for _, _, runs in rows]
        about = {"units": "1", "long_name": f"step size of the {kind} run"}
        data[f"{kind}_step_size"] = ("run", etas, about)
    edges = np.array([[_edge(runs.get(kind)) for kind in LARGER] for _, _, runs in rows])
    for i, (name, units, long_name) in enumerate(
        (
            ("larger_step_size", "1", "larger step sizes"),
            ("edge_time", "step size x step", "first rise through 2/eta; NaN: none"),
            ("watched", "step size x step", "last time looked at"),
        )
    ):
        data[name] = (("run", "larger"), edges[:, :, i], {"units": units, "long_name": long_name})
    data["network"] = ("run", [network.name for network, _, _ in rows])
    data["seed"] = ("run", [seed for _, seed, _ in rows])
    fresh = np.array([network.fresh for network, _, _ in rows], dtype=np.int8)
    data["fresh"] = ("run", fresh, {"long_name": "1: trained after the rule was frozen"})
    data.attrs["title"] = "small-step curves and edges of larger step sizes"
    return data


def _edge(run: xr.Dataset | None) -> tuple[float, float, float]:
    if run is None:
        return math.nan, math.nan, math.nan
    eta, known = run.attrs["step_size"], np.isfinite(run.sharpness.values)
    time, sharpness = run.time.values[known], run.sharpness.values[known]
    return eta, rise_time(time, sharpness, 2 / eta), float(time[-1])


def _padded(rows: list[np.ndarray]) -> np.ndarray:
    found = np.full((len(rows), max(map(len, rows))), np.nan)
    for place, row in zip(found, rows, strict=True):
        place[: len(row)] = row
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.3g}") if math.isfinite(value) else value


def main() -> None:
    """Train what is missing; write edges.nc beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--cifar", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.runs.mkdir(exist_ok=True)
    wanted = [(network, seed) for seed in range(asked.seeds) for network in networks(asked.cifar)]
    rows = []
    with progress(len(wanted), "networks") as advance:
        for network, seed in wanted:
            rows.append((network, seed, run_all(network, seed, asked.runs)))
            advance(1, f"{network.name}, seed {seed}")
    save(table(rows), Path(__file__).parent / "edges.nc")


if __name__ == "__main__":
    main()
