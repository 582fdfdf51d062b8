"""The flow kernel against the certified-to-tolerance integrator, and its formulas run on NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from linmodel import OpposingSignals, State, closed_form, gradient_flow
from linmodel.formulas import sharpness
from linmodel.kernels import flow as kernel
from linmodel.kernels import flow_closed, flow_series
from linmodel.kernels.lanes import LANES, NUMPY, compiled, horner
from linmodel.kernels.packing import pack
from linmodel.kernels.path import flow_path
from tests.tolerances import ALGEBRA, EVENT_TIME, KERNEL_SHARPNESS, KERNEL_STATE, LANE_EXP

numba = pytest.importorskip("numba")
NAMES = ("alpha", "strength", "c", "epsilon", "n", "o", "span")


def workload(count: int, seed: int) -> dict[str, np.ndarray]:
    """Random cells of the benchmark's ranges: five decades of alpha, two of B and of k."""
    rng = np.random.default_rng(seed)
    alpha, strength, k = (
        np.exp(rng.uniform(np.log(low), np.log(high), count))
        for low, high in ((10, 1e5), (2, 200), (0.5, 50))
    )
    return {
        "alpha": alpha,
        "strength": strength,
        "c": np.ones(count),
        "epsilon": np.full(count, 0.1),
        "n": np.sqrt(1 / (1 + k)),
        "o": np.sqrt(k / (1 + k)),
        "span": 3 * np.log(100 * strength) / strength,
    }


def reference(cells: dict[str, np.ndarray], cell: int, grid: np.ndarray, **settings):
    one = {name: float(values[cell]) for name, values in cells.items()}
    return gradient_flow(
        OpposingSignals(one["alpha"], one["strength"]),
        State(one["c"], one["epsilon"], one["n"], one["o"]),
        grid * one["span"],
        **settings,
    )


def solve(cells: dict[str, np.ndarray], grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    source, rows = pack(*(cells[name] for name in NAMES))
    count = len(cells["alpha"])
    out, status = np.full((count, len(grid)), np.nan), np.zeros(count, np.int64)
    kernel.flow_sharpness(source, rows, grid, out, status)
    return out, status


def test_sharpness_agrees_with_the_integrator():
    cells, grid = workload(37, seed=0), np.geomspace(1e-6, 1, 40)
    found, status = solve(cells, grid)
    assert (status == kernel.GOOD).all()
    for cell in range(37):
        expected = reference(cells, cell, grid).sharpness.values
        np.testing.assert_allclose(found[cell], expected, rtol=KERNEL_SHARPNESS)


def test_states_and_events_agree_with_the_integrator():
    cells, grid = workload(21, seed=1), np.geomspace(1e-6, 1, 30)
    eta = 3.0 / (cells["alpha"] * cells["strength"])
    source, rows = pack(*(cells[name] for name in NAMES))
    states, events = np.empty((21, 4, 30)), np.full((21, 3), np.nan)
    status = np.zeros(21, np.int64)
    level = 2 / (eta * cells["alpha"])
    flow_path(source, rows, grid, level, states, events, status)
    for cell in range(21):
        path = reference(cells, cell, grid, step_size=eta[cell])
        expected = np.array([path[name].values for name in ("c", "epsilon", "n", "o")])
        size = np.sqrt((expected**2).sum(0))
        assert (np.abs(states[cell] - expected) / size).max() < KERNEL_STATE
        times = events[cell, [0, 2]] * cells["span"][cell]
        expected_times = [float(path.t_dip), float(path.t_edge)]
        np.testing.assert_allclose(times, expected_times, rtol=EVENT_TIME)


def test_without_opposing_signal_it_is_the_closed_form():
    cells, grid = workload(9, seed=2), np.linspace(0, 1, 25)
    cells["o"][:] = 0.0
    found, _ = solve(cells, grid)
    for cell in range(9):
        one = {name: float(values[cell]) for name, values in cells.items()}
        exact = closed_form(
            OpposingSignals(one["alpha"], one["strength"]),
            State(one["c"], one["epsilon"], one["n"], 0.0),
            grid * one["span"],
        )
        np.testing.assert_allclose(found[cell], exact.sharpness.values, rtol=EVENT_TIME)


def assert_right(cells: dict[str, np.ndarray], grid: np.ndarray, share: float) -> None:
    """At least `share` of the cells are solved, each of these as the integrator solves it."""
    found, status = solve(cells, grid)
    assert (status == kernel.GOOD).mean() >= share
    for cell in np.flatnonzero(status == kernel.GOOD):
        expected = reference(cells, cell, grid).sharpness.values
        np.testing.assert_allclose(found[cell], expected, rtol=KERNEL_SHARPNESS)


def test_c_may_cross_zero():
    cells, grid = workload(20, seed=3), np.geomspace(1e-4, 1, 12)
    cells["epsilon"][:] = np.linspace(-2.0, -0.05, 20)
    assert_right(cells, grid, share=1.0)


@pytest.mark.parametrize(("o", "small"), [(1.2, 0.1), (3.0, 1e-3), (2.0, 0.3)])
def test_deep_dips_are_right_or_handed_back(o, small):
    """o0 > c0: c^2 is a small difference of large terms, and the flow may crawl there."""
    cells, grid = workload(12, seed=4), np.geomspace(1e-4, 1, 12)
    cells["o"][:], cells["n"][:], cells["epsilon"][:] = o, small, small
    assert_right(cells, grid, share=0.0)


def test_standard_draws_are_solved():
    """First light's ranges: half have epsilon0 < 0, many o0 > c0."""
    rng, cells, grid = np.random.default_rng(8), workload(40, seed=8), np.geomspace(1e-4, 1, 12)
    d1, k = 100, np.exp(rng.uniform(np.log(0.5), np.log(100), 40))
    deviation = (d1 * (1 + k)) ** -0.5
    cells["epsilon"] = deviation * rng.standard_normal(40)
    cells["n"] = deviation * np.sqrt(rng.chisquare(d1 - 1, 40))
    cells["o"] = deviation * np.sqrt(rng.chisquare(np.round(k * d1)))
    assert_right(cells, grid, share=0.9)


def test_a_lane_that_is_handed_back_harms_no_neighbour():
    cells, grid = workload(LANES, seed=9), np.geomspace(1e-4, 1, 12)
    alone, _ = solve({name: values[1:] for name, values in cells.items()}, grid)
    cells["c"][0], cells["epsilon"][0], cells["o"][0] = 1e-9, 1e-9, 50.0
    found, status = solve(cells, grid)
    assert status.tolist() == [kernel.BACK] + [kernel.GOOD] * (LANES - 1)
    np.testing.assert_allclose(found[1:], alone, rtol=KERNEL_SHARPNESS)


def random_rows(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 2.0, (count, LANES))


@pytest.mark.parametrize(
    ("formula", "inputs", "outputs"),
    [
        (flow_series.series, flow_series.SOURCE_ROWS, flow_series.WORK_ROWS - flow_series.FIRST),
        (flow_closed.closed_constants, flow_series.SOURCE_ROWS, flow_closed.CLOSED_ROWS),
        (flow_closed.closed_sharpness, flow_closed.CLOSED_ROWS, 1),
        (flow_series.series_sharpness, flow_series.SIZES, 1),
    ],
)
def test_compiled_formulas_equal_their_numpy_twins(formula, inputs, outputs):
    source, target = random_rows(inputs, seed=5), np.empty((outputs, LANES))
    call = compiled(formula, inputs)

    @numba.njit
    def run(x, source, target):
        call(x, source, target)

    run(0.01, source, target)
    twin = np.array(formula(NUMPY, 0.01, *source))
    np.testing.assert_allclose(target, twin, rtol=ALGEBRA, atol=ALGEBRA * np.abs(twin).max())


def test_series_solve_the_equations():
    """A naive twin of the recurrences: derivatives of the truncated series, by Horner."""
    c, epsilon, n2, o2, alpha, span = random_rows(6, seed=6)
    strength = 1.3 * np.ones(LANES)
    kappa = c**2 - epsilon**2 - n2 - o2
    rows = flow_series.series(NUMPY, 0.0, c, epsilon, n2, o2, alpha, strength * span, span, kappa)
    at, parts = (
        1e-3,
        [rows[i * flow_series.SERIES : (i + 1) * flow_series.SERIES] for i in range(4)],
    )
    x, y, o, _ = (horner(part, at) for part in parts)
    slopes = [horner([i * a for i, a in enumerate(part)][1:], at) for part in parts]
    q, b2, _, _, _, *_ = flow_series.values(NUMPY, at, n2, *np.concatenate(parts))
    np.testing.assert_allclose(q, kappa + b2 + o, rtol=ALGEBRA)
    linear = strength * y + kappa * x - (alpha - 1) * o * x
    np.testing.assert_allclose(slopes[0], span * linear, rtol=ALGEBRA)
    np.testing.assert_allclose(slopes[1], span * strength * x, rtol=ALGEBRA)
    np.testing.assert_allclose(slopes[2], -2 * span * alpha * q * o, rtol=ALGEBRA)
    np.testing.assert_allclose(slopes[3], 2 * span * x * x, rtol=ALGEBRA)


def test_cubic_equals_the_symmetric_eigensolver():
    alpha, strength, c, epsilon, n, o = np.random.default_rng(7).uniform(0.1, 30, (6, 4000))
    b2 = epsilon**2 + n**2
    fast = flow_series.cubic_sharpness(NUMPY, alpha, strength, c * c, b2, c * epsilon, o * o)
    slow = sharpness(alpha, strength, c, epsilon, n, o)
    np.testing.assert_allclose(fast, slow, rtol=KERNEL_SHARPNESS)


def test_lane_exponential():
    def formula(xp, _, x):
        return [xp.exp(x)]

    call = compiled(formula, 1)

    @numba.njit
    def run(source, target):
        call(0.0, source, target)

    source, target = np.empty((1, LANES)), np.empty((1, LANES))
    for start in np.linspace(-690, 690, 301):
        source[0] = start + np.arange(LANES) / 7
        run(source, target)
        np.testing.assert_allclose(target, np.exp(source), rtol=LANE_EXP)
