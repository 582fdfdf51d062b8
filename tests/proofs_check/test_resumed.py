"""A long run that was stopped goes on; what changed, was cut or altered since is asked again."""

from __future__ import annotations

import contextlib
import json

import pytest

from linmodel.errors import InvalidInput
from proofs_check import audit, mutate, resumed
from proofs_check.resumed import Kept, Task, answers, beside
from tests.proofs_check.test_command_line import call


def _tasks(asked: list[str], names: str, text: str = "as it was") -> list[Task]:
    def answer(name: str):
        asked.append(name)
        return {"id": name, "said": "ß"}

    return [Task((name, text), lambda name=name: answer(name)) for name in names]


def _run(path, names: str, text: str = "as it was", stop: str = "") -> str:
    """Who was asked; the run is stopped after `stop`."""
    asked: list[str] = []

    def each(row):
        if row["id"] == stop:
            raise KeyboardInterrupt

    with beside(path) as rows, contextlib.suppress(KeyboardInterrupt):
        assert [row["id"] for row in answers(_tasks(asked, names, text), rows, each)]
    return "".join(asked)


def test_a_stopped_run_goes_on_and_what_changed_is_asked_again(tmp_path):
    path = tmp_path / "answer.json"
    assert _run(path, "abcd", stop="b") == "ab"
    assert _run(path, "abcd") == "cd"
    assert _run(path, "dcba") == ""
    assert _run(path, "abcd", "edited") == "abcd"


@pytest.mark.parametrize("harm", [lambda b: b[:-5], lambda b: b.replace(b'"b"', b'"c"')])
def test_a_line_cut_or_altered_is_no_answer(tmp_path, harm):
    path, rows = tmp_path / "answer.json", tmp_path / "answer.json.rows"
    _run(path, "ab")
    rows.write_bytes(harm(rows.read_bytes()))
    assert _run(path, "ab") == "b"
    assert _run(path, "ab") == ""


def test_an_answer_that_does_not_last_is_asked_again():
    row = {"z3": "unsat", "cvc5": "timeout"}
    task = Task(("q",), lambda: row, audit._answered)
    rows = Kept()
    rows.add(task, row)
    assert not rows.has(task)
    rows.add(task, {**row, "cvc5": "unsat"})
    assert rows.has(task)


def test_two_runs_do_not_write_one_file(tmp_path):
    path = tmp_path / "a.json"
    with beside(path), pytest.raises(InvalidInput, match="Another one"), beside(path):
        pass


def test_the_code_that_decides_belongs_to_the_question(monkeypatch, tmp_path):
    (tmp_path / "ledger.py").write_text("1")
    monkeypatch.setattr(resumed, "HERE", tmp_path)
    first = resumed.code("ledger")
    (tmp_path / "ledger.py").write_text("2")
    assert resumed.code("ledger") != first


def test_a_second_command_takes_what_the_first_kept(monkeypatch, capsys, tmp_path):
    path = tmp_path / "rows.json"
    command = ("mutate", "M3", "--sample", "3", "--seed", "5", "--json", str(path))
    assert call(monkeypatch, capsys, *command)[0] == 0
    first = json.loads(path.read_text(encoding="utf-8"))
    monkeypatch.setattr(mutate, "verdict", lambda mutant: pytest.fail("asked again"))
    code, out, _ = call(monkeypatch, capsys, *command)
    assert code == 0 and "3 of 3 rows are taken from" in out
    assert json.loads(path.read_text(encoding="utf-8")) == first
    code, _, err = call(monkeypatch, capsys, "mutate", "M3", "--model")
    assert code == 2 and "--model takes no claims" in err


def test_a_sample_goes_round_the_checks():
    places = list(mutate.places(["M4"]))
    found = mutate.tasks(["M4"], sample=2 * len(places), seed=1)
    names = [task.question[2] for task in found]
    assert sorted(names) == sorted(2 * [name for _, name, _ in places])
    assert len({task.digest for task in found}) == len(found)
    whole = mutate.tasks(["M4"])
    assert {task.digest for task in mutate.tasks(["M4"], sample=10**6)} == {t.digest for t in whole}
