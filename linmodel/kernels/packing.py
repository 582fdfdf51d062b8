"""Cells in lanes: which travel together through the flow's kernels, and how they are laid out."""

from __future__ import annotations

import numpy as np

from linmodel.kernels.flow_series import (
    ALPHA,
    EPSILON,
    KAPPA,
    N2,
    O2,
    SIGNAL,
    SOURCE_ROWS,
    SPAN,
    C,
)
from linmodel.kernels.lanes import LANES, kernel


def pack(alpha, strength, c, epsilon, n, o, span):
    """Cells in lanes: sorted so that a group's are alike, the last group filled up with its last.

    All arguments of shape (cells,), alpha, B, T > 0. Returns (source, cells) for the kernels.
    """
    order = _alike(alpha * span, n * n + epsilon * epsilon, c * epsilon < 0.01 * c * c)
    order = np.concatenate([order, np.full(-len(order) % LANES, order[-1])]).reshape(-1, LANES)
    source = np.empty((len(order), SOURCE_ROWS, LANES))
    _fill(source, order, *map(np.ascontiguousarray, (alpha, strength, c, epsilon, n, o, span)))
    return source, order


def _alike(rate, b2, contrary):
    """An order of cells in which neighbours are alike: bands of like depth of the dip, up and down
    in rate, as whole numbers of 16 bits, which NumPy sorts in linear time.
    """
    depth = _levels(np.log(b2 + 1e-300), 8) + 8 * contrary
    height = _levels(np.log(rate), 2**12)
    return np.argsort(
        (depth * 2**12 + np.where(depth % 2, 2**12 - 1 - height, height)).astype(np.uint16),
        kind="stable",
    )


def _levels(values, count):
    """0 to count - 1, evenly from the least of `values` to the largest."""
    least = values.min()
    return ((values - least) * (count / (np.ptp(values) * (1 + 1e-9) + 1e-9))).astype(np.int64)


@kernel
def _fill(source, order, alpha, strength, c, epsilon, n, o, span):
    for group in range(order.shape[0]):
        for lane in range(LANES):
            cell, rows = order[group, lane], source[group, :, lane]
            rows[C], rows[EPSILON] = c[cell], epsilon[cell]
            rows[N2], rows[O2] = n[cell] ** 2, o[cell] ** 2
            rows[ALPHA], rows[SIGNAL] = alpha[cell], strength[cell] * span[cell]
            rows[SPAN] = span[cell]
            size_c, size_o = abs(c[cell]), abs(o[cell])
            rows[KAPPA] = (size_c - size_o) * (size_c + size_o) - (
                n[cell] ** 2 + epsilon[cell] ** 2
            )
