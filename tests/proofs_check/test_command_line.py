"""python -m proofs_check: exit statuses, files, and the page of one claim."""

from __future__ import annotations

import json

import pytest

import proofs_check.__main__ as command
from proofs_check.ledger import Check, Claim, Outcome, Verdict, step


def call(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["proofs_check", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_json_table_and_status(monkeypatch, capsys, tmp_path):
    path = tmp_path / "ledger.json"
    code, out, _ = call(monkeypatch, capsys, "--only", "M6", "F3", "--json", str(path))
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert code == 0
    assert [(row["id"], row["verdict"]) for row in rows] == [("M6", "proved"), ("F3", "proved")]
    assert "M6" in out and "2 claims: 2 proved" in out


@pytest.mark.parametrize("verdict", ["refuted", "open", "error"])
def test_status_is_not_zero_when_a_verdict_is_not_the_recorded_one(monkeypatch, capsys, verdict):
    bad = Check("sympy", lambda: Outcome(Verdict(verdict), "planted"))
    planted = {"X1": Claim("X1", "t", "s", "", Verdict.PROVED, steps=(step("wrong", bad),))}
    monkeypatch.setattr("proofs_check.claims.all_claims", lambda: planted)
    code, out, _ = call(monkeypatch, capsys)
    assert code == 1 and f"X1: recorded proved, got {verdict}" in out and "planted" in out
    assert call(monkeypatch, capsys, "show", "X1")[0] == 1


@pytest.mark.parametrize(
    "arguments", [("--only", "Z9"), ("show", "Z9"), ("--only", "M6", "--json", "/nowhere/x.json")]
)
def test_bad_input_is_one_line_and_status_2(monkeypatch, capsys, arguments):
    code, out, err = call(monkeypatch, capsys, *arguments)
    assert code == 2 and out == "" and err.startswith("error: ") and err.count("\n") == 1


def test_show_prints_statement_hypotheses_steps_and_formulas(monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "show", "F4")
    assert code == 0
    for part in ("Hypotheses: c0 > 0", "by lemma 'strict minima'", "proved by z3", r"\alpha", "t1"):
        assert part in out
