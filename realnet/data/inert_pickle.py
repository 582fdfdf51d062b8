"""Read a pickle of plain values and byte arrays without being able to run anything it names.

Every global that a pickle asks for is refused, except the three names with which NumPy writes an
array; those become the inert records below, and the array is built here from checked bytes.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from linmodel.errors import LONGEST, InvalidInput

LARGEST = 2**29  # bytes; the largest published file has 155 million


class _Dtype:
    def __init__(self, code: object = None, *_: object) -> None:
        self.code = code

    def __setstate__(self, state: object) -> None:
        """Byte order and the rest: of no meaning for single bytes."""


class _Array:
    state: Any = None

    def __setstate__(self, state: object) -> None:
        self.state = state


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _encode(text: object, encoding: object = None) -> bytes:
    """How newer Pythons write bytes in old protocols: latin-1 text, nothing else."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError("asks for a codec other than latin-1")
    return text.encode("latin-1")


ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _Inert(pickle._Unpickler):  # the readable twin of Unpickler
    """Keys are words or numbers: hashing a tuple of tuples that share parts could take for ever."""

    dispatch: ClassVar[dict] = dict(pickle._Unpickler.dispatch)
    stack: list
    pop_mark: Callable[[], list]
    encoded = 0

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"asks for {module}.{name}, which is never run")
        return self.encode if name == "encode" else ALLOWED[module, name]

    def encode(self, text: object, encoding: object = None) -> bytes:
        """`_encode`, for at most LARGEST bytes in all: one text can be named many times."""
        made = _encode(text, encoding)
        self.encoded += len(made)
        if self.encoded > LARGEST:
            raise pickle.UnpicklingError("swells beyond the size of any published file")
        return made

    def set_items(self, items: list) -> None:
        keys = items[::2]
        if not all(isinstance(key, bytes | str | int) for key in keys):
            raise pickle.UnpicklingError("has keys that are neither words nor numbers")
        self.stack[-1].update(zip(keys, items[1::2], strict=True))

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.stack.append({})
        self.set_items(items)

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.set_items([key, value])

    def refuse_set(self) -> None:
        raise pickle.UnpicklingError("holds a set, which no published file does")

    dispatch[pickle.DICT[0]] = load_dict
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = lambda self: self.set_items(self.pop_mark())
    for _code in (pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET):
        dispatch[_code[0]] = refuse_set

    def persistent_load(self, pid: object) -> Any:
        raise pickle.UnpicklingError("asks for an outside object, which is never loaded")


def read_inert(path: Path) -> Any:
    """The value pickled in `path`, its uint8 arrays as NumPy arrays; text of Python 2 as bytes.

    Raises InvalidInput when the file is missing, truncated, too large, or asks for any code to run.
    """
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise InvalidInput(f"{path} is missing or larger than {LARGEST} bytes.")
    try:
        return _arrays(_Inert(io.BytesIO(path.read_bytes()), encoding="bytes").load())
    except InvalidInput:
        raise
    # A broken pickle can raise almost anything: all of it means that the file is not to be used.
    except Exception as error:
        raise InvalidInput(
            f"{path} is truncated or not a data pickle ({str(error)[:LONGEST]})."
        ) from error


def _arrays(value: Any) -> Any:
    """Plain containers with each array record replaced by the array; shared ones done once."""
    done: dict[int, Any] = {}

    def walk(value: Any) -> Any:
        if not isinstance(value, dict | _Array):
            return value
        if id(value) not in done:
            done[id(value)] = value  # a dictionary that holds itself ends here
            made = (
                _build(value.state)
                if isinstance(value, _Array)
                else {key: walk(item) for key, item in value.items()}
            )
            done[id(value)] = made
        return done[id(value)]

    return walk(value)


def _build(state: Any) -> np.ndarray:
    """NumPy's (version, shape, dtype, fortran order, bytes), for unsigned bytes only."""
    _, shape, dtype, fortran, content = state
    code = dtype.code.decode() if isinstance(dtype.code, bytes) else dtype.code
    if code != "u1" or not isinstance(content, bytes):
        came = code if isinstance(code, str) else type(code).__name__
        raise InvalidInput(f"a pickled array has dtype {came}; allowed: u1 (unsigned bytes).")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape, order="F" if fortran else "C")
