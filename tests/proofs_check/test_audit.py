"""A second solver, in processes that are killed: agreement is said, all else is never a pass."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from proofs_check import audit, children
from proofs_check.certificates.formula import Statement
from proofs_check.smtlib import SAT, UNSAT, queries
from tests.proofs_check.test_command_line import call

HARD = "+".join(f"x{i}**7*x{(i * 3 + 1) % 9}**5" for i in range(9)) + " != 1/7"


def test_everything_that_a_statement_needs_is_asked():
    asked = list(
        queries(Statement(("x > 0", "(x > 1) or (not (y**-2 < x))"), "-1/(x*y) <= 3*x**2"))
    )
    assert [(one.name, one.expected) for one in asked] == [
        ("", UNSAT), ("hypotheses", SAT),
        ("divisor (* |x| |y|)", UNSAT), ("divisor |y|", UNSAT),
    ]  # fmt: skip
    assert not any(f"({sign} |x|)" in one.text for one in asked for sign in "+*")


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_both_solvers_prove_refute_and_are_killed(solver):
    pytest.importorskip(solver)
    good, possible = queries(Statement(("x > 0", "y >= x"), "x**2 + y**2 >= 2*x**2"))
    assert [audit.ask(solver, one.text)[0] for one in (good, possible)] == [UNSAT, SAT]
    assert audit.ask(solver, next(queries(Statement((), "x**2 > 0"))).text)[0] == SAT
    assert audit.ask(solver, next(queries(Statement((), HARD))).text, 0.01)[0] == "timeout"
    assert audit.ask(solver, "(assert nonsense)")[0].startswith("failed")


def test_the_command_says_who_agrees(monkeypatch, capsys, tmp_path):
    pytest.importorskip("cvc5")
    path = tmp_path / "rows.json"
    code, out, _ = call(monkeypatch, capsys, "audit", "M4", "--json", str(path))
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert code == 0 and "4 questions: z3 and cvc5 agree on 4, not on 0" in out
    assert list(rows[0]) == ["id", "check", "z3", "cvc5", "seconds"]


@pytest.mark.parametrize("answer", ["unknown", "timeout", "failed: no answer", "sat"])
def test_whatever_is_not_agreement_is_said_and_no_pass(monkeypatch, capsys, answer):
    monkeypatch.setattr(audit, "require_cvc5", lambda: None)
    monkeypatch.setattr(audit, "ask", lambda name, *_: (UNSAT if name == "z3" else answer, 0.0))
    code, out, _ = call(monkeypatch, capsys, "audit", "F1")
    assert code == 1 and answer in out and "agree on 0" in out


def test_without_cvc5_one_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cvc5", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, out, err = call(monkeypatch, capsys, "audit")
    assert (
        code == 2
        and out == ""
        and err.startswith("error: audit needs cvc5")
        and "\n" not in err[:-1]
    )


def test_a_child_that_outstays_our_patience_is_killed():
    assert children.call(time.sleep, 60, patience=0.2) == (None, None)


WORKING = """
import os, signal, sys, time
from linmodel import console
from proofs_check import children

def work():
    print(os.getpid(), signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    children.PRELOADED = []
    app = console.new_app("planted")
    app.command()(lambda: children.call(work))
    console.run(app, "planted")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_a_signal_leaves_no_child_and_no_traceback_of_one(number, send, tmp_path):
    """From a terminal it reaches the whole group, from elsewhere the command alone."""
    path = tmp_path / "working.py"
    path.write_text(WORKING)
    process = subprocess.Popen(
        [sys.executable, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout is not None
    number_of_child, held = process.stdout.readline().split()
    assert held == "True"  # the server's imports see no Ctrl-C either
    child = psutil.Process(int(number_of_child))
    send(process.pid, number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert error.count("\n") == 1 and "ted: " in error, error
    assert child in psutil.wait_procs([child], timeout=10)[0]


def test_where_processes_are_not_forked_they_are_spawned(monkeypatch):
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert children._context.__wrapped__().get_start_method() == "spawn"


def test_nothing_to_assume_is_nothing_more_to_ask():
    assert [one.name for one in queries(Statement((), "x**2 >= 0"))] == [""]
    with pytest.raises(ValueError, match="not a whole exponent"):
        list(queries(Statement(("y > 0",), "x**y > 0")))
