"""A user's own theorem: true ones proved, false ones refuted, undecided ones never passed."""

from __future__ import annotations

import shlex
import textwrap
import tomllib

import pytest
import sympy as sp
from flint import arb

from linmodel.errors import InvalidInput
from proofs_check import replay, theorem
from proofs_check.expressions import enclose, relation
from proofs_check.ledger import Outcome, Verdict
from proofs_check.theorem import NAMES, check_theorem
from tests.proofs_check.test_command_line import call

STANDING = ["c0 > 0", "epsilon0 >= 0", "c0*epsilon0 < B", "alpha >= 1"]
TOML = """
id = "T3.2"
title = "a reading"
hypotheses = ["c0 == 1", "epsilon0 > 0", "c0*epsilon0 < B", "alpha >= C"]
conclusion = "opposing_curvature <= alpha*B**2/epsilon**2"
[constants]
C = "3/2"
"""


def verdict(conclusion: str, when: str = "always", extra: tuple[str, ...] = (), **more) -> str:
    entry = {"hypotheses": [*STANDING, *extra], "conclusion": conclusion, "when": when}
    return str(check_theorem({"examples": 5} | entry | more).verdict)


@pytest.mark.parametrize(
    ("conclusion", "when"),
    [
        ("c*epsilon < B", "always"),
        ("sharpness >= opposing_curvature", "always"),
        ("c**2 >= kappa + epsilon0**2", "dip"),
        ("sharpness >= 2*B", "limit"),
        ("c**2 - epsilon**2 == kappa", "limit"),
    ],
)
def test_true_theorems_are_proved(conclusion, when):
    assert verdict(conclusion, when) == "proved"


@pytest.mark.parametrize(
    ("conclusion", "when"),
    [
        ("c*epsilon > B/2", "always"),
        ("opposing_curvature <= alpha*B", "limit"),
        ("sharpness <= max(alpha, 2)*B", "limit"),
        ("opposing_curvature <= alpha*exp(-B*t)", "always"),
    ],
)
def test_false_theorems_are_refuted(conclusion, when):
    assert verdict(conclusion, when, ranges={"c0": [1.5, 2]}, examples=20) == "refuted"


def test_what_is_no_problem_is_no_counterexample():
    plain = {"hypotheses": ["c0 == 1"], "examples": 2, "when": "start"}
    for conclusion in ("opposing_curvature >= 0", "B >= 0", "k > 0"):
        assert check_theorem(plain | {"conclusion": conclusion}).verdict == "proved"
    assert check_theorem(plain | {"conclusion": "alpha > 0"}).verdict == "refuted"
    plain |= {"conclusion": "opposing_curvature >= 0", "when": "always"}
    assert check_theorem(plain).verdict == "proved"


def test_what_is_known_under_hypotheses_that_are_not_given_is_withheld_and_said():
    loose = {
        "hypotheses": ["c0 == 1", "epsilon0 == 0"],
        "conclusion": "epsilon >= 0",
        "examples": 2,
    }
    found = check_theorem(loose)
    assert found.verdict == "tested" and "F1-F3 were withheld: the hypotheses do" in found.evidence
    given = check_theorem(loose | {"hypotheses": [*loose["hypotheses"], "B > 0", "alpha > 0"]})
    assert given.verdict == "proved" and "withheld" not in given.evidence
    # H2 and what is conserved hold at every start.
    for conclusion in ("sharpness >= opposing_curvature", "c**2 >= kappa"):
        assert check_theorem(loose | {"conclusion": conclusion}).verdict == "proved"


STEP = {"hypotheses": ["eta*alpha*c0**2 > 2", "o0 > 0"], "when": "step", "examples": 5,
        "ranges": {"c0": [1, 2], "alpha": [100, 1000], "eta": [0.1, 1]}}  # fmt: skip


@pytest.mark.parametrize(
    ("conclusion", "expected"),
    [
        ("o**2 > o0**2", "proved"),
        ("o < 0", "proved"),
        ("sharpness >= opposing_curvature", "proved"),
        ("o**2 > 2*o0**2", "refuted"),
        ("sharpness < 2/eta", "refuted"),
        ("log(sharpness) >= log(alpha*c**2)", "tested"),
    ],
)
def test_one_step_of_descent(conclusion, expected):
    found = check_theorem(STEP | {"conclusion": conclusion})
    assert found.verdict == expected
    (outcome,) = found.steps[0].outcomes.values()
    if expected == "refuted":
        exec(outcome.replay, {})


def test_what_only_examples_support_is_tested():
    assert verdict("opposing_curvature <= alpha*(c0**2+epsilon0**2)*exp(2*B*t)") == "tested"


def test_contradictory_or_unmet_hypotheses_are_never_a_pass():
    assert verdict("c > 0", extra=("alpha < 0",)) == "error"
    assert verdict("c > exp(-t)", extra=("alpha > 5000",), examples=1) == "open"


def test_a_file_is_read_and_the_status_says_what_was_found(monkeypatch, capsys, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TOML, encoding="utf-8")
    code, out, _ = call(monkeypatch, capsys, "theorem", str(path))
    assert code == 0 and "T3.2  a reading" in out and "Verdict: proved" in out
    path.write_text(TOML.replace("<= alpha*B", ">= 2*alpha*B"), encoding="utf-8")
    code, out, _ = call(monkeypatch, capsys, "theorem", str(path))
    assert code == 1 and "Verdict: refuted" in out
    command = next(line for line in out.splitlines() if line.startswith("  python -c "))
    exec(shlex.split(command)[2], {})  # its assertion holds


def test_help_says_how_to_write_one(monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "theorem", "--help")
    words = ("hypotheses = [", "conclusion = ", 'constants = {C = "3/2"}', "ranges = {", "exp, log")
    assert code == 0 and all(word in out for word in words)


def test_a_counterexample_of_each_kind_is_replayed_in_floats():
    for when, conclusion in (("limit", "opposing_curvature <= alpha*B"),
                             ("always", "opposing_curvature <= alpha*exp(-B*t)")):  # fmt: skip
        entry = {"hypotheses": [*STANDING, "c0 > 3/2"], "conclusion": conclusion, "when": when}
        result = check_theorem(entry | {"examples": 20})
        (outcome,) = result.steps[0].outcomes.values()
        assert outcome.replay and "\n" not in outcome.replay
        exec(outcome.replay, {})
    close = Outcome(Verdict.REFUTED, "x")
    said = replay.with_replay(close, NAMES["c0"] >= sp.Rational(1, 3), "start", {"c0": "1/3"})
    assert not said.replay and "too close" in said.evidence


def test_the_example_in_the_documentation_works():
    lines = theorem.__doc__.split("\n\n")[2]
    entry = tomllib.loads(textwrap.dedent(lines))
    assert str(check_theorem(entry).verdict) == "proved"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conclusion": "c <"}, "formula"),
        ({"conclusion": "c + 1"}, "formula"),
        ({"conclusion": "0 < c < 1"}, "formula"),
        ({"conclusion": "__import__('os') > 0"}, "formula"),
        ({"conclusion": "speed > 0"}, "name in"),
        ({"conclusion": "sqrt(-1) > 0"}, "formula"),
        ({"conclusion": "1/0 > 0"}, "formula"),
        ({"conclusion": "c > log(0)"}, "formula"),
        ({"conclusion": "log(c, 2, 3) > 0"}, "arguments of log"),
        ({"conclusion": "max() > 0"}, "arguments of max"),
        ({"constants": [1]}, "constants"),
        ({"ranges": [1]}, "ranges"),
        ({"when": "sometimes"}, "when"),
        ({"examples": 0}, "examples"),
        ({"hypothesis": []}, "key of the theorem"),
        ({"hypotheses": "c0 > 0"}, "hypotheses"),
        ({"constants": {"c": 1}}, "constant's name"),
        ({"constants": {"C": "much"}}, "constant C"),
        ({"ranges": {"alpha": [2, 1]}}, "range of alpha"),
        ({"ranges": {"kappa": [1, 2]}}, "range's name"),
    ],
)
def test_bad_entries_are_refused(change, message):
    entry = {"hypotheses": STANDING, "conclusion": "c > 0"} | change
    with pytest.raises(InvalidInput, match=message):
        check_theorem(entry)
    with pytest.raises(InvalidInput, match="has no key 'conclusion'"):
        check_theorem({"hypotheses": STANDING})


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="theorem file"):
        check_theorem(tmp_path / "missing.toml")
    path = tmp_path / "broken.toml"
    path.write_text("id = ", encoding="utf-8")
    with pytest.raises(InvalidInput, match="theorem file"):
        check_theorem(path)


def test_enclosures_of_formulas_hold_their_value():
    side = relation("exp(alpha)/3 - sqrt(B)*log(k) + max(c0, -n0)**2 < 1", NAMES).args[0]
    values = {"alpha": 0.3, "B": 2.0, "k": 5.0, "c0": 0.7, "n0": -0.9}
    ball = enclose(side, {name: arb(value) for name, value in values.items()})
    exact = side.subs({NAMES[name]: sp.Rational(value) for name, value in values.items()}).evalf(40)
    assert ball.overlaps(arb(str(exact), "1e-35")) and ball.rad() < 1e-12


@pytest.mark.parametrize(
    "conclusion",
    [
        "+".join(["alpha"] * 100_000) + " > 0",
        "-" * 5000 + "alpha > 0",
        "-" * 1900 + "alpha > 0",
        "(" * 900 + "alpha" + ")" * 900 + " > 0",
        "exp(" * 100 + "alpha" + ")" * 100 + " > 0",
        "alpha < 1e999999999",
        "alpha < 10**999999999",
        "alpha < 9**9**9",
        "alpha < ((9**60)**60)**60",
        "((alpha**60)**60) > 0",
        "alpha > 1/0",
        "alpha > \x00",
    ],
)
def test_what_may_never_end_is_refused_in_a_short_sentence(conclusion: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_theorem({"hypotheses": STANDING, "conclusion": conclusion})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 2600


@pytest.mark.parametrize("value", ["1e999999999", "1e-999999999", "9" * 1000, "1/0", True, None])
def test_constants_of_any_size_are_refused(value: object) -> None:
    entry = {"hypotheses": STANDING, "conclusion": "alpha > C", "constants": {"C": value}}
    with pytest.raises(InvalidInput, match="constant C"):
        check_theorem(entry)


def test_long_sums_and_e_are_read_and_what_is_not_real_is_said() -> None:
    assert verdict("+".join(["alpha"] * 300) + " > 0") == "proved"
    assert verdict("alpha > -exp(1)") == "tested"
    entry = {"hypotheses": STANDING, "conclusion": "sqrt(-alpha) > 0", "examples": 5}
    assert "not a real number" in str(check_theorem(entry))


def test_a_violation_that_no_interval_confirms_is_open_and_no_refutation():
    """The time of the dip is a float: nothing there is certain."""
    entry = {"hypotheses": STANDING, "conclusion": "c >= 2*c0", "when": "dip", "examples": 3}
    (outcome,) = check_theorem(entry).steps[0].outcomes.values()
    assert outcome.verdict == "open" and "3 violations in floats, unconfirmed" in outcome.evidence


def test_examples_at_the_start_need_no_flow():
    found = ("sharpness <= log(1 + alpha)", "refuted"), ("sharpness >= log(1 + k)/99", "tested")
    for conclusion, expected in found:
        assert verdict(conclusion, "start", ("B > 1",)) == expected


def test_a_conclusion_of_numbers_alone_is_true_or_false_as_it_stands():
    loose = {"hypotheses": ["c0 == 1"], "when": "dip", "examples": 2, "ranges": {"k": [0, 2]}}
    assert check_theorem(loose | {"conclusion": "exp(c0) > 2"}).verdict == "tested"
    assert check_theorem(loose | {"conclusion": "exp(c0) > 3"}).verdict != "tested"


def test_a_hypothesis_about_the_state_is_not_drawn():
    entry = {"hypotheses": [*STANDING, "c == 2*c0"], "conclusion": "c > exp(-t)", "examples": 2}
    (outcome,) = check_theorem(entry).steps[0].outcomes.values()
    assert outcome.verdict == "open" and "about c at the moment itself" in outcome.evidence


def test_a_fault_of_ours_is_not_called_the_users(monkeypatch):
    def broken(trial):
        raise TypeError("a fault")

    monkeypatch.setattr(theorem, "try_examples", broken)
    with pytest.raises(TypeError, match="a fault"):
        theorem._without_proof(theorem.read({"hypotheses": [], "conclusion": "c > exp(t)"}), [])
