"""The flow kernel against the certified-to-tolerance integrator, and its formulas run on NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from linmodel import OpposingSignals, State, closed_form, gradient_flow
from linmodel import kernels_flow as kernel
from linmodel.kernels_lanes import LANES, NUMPY, compiled, horner
from linmodel.kernels_path import flow_path
from linmodel.sweep_solve import sharpness
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
    source, rows = kernel.pack(*(cells[name] for name in NAMES))
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
    source, rows = kernel.pack(*(cells[name] for name in NAMES))
    states, events = np.empty((21, 4, 30)), np.full((21, 3), np.nan)
    status = np.zeros(21, np.int64)
    level = 2 / (eta * cells["alpha"])
    flow_path(source, rows, grid, level, np.ones(21), states, events, status)
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


def test_a_cell_whose_c_crosses_zero_is_handed_back_and_harms_no_neighbour():
    cells, grid = workload(LANES, seed=3), np.geomspace(1e-4, 1, 12)
    alone, _ = solve({name: values[1:] for name, values in cells.items()}, grid)
    cells["epsilon"][0], cells["n"][0], cells["o"][0] = -1.5, 0.3, 0.9
    found, status = solve(cells, grid)
    assert status[0] == kernel.CANCELS
    assert (status[1:] == kernel.GOOD).all()
    np.testing.assert_allclose(found[1:], alone, rtol=KERNEL_SHARPNESS)


def test_deep_dips_are_handed_back_or_right():
    """o0 > c0: c^2 is a small difference of large terms for a while."""
    grid, seen = np.geomspace(1e-4, 1, 12), set()
    for o, small in ((1.2, 0.1), (3.0, 1e-3), (2.0, 0.3)):
        cells = workload(6, seed=4)
        cells["o"][:], cells["n"][:], cells["epsilon"][:] = o, small, small
        found, status = solve(cells, grid)
        seen |= set(status)
        for cell in np.flatnonzero(status == kernel.GOOD):
            expected = reference(cells, cell, grid).sharpness.values
            np.testing.assert_allclose(found[cell], expected, rtol=KERNEL_SHARPNESS)
    assert seen == {kernel.GOOD, kernel.CANCELS}


def random_rows(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 2.0, (count, LANES))


@pytest.mark.parametrize(
    ("formula", "inputs", "outputs"),
    [
        (kernel.series, kernel.SOURCE_ROWS, kernel.SERIES_ROWS),
        (kernel.closed_constants, kernel.SOURCE_ROWS, kernel.CLOSED_ROWS),
        (kernel.closed_sharpness, kernel.CLOSED_ROWS, 1),
        (kernel.series_sharpness, 3 + 4 * kernel.SERIES, 1),
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
    epsilon, n2, o2, alpha, span = random_rows(5, seed=6)
    strength, kappa = 1.3 * np.ones(LANES), 0.4 * np.ones(LANES)
    rows = kernel.series(NUMPY, 0.0, epsilon, n2, o2, alpha, strength * span, span, kappa)
    x, parts = 1e-3, [rows[i * kernel.SERIES : (i + 1) * kernel.SERIES] for i in range(4)]
    e, n, o, c = (horner(part, x) for part in parts)
    slopes = [horner([i * a for i, a in enumerate(part)][1:], x) for part in parts[:3]]
    np.testing.assert_allclose(c * c, kappa + e * e + n + o, rtol=ALGEBRA)
    np.testing.assert_allclose(slopes[0], span * c * (strength - c * e), rtol=ALGEBRA)
    np.testing.assert_allclose(slopes[1], -2 * span * c * c * n, rtol=ALGEBRA)
    np.testing.assert_allclose(slopes[2], -2 * span * alpha * c * c * o, rtol=ALGEBRA)


def test_cubic_equals_the_symmetric_eigensolver():
    alpha, strength, c, epsilon, n, o = np.random.default_rng(7).uniform(0.1, 30, (6, 4000))
    fast = kernel.cubic_sharpness(NUMPY, alpha, strength, epsilon, n * n, o * o, c)
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
