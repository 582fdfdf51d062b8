"""Edited statements: every kind is made, true ones are told from noticed ones, none is hidden."""

from __future__ import annotations

import json
import threading

import pytest
import sympy as sp

from proofs_check import catalogue, mutate, smt, symbolic
from proofs_check.claims import field
from proofs_check.claims.field import B, c, epsilon
from proofs_check.ledger import Check, Outcome, Result, StepResult, Verdict
from proofs_check.mutants import Mutant, edits
from tests.proofs_check.test_command_line import call

TIGHT = smt.implies([c > 0, epsilon > c], c**2 + epsilon**2 > 2 * c**2)
LOOSE = smt.implies([c > 0, epsilon > c, B > 0], epsilon >= 0)


def _verdicts(check) -> dict[str, str]:
    return {one.shown: mutate.verdict(one) for one in check.mutants()}


def test_each_number_sign_and_exponent_is_edited_once():
    assert sorted((kind, str(new)) for kind, new in edits(3 * c**2 - B)) == [
        ("exponent", "-B + 3*c**3"), ("number", "-2*B + 3*c**2"), ("number", "-B + 2*c**2"),
        ("number", "-B + 4*c**2"), ("number", "3*c**2"), ("sign", "-B - 3*c**2"),
        ("sign", "B + 3*c**2"),
    ]  # fmt: skip


def test_a_tight_statement_is_killed_and_a_loose_one_survives():
    tight, loose = _verdicts(TIGHT), _verdicts(LOOSE)
    assert tight["c > 0, epsilon > c => c**2 + epsilon**2 > 3*c**2"] == mutate.KILLED
    assert tight["c > 0, epsilon > c => c**2 + epsilon**2 > c**2"] == mutate.WEAKER
    assert tight["epsilon > c => c**2 + epsilon**2 > 2*c**2 (without c > 0)"] == mutate.KILLED
    assert loose["c > 0, epsilon > c => epsilon >= 0 (without B > 0)"] == mutate.SURVIVED
    assert loose["c > 0, epsilon > c, B > 0 => epsilon > 0"] == mutate.SURVIVED


def test_identities_and_limits_have_mutants_too():
    same = symbolic.identity((c + 1) ** 2, c**2 + 2 * c + 1)
    assert set(_verdicts(same).values()) == {mutate.KILLED}
    assert set(_verdicts(symbolic.limit(3 * c / (c + 1), c, sp.oo, 3)).values()) == {mutate.KILLED}


def test_a_sample_of_the_ledger(monkeypatch, capsys, tmp_path):
    path = tmp_path / "rows.json"
    code, out, _ = call(monkeypatch, capsys, "mutate", "--sample", "8", "--json", str(path))
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert code == 0 and len(rows) == 8 and "8 edits: " in out
    assert list(rows[0]) == ["id", "check", "kind", "mutant", "verdict"]
    assert sum(row["verdict"] == mutate.SURVIVED for row in rows) == out.count("survived: ")


def test_an_edit_of_the_model_is_noticed():
    name, number, shown = next(mutate.model_edits())
    row = mutate._model_row(name, number, shown)
    assert (row["kind"], row["verdict"]) == (mutate.MODEL, mutate.KILLED) and row["id"]


@pytest.mark.parametrize(
    ("status", "verdict"), [(-9, mutate.UNDECIDED), (1, mutate.KILLED), (0, mutate.SURVIVED)]
)
def test_a_child_that_is_killed_has_noticed_nothing(monkeypatch, status, verdict):
    monkeypatch.setattr(mutate, "call", lambda *work: (None, status))
    row = mutate._model_row("LOSS", 0, "LOSS = 0")
    assert row["verdict"] == verdict and mutate._decided_row(row) == (status >= 0)


def test_the_rate_counts_what_claims_more():
    words = [mutate.KILLED] * 3 + [mutate.SURVIVED, mutate.WEAKER]
    assert mutate.kill_rate([{"verdict": word} for word in words]) == pytest.approx(3 / 4)


def test_an_edit_that_takes_too_long_is_undecided():
    def endless() -> Outcome:
        while True:
            pass

    slow = Mutant("number", ("slow",), Check("sympy", endless))
    assert mutate.verdict(slow, seconds=0.1) == mutate.UNDECIDED


def test_a_whole_run_edits_the_model_too_and_a_sample_does_not(monkeypatch):
    monkeypatch.setattr(mutate, "places", lambda ids: [])
    edits_of_the_model = [shown for _, _, shown in mutate.model_edits()]
    assert [task.question[2] for task in mutate.tasks()] == edits_of_the_model
    assert mutate.tasks(["M4"]) == mutate.tasks(sample=5) == []


def test_a_check_without_edits_does_not_stop_a_sample():
    bare = Check("sympy", lambda: Outcome(Verdict.PROVED, ""), mutants=lambda: iter(()))
    found = list(mutate._chosen([("A", "1/bare", bare), ("B", "1/tight", TIGHT)], 10**6, 0))
    assert {claim for claim, _, _ in found} == {"B"}
    assert len(found) == len(list(TIGHT.mutants()))


def test_off_the_main_thread_an_edit_has_no_limit_and_the_same_verdict():
    edited = next(iter(TIGHT.mutants()))
    found: list[str] = []
    other = threading.Thread(target=lambda: found.append(mutate.verdict(edited)))
    other.start()
    other.join()
    assert found == [mutate.verdict(edited)]


@pytest.mark.parametrize(("planted", "noticed"), [("M10", "M10"), ("F4", "F4"), (None, "")])
def test_the_first_claim_that_fails_is_the_one_that_noticed(monkeypatch, planted, noticed):
    """Without a child: the ledger stands still, but for one claim that fails."""

    def decided(claim):
        bad = claim.id == planted
        verdict = Verdict.REFUTED if bad else claim.recorded
        outcome = Outcome(Verdict.REFUTED if bad else Verdict.PROVED, "")
        part = StepResult(claim.steps[0], {"x": outcome})
        return Result(claim, verdict, "", "", 0.0, (part,))

    def run(ids, each):
        for claim in catalogue(["F1", "F4", "F5"]):
            each(decided(claim))

    monkeypatch.setattr(field, "LOSS", field.LOSS)  # put back afterwards
    monkeypatch.setattr(mutate, "edited_model", lambda part, number: part)
    monkeypatch.setattr(mutate, "decide", decided)
    monkeypatch.setattr(mutate, "run", run)
    assert mutate._who_notices("LOSS", 0) == noticed


def test_only_a_comparison_with_a_mirror_is_turned_round():
    kinds = [one.kind for one in smt.implies([c > 0], sp.Ne(c, -1)).mutants()]
    assert kinds.count("relation") == 1  # the hypothesis, weakened


def test_edits_that_differ_in_an_assumption_alone_are_two_questions(monkeypatch):
    """What is kept of a statement about positive x is no answer about any x."""
    found = []
    for assumed in ({"real": True}, {"positive": True}):
        x = sp.Symbol("x", **assumed)
        edited = symbolic.identity((x + 1) ** 2, x**2 + 2 * x + 1)
        monkeypatch.setattr(mutate, "places", lambda ids, one=edited: [("A", "1/one", one)])
        found.append(mutate.tasks(["A"]))
    plain, positive = found
    assert [task.answer() for task in plain] == [task.answer() for task in positive] != []
    assert not {task.digest for task in plain} & {task.digest for task in positive}
