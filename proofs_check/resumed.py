"""Long runs that can be killed: each answer is kept as it comes, and not asked for again.

A line of `FILE.rows` is one answer under the digest of its question, with a digest of its own. The
question holds all that the answer depends on: the text that is asked, versions, code. So an
answer to what has changed since is never found, and a line cut by a kill or altered is no answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from linmodel import files

Row = dict[str, Any]
HERE = Path(__file__).parent
SOLVERS = ("z3-solver", "cvc5", "sympy", "python-flint")


@dataclass(frozen=True)
class Task:
    """A question (texts that it consists of) and what answers it with a row.

    lasts  may a later run count on this row, or does it ask again?
    """

    question: tuple[str, ...]
    answer: Callable[[], Row]
    lasts: Callable[[Row], bool] = lambda row: True

    @property
    def digest(self) -> str:
        """SHA-256 of the question."""
        return _digest(self.question)


@dataclass(frozen=True)
class Kept:
    """Rows by the digest of their question; `path` is where new ones are added, or nowhere."""

    path: Path | None = None
    rows: dict[str, Row] = field(default_factory=dict)

    def has(self, task: Task) -> bool:
        """Is this very question answered?"""
        return task.digest in self.rows and task.lasts(self.rows[task.digest])

    def add(self, task: Task, row: Row) -> None:
        """Keep the answer; on the disk before this returns."""
        self.rows[task.digest] = row
        if self.path is None:
            return
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(_line(task.digest, row))
        except OSError as error:
            raise files.cannot_write(self.path, error, "Make room, or name another.") from error


@contextmanager
def beside(answer: Path | None) -> Iterator[Kept]:
    """What is kept beside the file of the whole answer (nothing where none is named).

    Raises InvalidInput where another process writes it.
    """
    if answer is None:
        yield Kept()
        return
    path = files.require_writable(answer.with_name(f"{answer.name}.rows"))
    with files.hold(path.parent, path.name) if path.parent.is_dir() else nullcontext():
        yield Kept(path, _read(path))


def answers(tasks: Sequence[Task], kept: Kept, each: Callable[[Row], object]) -> Iterator[Row]:
    """A row for each task, in their order; `each` sees only those that had to be asked."""
    for task in tasks:
        if not kept.has(task):
            kept.add(task, task.answer())
            each(kept.rows[task.digest])
        yield kept.rows[task.digest]


def versions() -> str:
    """The solvers' versions."""
    return ", ".join(f"{name} {_version(name)}" for name in SOLVERS)


def code(*places: str) -> str:
    """Digest of the files of this package under these names (a folder: all of its modules)."""
    found: list[Path] = []
    for place in places:
        path = HERE / place
        found += sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return _digest([path.read_text(encoding="utf-8") for path in found])


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()


def _line(question: str, row: Mapping[str, Any]) -> str:
    text = json.dumps(row, ensure_ascii=False)
    # It begins with an end of line: what a kill left unfinished before it stays a line of its own.
    return f"\n{question} {_digest([question, text])} {text}\n"


def _read(path: Path) -> dict[str, Row]:
    """The answers whose digest fits; anything else in the file is passed over."""
    if not path.exists():
        return {}
    rows = {}
    for line in path.read_bytes().decode("utf-8", "replace").split("\n"):
        question, _, rest = line.partition(" ")
        seal, _, text = rest.partition(" ")
        if text and seal == _digest([question, text]):
            rows[question] = json.loads(text)
    return rows
