"""The rest of the flow's way, where o = 0: the closed form M8, and the sharpness on it."""

from __future__ import annotations

from linmodel.kernels.flow_series import SOURCE_ROWS
from linmodel.kernels.lanes import compiled

CLOSED_ROWS = 12


def closed_constants(xp, _, c, epsilon, n2, _o2, alpha, signal, span, kappa):
    """M8 from a state with o^2 = 0, lam = kappa: its parts along F's two eigenvectors, +-rho."""
    strength = signal / span
    rho = xp.sqrt(strength * strength + kappa * kappa * 0.25)
    g = xp.where(
        kappa > 0.0, rho + kappa * 0.5, strength * strength / (rho + xp.absolute(kappa) * 0.5)
    )
    scale = 1.0 / xp.sqrt(strength * strength + g * g)
    b, g = strength * scale, g * scale
    p, m = b * epsilon + g * c, b * c - g * epsilon
    return [
        alpha,
        strength,
        span,
        rho * 2.0,
        kappa,
        p * b,
        p * g,
        m * b,
        m * g,
        n2,
        p * p * 0.5 / rho,
        m * m * 0.5 / rho,
    ]


def closed_values(xp, x, alpha, strength, span, rho2, lam, pb, pg, mb, mg, n2, pp, mm):
    """c^2, |b|^2, c epsilon, n^2, and a number of c's sign, at s* + x by M8 without e^(rho t)."""
    t = span * x
    grown = xp.exp(rho2 * t * -1.0)
    z = lam * t
    faded = xp.exp((rho2 + lam) * t * -1.0)
    small = t * (1.0 - z * (0.5 - z * (1 / 6 - z * (1 / 24))))
    tiny = xp.absolute(z) < 1e-3
    drift = xp.where(tiny, small * grown, (grown - faded) / xp.where(tiny, 1.0, lam))
    rest = 1.0 - grown
    total = grown + pp * rest + mm * grown * rest + n2 * drift
    up, side = pg + mb * grown, pb - mg * grown
    inverse = 1.0 / total
    b2 = (side * side + n2 * faded) * inverse
    return [up * up * inverse, b2, up * side * inverse, n2 * faded * inverse, up]


def closed_sharpness(xp, x, *rows):
    """H1 at o = 0, where the cubic is alpha c^2 and a quadratic."""
    alpha, strength = rows[:2]
    q, b2, product, _, _ = closed_values(xp, x, *rows)
    couple = (q * b2 - strength * product) * 4.0 + strength * strength
    gap = (b2 - q) * 0.5
    root = (b2 + q) * 0.5 + xp.sqrt(gap * gap + xp.maximum(couple, 0.0))
    return [xp.maximum(root, alpha * q)]


closed_rows = compiled(closed_constants, SOURCE_ROWS)
closed_sharpness_rows = compiled(closed_sharpness, CLOSED_ROWS)
