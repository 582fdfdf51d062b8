"""Hypothesis strategies for problems, states, standard initialisations and spectra: for your tests.

    from hypothesis import given, settings
    from linmodel import gradient_flow
    from linmodel.strategies import standing_cases

    @settings(deadline=None)  # the first call may have to compile
    @given(standing_cases(alpha=(1.0, 1e4)))
    def test_my_bound(case):
        flow = gradient_flow(case.problem, case.start, [0.1, 1.0])
        assert (flow.epsilon >= case.start.epsilon).all()

Numbers have three significant digits and shrink towards 1, states towards (1, 0, 0, 0): a failure
reads like OpposingSignals(alpha=1.0, beta_norm=2.5, ...), State(c=1.0, epsilon=0.0, n=0.0, o=0.3).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from linmodel.errors import real, refuse
from linmodel.network.spectra import ModeState, Spectra
from linmodel.problem import SUPPORTS, OpposingSignals, State
from linmodel.reduction import standard_state

try:
    from hypothesis import note
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError(
        "linmodel.strategies needs hypothesis: pip install '.[strategies]' in this project's folder"
    ) from error

Limits = tuple[float, float]


class Case(NamedTuple):
    """A problem and a start for it."""

    problem: OpposingSignals
    start: State


class SpectralCase(NamedTuple):
    """General spectra and a start in their modes."""

    spectra: Spectra
    start: ModeState


@lru_cache
def magnitudes(low: float, high: float) -> st.SearchStrategy[float]:
    """Positive numbers in [low, high], spread evenly over the decades, three significant digits.

    Shrinks to 1, or to the end nearest to 1. Raises InvalidInput unless 0 < low <= high.
    """
    low, high = real("low", low, above=0), real("high", high, above=0)
    if high < low:
        refuse("high", high, f"at least low = {low:g}")
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    nearest = min(max(0, first), last)

    def number(exponent: int, mantissa: int) -> float:
        # By way of the decimal text: 0.3 and not 0.30000000000000004.
        return min(max(float(f"{mantissa}e{exponent + nearest - 2}"), low), high)

    exponents = st.integers(first - nearest, last - nearest)
    return st.builds(number, exponents, st.integers(100, 999))


@lru_cache
def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """0, or a number of either sign with low <= |number| <= high; shrinks to 0."""
    return st.just(0.0) | _signed(low, high)


@lru_cache
def problems(
    alpha: Limits = (1.0, 1e4),
    beta_norm: Limits = (0.1, 100.0),
    k: Limits = (0.1, 100.0),
    d1: int = 10,
    supports: tuple[str, ...] = SUPPORTS,
) -> st.SearchStrategy[OpposingSignals]:
    """Problems with alpha, beta_norm, k in the given ranges; a lower end of 0 includes 0 itself."""
    return st.builds(
        OpposingSignals,
        alpha=_from_zero(alpha),
        beta_norm=_from_zero(beta_norm),
        k=magnitudes(*k),
        d1=st.just(d1),
        support=st.sampled_from(supports),
        outlier_fraction=magnitudes(0.01, 1.0),
    )


@lru_cache
def states(size: Limits = (1e-2, 3.0)) -> st.SearchStrategy[State]:
    """Any states: each component 0 or of a size in `size`, either sign; c shrinks to 1."""
    component = numbers(*size)
    # c: not `numbers`, where 0 is simplest: a start with c = 0 is a dull counterexample.
    c = st.builds(_times, st.sampled_from([1.0, -1.0, 0.0]), magnitudes(*size))
    return st.builds(State, c=c, epsilon=component, n=component, o=component)


@st.composite
def standing_states(draw: st.DrawFn, problem: OpposingSignals, size: Limits = (1e-2, 3.0)) -> State:
    """States within the standing hypotheses of F1-F11: c > 0, epsilon >= 0, c epsilon < B.

    n, o >= 0. Raises InvalidInput for a problem with B = 0, which has no such state.
    """
    b_norm = real("beta_norm", problem.beta_norm, above=0)
    c, percent = draw(magnitudes(*size)), draw(PERCENT)
    n, o = draw(_from_zero((0.0, size[1]))), draw(_from_zero((0.0, size[1])))
    return State(c, percent / 100 * min(b_norm / c, size[1]), n, o)


@st.composite
def standard_starts(draw: st.DrawFn, problem: OpposingSignals) -> State:
    """Draws of the standard initialisation (section 3); epsilon0 < 0 in half of them.

    A failure says the seed: the state's own numbers are long.
    """
    seed = draw(SEEDS)
    note(f"start = standard_state(problem, {seed})")
    return standard_state(problem, seed)


@st.composite
def cases(draw: st.DrawFn, /, **ranges: Any) -> Case:
    """A problem (with `ranges` as in `problems`) and any state."""
    return Case(draw(problems(**ranges)), draw(states()))


@st.composite
def standing_cases(draw: st.DrawFn, /, **ranges: Any) -> Case:
    """A problem with alpha >= 1 and B > 0, and a start within the standing hypotheses."""
    problem = draw(problems(**ranges))
    if problem.alpha < 1:
        refuse("alpha", ranges.get("alpha"), "a range from 1 upwards for standing_cases")
    return Case(problem, draw(standing_states(problem)))


@st.composite
def standard_cases(draw: st.DrawFn, /, **ranges: Any) -> Case:
    """A problem and a draw of its standard initialisation."""
    problem = draw(problems(**ranges))
    return Case(problem, draw(standard_starts(problem)))


@st.composite
def spectral_cases(
    draw: st.DrawFn, max_modes: int = 4, largest: float = 100.0, beta_norm: Limits = (0.1, 10.0)
) -> SpectralCase:
    """General spectra with up to `max_modes` modes of each kind, and a start in their modes."""
    count, opposing = draw(st.integers(1, max_modes)), draw(st.integers(1, max_modes))
    spectra = Spectra(
        np.array([draw(magnitudes(0.01, 3.0)) for _ in range(count)]),
        np.array([draw(numbers(*beta_norm)) for _ in range(count)]),
        np.array([draw(_from_zero((0.0, largest))) for _ in range(opposing)]),
    )
    weight = numbers(1e-2, 2.0)
    b = np.array([draw(weight) for _ in range(count)])
    b_o = np.array([draw(weight) for _ in range(opposing)])
    return SpectralCase(spectra, ModeState(draw(magnitudes(1e-2, 2.0)), b, b_o))


PERCENT = st.integers(0, 99)
SEEDS = st.integers(0, 9_999)


def _times(sign: float, size: float) -> float:
    return sign * size


@lru_cache
def _signed(low: float, high: float) -> st.SearchStrategy[float]:
    return st.builds(_times, st.sampled_from([1.0, -1.0]), magnitudes(low, high))


@lru_cache
def _from_zero(limits: Limits) -> st.SearchStrategy[float]:
    low, high = limits
    if low > 0:
        return magnitudes(low, high)
    return st.just(0.0) | magnitudes(min(1e-2, high), high)
