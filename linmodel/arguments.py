"""Arguments of the wrong kind refused in one sentence, from a function's own annotations."""

from __future__ import annotations

import collections.abc as abc
import functools
import inspect
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from linmodel.errors import LARGEST, refuse

P = ParamSpec("P")
R = TypeVar("R")
UNIONS = (typing.Union, types.UnionType)
NUMERIC = set(typing.get_args(ArrayLike)) or {ArrayLike}  # one named type from Python 3.12 on
MOST_CHECKED = 1000  # elements of a sequence that are looked at


def typed(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, which refuses arguments that do not fit its annotations with InvalidInput.

    A number is whatever float() takes and can hold, an array whatever NumPy takes; ranges are the
    function's own business, and an annotation that says nothing checkable lets everything through.
    """
    signature = inspect.signature(function)

    @functools.cache
    def kinds() -> dict[str, Any]:
        return {
            name: kind
            for name, parameter in signature.parameters.items()
            if (kind := _resolved(parameter.annotation, function)) is not Any
        }

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        known = kinds()
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            if name not in known:
                continue
            for each in _values(signature.parameters[name], value):
                if not fits(each, known[name]):
                    refuse(name, _brief(each), described(known[name]))
        return function(*args, **kwargs)

    return call


def fits(value: object, kind: Any) -> bool:
    """Whether `value` is one of `kind`, an annotation; True where that cannot be told."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if _is_numeric_array(kind):
        rest = [part for part in parts if part not in NUMERIC and origin in UNIONS]
        return _fits_array(value) or any(fits(value, part) for part in rest)
    if origin in UNIONS:
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return any(value is part or value == part for part in parts if type(value) is type(part))
    if kind is None or kind is type(None):
        return value is None
    if kind in (float, int):
        return _fits_number(value, whole=kind is int)
    if kind is bool:
        return isinstance(value, bool | np.bool_)
    if kind is Path:
        return isinstance(value, str | Path)
    if origin is abc.Callable or kind is Callable:
        return callable(value)
    if inspect.isclass(origin):
        return _fits_container(value, origin, parts)
    return not inspect.isclass(kind) or getattr(kind, "_is_protocol", False) or _is(value, kind)


def described(kind: Any) -> str:
    """`kind` in words: what a message says is allowed."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if _is_numeric_array(kind):
        rest = [part for part in parts if part not in NUMERIC and origin in UNIONS]
        return " or ".join(["finite numbers", *(described(part) for part in rest)])
    if origin in UNIONS:
        return " or ".join(dict.fromkeys(described(part) for part in parts))
    if origin is Literal:
        return " or ".join(repr(part) for part in parts)
    if kind in (None, type(None)):
        return "None"
    if kind is float:
        return "a finite number"
    if kind is int:
        return "a whole number below 2^63"
    plain = {bool: "True or False", str: "text", Path: "a path", Callable: "a function"}
    if kind in plain:
        return plain[kind]
    if origin is abc.Callable:
        return "a function"
    if origin is not None and inspect.isclass(origin):
        inside = " and ".join(described(part) for part in parts if part is not Ellipsis)
        return f"a {origin.__name__.lower()} of {inside}" if parts else f"a {origin.__name__}"
    name = getattr(kind, "__name__", str(kind))
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """The annotation evaluated where the function was written; Any where it cannot be."""
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    if "ArrayLike | str" in annotation:
        return Any  # ArrayLike itself has str in it, so the union would not tell words apart
    try:
        return eval(annotation, getattr(function, "__globals__", {}))
    except Exception:  # names that only a type checker imports, optional packages
        return Any


def _values(parameter: inspect.Parameter, value: Any) -> list[Any]:
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return list(value)
    return list(value.values()) if parameter.kind is inspect.Parameter.VAR_KEYWORD else [value]


def _is(value: object, kind: type) -> bool:
    try:
        return isinstance(value, kind)
    except TypeError:  # kinds that isinstance does not take
        return True


def _is_numeric_array(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if kind is ArrayLike or origin is np.ndarray:
        return True
    return origin in UNIONS and set(typing.get_args(kind)) >= NUMERIC


def _fits_array(value: object) -> bool:
    if value is None:
        return False
    try:
        np.asarray(value, dtype=float)
    except Exception:  # whatever an object does when NumPy looks into it
        return False
    return True


def _fits_number(value: object, whole: bool) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except Exception:  # as above
        return False
    if not whole:
        return True
    if isinstance(value, int):
        return abs(value) <= LARGEST
    return not isinstance(value, str | bytes) and float(value).is_integer()  # type: ignore[arg-type]


def _fits_container(value: object, origin: type, parts: tuple[Any, ...]) -> bool:
    if isinstance(value, str | bytes) and origin not in (str, bytes):
        return False  # a word is a sequence of letters, which nobody means
    if origin in (list, abc.Sequence):
        if isinstance(value, abc.Mapping) or not hasattr(value, "__getitem__"):
            return False  # lists, tuples, ranges, arrays: what can be counted and indexed
    elif not isinstance(value, origin):
        return False
    if origin is tuple and Ellipsis not in parts and isinstance(value, tuple):
        return len(value) == len(parts) and all(map(fits, value, parts))
    if isinstance(value, abc.Mapping):
        whole = len(parts) != 2
        return whole or all(fits(k, parts[0]) and fits(v, parts[1]) for k, v in value.items())
    if isinstance(value, list | tuple | set | frozenset | np.ndarray) and parts:
        return all(fits(each, parts[0]) for each in list(value)[:MOST_CHECKED])
    return True


def _brief(value: object) -> object:
    """A value that prints on one short line, or the kind of thing that it is."""
    if value is None or isinstance(value, str | int | float | complex | bytes | np.generic | Path):
        return value
    return _Named(f"a {type(value).__name__}")


class _Named(str):
    def __repr__(self) -> str:
        return str(self)
