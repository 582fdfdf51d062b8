"""Certificates as Rocq lemmas: compiled where coqc is installed; altered, missing: never a pass."""

from __future__ import annotations

import re
import shutil

import pytest

from proofs_check.certificates.finder import find
from proofs_check.certificates.formula import Statement
from proofs_check.certificates.recheck import Certificate
from proofs_check.lemmas import LEMMAS
from proofs_check.rocq import cores, export, statements
from tests.proofs_check.test_command_line import call

COQC = pytest.mark.skipif(shutil.which("coqc") is None, reason="coqc is not installed")
# Alternatives, conjunctions, equations, quotients and a divisor of unknown sign.
SAMPLE = [
    Statement(("x > 0", "y >= x"), "x**2 + y**2 >= 2*x**2"),
    Statement(("x > 1 or x < -1", "y == x/3"), "9*y**2 > 1 and x != 0"),
    Statement(("x != 0", "y > 0"), "1/x**2 > 0 and (y/x)**2 >= 0"),
    Statement(("x*y == 0", "y != 0"), "x == 0 or x > 5"),
]


def _file(certificates: dict[str, Certificate]) -> str:
    proved = [statements.Proved(name, one).text() for name, one in certificates.items()]
    names = ", ".join(["eq_refl 0", *certificates])
    helpers = [export.HEAD, cores.HELPERS, statements.HELPERS, statements.DECISIONS]
    end = [f"Definition all_of_them := ({names}).", "Print Assumptions all_of_them."]
    return "\n".join([*helpers, *proved, *end])


@COQC
def test_a_sample_compiles_on_standard_assumptions_alone():
    made = {f"sample_{i}": find(one) for i, one in enumerate(SAMPLE)}
    assert None not in made.values()
    made |= {name: one for name, (_, one) in export.labels(["M4"]).items()}
    found = export.compiled(_file(made))
    assert found.good, found.said


@COQC
def test_what_is_altered_or_assumed_is_no_pass():
    entry = find(SAMPLE[0]).as_dict()
    entry["proofs"][0]["terms"][0][0] = "7"
    said = export.compiled(_file({"altered": Certificate.of(entry)}))
    assert not said.good and "coqc fails" in said.said
    trusting = export.compiled("Axiom trust : False.\nDefinition all_of_them := trust.\n"
                              "Print Assumptions all_of_them.")  # fmt: skip
    assert not trusting.good and "it assumes trust" in trusting.said
    assert not export.compiled("Definition silent := 0.").good
    assert "did not end" in export.compiled(_file({}), seconds=0.01).said


def test_lemmas_say_what_the_ledger_says():
    text = export.text(["M4"])
    assert "T_1 >= 0 ->\n  T_2 >= 0 ->\n  (T_1 + T_2) = 0 ->\n  (T_1 = 0) /\\ (T_2 = 0)." in text
    assert len(export.labels()) == len({*export.labels()}) > 160


def test_the_command_writes_and_says_when_there_is_no_coqc(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: None)
    path = tmp_path / "ledger.v"
    code, out, _ = call(monkeypatch, capsys, "export", str(path), "M4", "--compile")
    assert code == 1 and "2 lemmas written" in out and "coqc is not installed" in out
    assert call(monkeypatch, capsys, "export", str(path), "M4")[0] == 0
    assert path.read_text(encoding="utf-8").startswith("(* Certificates of the ledger")
    code, _, err = call(monkeypatch, capsys, "export", str(path), "S11")
    assert code == 2 and err.startswith("error: claim id is 'S11'")


COQUELICOT = "From Coquelicot Require Import Coquelicot."


def test_lemmas_that_are_called_proved_are_theorems_of_the_file():
    texts = {path.stem: path.read_text(encoding="utf-8") for path in export.ANALYSIS}
    text = "".join(texts.values())
    theorems = set(re.findall(r"^Theorem (\w+)", text, re.MULTILINE))
    named = {name for lemma in LEMMAS.values() for name in lemma.rocq}
    assert named == theorems and len(theorems) > 20
    assert not re.search(r"\b(Admitted|Axiom|Abort|Parameter|admit)\b", text)
    listed = "".join(part[part.index(f"Definition {name}") :] for name, part in texts.items())
    assert all(re.search(rf"\b{name}\b", listed) for name in theorems)


@COQC
def test_the_analytic_lemmas_compile_where_coquelicot_is_installed():
    if not export.compiled(f"{COQUELICOT}\nPrint Assumptions eq_refl.").good:
        pytest.skip("Coquelicot is not installed")
    found = export.compiled(export.text(["M4"], analysis=True), classical=True)
    assert found.good, found.said
