"""Enclosure of the sharpness over an interval state: top eigenvalue of H1's 3 x 3 arrowhead."""

from __future__ import annotations

from flint import arb, arb_mat, ctx

Matrix = list[list[arb]]


def largest_eigenvalue(alpha: float, beta_norm: float, state: tuple[arb, arb, arb, arb]) -> arb:
    """A ball that contains the sharpness (H1) of every state (c, epsilon, n, o) in the four balls.

    At the midpoint matrix: Rayleigh's quotient from below, positive definiteness of x I - A (by
    leading minors) from above; then Weyl: the radii move the eigenvalue by at most their Frobenius
    norm. No root is divided out, so coinciding roots are no exception. Infinite where the precision
    is too low.
    """
    block = _block(alpha, beta_norm, *state)
    middle = [[entry.mid() for entry in row] for row in block]
    spread = sum((entry.rad() * entry.rad() for row in block for entry in row), arb(0)).sqrt()
    if all(entry == 0 for row in middle for entry in row):
        return spread * arb(0, 1)
    low = _rayleigh(middle)
    high = arb.pos_inf()
    slack = (abs(low) + spread) * arb(2) ** (8 - ctx.prec // 3) + arb(2) ** -1000
    for _ in range(ctx.prec):
        candidate = arb((low + slack).upper())
        if exceeds(middle, candidate):
            high = candidate
            break
        slack *= 4
    return (low - spread).union(high + spread)


def exceeds(matrix: Matrix, x: arb) -> bool:
    """Whether x I - A is proved positive definite: its leading minors, the corner last."""
    a, b, d = x - matrix[2][2], x - matrix[1][1], x - matrix[0][0]
    third = d * a * b - matrix[0][1] ** 2 * a - matrix[0][2] ** 2 * b
    return bool(a > 0 and b > 0 and third > 0)


def _block(alpha: float, beta_norm: float, c: arb, epsilon: arb, n: arb, o: arb) -> Matrix:
    """The arrowhead in (c; v; o), v along 2 c b - beta, as balls."""
    signal, noise = 2 * c * epsilon - beta_norm, 2 * c * n
    corner = [
        epsilon * epsilon + n * n + alpha * o * o,
        (signal * signal + noise * noise).nonnegative_part().sqrt(),
        2 * alpha * c * o,
    ]
    return [corner, [corner[1], c * c, arb(0)], [corner[2], arb(0), alpha * c * c]]


def _rayleigh(matrix: Matrix) -> arb:
    """Rayleigh quotient of a very accurate top eigenvector: a lower bound of the top eigenvalue.

    Repeated squaring of A + shift, made positive, until it is the projector on the top eigenspace.
    """
    scale = max((abs(entry) for row in matrix for entry in row), key=float)
    size = arb_mat(matrix)
    identity = arb_mat(3, 3, [1, 0, 0, 0, 1, 0, 0, 0, 1])
    power = size / scale + 3 * identity
    power = (power / power.trace()).mid()
    for _ in range(ctx.prec):
        square = power * power
        square = (square / square.trace()).mid()
        change = max(abs(float(entry)) for entry in (square - power).entries())
        power = square
        if change <= 2.0 ** (24 - ctx.prec):
            break
    column = max(range(3), key=lambda j: float(power[j, j]))
    vector = arb_mat([[power[i, column]] for i in range(3)])
    quotient = (vector.transpose() * (size * vector))[0, 0] / (vector.transpose() * vector)[0, 0]
    return arb(quotient.lower())
