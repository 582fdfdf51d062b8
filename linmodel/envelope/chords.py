"""The two curves between which epsilon runs (F11), pieced together from closed-form flows.

In intrinsic time, d epsilon/d tau = B/c - epsilon with
c^2 = kappa + epsilon^2 + n0^2 x + o0^2 x^alpha, x = e^(-2 tau). Replace x^alpha, convex, by chords
(above it) or tangents (below it) in x: every piece is then a flow without opposing signal, which is
closed form (`linmodel.comparison`), and more o^2 means larger c, hence smaller epsilon (comparison
lemma). One chord to x = 0 gives the alpha = 1 curve; one tangent, then 0, gives better than the
alpha = inf curve. More pieces: error ~ pieces^-2.

True time: dt/ds = c_piece^2 / c^2, and c^2 differs from c_piece^2 by at most the gap between line
and x^alpha on the side that matters; so t is bounded by a sum of closed forms as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize.elementwise import find_root

from linmodel.comparison import Comparison
from linmodel.problem import Array

Flags = NDArray[np.bool_]
TAIL = 1e-12  # pieces end where o^2 < TAIL c^2
LONGEST = 4.0  # of a piece in log(o^2)
SHORTEST = 1e-3
DOUBLINGS = 400  # at most
NARROW = 1e-12
CLEAR = 1e-9
ROUNDING = 1e-15  # of a difference of numbers <= 1


@dataclass(frozen=True)
class Cases:
    """Problems and starts, elementwise: arrays of one shape (N,)."""

    alpha: Array
    b_norm: Array
    c: Array
    epsilon: Array
    n_square: Array
    o_square: Array


@dataclass(frozen=True)
class Line:
    """A straight line in x against o^2 = o_k^2 x^alpha on a piece that starts at x = 1.

    rest   its slope, which joins n^2
    span   length of the piece in tau
    gap    largest distance between line and curve
    """

    rest: Array
    span: Array
    gap: Array


@dataclass(frozen=True)
class Curve:
    """Pieces along axis 0 (piece, N): where they start, their flows, and bounds of true time.

    tau      intrinsic time at the start (inf for unused pieces)
    time     bound of the true time at the start
    stretch  bound of dt/ds within the piece; above for the lower curve, below for the upper
    """

    tau: Array
    time: Array
    stretch: Array
    flow: Comparison

    def _pick(self, starts: Array, at: Array) -> tuple[Array, ...]:
        index = np.maximum((starts[:, None, :] <= at[None]).sum(axis=0) - 1, 0)
        rows = (self.tau, self.time, self.stretch, *self._flow_rows())
        return tuple(np.take_along_axis(row, index, axis=0) for row in rows)

    def _flow_rows(self) -> tuple[Array, ...]:
        return self.flow.c, self.flow.epsilon, self.flow.rest, self.flow.b_norm

    def at_tau(self, tau: Array) -> Array:
        """epsilon at intrinsic times tau of shape (T, N)."""
        begun, _, _, *flow = self._pick(self.tau, tau)
        piece = Comparison(*flow)
        return piece.at(piece.clock(tau - begun))[1]

    def at_time(self, time: Array) -> tuple[Array, Array]:
        """(tau, epsilon) at which this curve's clock shows `time`, shape (T, N)."""
        begun, clock, stretch, *flow = self._pick(self.time, time)
        piece = Comparison(*flow)
        s = (time - clock) / stretch
        return begun + piece.intrinsic(s), piece.at(s)[1]


def lower_curve(cases: Cases, step: float, pieces: int) -> Curve:
    """epsilon from below (chords): at most `pieces` + 1 pieces of log-length step c / |o|."""
    return _build(cases, step, pieces, upper=False)


def upper_curve(cases: Cases, step: float, pieces: int) -> Curve:
    """epsilon from above (tangents), two pieces for one of `lower_curve`."""
    return _build(cases, step, pieces, upper=True)


def _build(cases: Cases, step: float, pieces: int, upper: bool) -> Curve:
    tau, time = np.zeros(cases.c.shape), np.zeros(cases.c.shape)
    c, epsilon = cases.c, cases.epsilon
    rows: list[tuple[Array, ...]] = []
    for count in range(pieces + 1):
        o_square = cases.o_square * np.exp(-2 * cases.alpha * tau)
        length = np.clip(step * c / np.sqrt(np.maximum(o_square, 1e-300)), SHORTEST, LONGEST)
        final = (o_square <= TAIL * c**2) | (count == pieces)
        length = np.where(final, np.inf, length)
        lines = _tangents if upper else _chord
        for line in lines(cases.alpha, o_square, length):
            flow = Comparison(
                c, epsilon, cases.n_square * np.exp(-2 * tau) + line.rest, cases.b_norm
            )
            ends = np.isfinite(line.span)
            span = np.where(ends, line.span, 0.0)
            s = flow.clock(span)
            after = flow.at(s)
            stretch = _stretch(flow, after, s, ends, line.gap, upper)
            rows.append((tau, time, stretch, c, epsilon, flow.rest))
            (c, epsilon), tau = after, tau + line.span
            used = np.where(s > 0, stretch, 1.0) * s
            time = np.where(ends, time + used, np.inf)
        if not np.isfinite(tau).any():
            break
    table = [np.stack(column) for column in zip(*rows, strict=True)]
    flow = Comparison(table[3], table[4], table[5], np.broadcast_to(cases.b_norm, table[0].shape))
    return Curve(table[0], table[1], table[2], flow)


def _chord(alpha: Array, o_square: Array, length: Array) -> list[Line]:
    """The chord of x^alpha from 1 to e^(-length/alpha); to 0 where length = inf."""
    ratio = np.exp(-length)
    slope = np.expm1(-length) / np.expm1(-length / alpha)
    power = np.maximum(alpha - 1, ROUNDING)
    widest = np.exp(np.log(slope / alpha) / power)
    gap = ratio + slope * (widest - np.exp(-length / alpha)) - widest**alpha
    gap = np.where(alpha > 1, np.maximum(gap, 0) + ROUNDING, 0.0)
    return [Line(o_square * slope, length / (2 * alpha), o_square * gap)]


def _tangents(alpha: Array, o_square: Array, length: Array) -> list[Line]:
    """The tangents of x^alpha at 1 and at e^(-length/alpha), up to and from where they meet."""
    power = np.maximum(alpha - 1, ROUNDING)
    meet = power * np.expm1(-length) / (alpha * np.expm1(-power * length / alpha))
    meet = np.where(alpha > 1, meet, np.exp(-length / 2))
    gap = np.where(alpha > 1, np.maximum(meet**alpha - 1 - alpha * (meet - 1), 0) + ROUNDING, 0.0)
    final = np.isinf(length)
    with np.errstate(divide="ignore"):
        first = -np.log(meet) / 2
    second = np.where(final, np.inf, length / (2 * alpha) - np.where(final, 0.0, first))
    # e^(-length) / e^(-length/alpha): the second tangent's slope, seen from its own start.
    slope = np.where(final, 0.0, alpha * meet * np.exp(-length * (power / alpha)))
    return [
        Line(o_square * alpha, first, o_square * gap),
        Line(o_square * slope, second, o_square * gap),
    ]


def _stretch(
    flow: Comparison, after: tuple[Array, Array], s: Array, ends: Flags, gap: Array, upper: bool
) -> Array:
    """Bound of dt/ds on a piece: 1 / (1 - gap/c_min^2) from above, 1 / (1 + gap/c_min^2) below."""
    ratio = gap / _lowest(flow, after, s, ends)
    if upper:
        return 1 / (1 + ratio)
    return np.where(ratio < 1, 1 / np.where(ratio < 1, 1 - ratio, 1.0), np.inf)


def _lowest(flow: Comparison, after: tuple[Array, Array], s: Array, ends: Flags) -> Array:
    """Least c^2 on a piece: an end of it, or the one dip inside (F4), found by the sign of c'."""
    falls_first = _falls(flow, flow.c, flow.epsilon, np.zeros(flow.c.shape))
    falls_last = ends & _falls(flow, *after, flow.intrinsic(s))
    lowest = np.where(falls_last, after[0] ** 2, flow.c**2)
    inside = falls_first & ~falls_last
    if inside.any():
        lowest = np.where(inside, _dip(flow, np.where(ends, s, np.inf)) ** 2, lowest)
    return lowest * (1 - 10 * CLEAR)


def _falls(flow: Comparison, c: Array, epsilon: Array, tau: Array) -> Flags:
    return _fall(flow, c, epsilon, tau) > 0


def _fall(flow: Comparison, c: Array, epsilon: Array, tau: Array) -> Array:
    """Of the sign of -c' where that is clear.

    On a plateau c' / c is below rounding: only a clear fall counts, and CLEAR is given away.
    """
    drag = c * (epsilon**2 + flow.rest * np.exp(-2 * tau)) * (1 - CLEAR)
    return drag - epsilon * flow.b_norm


def _dip(flow: Comparison, s: Array) -> Array:
    """c at a time just before its minimum on [0, s], where c falls at 0 and not at s."""
    rows = flow.c, flow.epsilon, flow.rest, flow.b_norm

    def fall(s: Array, *row: Array) -> Array:
        piece = Comparison(*row)
        return _fall(piece, *piece.at(s), piece.intrinsic(s))

    high = np.where(np.isfinite(s), s, 1 / flow.rho)
    for _ in range(DOUBLINGS):
        early = np.isinf(s) & (fall(high, *rows) > 0)
        if not early.any():
            break
        high = np.where(early, 2 * high, high)
    # Relative to the time itself: a dip may come 1e-20 of the piece's length after its start.
    found = find_root(fall, (np.zeros(high.shape), high), args=rows, tolerances={"xrtol": NARROW})
    return flow.at(found.bracket[0])[0]
