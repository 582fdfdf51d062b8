"""G4e, G4f: what is proved to settle does, within its bounds; a wrong region is found out."""

import numpy as np
import pytest
from flint import arb

from linmodel import InvalidInput, OpposingSignals, State, settling
from linmodel.bounds import limit, limit_c_squared
from linmodel.certified import certified_end, ending
from linmodel.settling import settles
from tests import tolerances

STEPS = 6000
ALPHA = 150.0
PROBLEM = OpposingSignals(ALPHA, 3.0)


def drawn(many: int, n: bool, most: float = 3.0, seed: int = 0) -> tuple[State, np.ndarray]:
    """Random starts, and steps with eta alpha c_inf^2 from 0.8 to `most` (as if o0 = n0 = 0)."""
    rng = np.random.default_rng(seed)
    c = 10 ** rng.uniform(-0.5, 0.8, many)
    epsilon = 3.0 / c * rng.uniform(0, 1, many) ** 2
    o = c * 10 ** rng.uniform(-6, -0.2, many)
    state = State(c, epsilon, c * 10 ** rng.uniform(-2, -0.3, many) if n else 0 * c, o)
    end = limit_c_squared(c**2 - epsilon**2, 3.0)
    return state, rng.uniform(0.8, most, many) / (ALPHA * end)


def run(state: State, eta: np.ndarray) -> dict[str, np.ndarray]:
    """Descent as it is written down, for all starts at once; extremes of u and w on the way."""
    c, epsilon, n, o = (np.array(part) for part in state)
    low, high, weight = np.full_like(c, np.inf), np.zeros_like(c), np.zeros_like(c)
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            u = eta * ALPHA * c**2
            low, high = np.minimum(low, u), np.maximum(high, u)
            weight = np.maximum(weight, eta * (ALPHA * o**2 + n**2))
            pull = epsilon * (3 - c * epsilon) - c * (n**2 + ALPHA * o**2)
            c, epsilon, n, o = (c + eta * pull, epsilon + eta * c * (3 - c * epsilon),
                                n * (1 - eta * c**2), o * (1 - u))  # fmt: skip
        left = np.abs(1 - c * epsilon / 3) + n**2 + np.abs(o) / np.asarray(state.c)
    return {"low": low, "high": high, "weight": weight, "left": left}


@pytest.mark.parametrize("n", [False, True])
def test_what_is_proved_to_settle_settles_within_its_bounds(n):
    state, eta = drawn(1500, n)
    found = settles(PROBLEM, state, eta)
    seen = run(state, eta)
    here = found.proved
    assert here.mean() > 0.2 and seen["high"][here].max() > 2.2
    assert seen["left"][here].max() < tolerances.AT_REST
    assert (seen["low"] >= found.floor)[here].all() and (seen["high"] <= found.ceiling)[here].all()
    assert (seen["weight"] <= found.weight)[here].all()
    assert not np.isfinite(seen["left"][~here]).all() or n  # others diverge


def test_a_region_that_is_too_large_is_found_out(monkeypatch):
    """Planted: a ceiling that is half as high, so that more seems to settle."""
    state, eta = drawn(1500, False, most=6.0)
    right = settling._ceiling
    monkeypatch.setattr(settling, "_ceiling", lambda at, floor: right(at, floor) / 2)
    found = settles(PROBLEM, state, eta)
    seen = run(state, eta)
    assert not (seen["high"] <= found.ceiling)[found.proved].all()
    assert not (seen["left"] < tolerances.AT_REST)[found.proved].all()


def test_what_is_decided():
    start = State(1.0, 0.1, 0.0, 1e-6)
    edge = 2 / (ALPHA * float(limit_c_squared(0.99, 3.0)))
    many = settles(PROBLEM, start, edge * np.array([0.5, 0.99, 1.2, 1.5, 5.0]))
    assert many.proved.tolist() == [True, True, True, False, False]
    assert np.isnan(many.ceiling[-1]) and 2 < many.ceiling[2] < 2.5
    one = settles(PROBLEM, start, float(1.2 * edge))
    assert one.proved.shape == () and float(one.floor) == many.floor[2]
    across = State(1.0, 0.1, np.array([0.1, 0.3, 0.6]), 1e-6)  # 32 eta alpha n0^2 has to be small
    assert settles(PROBLEM, across, 1.2 * edge).proved.tolist() == [True, True, False]
    assert settles(PROBLEM, across, 0.9 * edge).proved[0]


def test_what_is_proved_to_diverge_grows_as_fast_as_proved():
    rng = np.random.default_rng(4)
    state = State(*(rng.normal(size=3000) * 10 ** rng.uniform(-2, 2, 3000) for _ in range(4)))
    eta = 10 ** rng.uniform(-4, 0, 3000)
    found = settling.diverges(PROBLEM, state, eta)
    assert 0.1 < found.mean() < 0.9
    c, epsilon, n, o = (np.array(part)[found] for part in state)
    eta = eta[found]
    d = eta * ALPHA * np.minimum(c**2, o**2) - 2
    assert (eta * 9 <= 2 * d * c**2).all()
    for _ in range(3):
        pull = epsilon * (3 - c * epsilon) - c * (n**2 + ALPHA * o**2)
        after = c + eta * pull, o * (1 - eta * ALPHA * c**2)
        epsilon, n = epsilon + eta * c * (3 - c * epsilon), n * (1 - eta * c**2)
        assert (
            np.abs(after[0]) >= (1 + d / 2) * np.abs(c) * (1 - tolerances.ROUNDING_OF_A_STEP)
        ).all()
        assert (np.abs(after[1]) >= (1 + d) * np.abs(o) * (1 - tolerances.ROUNDING_OF_A_STEP)).all()
        c, o = after


def test_near_the_minima_nothing_diverges():
    assert not settling.diverges(PROBLEM, State(1.0, 3.0, 0.0, 1e-3), [0.001, 0.1]).any()
    with pytest.raises(InvalidInput, match="step_size > 0"):
        settling.diverges(PROBLEM, State(1.0, 3.0, 0.0, 1.0), -1.0)
    with pytest.raises(InvalidInput, match="alpha > 0"):
        settling.diverges(OpposingSignals(0.0, 3.0), State(1.0, 3.0, 0.0, 1.0), 0.1)


def test_outside_the_domain():
    start = State(1.0, 0.1, 0.0, 1e-6)
    with pytest.raises(InvalidInput, match="step_size > 0"):
        settles(PROBLEM, start, [0.1, 0.0])
    with pytest.raises(InvalidInput, match="epsilon0 >= 0"):
        settles(PROBLEM, State(1.0, -0.1, 0.0, 1e-6), 0.1)
    with pytest.raises(InvalidInput, match="alpha > 0"):
        settles(OpposingSignals(0.0, 3.0), start, 0.1)
    extreme = settles(PROBLEM, State(1e200, 0.0, 0.0, 1e200), 1e200)
    assert not extreme.proved and np.isnan(extreme.weight)


@pytest.mark.parametrize(
    ("edge", "o", "expected"),
    [(1.5, 1e-6, "settles"), (3.0, 1e-6, "settles"), (5.5, 1e-6, "escapes"), (3.0, 0.1, "settles")],
)
def test_a_run_is_enclosed_up_to_where_a_theorem_takes_over(edge, o, expected):
    problem, start = OpposingSignals(50.0, 10.0), State(1.0, 0.5, 0.0, o)
    eta = edge / float(limit(problem, start).opposing_curvature)
    assert bool(settles(problem, start, eta).proved) == (edge < 2)
    assert certified_end(problem, start, eta, 2000) == expected
    assert certified_end(problem, start, eta, 1) in ("undecided", expected)


def test_an_enclosure_that_is_too_wide_decides_nothing():
    problem, start = OpposingSignals(50.0, 10.0), State(1.0, 0.5, 0.0, 1e-6)
    eta = 5.5 / float(limit(problem, start).opposing_curvature)
    assert certified_end(problem, start, eta, 200, bits=53) != "settles"
    with pytest.raises(InvalidInput, match="step_size"):
        certified_end(problem, start, 0.0)


def test_a_run_is_looked_at_from_either_side_and_far_out():
    problem = OpposingSignals(50.0, 10.0)
    far = tuple(arb(value) for value in (1e40, 0.1, 0.0, 1e-9))
    assert ending._look(problem, far, 1e-3) == "undecided"
    eta = 1 / float(limit(problem, State(1.0, 0.5, 0.0, 0.0)).opposing_curvature)
    for sign in (1, -1):  # s -> -s is a symmetry (M10)
        near = tuple(arb(value) for value in (sign * 1.0, sign * 0.5, 0.0, 1e-9))
        assert ending._look(problem, near, eta) == "settles"
    assert ending._look(problem, (arb.nan(),) * 4, eta) == "undecided"
