"""The modules that a function can name: by its closure, its globals, its object, its arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import Any

from torch import nn

DEPTH = 3  # functions inside of functions that are searched


def modules_named(function: Any, depth: int = DEPTH) -> Iterator[nn.Module]:
    """Those that it and the functions it names hold; one hidden deeper (a.b.model) is not found."""
    if isinstance(function, functools.partial):
        held = [function.func, *function.args, *function.keywords.values()]
    else:
        held = _held(inspect.unwrap(function))
    for one in held:
        if isinstance(one, nn.Module):
            yield one
        elif isinstance(one, (list, tuple)):
            yield from (each for each in one if isinstance(each, nn.Module))
        elif depth > 1 and _of_the_user(one):
            yield from modules_named(one, depth - 1)


def _held(function: Any) -> list[Any]:
    own = getattr(function, "__self__", function)
    held = [own, *getattr(own, "__dict__", {}).values()]
    if inspect.isfunction(function) or inspect.ismethod(function):
        try:
            named = inspect.getclosurevars(function)
        except ValueError:  # a name that is not bound yet
            return held
        held += [*named.nonlocals.values(), *named.globals.values()]
    return held


def _of_the_user(one: Any) -> bool:
    home = getattr(one, "__module__", None) or "torch"
    function = inspect.isroutine(one) or isinstance(one, functools.partial)
    return function and home.split(".")[0] != "torch"
