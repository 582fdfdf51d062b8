"""The full network c (b.x + b_o.x_o) under any optimiser, on the population, a sample, or batches.

The Dataset has the reduced model's names, so that flow, descent, and these runs lie on one axis;
NumPy only: the oracle for optimisers written elsewhere. Time is step size x step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from linmodel.arguments import typed
from linmodel.curves import head, label
from linmodel.data import Samples
from linmodel.errors import generator, integer
from linmodel.events import event_times
from linmodel.network.batches import Source
from linmodel.network.optimisers import Optimiser, Slope
from linmodel.problem import ESCAPE, Array, OpposingSignals
from linmodel.reduction import Parameters, reduce

LONG_NAMES = {
    "rest_n": "norm of b outside beta_hat and its initial direction",
    "rest_o": "norm of b_o outside its initial direction",
    "wobble_c": "|second difference| of c over three steps: oscillation and noise",
    "wobble_b": "|second difference| of b over three steps: oscillation and noise",
    "wobble_o": "|second difference| of b_o over three steps: oscillation and noise",
}


@typed
def train_network(
    problem: OpposingSignals,
    parameters: Parameters,
    optimiser: Optimiser,
    steps: int,
    *,
    samples: Samples | None = None,
    batch_size: int | None = None,
    label_noise: float = 0.0,
    rng: int | np.random.Generator | None = None,
    sampler: str | None = None,
    covariance: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    record_every: int = 1,
) -> xr.Dataset:
    """`steps` steps of `optimiser` on all 1 + d1 + d2 parameters, on the loss with factor 1/2.

    samples, batch_size   None, None: the population's exact gradient. None, n: n fresh samples a
                          step (`sampler`, `covariance` as in linmodel.draw). samples, None: all of
                          them. samples, n: n of them a step, drawn without replacement.
    label_noise           standard deviation of fresh normal noise on the labels, every step
    rng                   a seed or a Generator; needed where anything is drawn

    Variables on `time` (coordinate `step`), every `record_every` steps: c, epsilon, n, o (signed,
    along their initial directions), rest_n, rest_o, wobble_c, wobble_b, wobble_o; loss above
    its least value, opposing_curvature (c^2 times the top eigenvalue of the opposing moments) and
    sharpness, of the samples where given, else of the population; loss_plus and loss_minus, the
    mean loss of the two groups, where samples has both. `status` as in gradient_descent.

    Plain floating point: an o that has decayed below rounding cannot grow back, where that of
    linmodel.gradient_descent (a logarithm) does; noise or a finite sample keeps it alive.

    Raises InvalidInput.
    """
    steps = integer("steps", steps, low=1)
    every = integer("record_every", record_every, low=1)
    frame = reduce(problem, parameters, beta)[1]
    draws = None if rng is None else generator("rng", rng)
    source = Source(problem, samples, batch_size, label_noise, draws, sampler, covariance, beta)
    moments = source.moments()
    theta = np.concatenate([[parameters.c], parameters.b, parameters.b_o])
    index, path, second, done = _iterate(
        optimiser, lambda: source.next_slope(moments), theta, steps, every
    )
    c, b, b_o = path[:, 0], path[:, 1 : 1 + problem.d1], path[:, 1 + problem.d1 :]
    epsilon, n, o = b @ frame.beta_hat, b @ frame.n_hat, b_o @ frame.o_hat
    rest_b = b - np.outer(epsilon, frame.beta_hat) - np.outer(n, frame.n_hat)
    columns = {
        "c": c,
        "epsilon": epsilon,
        "n": n,
        "o": o,
        "rest_n": np.linalg.norm(rest_b, axis=1),
        "rest_o": np.linalg.norm(b_o - np.outer(o, frame.o_hat), axis=1),
        "wobble_c": np.abs(second[:, 0]),
        "wobble_b": np.linalg.norm(second[:, 1 : 1 + problem.d1], axis=1),
        "wobble_o": np.linalg.norm(second[:, 1 + problem.d1 :], axis=1),
        "loss": moments.excess(path),
        "opposing_curvature": moments.opposing_top() * c**2,
        "sharpness": moments.sharpness(path),
        **_group_losses(path, samples),
    }
    settings: dict[str, object] = {
        "optimiser": optimiser.as_dict(),
        "samples": None if samples is None else len(samples.y),
        "batch_size": batch_size,
        "label_noise": label_noise,
        "sampler": sampler,
        "steps": steps,
    }
    return _dataset(problem, columns, index, optimiser, done, settings)


def _iterate(
    optimiser: Optimiser, batches: Callable[[], Slope], theta: Array, steps: int, every: int
) -> tuple[Array, Array, Array, int]:
    """Recorded step numbers, parameters and their second differences there, and steps done."""
    memory = optimiser.start(theta)
    before, index, path, second, done = theta, [0], [theta], [np.zeros_like(theta)], 0
    for step in range(1, steps + 1):
        after, memory = optimiser.step(theta, batches(), memory)
        if not np.abs(after).max() < ESCAPE:
            break
        if index[-1] == step - 1:
            second[-1] = after - 2 * theta + before
        before, theta, done = theta, after, step
        if step % every == 0 or step == steps:
            index.append(step)
            path.append(theta)
            second.append(np.zeros_like(theta))
    second[0] = np.zeros_like(theta)
    return np.array(index), np.array(path), np.array(second), done


def _group_losses(path: Array, samples: Samples | None) -> dict[str, Array]:
    """Mean loss of the samples of each sign, where both signs are there."""
    found: dict[str, Array] = {}
    if samples is None or not ((samples.sign > 0).any() and (samples.sign < 0).any()):
        return found
    for name, sign in (("loss_plus", 1), ("loss_minus", -1)):
        chosen = samples.sign == sign
        z = np.hstack([samples.x[chosen], samples.x_o[chosen]])
        residual = path[:, :1] * (path[:, 1:] @ z.T) - samples.y[chosen]
        found[name] = 0.5 * (residual**2).mean(axis=1)
    return found


def _dataset(
    problem: OpposingSignals,
    columns: dict[str, Array],
    index: Array,
    optimiser: Optimiser,
    done: int,
    settings: dict[str, object],
) -> xr.Dataset:
    eta = optimiser.step_size
    dataset = xr.Dataset(
        {name: ("time", values) for name, values in columns.items()},
        coords={"time": eta * index, "step": ("time", index, {"units": "1"})},
    )
    dataset["t_dip"], dataset["t_edge"] = event_times(
        dataset.time.values, dataset.opposing_curvature.values, 2 / eta
    )
    label(dataset)
    for name, long_name in LONG_NAMES.items():
        dataset[name].attrs = {"long_name": long_name, "units": "1"}
    title = f"full two-layer linear network: {type(optimiser).__name__}"
    dataset.attrs = head("train_network", title, problem=problem.as_dict(), settings=settings)
    dataset.attrs |= {
        "step_size": eta,
        "two_over_eta": 2 / eta,
        "status": "completed" if done == settings["steps"] else "diverged",
    }
    if done != settings["steps"]:
        dataset.attrs["diverged_at_step"] = done + 1
    return dataset
