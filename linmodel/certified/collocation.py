"""Polynomial pieces of the gradient flow by Chebyshev collocation, in Arb of any precision.

This file only *proposes* a polynomial on [t, t + h]; linmodel.certified.pieces then proves how far
the true solution is from it. So nothing here needs error bounds, except that the matrices of `Grid`
that evaluate a polynomial are rigorous balls.

Collocation rather than Taylor coefficients at one point: on the plateaus of o0 > c0 the flow is
stiff (ratio alpha^2 o^4 / B^2). A Taylor step would be of the length of the fast scale; this one is
of the length on which the solution itself changes, whatever alpha is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from flint import arb, arb_mat, ctx
from scipy.linalg import lu_factor, lu_solve

from linmodel.problem import Array

NEWTON_STEPS = 12
REFINEMENTS = 60


@dataclass(frozen=True)
class Grid:
    """Matrices for polynomials of one degree on [-1, 1], given by values at `degree + 1` nodes.

    coefficients    values -> Chebyshev coefficients
    derivative      values -> derivative at the nodes; `derivative_float` in float64
    fine            values -> values at 3 degree + 1 Chebyshev points: enough to fix f(p), of degree
                    3 * degree, and `fine_derivative` the derivative there
    fine_points     those points, descending, float64
    lebesgue        max of a polynomial of degree <= 3 degree is at most `lebesgue` times its max on
                    the fine points: 1 + (2/pi) log(3 degree + 1)
    integral        fine values of a polynomial of degree <= 2 degree -> Chebyshev coefficients of
                    its integral from -1
    """

    degree: int
    coefficients: arb_mat
    derivative: arb_mat
    derivative_float: Array
    fine: arb_mat
    fine_derivative: arb_mat
    fine_points: Array
    lebesgue: float
    integral: arb_mat


@lru_cache(maxsize=8)
def grid(degree: int, bits: int) -> Grid:
    """The matrices of one degree at one precision (bits)."""
    with ctx.workprec(bits):
        angles = [arb.pi() * (degree - j) / degree for j in range(degree + 1)]
        many = 3 * degree + 1
        fine_angles = [arb.pi() * (2 * j + 1) / (2 * many) for j in range(many)]
        coefficients = _values_to_coefficients(degree, angles)
        derivative = arb_mat([_slopes(degree, j, angle) for j, angle in enumerate(angles)])
        derivative = derivative * coefficients
        fine = arb_mat([[(k * a).cos() for k in range(degree + 1)] for a in fine_angles])
        slopes = [[k * (k * a).sin() / a.sin() for k in range(degree + 1)] for a in fine_angles]
        return Grid(
            degree=degree,
            coefficients=coefficients,
            derivative=derivative,
            derivative_float=to_float(derivative),
            fine=fine * coefficients,
            fine_derivative=arb_mat(slopes) * coefficients,
            fine_points=np.array([float(angle.cos()) for angle in fine_angles]),
            lebesgue=1.0 + 2.0 / np.pi * np.log(many) + 1e-9,
            integral=_integral(2 * degree, fine_angles),
        )


def _values_to_coefficients(degree: int, angles: list[arb]) -> arb_mat:
    """Cosine transform: a_k = (2/N) sum'' v_j cos(k theta_j), the ends halved in j and k."""
    rows = []
    for k in range(degree + 1):
        outer = arb(1 if k in (0, degree) else 2) / degree
        row = [outer * (k * angle).cos() for angle in angles]
        row[0] /= 2
        row[-1] /= 2
        rows.append(row)
    return arb_mat(rows)


def _integral(degree: int, angles: list[arb]) -> arb_mat:
    """Values at the points cos(angle) -> coefficients of the integral, degree + 2 of them.

    int T_k = T_{k+1} / (2k + 2) - T_{k-1} / (2k - 2), int T_0 = T_1, int T_1 = T_2 / 4.
    """
    many = len(angles)
    rows = [[arb(0)] * many for _ in range(degree + 2)]
    for j, angle in enumerate(angles):
        found = [arb(0)] * (degree + 2)
        for k in range(degree + 1):
            a = (k * angle).cos() * (1 if k == 0 else 2) / many
            found[k + 1] += a / (k + 1 if k == 0 else 2 * k + 2)
            if k > 1:
                found[k - 1] -= a / (2 * k - 2)
        # T_k(-1) = (-1)^k: the constant makes the integral vanish at -1.
        found[0] = sum((a if k % 2 else -a for k, a in enumerate(found) if k > 0), arb(0))
        for k, a in enumerate(found):
            rows[k][j] = a
    return arb_mat(rows)


def _slopes(degree: int, j: int, angle: arb) -> list[arb]:
    """T_k'(cos angle), k = 0..degree; at the two ends +-1 by their limits (+-1)^(k+1) k^2."""
    if j == degree:
        return [arb(k * k) for k in range(degree + 1)]
    if j == 0:
        return [arb((-1) ** (k + 1) * k * k) for k in range(degree + 1)]
    return [k * (k * angle).sin() / angle.sin() for k in range(degree + 1)]


def chebyshev_row(degree: int, s: arb) -> arb_mat:
    """T_0(s) .. T_degree(s) as a row; the recurrence loses 1.3 bits a term: allow for it."""
    terms = [arb(1), s]
    while len(terms) <= degree:
        terms.append(2 * s * terms[-1] - terms[-2])
    return arb_mat([terms[: degree + 1]])


def to_float(matrix: arb_mat) -> Array:
    """Midpoints in float64, shape (rows, columns)."""
    return np.array([float(entry) for entry in matrix.entries()]).reshape(
        matrix.nrows(), matrix.ncols()
    )


def velocity(alpha, beta_norm, c, epsilon, n, o):
    """The flow's right-hand side (theory section 2), for floats, arrays or Arb balls alike."""
    cc = c * c
    opposing = alpha * o
    return (
        epsilon * beta_norm - c * (epsilon * epsilon + n * n + opposing * o),
        c * beta_norm - cc * epsilon,
        -cc * n,
        -cc * opposing,
    )


def propose(
    alpha: float, beta_norm: float, start: list[arb], h: arb, g: Grid, digits: int
) -> arb_mat | None:
    """Values (degree + 1, 4) of a collocation polynomial on a piece of length h, or None.

    Newton in float64 from a constant guess, then refinement of the residual in Arb, until the
    correction is below 10^-digits of the state. None where Newton does not converge: h is too long.
    """
    first = np.array([float(value) for value in start])
    guess = np.tile(first, (g.degree + 1, 1))
    half = float(h) / 2
    for _ in range(NEWTON_STEPS):
        factors = _factorised(alpha, beta_norm, guess[1:], half, g)
        residual = (
            g.derivative_float[1:] @ guess
            - half * np.column_stack(velocity(alpha, beta_norm, *guess.T))[1:]
        )
        if factors is None or not np.isfinite(residual).all():
            return None
        step = lu_solve(factors, residual.ravel()).reshape(-1, 4)
        guess[1:] -= step
        if np.abs(step).max() <= 1e-7 * np.abs(guess).max():
            return _refined(alpha, beta_norm, start, guess, h, g, factors, digits)
    return None


def _factorised(alpha: float, beta_norm: float, states: Array, half: float, g: Grid):
    """LU factors of D - (h/2) J over all nodes at once, or None where it overflows."""
    count = len(states)
    with np.errstate(over="ignore", invalid="ignore"):
        c, epsilon, n, o = states.T
        jacobian = np.zeros((count, 4, 4))
        jacobian[:, 0, 0] = -(epsilon**2 + n**2 + alpha * o**2)
        jacobian[:, 0, 1] = jacobian[:, 1, 0] = beta_norm - 2 * c * epsilon
        jacobian[:, 0, 2] = jacobian[:, 2, 0] = -2 * c * n
        jacobian[:, 0, 3] = jacobian[:, 3, 0] = -2 * alpha * c * o
        jacobian[:, 1, 1] = jacobian[:, 2, 2] = -(c**2)
        jacobian[:, 3, 3] = -alpha * c**2
    matrix = np.kron(g.derivative_float[1:, 1:], np.eye(4))
    index = np.arange(count)
    matrix.reshape(count, 4, count, 4)[index, :, index, :] -= half * jacobian
    return lu_factor(matrix, check_finite=False) if np.isfinite(matrix).all() else None


def _refined(
    alpha: float,
    beta_norm: float,
    start: list[arb],
    guess: Array,
    h: arb,
    g: Grid,
    factors: tuple,
    digits: int,
) -> arb_mat | None:
    """Repeat: residual in Arb, correction with the float64 factors; None if it does not shrink."""
    rows = [start] + [[arb(value) for value in row] for row in guess[1:].tolist()]
    half = h / 2
    c, epsilon, n, o = np.abs(guess).max(axis=0)
    stiffness = 1 + float(h) * (max(alpha, 1.0) * (c + o) ** 2 + (epsilon + n) ** 2 + beta_norm)
    # The defect is the error times the stiffness.
    goal = 10.0**-digits * np.abs(guess).max() / stiffness
    best = np.inf
    for _ in range(REFINEMENTS):
        slopes = (g.derivative * arb_mat(rows)).tolist()
        residual = []
        for slope, row in zip(slopes[1:], rows[1:], strict=True):
            field = velocity(alpha, beta_norm, *row)
            residual += [float(a - half * f) for a, f in zip(slope, field, strict=True)]
        step = lu_solve(factors, np.array(residual)).reshape(-1, 4)
        size = np.abs(step).max()
        if not size < best:
            return None
        best = size
        rows[1:] = [
            [(value - change).mid() for value, change in zip(row, changes, strict=True)]
            for row, changes in zip(rows[1:], step.tolist(), strict=True)
        ]
        if size <= goal:
            return arb_mat(rows)
    return None
