"""Squares to try beside the finder's own, by claim and check. Never trusted: only searched."""

from __future__ import annotations

HINTS: dict[tuple[str, str], tuple[str, ...]] = {
    # (n0^2 + s^2) ((b - s z)^2 + n0^2 z^2) - b^2 n0^2 = (n0^2 z + s^2 z - b s)^2
    ("F7", "2/check 1"): ("n0*(n0**2*z + s**2*z - b*s)", "s*(n0**2*z + s**2*z - b*s)"),
    # b^2/4 - p (b - p) = (b/2 - p)^2
    ("G4e", "3/step (4)"): ("b - 2*p",),
    ("G4f", "3/step (4)"): ("b - 2*p",),
    # a r^2 + b^2/(4a) - r b = (b - 2 a r)^2/(4a)
    ("G4g", "2/check 1"): ("b - 2*a*r",),
}
