"""The errors that a user can cause, in every package of this project."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NoReturn

import numpy as np

LONGEST = 500  # characters of a value that a message repeats
LARGEST = 2**63 - 1  # of a whole number: what NumPy's and torch's integers hold


class InvalidInput(ValueError):
    """What came, what is allowed, what to do. The command lines print it and exit with status 2."""


class Notice(UserWarning):
    """What was put right without being asked: one line on standard error, never a silent change."""


class FlowFailed(RuntimeError):
    """The integrator stopped before the last time; the message says where and what to change."""


def refuse(name: str, came: object, allowed: str, remedy: str = "") -> NoReturn:
    """Raise `InvalidInput`: "`name` is `came`; allowed: `allowed`. `remedy`."."""
    raise InvalidInput(f"{name} is {shown(came)}; allowed: {allowed}. {remedy}".rstrip())


def notice(message: str) -> None:
    """Warn with a `Notice`: something was damaged or missing, and has been put right."""
    warnings.warn(message, Notice, stacklevel=3)


def show_notices_on_one_line() -> None:
    """For command lines: a `Notice` without the place in the source where it was raised."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, Notice):
            with suppress(OSError):
                print(f"note: {message}", file=sys.stderr, flush=True)
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show


def shown(came: object) -> str:
    """`came` on one line and at most LONGEST characters: a message never repeats a whole file."""
    try:
        text = repr(came.item() if isinstance(came, np.generic) else came)
    except Exception:  # a user's own __repr__, or an int of more digits than Python prints
        return f"a {type(came).__name__} that cannot be printed"
    if "\n" in text:
        text = " ".join(text.split())
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}... ({len(text):,} characters)"
    return text


def real(name: str, value: object, *, low: float = -math.inf, above: float = -math.inf) -> float:
    """`value` as a finite float with value >= low and value > above, or `InvalidInput`."""
    allowed = "a finite number"
    if above > -math.inf:
        allowed += f" > {above:g}"
    if low > -math.inf:
        allowed += f" >= {low:g}"
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        refuse(name, value, allowed)
    if not math.isfinite(number) or number < low or number <= above:
        refuse(name, value, allowed)
    return number


def one_of(name: str, value: object, allowed: Iterable[str]) -> str:
    """`value` if it is one of the words `allowed`, or `InvalidInput`."""
    words = tuple(allowed)
    if not isinstance(value, str) or value not in words:
        refuse(name, value, "one of " + ", ".join(words))
    return value


def integer(name: str, value: object, *, low: int) -> int:
    """`value` as an int >= low (a float is taken only if it is whole), or `InvalidInput`."""
    allowed = f"a whole number >= {low}"
    number = value if isinstance(value, int) else real(name, value)  # an int keeps every digit
    if number != int(number) or number < low:
        refuse(name, value, allowed)
    if number > LARGEST:
        refuse(name, value, f"{allowed} and below 2^63")
    return int(number)


def generator(name: str, rng: object) -> np.random.Generator:
    """A Generator as it is, or a new one of a seed >= 0; else `InvalidInput`."""
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or rng < 0:
        refuse(name, rng, "a seed >= 0 or a numpy Generator")
    return np.random.default_rng(int(rng))
