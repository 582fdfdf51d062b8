"""Curvature that mini-batches see: batch sharpness, gradient-noise interaction, by draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import torch
from scipy.special import stdtrit
from torch import Tensor

from linmodel import thresholds
from linmodel.errors import InvalidInput, integer, real, refuse
from realnet.curvature.chunks import Chunk, joined, length, passed, taken
from realnet.curvature.objective import Objective
from realnet.edges.point import Point
from realnet.edges.quantity import Measured

Batch = Callable[[], Chunk]
LEAST = 20  # draws before the interval is believed
BIASED, SURE = 0.1, 1 - 1e-6  # by how much, and how surely, the batches' mean gradient is another


@dataclass(frozen=True)
class Draws:
    """How batches are drawn, and when enough of them are.

    batch_size  samples a batch, drawn without replacement from the tracker's chunks; or
    batches     batches themselves, in anything that can be iterated again (the training loader)
    draws       at most so many; fewer where the 95% interval is narrower than +- precision x value
    """

    batch_size: int | None = None
    batches: Iterable[Any] | None = field(default=None, repr=False)
    draws: int = 400
    precision: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "draws", integer("draws", self.draws, low=2))
        real("precision", self.precision, above=0.0)
        if (self.batch_size is None) == (self.batches is None):
            refuse("batch_size and batches", "both or neither", "one of the two")
        if self.batch_size is not None:
            integer("batch_size", self.batch_size, low=1)

    def sampler(self, point: Point) -> Batch:
        """Draws a batch at each call; other batches at every evaluation, the same by seed."""
        count = point.memory["draws"] = point.memory.get("draws", -1) + 1
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * count)
        if self.batches is not None:
            return _passing(self.batches)
        chunks = [chunk for chunk, _ in point.objective.data]
        if not chunks[0]:
            raise InvalidInput(
                "batch_size needs the data: give the tracker chunks=[(inputs, targets)] and a "
                "loss_fn of them, or pass batches=, the training loader."
            )
        if not point.objective.data.by_length():
            raise InvalidInput(
                "the tracker's weights are not the chunks' lengths, and batches of batch_size "
                "samples are drawn evenly from all: pass batches=, drawn as you train."
            )
        for chunk in chunks:
            _refuse_other_lengths(chunk)
        try:
            whole = reduce(joined, chunks)
        except InvalidInput as error:
            raise InvalidInput(
                "samples of different chunks differ in shape, so batches of batch_size samples "
                "cannot be drawn from all: pass batches=, drawn as you train."
            ) from error
        total, size = length(whole) or 0, self.batch_size or 1
        if size > total:
            refuse("batch_size", size, f"at most the number of samples, {total}")

        def draw() -> Chunk:
            return taken(whole, torch.randperm(total, generator=generator)[:size])

        return draw

    def mean_ratio(self, pair: Callable[[], tuple[float, float]]) -> Measured:
        """E a / E b of pairs (a, b), with its 95% interval (delta method), by the stop rule."""
        pairs: list[tuple[float, float]] = []
        value, half = float("nan"), float("inf")
        while len(pairs) < self.draws:
            pairs.append(pair())
            if len(pairs) >= min(LEAST, self.draws):
                value, half = ratio_of_means(np.array(pairs))
                if half <= self.precision * abs(value):
                    break
        narrow = half <= self.precision * abs(value)
        more: dict[str, float | Tensor] = {"draws": float(len(pairs))}
        return Measured(value, None, value - half, value + half, narrow, more)


def _refuse_other_lengths(chunk: Chunk) -> None:
    """Samples lie along the first dimension of all: else time steps might be drawn for samples."""
    flat = [
        each for item in chunk for each in (item.values() if isinstance(item, Mapping) else [item])
    ]
    lengths = {len(each) for each in flat if isinstance(each, Tensor) and each.ndim}
    if len(lengths) > 1:
        refuse(
            "lengths of a chunk's tensors",
            sorted(lengths),
            "one length, the samples', where batches of batch_size are drawn from them",
            "Put samples first (batch_first=True), or pass batches=, drawn as you train.",
        )


def ratio_of_means(pairs: np.ndarray) -> tuple[float, float]:
    """(mean a / mean b, half width of its 95% interval) of pairs (m, 2), independent draws.

    Delta method: variance of a - r b over m (mean b)^2, Student's t with m - 1 degrees.
    """
    a, b = pairs.T
    if not b.mean() > 0:
        raise InvalidInput("all batches' gradients are zero: there is no direction to look along.")
    ratio = a.mean() / b.mean()
    error = (a - ratio * b).std(ddof=1) / (b.mean() * len(a) ** 0.5)
    return float(ratio), float(stdtrit(len(a) - 1, 0.975) * error)


@dataclass(frozen=True)
class BatchSharpness(Draws):
    """E[g_B^T H_B g_B] / E|g_B|^2 over batches B. Threshold: SGD 2/eta; with momentum m
    2 (1 + m)/eta for large batches, and more["small_batch"] = 2 (1 - m)/eta for small ones."""

    name = "batch_sharpness"
    definition = "E[g_B' H_B g_B] / E|g_B|^2, gradient and Hessian of the same batch B"
    unit = "1 / time"
    source = "Andreyev and Beneventano, arXiv 2412.20553; with momentum arXiv 2604.14108"

    def measure(self, point: Point) -> Measured:
        """more: draws, small_batch (threshold of small batches)."""
        point.verify()  # the batches' products are of other graphs of the same loss
        draw = self.sampler(point)

        def pair() -> tuple[float, float]:
            batch = Objective(point.objective.loss_fn, _params(point), [draw()])
            _, gradient = batch.begin()
            try:
                image = batch.products(gradient[None])[0]
            finally:
                batch.end()
            return _inner(gradient, image), _inner(gradient, gradient)

        return _against(point, self.mean_ratio(pair))


@dataclass(frozen=True)
class GradientNoise(Draws):
    """E[g_B^T H g_B] / |g|^2 over batches B, H and g of all data: one full product a draw.

    Threshold 2/eta: there the expected loss after an SGD step equals the loss before it, in the
    quadratic model.
    """

    name = "gradient_noise"
    definition = "E[g_B' H g_B] / |g|^2, H and g over all data (gradient-noise interaction)"
    unit = "1 / time"
    source = "Andreyev and Beneventano, arXiv 2412.20553"

    def measure(self, point: Point) -> Measured:
        """more: draws."""
        point.verify()
        draw, square = self.sampler(point), _inner(point.gradient, point.gradient)
        shares: list[float] = []

        def pair() -> tuple[float, float]:
            batch = Objective(point.objective.loss_fn, _params(point), [draw()])
            gradient = batch.gradient()[1]
            shares.append(_inner(gradient, point.gradient) / square if square else 1.0)
            return _inner(gradient, point.products(gradient[None])[0]), square

        found = self.mean_ratio(pair)
        _refuse_other_mean(np.array(shares))
        return _against(point, found)


def _refuse_other_mean(shares: np.ndarray) -> None:
    """g_B^T g / |g|^2 is 1 in the mean, or batches' gradients are not drawn around g."""
    mean, error = float(shares.mean()), float(shares.std(ddof=1)) / len(shares) ** 0.5
    if abs(mean - 1) > max(BIASED, float(stdtrit(len(shares) - 1, SURE)) * error):
        refuse(
            "the mean of the batches' gradients, along the gradient of all data",
            float(f"{mean:.3g}"),
            "1",
            "Let the loss be a mean (no reduction='sum'), and draw batches from the same data.",
        )


def _against(point: Point, found: Measured) -> Measured:
    if point.optimizer is None:
        return found
    more, threshold = dict(found.more), point.threshold()
    group = point.stepping.groups[0] if point.stepping.groups else {}
    eta = point.stepping.step_size
    if threshold is not None and eta and group.get("momentum") and not group.get("nesterov"):
        damped = eta * (1 - float(group.get("dampening", 0.0)))
        more["small_batch"] = thresholds.small_batch(damped, float(group["momentum"]))
    return Measured(found.value, threshold, found.low, found.high, found.converged, more)


def _params(point: Point) -> dict[str, Tensor]:
    return point.objective.named()


def _inner(one: Tensor, other: Tensor) -> float:
    return float(one.double() @ other.double())


def _passing(batches: Iterable[Any]) -> Batch:
    """One batch after another, the iterable begun again at its end."""
    if iter(batches) is batches:
        refuse("batches", type(batches).__name__, "what can be iterated again", "Pass list(it).")

    def endless() -> Iterator[Chunk]:
        while True:
            drawn = 0
            for drawn, batch in enumerate(passed(batches), start=1):  # noqa: B007
                yield batch
            if not drawn:
                refuse("batches", "empty", "at least one batch")

    running = endless()
    return lambda: next(running)
