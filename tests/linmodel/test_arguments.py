"""Wrong kinds of arguments are one sentence, at every public function, from its annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import linmodel
from linmodel import FlowFailed, InvalidInput, OpposingSignals, State
from linmodel.arguments import typed
from linmodel.errors import LONGEST, shown

STATE = State(1.0, 0.1, 0.4, 0.9)
GOOD = {
    "problem": OpposingSignals(50.0, 10.0, 4.0),
    "start": STATE,
    "state": STATE,
    "times": [0.0, 1.0],
    "step_size": 0.004,
    "steps": 5,
    "alpha": 50.0,
    "beta_norm": 10.0,
    "samples": 3,
    "seed": 0,
}
BAD = [5, None, [STATE], "x", 10**400, object(), {}, float("nan"), 1j, [10**400], b"x", 10**5000]


NAMES = [name for name in linmodel.__all__ if inspect.isfunction(getattr(linmodel, name))]


def public():
    return [(name, getattr(linmodel, name)) for name in NAMES]


@pytest.mark.parametrize(("name", "function"), public(), ids=NAMES)
def test_bad_calls_of_every_public_function_are_one_sentence(name, function, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # "x" is a good path
    parameters = inspect.signature(function).parameters
    needed = {key for key, each in parameters.items() if each.default is inspect.Parameter.empty}
    if not needed <= GOOD.keys():
        pytest.skip("its arguments are tried elsewhere")
    refused = 0
    for key in parameters:
        for bad in BAD:
            try:
                function(**({each: GOOD[each] for each in needed} | {key: bad}))
            except (InvalidInput, FlowFailed) as error:
                refused += 1
                assert "\n" not in str(error) and len(str(error)) < 1000
    assert refused > 0


@pytest.mark.parametrize("field", ["alpha", "k", "d1", "support", "outlier_fraction"])
@pytest.mark.parametrize("bad", [None, [], "x", 10**400, object(), 1j, 1e308, np.zeros((2, 2))])
def test_bad_problems(field, bad):
    with pytest.raises(InvalidInput):
        problem = OpposingSignals(**({"alpha": 1.0, "beta_norm": 1.0} | {field: bad}))
        assert problem.d2 and field == "alpha"
        raise InvalidInput("alpha may be 1e308")


@typed
def asks(
    number: float = 1.0,
    count: int = 1,
    word: Literal["a", "b"] = "a",
    names: Sequence[str] = (),
    where: str | Path | None = None,
    call: Callable[[int], object] | None = None,
    pair: tuple[int, str] = (1, "x"),
) -> str:
    return "asked"


@pytest.mark.parametrize(
    "good",
    [
        {"number": 3},
        {"number": np.float32(3)},
        {"number": "3.5"},
        {"count": np.int8(3)},
        {"count": 3.0},
        {"word": "b"},
        {"names": ["x"]},
        {"names": np.array(["x", "y"])},
        {"where": Path("x")},
        {"call": print},
        {"pair": (2, "y")},
    ],
    ids=str,
)
def test_what_fits_is_let_through(good):
    assert asks(**good) == "asked"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"number": "x"}, "a finite number"),
        ({"number": 10**400}, "a finite number"),
        ({"count": 2.5}, "a whole number"),
        ({"count": 2**63}, r"below 2\^63"),
        ({"count": "3"}, "a whole number"),
        ({"word": "c"}, "'a' or 'b'"),
        ({"names": "word"}, "a sequence of text"),
        ({"names": [1]}, "a sequence of text"),
        ({"names": {"a": 1}}, "a sequence of text"),
        ({"where": 5}, "text or a path or None"),
        ({"call": 5}, "a function or None"),
        ({"pair": (1, 2, 3)}, "a tuple of a whole number"),
    ],
    ids=str,
)
def test_what_does_not_fit_says_what_would(bad, says):
    with pytest.raises(InvalidInput, match=says):
        asks(**bad)


def test_a_message_never_repeats_a_whole_file():
    assert len(shown("x" * 10**6)) < LONGEST + 50
    assert shown(10**5000) == "a int that cannot be printed"
    assert "\n" not in shown(np.zeros((3, 3)))
