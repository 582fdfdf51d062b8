"""Trace and spectral density of the Hessian, by curvlinops (extra `curvature`)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import stdtrit
from torch import Tensor

from linmodel.errors import InvalidInput, integer, refuse
from realnet.edges.point import Point
from realnet.edges.quantity import Measured

KAPPA, MARGIN = 3.0, 0.05  # curvlinops' own defaults: width of the bumps, room at the ends


@dataclass(frozen=True)
class Trace:
    """Hutchinson's estimate: mean of z^T H z over `draws` random signs z, with its 95% interval.

    Other signs at every evaluation, the same by seed.
    draws = n or more: the trace exactly, from n unit vectors.
    """

    draws: int = 20
    seed: int = 0
    name = "trace"
    definition = "trace of the Hessian: the sum of its eigenvalues"
    unit = "1 / time"
    source = "Hutchinson 1989; Yao et al. 2020 (PyHessian), arXiv 1912.07145"

    def __post_init__(self) -> None:
        object.__setattr__(self, "draws", integer("draws", self.draws, low=2))

    def measure(self, point: Point) -> Measured:
        """more: draws."""
        point.verify()
        n = point.objective.n
        if self.draws >= n:
            rows = torch.eye(n, dtype=point.objective.dtype, device=point.objective.device)
            total = sum(float(point.products(row[None])[0, i]) for i, row in enumerate(rows))
            return Measured(total, low=total, high=total, more={"draws": float(n)})
        found = []
        curvlinops = _curvlinops()
        count = point.memory["signs"] = point.memory.get("signs", -1) + 1
        with _seeded(self.seed, count):
            for _ in range(self.draws):  # one a draw, so that their spread gives the interval
                found.append(float(curvlinops.hutchinson_trace(_operator(point), 1)))
        low, high = interval_of_mean(np.array(found))
        return Measured(float(np.mean(found)), None, low, high, more={"draws": float(self.draws)})


def interval_of_mean(values: np.ndarray) -> tuple[float, float]:
    """95% interval of the mean of independent draws (m,), their skewness g taken out.

    Few large eigenvalues make z^T H z a skewed number, which Student's interval missed in 7 to 10%
    of 20 draws. Hall 1992 (JRSS B 54, 221): with T the studentised mean over sqrt m,
    T + g T^2 / 3 + g^2 T^3 / 27 + g / (6 m) is nearly normal.
    """
    m, mean = len(values), float(values.mean())
    spread = float(values.std(ddof=1))
    if not spread > 0:
        return mean, mean
    skewness = float((((values - mean) / values.std()) ** 3).mean())
    quantile = float(stdtrit(m - 1, 0.975)) / m**0.5
    ends = [_unskewed(y - skewness / (6 * m), skewness) for y in (quantile, -quantile)]
    return mean - spread * ends[0], mean - spread * ends[1]


def _unskewed(y: float, skewness: float) -> float:
    """T of T + g T^2 / 3 + g^2 T^3 / 27 = y."""
    if abs(skewness) < 1e-6:
        return y
    return 3 / skewness * (float(np.cbrt(1 + skewness * y)) - 1)


@dataclass(frozen=True)
class Density:
    """Spectral density by stochastic Lanczos quadrature: `draws` starts of `steps` steps each.

    The value is the density's own upper end, a lower bound of the sharpness; more["grid"] (points,)
    and more["density"] (points,) integrate to 1. draws x steps products.
    """

    draws: int = 2
    steps: int = 20
    points: int = 256
    seed: int = 0
    name = "density"
    definition = "spectral density of the Hessian (largest Ritz value); more has grid and density"
    unit = "1 / time"
    source = "Ghorbani et al. 2019, arXiv 1901.10159; Papyan 2020; curvlinops"

    def __post_init__(self) -> None:
        for name, low in (("draws", 1), ("steps", 2)):
            object.__setattr__(self, name, integer(name, getattr(self, name), low=low))
        integer("points", self.points, low=8)

    def measure(self, point: Point) -> Measured:
        """more: grid, density, smallest (Ritz value)."""
        point.verify()
        _curvlinops()
        from curvlinops.papyan2020traces import spectrum

        operator, steps = _operator(point), min(self.steps, point.objective.n)
        with _seeded(self.seed):
            found = [spectrum.fast_lanczos(operator, steps) for _ in range(self.draws)]
        low = min(float(values.min()) for values, _ in found)
        high = max(float(values.max()) for values, _ in found)
        if not high > low:
            raise InvalidInput(f"all eigenvalues seen are {high:.6g}: one number has no density.")
        densities = []
        for lanczos in found:
            grid, density = spectrum.lanczos_approximate_spectrum_from_iter(
                lanczos, (low, high), self.points, KAPPA, MARGIN
            )
            densities.append(density)
        mean = torch.stack([torch.as_tensor(density) for density in densities]).mean(0)
        more: dict[str, float | Tensor] = {
            "grid": torch.as_tensor(grid),
            "density": mean,
            "smallest": low,
        }
        return Measured(high, more=more)


def _curvlinops() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations of what it imports
            import curvlinops
    except ImportError:
        raise InvalidInput(
            "trace and density need curvlinops, which is not installed. Run: "
            "pip install '.[curvature]' in this project's folder"
        ) from None
    return curvlinops


def _operator(point: Point) -> Any:
    """H as one of curvlinops' operators."""
    from curvlinops._torch_base import PyTorchLinearOperator

    objective = point.objective

    class Hessian(PyTorchLinearOperator):
        SELF_ADJOINT = True

        def _matmat(self, columns: list[Tensor]) -> list[Tensor]:
            (matrix,) = columns
            return [point.products(matrix.T.contiguous()).T.contiguous()]

        @property
        def device(self) -> torch.device:
            return objective.device

        @property
        def dtype(self) -> torch.dtype:
            return objective.dtype

    return Hessian([(objective.n,)], [(objective.n,)])


@contextmanager
def _seeded(seed: int, count: int = 0) -> Iterator[None]:
    if seed < 0:
        refuse("seed", seed, "a whole number >= 0")
    with torch.random.fork_rng():
        torch.manual_seed(seed + 1_000_003 * count)
        yield
