"""Loss, gradient, Hessian spectrum and sharpness of the reduced model, in closed form (M1, H1).

All for the population loss with factor 1/2: L = 1/2 E (f - y)^2. Batched over the state.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import linmodel.formulas as formulas
from linmodel.arguments import typed
from linmodel.errors import refuse
from linmodel.problem import Array, OpposingSignals, State, single


class Spectrum(NamedTuple):
    """Eigenvalues of the full (1 + d1 + d2)-dimensional Hessian, with multiplicities (H1)."""

    values: Array
    multiplicity: tuple[int, ...]


@typed
def loss(problem: OpposingSignals, state: State) -> float | Array:
    """M1: L - L_min = 1/2 ((c epsilon - B)^2 + c^2 n^2 + alpha c^2 o^2), factor 1/2; >= 0."""
    values = (np.asarray(value) for value in state)
    return formulas.loss(problem.alpha, problem.beta_norm, *values)[()]


@typed
def velocity(problem: OpposingSignals, state: State) -> State:
    """Right-hand side of the gradient flow s' = -grad L (theory section 2)."""
    c, epsilon, n, o = (np.asarray(value) for value in state)
    b_norm, alpha = problem.beta_norm, problem.alpha
    return State(
        c=epsilon * b_norm - c * (epsilon**2 + n**2) - alpha * c * o**2,
        epsilon=c * (b_norm - c * epsilon),
        n=-(c**2) * n,
        o=-alpha * c**2 * o,
    )


@typed
def gradient(problem: OpposingSignals, state: State) -> State:
    """Gradient of the loss (factor 1/2) in (c, epsilon, n, o)."""
    flow = velocity(problem, state)
    return State(*(-np.asarray(value) for value in flow))


@typed
def opposing_curvature(problem: OpposingSignals, state: State) -> float | Array:
    """alpha c^2: the Hessian's eigenvalue along the unused opposing directions."""
    return (problem.alpha * np.asarray(state.c) ** 2)[()]


@typed
def group_losses(problem: OpposingSignals, state: State) -> tuple[Array, Array]:
    """M9, aligned support: L_pm = 1/2 (|c b - beta|^2 + (a (+-c o - 1))^2), a = sqrt(alpha/p).

    The mean loss of the outliers with x_o = +a and of those with x_o = -a along 1/sqrt(d2).
    """
    c, epsilon, n, o = (np.asarray(value) for value in state)
    common = (c * epsilon - problem.beta_norm) ** 2 + (c * n) ** 2
    size = problem.outlier_size
    plus = 0.5 * (common + (size * (c * o - 1)) ** 2)
    minus = 0.5 * (common + (size * (c * o + 1)) ** 2)
    return plus[()], minus[()]


@typed
def core_block(problem: OpposingSignals, state: State) -> Array:
    """The 3 x 3 arrowhead in (c; v; o), v along 2 c b - beta, that holds the sharpness (H1).

    Shape (..., 3, 3). Its eigenvalues are the three roots of H1's cubic. Raises InvalidInput where
    an entry overflows.
    """
    c, epsilon, n, o = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in state))
    with np.errstate(over="ignore", invalid="ignore"):
        border = formulas.signal_border(problem.beta_norm, c, epsilon, n)
        block = formulas.arrowhead(problem.alpha, c, epsilon, n, o, border)
    if not np.isfinite(block).all():
        largest = max(float(np.abs(value).max()) for value in (c, epsilon, n, o))
        allowed = "a state whose Hessian is finite in float64"
        refuse("largest component of the state", largest, allowed)
    return block


@typed
def sharpness(problem: OpposingSignals, state: State) -> float | Array:
    """Largest eigenvalue of the full loss Hessian: the largest root of H1's cubic.

    By a backward stable symmetric eigensolver on the 3 x 3 block, so that nearly equal roots cost
    no digits; the trace is >= 0, hence |lambda_min| <= 2 lambda_max and the relative error stays
    near machine precision. By interlacing it is at least max(c^2, alpha c^2).
    """
    return np.linalg.eigvalsh(core_block(problem, state))[..., -1][()]


@typed
def hessian_spectrum(problem: OpposingSignals, state: State) -> Spectrum:
    """H1: the whole spectrum at one state, in descending order.

    c^2 (multiplicity d1 - 1), alpha c^2 (rank - 1), 0 (d2 - rank), and the cubic's three roots.
    Multiplicities add up to 1 + d1 + d2; entries of multiplicity 0 are left out. Raises
    InvalidInput for a batch of states.
    """
    c = float(np.asarray(single(state).c))
    pairs = [(float(root), 1) for root in np.linalg.eigvalsh(core_block(problem, state))]
    pairs.append((c**2, problem.d1 - 1))
    pairs.append((problem.alpha * c**2, problem.rank - 1))
    pairs.append((0.0, problem.d2 - problem.rank))
    pairs = sorted((pair for pair in pairs if pair[1] > 0), reverse=True)
    return Spectrum(np.array([pair[0] for pair in pairs]), tuple(pair[1] for pair in pairs))
