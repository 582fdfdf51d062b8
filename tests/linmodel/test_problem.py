import numpy as np
import pytest

from linmodel import InvalidInput, OpposingSignals, State, standard_state
from linmodel.errors import integer
from tests.tolerances import ALGEBRA


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("alpha", -1.0),
        ("alpha", np.inf),
        ("alpha", np.nan),
        ("alpha", "big"),
        ("alpha", 10**400),
        ("beta_norm", -0.1),
        ("k", 0.0),
        ("k", -1.0),
        ("d1", 0),
        ("d1", 2.5),
        ("support", "diagonal"),
        ("outlier_fraction", 0.0),
        ("outlier_fraction", 1.5),
    ],
)
def test_refuses_bad_problem_and_says_what_came(field, value):
    arguments = {"alpha": 1.0, "beta_norm": 1.0, field: value}
    with pytest.raises(InvalidInput, match=field) as caught:
        OpposingSignals(**arguments)
    assert "allowed" in str(caught.value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(("alpha", "beta_norm"), [(0, 0), (0.5, 1), (1, 0)])
def test_degenerate_problems_are_good_problems(alpha, beta_norm):
    assert OpposingSignals(alpha, beta_norm).alpha == alpha


def test_d2_rounds_k_times_d1_and_is_at_least_one():
    assert OpposingSignals(1, 1, k=0.126, d1=100).d2 == 13
    assert OpposingSignals(1, 1, k=0.001, d1=10).d2 == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, "x", None, [1.0, np.nan]])
def test_refuses_bad_state(bad):
    with pytest.raises(InvalidInput, match="state component epsilon"):
        State(1.0, bad, 0.0, 0.0)


def test_refuses_shapes_that_do_not_broadcast():
    with pytest.raises(InvalidInput, match="broadcast"):
        State(np.ones(2), np.ones(3), 0.0, 0.0)


def test_kappa_keeps_digits_where_squares_cancel():
    state = State(1.0, 0.0, 0.0, np.sqrt(1 - 1e-12))
    exact = 1e-12  # up to the rounding of o itself: 2e-16
    assert abs(state.kappa - exact) < 3e-16
    assert State(2.0, 1.0, 1.0, 1.0).kappa == pytest.approx(1.0, rel=ALGEBRA)


def test_whole_numbers_keep_every_digit():
    beyond_float = 2**53 + 1
    assert integer("seed", beyond_float, low=0) == beyond_float
    problem = OpposingSignals(1.0, 1.0)
    assert standard_state(problem, beyond_float) != standard_state(problem, 2**53)
