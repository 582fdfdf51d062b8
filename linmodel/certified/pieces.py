"""Piece after piece of the gradient flow, each with a proved bound on its distance from the truth.

On each piece [t, t + h] linmodel.certified.collocation proposes a polynomial p. Its
defect r = p' - f(p) is a polynomial of degree <= 3 deg p; its size rho is bounded from values at
Chebyshev points and their Lebesgue constant. The flow is a gradient flow, so its Jacobian is minus
the symmetric Hessian, and two solutions part at most at the rate mu = -lambda_min(H):
    |e|' <= mu |e| + rho,    hence |e(t + h)| <= (|e(t)| + rho h) exp(int mu^+ dt)
as long as the solution stays in the tube of radius R about p on which mu was bounded (checked: the
right-hand side is < R). Stiffness does not enter: only negative curvature lets errors grow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat

from linmodel.certified.collocation import Grid, chebyshev_row, grid, propose, to_float, velocity
from linmodel.problem import Array, OpposingSignals, State

Balls = tuple[arb, arb, arb, arb, arb]

UP = 1.0 + 1e-13  # slack on float64 bounds: 450 roundings, where a few dozen can add up


class CannotEnclose(ArithmeticError):
    """No enclosure as narrow as asked with these settings: what happened, where, what to do."""


@dataclass(frozen=True)
class Setting:
    """One problem at one working precision."""

    alpha: float
    beta_norm: float
    digits: int
    bits: int
    grid: Grid


@dataclass(frozen=True)
class Piece:
    """p on [begin, begin + length], the bound `error` on |s - p|, and tau at its beginning.

    Chebyshev: `coefficients` (degree + 1, 4) of p, `integral` (2 degree + 2, 1) of int p_c^2.
    """

    begin: arb
    length: arb
    values: arb_mat
    coefficients: arb_mat
    integral: arb_mat
    error: float
    tau: arb


def make_setting(problem: OpposingSignals, digits: int) -> Setting:
    """Degree and working precision that reach `digits` decimal digits a piece."""
    degree = 8 + 4 * math.ceil(digits / 4)
    bits = math.ceil(3.33 * digits + 2.6 * degree) + 96
    return Setting(problem.alpha, problem.beta_norm, digits, bits, grid(degree, bits))


def enclosures(
    setting: Setting, start: State, times: Array, max_pieces: int
) -> Iterator[tuple[float, Balls]]:
    """Piece after piece; yield (time, balls of (c, epsilon, n, o, tau)) at each requested time.

    Raises CannotEnclose.
    """
    begin, tau, error = arb(0), arb(0), 0.0
    state = [arb(float(np.asarray(value))) for value in start]
    pending = list(times)
    if pending[0] == 0:
        c, epsilon, n, o = state
        yield pending.pop(0), (c, epsilon, n, o, tau)
    length = _first_length(setting, state)
    for _ in range(max_pieces):
        if not pending:
            return
        piece, length = _next_piece(setting, state, begin, length, error, tau)
        end = begin + piece.length
        while pending and arb(float(pending[0])) <= end:
            time = float(pending.pop(0))
            yield time, _evaluate(setting, piece, arb(time), start)
        state = list(piece.values.tolist()[-1])
        tau = _tau(piece, arb(1))
        if not end.is_exact():
            raise CannotEnclose(f"time {float(end):.6g} needs more bits; raise digits.")
        begin, error = end, piece.error
    if pending:
        raise CannotEnclose(
            f"{max_pieces} pieces reached time {float(begin):.6g} of {pending[-1]:.6g}; "
            "raise max_pieces or ask for earlier times."
        )


def _first_length(setting: Setting, state: list[arb]) -> float:
    c, epsilon, n, o = (abs(float(value)) for value in state)
    alpha, b_norm = setting.alpha, setting.beta_norm
    rate = max(1.0, alpha) * (c + o) ** 2 + (epsilon + n) ** 2 + b_norm
    return 1.0 / rate if rate > 0 else 1.0


def _next_piece(
    setting: Setting, state: list[arb], begin: arb, length: float, error: float, tau: arb
) -> tuple[Piece, float]:
    """A piece of at most `length` whose defect is within the digits, and the next length to try."""
    scale = math.sqrt(sum(float(value) ** 2 for value in state))
    goal = 10.0**-setting.digits * scale
    for _ in range(200):
        h = arb(length)
        values = propose(setting.alpha, setting.beta_norm, state, h, setting.grid, setting.digits)
        if values is None:
            length /= 2
            continue
        points, slopes = setting.grid.fine * values, setting.grid.fine_derivative * values
        defect = _defect(setting, points, slopes, h)
        drift = defect * length
        ratio = (goal / drift) ** (1 / setting.grid.degree) if drift > 0 else 4.0
        if drift > goal:
            length *= min(0.8, max(0.2, 0.9 * ratio))
            continue
        after = _error_after(setting, to_float(points), to_float(slopes), length, error + drift)
        if after is None:
            length /= 2
            continue
        coefficients = setting.grid.coefficients * values
        squares = arb_mat([[row[0] * row[0]] for row in points.tolist()])
        integral = setting.grid.integral * squares
        piece = Piece(begin, h, values, coefficients, integral, after, tau)
        return piece, length * min(4.0, max(0.5, 0.9 * ratio))
    raise CannotEnclose(
        f"the error bound {error:.3g} at time {float(begin):.6g} admits no further piece; "
        "raise digits."
    )


def _defect(setting: Setting, points: arb_mat, slopes: arb_mat, h: arb) -> float:
    """rho >= max |p' - f(p)| over the piece, from p and p' (per unit of s) on the fine points."""
    worst = [0.0] * 4
    for point, slope in zip(points.tolist(), slopes.tolist(), strict=True):
        field = velocity(setting.alpha, setting.beta_norm, *point)
        for i in range(4):
            size = float((slope[i] * 2 / h - field[i]).abs_upper())
            worst[i] = max(worst[i], size * UP)
    return setting.grid.lebesgue * math.sqrt(sum(size**2 for size in worst)) * UP


def _error_after(
    setting: Setting, points: Array, slopes: Array, length: float, error: float
) -> float | None:
    """error x exp(int mu^+ dt) over the piece; None where it outgrows the tube of 1000 error.

    Cells between neighbouring fine points; on each, the box that p and the tube can reach gives
    the arrowhead with the smallest diagonal and the largest border, whose lambda_min is least.
    """
    g, tube = setting.grid, 1000 * error
    inner = (g.fine_points[1:] + g.fine_points[:-1]) / 2
    edges = np.concatenate([[1.0], inner, [-1.0]])
    reach = np.maximum(edges[:-1] - g.fine_points, g.fine_points - edges[1:])
    radius = reach[:, None] * g.lebesgue * np.abs(slopes).max(axis=0) + tube
    radius = (radius + 1e-15 * np.abs(points)) * UP + 1e-300
    rate = _expansion(setting, points, radius)
    growth = float(((edges[:-1] - edges[1:]) * rate).sum()) * length / 2 * UP
    after = error * math.exp(growth) * UP if growth < 6.9 else math.inf
    return after if after <= tube else None


def _expansion(setting: Setting, points: Array, radius: Array) -> Array:
    """mu >= max(0, -lambda_min(Hessian)) on each box points +- radius, shape (cells,)."""
    alpha, b_norm = setting.alpha, setting.beta_norm
    low = np.maximum(np.abs(points) - radius, 0.0)
    high = np.abs(points) + radius
    c, epsilon = points[:, 0], points[:, 1]
    product = high[:, 0] * radius[:, 1] + high[:, 1] * radius[:, 0]
    signal = np.abs(2 * c * epsilon - b_norm) + 2 * product
    signal += 1e-15 * (2 * np.abs(c * epsilon) + b_norm)
    border_b = np.hypot(signal, 2 * high[:, 0] * high[:, 2]) * UP
    border_o = 2 * alpha * high[:, 0] * high[:, 3] * UP
    top = (low[:, 1] ** 2 + low[:, 2] ** 2 + alpha * low[:, 3] ** 2) / UP
    diagonal_b = low[:, 0] ** 2 / UP
    diagonal_o = alpha * diagonal_b / UP
    matrix = np.zeros((len(points), 3, 3))
    matrix[:, 0, 0], matrix[:, 1, 1], matrix[:, 2, 2] = top, diagonal_b, diagonal_o
    matrix[:, 0, 1] = matrix[:, 1, 0] = border_b
    matrix[:, 0, 2] = matrix[:, 2, 0] = border_o
    tiny = 1e-30 * np.abs(matrix).max(axis=(1, 2)) + 1e-300
    rate = np.maximum(-np.linalg.eigvalsh(matrix)[:, 0], 0.0) * (1 + 1e-9) + tiny
    for _ in range(200):  # eigvalsh proposes; Schur's complement in the corner decides
        schur = (border_b / (diagonal_b + rate)) * border_b
        schur += (border_o / (diagonal_o + rate)) * border_o
        fails = ~((top + rate) >= schur * UP)
        if not fails.any():
            break
        rate = np.where(fails, 2 * rate, rate)
    return np.where(fails, np.inf, rate)


def _tau(piece: Piece, s: arb) -> arb:
    """tau at p's place s in [-1, 1], from the integral of p_c^2 and |c - p_c| <= error.

    With Cauchy-Schwarz, int |c^2 - p_c^2| <= 2 error sqrt(2 int p_c^2) + 2 error^2 over [-1, 1].
    """
    count = piece.integral.nrows()
    part = (chebyshev_row(count - 1, s) * piece.integral)[0, 0]
    whole = sum(piece.integral.entries(), arb(0)).nonnegative_part()
    error = arb(piece.error)
    slip = 2 * error * (2 * whole).sqrt() + 2 * error * error
    return piece.tau + piece.length / 2 * (part + slip * arb(0, 1))


def _evaluate(setting: Setting, piece: Piece, time: arb, start: State) -> Balls:
    """Balls for (c, epsilon, n, o, tau) at one time inside the piece."""
    s = 2 * (time - piece.begin) / piece.length - 1
    row = (chebyshev_row(setting.grid.degree, s) * piece.coefficients).entries()
    tube = arb(0, piece.error)
    tau = _tau(piece, s)
    n = arb(float(np.asarray(start.n))) * (-tau).exp()
    o = arb(float(np.asarray(start.o))) * (-setting.alpha * tau).exp()
    return row[0] + tube, row[1] + tube, n, o, tau
