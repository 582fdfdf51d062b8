"""The descent kernel against linmodel.gradient_descent, cell by cell."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np

from linmodel import OpposingSignals, State, gradient_descent
from linmodel.kernels import lanes
from linmodel.kernels.descent import (
    ALPHA,
    DIVERGED,
    ETA,
    RUNNING,
    SETTLED,
    SIGNAL,
    WIDTH,
    descend,
)
from linmodel.kernels.descent_path import descend_path
from tests.tolerances import DESCENT_CHAOS, DESCENT_LOG


def cells(count: int, seed: int, ratios: tuple[float, float] = (0.1, 6.0)) -> np.ndarray:
    """Start columns with eta alpha c_inf^2 / 2 log-uniform in `ratios`: all regimes occur."""
    rng = np.random.default_rng(seed)
    alpha, strength, k, ratio = (
        np.exp(rng.uniform(np.log(low), np.log(high), count))
        for low, high in ((10, 1e4), (2, 30), (0.5, 50), ratios)
    )
    one = np.ones(count)
    eta = 2 * ratio / (alpha * strength)
    return np.array(
        [
            one,
            0.1 * one,
            (1 / (1 + k)) ** 0.5,
            (k / (1 + k)) ** 0.5,
            0 * one,
            one,
            0 * one,
            eta,
            alpha,
            strength,
        ]
    )


def run(start: np.ndarray, count: int):
    size = start.shape[1]
    final, status, taken = np.empty((6, size)), np.zeros(size, np.int64), np.zeros(size, np.int64)
    descend(start, count, final, np.full((size, 3), np.nan), status, taken)
    return final, status, taken


def reference(column: np.ndarray, count: int):
    return gradient_descent(
        OpposingSignals(*column[8:]), State(*column[:4]), step_size=column[7], steps=count
    )


def test_agrees_with_plain_descent_in_every_regime():
    start, count = cells(2 * WIDTH + 5, seed=0), 1500
    final, status, taken = run(start, count)
    assert set(status) == {RUNNING, SETTLED, DIVERGED}
    for cell in range(start.shape[1]):
        plain = reference(start[:, cell], count)
        last = plain.isel(time=-1)
        assert (plain.attrs["status"] == "diverged") == (status[cell] == DIVERGED)
        assert taken[cell] == len(plain.time) - 1
        if status[cell] != DIVERGED:
            np.testing.assert_allclose(final[0, cell], float(last.c), rtol=DESCENT_CHAOS)
            log_o = float(last.log_abs_o)
            np.testing.assert_allclose(final[3, cell], log_o, rtol=DESCENT_LOG, atol=DESCENT_CHAOS)


def test_o_comes_back_from_below_underflow():
    """alpha = 1e4, B = 10, eta alpha c_inf^2 = 4.5: o falls to e^-20000 and the run diverges."""
    alpha, strength, k = 1e4, 10.0, 4.0
    kappa = -0.01
    c2 = (kappa + np.hypot(kappa, 2 * strength)) / 2
    n, o = (1 / (1 + k)) ** 0.5, (k / (1 + k)) ** 0.5
    start = np.array([[1, 0.1, n, o, 0, 1, 0, 4.5 / (alpha * c2), alpha, strength]]).T
    _, status, _ = run(start, 9_000)
    assert status[0] == RUNNING
    _, status, taken = run(start, 20_000)
    assert status[0] == DIVERGED
    assert taken[0] == len(reference(start[:, 0], 20_000).time) - 1


def test_settled_cells_stop_costing_and_still_end_where_plain_descent_ends():
    start = cells(40, seed=1, ratios=(0.2, 0.9))
    start[ALPHA] = 20.0
    start[ETA] = 2 * 0.5 / (start[ALPHA] * start[SIGNAL])
    few, status, _ = run(start, 2_000)
    assert (status == SETTLED).all()
    many, status, taken = run(start, 10**12)
    assert (status == SETTLED).all() and (taken == 10**12).all()
    np.testing.assert_allclose(many[0], few[0], rtol=DESCENT_LOG)
    last = reference(start[:, 0], 2_000).isel(time=-1)
    np.testing.assert_allclose(few[3, 0], float(last.log_abs_o), rtol=DESCENT_LOG)


def test_a_minimum_past_two_over_eta_is_not_called_settled():
    """c epsilon = B, n = o = 0 is an equilibrium; with eta alpha c^2 > 2 it is not stable (G2)."""
    alpha, strength, c = 50.0, 4.0, 2.0
    columns = [[c, strength / c, 0, 1e-200, 0, c * c, 0, 2.1 / (alpha * c * c), alpha, strength]]
    _, status, _ = run(np.array(columns).T, 64)
    assert status[0] == RUNNING


def test_recorded_curves_equal_plain_descent():
    start, record = cells(6, seed=2), np.array([0, 1, 7, 300])
    size = start.shape[1]
    final, status, taken = np.empty((6, size)), np.zeros(size, np.int64), np.zeros(size, np.int64)
    curves = np.full((size, 4, len(record)), np.nan)
    descend_path(start, record, final, np.full((size, 3), np.nan), status, taken, curves)
    for cell in range(size):
        plain = reference(start[:, cell], 300)
        reached = record[record < len(plain.time)]
        expected = plain.isel(time=reached)
        shown = curves[cell, :, : len(reached)]
        np.testing.assert_allclose(shown[0], expected.c, rtol=DESCENT_CHAOS)
        np.testing.assert_allclose(
            shown[3], expected.log_abs_o, rtol=DESCENT_LOG, atol=DESCENT_CHAOS
        )
        assert np.isnan(curves[cell, :, len(reached) :]).all()


def test_first_dip_and_edge_are_those_of_plain_descent():
    """Some start past 2/eta, some dip in the first block and some later, some diverge."""
    start, count = cells(3 * WIDTH, seed=3, ratios=(0.3, 30.0)), 1500
    start[0], start[5] = 1.3, 1.3**2
    size = start.shape[1]
    final, events = np.empty((6, size)), np.full((size, 3), np.nan)
    descend(start, count, final, events, np.zeros(size, np.int64), np.zeros(size, np.int64))
    level = 2 / (start[ETA] * start[ALPHA])
    assert (level < start[0] ** 2).any() and np.isnan(events[:, 2]).any()
    for cell in range(size):
        plain, eta = reference(start[:, cell], count), start[ETA, cell]
        np.testing.assert_allclose(events[cell, 0] * eta, plain.t_dip, rtol=DESCENT_LOG)
        np.testing.assert_allclose(events[cell, 2] * eta, plain.t_edge, rtol=DESCENT_LOG)
        if np.isfinite(events[cell, 0]):
            dip = float(plain.c.sel(time=float(plain.t_dip), method="nearest")) ** 2
            np.testing.assert_allclose(events[cell, 1], dip, rtol=DESCENT_CHAOS)


def test_where_no_cache_can_be_written_kernels_are_compiled_all_the_same(monkeypatch) -> None:
    njit = lanes.numba.njit

    def refusing(*arguments, cache: bool = False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*arguments, **options)

    monkeypatch.setattr(lanes.numba, "njit", refusing)
    monkeypatch.setattr(lanes, "_say_that_nothing_is_kept", said := Mock())

    def twice(x):
        return 2 * x

    assert lanes.kernel(twice)(3.0) == 6.0
    said.assert_called_once_with()


def test_the_first_call_says_that_it_compiles_and_later_ones_do_not(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lanes.numba.config, "CACHE_DIR", str(tmp_path))

    def made():
        def double(x: float) -> float:
            return 2 * x

        lanes._say_that_it_compiles.cache_clear()
        return lanes.kernel(double)

    for said in ("linmodel: compiling (once; about ten seconds)\n", ""):
        assert made()(1.0) == 2.0
        assert capsys.readouterr().err == said
