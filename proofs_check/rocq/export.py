"""Writing the file, and having it compiled where coqc is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from linmodel.errors import refuse
from proofs_check.certificates import archive
from proofs_check.certificates.recheck import Certificate
from proofs_check.rocq import cores, statements

# The analytic lemmas, in this order: the second file uses the first.
ANALYSIS = tuple(Path(__file__).with_name(f"{name}.v") for name in ("analysis", "systems"))
HEAD = """(* Certificates of the ledger of the opposing-signals model: hypotheses -> conclusion. *)
(* Written by python -m proofs_check export. Compile with coqc. *)
Require Import Reals Lra.
Open Scope R_scope.
"""
# What Rocq's real numbers themselves assume (Reals, and functions that agree everywhere are equal).
STANDARD = (
    "ClassicalDedekindReals.sig_forall_dec",
    "ClassicalDedekindReals.sig_not_dec",
    "FunctionalExtensionality.functional_extensionality_dep",
    "functional_extensionality_dep",
)
# The analytic lemmas rest on Coquelicot, which uses classical logic as well.
CLASSICAL = "Classical_Prop.classic"
CLOSED = "Closed under the global context"
SECONDS = 600.0


@dataclass(frozen=True)
class Compiled:
    """What coqc made of a file: `good` only where it compiled on the standard assumptions alone."""

    good: bool
    said: str
    assumptions: tuple[str, ...] = ()


def labels(ids: Iterable[str] | None = None) -> dict[str, tuple[str, Certificate]]:
    """Lemma name -> (claim id, certificate), for every stored certificate (or those of `ids`).

    Raises InvalidInput for an id without certificates.
    """
    table = archive.stored()
    wanted = list(table) if ids is None else list(ids)
    for claim in wanted:
        if claim not in table:
            refuse("claim id", claim, f"one that has certificates: {', '.join(table)}")
    return {
        label(claim, check): (claim, Certificate.of(entry))
        for claim in wanted
        for check, entry in table[claim].items()
    }


def label(claim: str, check: str) -> str:
    """A lemma's name: F4, "2/positive (1)" -> F4_2_positive_1."""
    return re.sub(r"\W+", "_", f"{claim}_{check}").strip("_")


def text(ids: Iterable[str] | None = None, analysis: bool = False) -> str:
    """The whole file; with `analysis` the analytic lemmas come first (they need Coquelicot)."""
    parts = [HEAD, cores.HELPERS, statements.HELPERS, statements.DECISIONS]
    if analysis:
        parts = [*(path.read_text(encoding="utf-8") for path in ANALYSIS), *parts]
    found, last = labels(ids), ""
    for name, (claim, certificate) in found.items():
        if claim != last:
            parts.append(f"(* {claim} *)")
        parts.append(statements.Proved(name, certificate).text())
        last = claim
    wanted = ["eq_refl 0", *([path.stem for path in ANALYSIS] if analysis else []), *found]
    parts.append(f"Definition all_of_them := ({', '.join(wanted)}).")
    parts.append("Print Assumptions all_of_them.")
    return "\n".join(parts) + "\n"


def compiled(source: str, seconds: float = SECONDS, classical: bool = False) -> Compiled:
    """Have coqc compile `source`, in a folder of its own and killed at its limit.

    classical  may it assume the excluded middle? (what Coquelicot is built on does)
    """
    program = shutil.which("coqc")
    if program is None:
        return Compiled(False, "coqc is not installed: nothing was compiled")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "ledger.v").write_text(source, encoding="utf-8")
        try:
            done = subprocess.run([program, "-q", "ledger.v"], cwd=folder, capture_output=True,
                                  text=True, timeout=seconds)  # fmt: skip
        except subprocess.TimeoutExpired:
            return Compiled(False, f"coqc did not end within {seconds:g} s")
    if done.returncode != 0:
        return Compiled(False, f"coqc fails: {' '.join(done.stderr.split())[:500]}")
    found = _assumptions(done.stdout)
    allowed = (*STANDARD, CLASSICAL) if classical else STANDARD
    other = [name for name in found if name not in allowed]
    if other or not (found or CLOSED in done.stdout):
        return Compiled(False, f"it assumes {', '.join(other) or 'what it does not say'}", found)
    return Compiled(
        True, "compiled; it assumes what Rocq's real numbers do, and nothing else", found
    )


def _assumptions(printed: str) -> tuple[str, ...]:
    """Names that `Print Assumptions` lists: each begins a line, its type follows."""
    lines = [line for line in printed.splitlines() if line and not line[0].isspace()]
    return tuple(
        dict.fromkeys(line.split()[0] for line in lines if line not in ("Axioms:", CLOSED))
    )
