"""Observers of a training run, by name: each module here is one. Needs no torch until one is made.

`TrainConfig.observe` (train: --observe) names them, NAME or NAME=K with a whole number K. A module
has a docstring whose first line says what it sees, and `make(number, config) -> Observer` (see
realnet.training.observing for what an observer is). A new one is a new module, and nothing else.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from linmodel.errors import refuse


def names() -> tuple[str, ...]:
    """All observers that there are."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def check_observers(words: Iterable[str]) -> tuple[str, ...]:
    """The words, each NAME or NAME=K of an observer once. Raises InvalidInput (lists all)."""
    given = (words,) if isinstance(words, str) else tuple(words)
    seen = set()
    for word in given:
        name, number = _parts(word)
        if name not in names():
            refuse("observer", word, "one of " + ", ".join(names()))
        if name in seen or (number is not None and number < 1):
            refuse("observer", word, "NAME or NAME=K with a whole number K >= 1, each once")
        seen.add(name)
    return given


def make_observers(words: Iterable[str], config: Any) -> list[Any]:
    """The observers named, for a run of `config`. Raises InvalidInput for a number it has not."""
    found = []
    for word in check_observers(words):
        name, number = _parts(word)
        found.append(import_module(f"realnet.observers.{name}").make(number, config))
    return found


def takes_no_number(name: str, number: int | None) -> None:
    """For `make`: refuse NAME=K."""
    if number is not None:
        refuse("observer", f"{name}={number}", name, "It takes no number.")


def _parts(word: str) -> tuple[str, int | None]:
    name, equals, text = str(word).partition("=")
    if not equals:
        return name, None
    return name, int(text) if text.isdecimal() else 0
