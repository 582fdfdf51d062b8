"""The strategies give what they promise, and shrink to counterexamples that a person can read."""

import subprocess
import sys

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from linmodel import InvalidInput, OpposingSignals, State
from linmodel.strategies import (
    cases,
    magnitudes,
    numbers,
    problems,
    spectral_cases,
    standard_cases,
    standing_cases,
    standing_states,
    states,
)


@given(st.data())
def test_magnitudes_stay_in_their_range_with_three_digits(data):
    low = data.draw(magnitudes(1e-3, 10.0))
    number = data.draw(magnitudes(low, 1e4))
    assert low <= number <= 1e4
    assert number == float(f"{number:.3g}")


@given(problems(alpha=(0.0, 10.0), beta_norm=(0.0, 1.0), k=(0.5, 2.0)))
def test_problems_stay_in_their_ranges(problem):
    assert 0 <= problem.alpha <= 10 and 0 <= problem.beta_norm <= 1 and 0.5 <= problem.k <= 2


@given(standing_cases())
def test_standing_cases_fulfil_the_standing_hypotheses(case):
    problem, start = case
    assert problem.alpha >= 1 and start.c > 0 and start.epsilon >= 0
    assert start.c * start.epsilon < problem.beta_norm


def test_counterexamples_are_readable():
    assert find(magnitudes(1e-3, 1e3), lambda x: True) == 1.0
    assert find(magnitudes(5.0, 1e3), lambda x: True) == 5.0
    assert find(numbers(0.1, 10.0), lambda x: x != 0) == 1.0
    assert find(states(), lambda s: True) == State(1.0, 0.0, 0.0, 0.0)
    problem = find(problems(), lambda problem: problem.alpha > 2)
    assert problem == OpposingSignals(2.01, 1.0, 1.0, 10, "isotropic", 1.0)
    start = find(standing_states(problem), lambda start: start.o > 0.5)
    assert start == State(1.0, 0.0, 0.0, 1.0)


def test_zero_is_drawn_where_it_is_allowed():
    first = settings(phases=[Phase.generate], max_examples=300)
    find(problems(alpha=(0.0, 5.0)), lambda p: p.alpha == 0, settings=first)
    find(standard_cases(), lambda case: case.start.epsilon < 0, settings=first)
    find(cases(), lambda case: case.start.c < 0, settings=first)
    find(spectral_cases(), lambda case: len(case.spectra.opposing) == 3, settings=first)


def test_bad_ranges_are_refused():
    with pytest.raises(InvalidInput):
        magnitudes(0.0, 1.0)
    with pytest.raises(InvalidInput):
        magnitudes(2.0, 1.0)
    with pytest.raises(InvalidInput):
        find(standing_states(OpposingSignals(2.0, 0.0)), lambda s: True)


def test_without_hypothesis_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['hypothesis'] = None\nimport linmodel\nimport linmodel.strategies"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert ".[strategies]" in run.stderr
