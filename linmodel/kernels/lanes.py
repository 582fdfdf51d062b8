"""Formulas written once, run three ways: on NumPy rows, on torch tensors, and as SIMD machine code.

A formula is a plain Python function f(xp, *rows) -> list of rows that uses + - * / and `xp`'s
sqrt, exp, maximum, minimum, absolute, where. `compiled(f)` traces it once into straight-line
LLVM code on vectors of doubles (one lane, one cell) that numba functions can call; with
`NUMPY` the same f is its own naive twin.
"""

from __future__ import annotations

import functools
import hashlib
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from linmodel.errors import notice
from linmodel.extra import require

require("the compiled part of linmodel (sweeps, the bridge)", "sweep", "numba")

import numba  # noqa: E402
from llvmlite import ir  # noqa: E402
from numba import types  # noqa: E402
from numba.core import cgutils, event  # noqa: E402
from numba.extending import intrinsic  # noqa: E402

# Cells advanced abreast: two AVX-512 registers, four AVX2 ones.
LANES = 16

_DOUBLE, _INTEGER = ir.DoubleType(), ir.IntType(64)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_EXP_DEGREE = 11


# What a formula may call, on NumPy rows.
NUMPY = SimpleNamespace(
    sqrt=np.sqrt,
    exp=np.exp,
    maximum=np.maximum,
    minimum=np.minimum,
    absolute=np.abs,
    where=np.where,
    # The largest value over the lanes, in every lane.
    across=lambda row: np.full_like(row, row.max()),
)


class _Lanes:
    """One traced value: a double for each lane, or a truth value after a comparison."""

    def __init__(self, trace: _Trace, value: ir.Value):
        self.trace, self.value = trace, value

    def _binary(self, name: str, other: object, swap: bool = False) -> _Lanes:
        left, right = self.value, self.trace.row(other)
        if swap:
            left, right = right, left
        build = getattr(self.trace.builder, name)
        return _Lanes(self.trace, build(left, right, flags=("contract",)))

    def _compare(self, sign: str, other: object) -> _Lanes:
        build = self.trace.builder.fcmp_ordered
        return _Lanes(self.trace, build(sign, self.value, self.trace.row(other)))

    def __add__(self, other):
        return self._binary("fadd", other)

    def __sub__(self, other):
        return self._binary("fsub", other)

    def __mul__(self, other):
        return self._binary("fmul", other)

    def __truediv__(self, other):
        return self._binary("fdiv", other)

    def __rsub__(self, other):
        return self._binary("fsub", other, swap=True)

    def __rtruediv__(self, other):
        return self._binary("fdiv", other, swap=True)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return 0.0 - self

    def __lt__(self, other):
        return self._compare("<", other)

    def __gt__(self, other):
        return self._compare(">", other)


class _Trace:
    """The same calls as `NUMPY`, writing LLVM code instead of computing."""

    def __init__(self, builder: ir.IRBuilder, lanes: int):
        self.builder, self.lanes = builder, lanes
        self.kind = ir.VectorType(_DOUBLE, lanes)
        self.integers = ir.VectorType(_INTEGER, lanes)

    def row(self, value: object) -> ir.Value:
        if isinstance(value, _Lanes):
            return value.value
        return ir.Constant(self.kind, [float(value)] * self.lanes)  # type: ignore[arg-type]

    def _call(self, name: str, *rows: object) -> _Lanes:
        kind = ir.FunctionType(self.kind, [self.kind] * len(rows))
        name = f"{name}.v{self.lanes}f64"
        declared = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return _Lanes(self, self.builder.call(declared, [self.row(value) for value in rows]))

    def sqrt(self, value):
        return self._call("llvm.sqrt", value)

    def absolute(self, value):
        return self._call("llvm.fabs", value)

    def where(self, truth, left, right):
        chosen = self.builder.select(truth.value, self.row(left), self.row(right))
        return _Lanes(self, chosen)

    def maximum(self, left, right):
        return self.where(left > right, left, right)

    def minimum(self, left, right):
        return self.where(left < right, left, right)

    def across(self, row):
        """The largest value over the lanes, in every lane."""
        width = self.lanes
        while width > 1:
            width //= 2
            order = [(lane + width) % self.lanes for lane in range(self.lanes)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), order)
            turned = self.builder.shuffle_vector(row.value, row.value, mask)
            row = self.maximum(row, _Lanes(self, turned))
        return row

    def exp(self, value):
        """e^x to 1e-15 for |x| < 700: 2^m e^r, |r| <= ln(2)/2, r's series to degree 11."""
        value = self.maximum(value, -700.0)
        whole = self._call("llvm.rint", value * (1 / math.log(2)))
        rest = value - whole * _LN2_HIGH - whole * _LN2_LOW
        series = horner([1 / math.factorial(degree) for degree in range(_EXP_DEGREE + 1)], rest)
        power = self.builder.fptosi(whole.value, self.integers)
        shift = ir.Constant(self.integers, [52] * self.lanes)
        bits = self.builder.bitcast(series.value, self.integers)
        scaled = self.builder.add(bits, self.builder.shl(power, shift))
        return _Lanes(self, self.builder.bitcast(scaled, self.kind))


def _digest() -> str:
    """Fingerprint of the kernels' source: numba's cache would miss an edit in another file."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_DIGEST = _digest()


@functools.cache  # once, not for each kernel
def _say_that_nothing_is_kept() -> None:
    notice(
        "no folder for compiled kernels can be written: each process compiles them anew"
        " (tens of seconds). Set NUMBA_CACHE_DIR to a folder that you can write."
    )


@functools.cache  # once a process; nothing, where the compiled loops are on disk already
def _say_that_it_compiles() -> None:
    if sys.stderr is not None:
        print("linmodel: compiling (once; about ten seconds)", file=sys.stderr, flush=True)


class _Compiling(event.Listener):
    """Hears numba compile, not load, a kernel."""

    def on_start(self, happens: event.Event) -> None:
        if happens.data["dispatcher"].py_func.__qualname__.endswith(_DIGEST):
            _say_that_it_compiles()

    def on_end(self, happens: event.Event) -> None:
        """Nothing to say."""


event.register("numba:compile", _Compiling())


def kernel(function: Callable) -> Callable:
    """numba.njit as all kernels use it: releases the GIL, no exceptions, cached on disk.

    Where no folder for the cache can be written, kernels are compiled anew in every process.
    """
    function.__qualname__ += f"_{_DIGEST}"
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba's word for "no place for a cache"
        _say_that_nothing_is_kept()
        return numba.njit(nogil=True, error_model="numpy")(function)


def horner(coefficients: Sequence, x):
    """sum_i coefficients[i] x^i; works on rows, floats and arrays alike."""
    total = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def compiled(formula: Callable, inputs: int, lanes: int = LANES) -> Callable:
    """`formula(xp, x, *rows)` as a call f(x, source, target) for use inside numba functions.

    x is a float handed to the formula in every lane; source and target are C-contiguous float64
    arrays of shape (rows, lanes). Reads `inputs` rows of source, writes one row of target for
    each row that the formula returns.
    """

    name = f"lanes_{formula.__module__}_{formula.__name__}_{inputs}"
    pointer = ir.VectorType(_DOUBLE, lanes).as_pointer()

    @intrinsic
    def call(typing_context, x, source, target):
        def generate(context, builder, signature, arguments):
            kind = ir.FunctionType(ir.VoidType(), [_DOUBLE, pointer, pointer])
            body = cgutils.get_or_insert_function(builder.module, kind, name)
            if not body.blocks:
                body.linkage = "internal"
                # One copy of long straight-line code: inlining it would cost compile time only.
                body.attributes.add("noinline")
                _define(body, formula, inputs, lanes)
            rows = [
                context.make_array(array)(context, builder, value).data
                for array, value in zip(signature.args[1:], arguments[1:], strict=True)
            ]
            builder.call(body, [arguments[0], *(builder.bitcast(row, pointer) for row in rows)])
            return context.get_dummy_value()

        return types.void(x, source, target), generate

    return call


def _define(body: ir.Function, formula: Callable, inputs: int, lanes: int) -> None:
    builder = ir.IRBuilder(body.append_basic_block())
    trace = _Trace(builder, lanes)
    x, read, write = body.args
    one = builder.insert_element(ir.Constant(trace.kind, ir.Undefined), x, _index(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    everywhere = _Lanes(trace, builder.shuffle_vector(one, one, zeros))
    rows = [
        _Lanes(trace, builder.load(builder.gep(read, [_index(place)]), align=8))
        for place in range(inputs)
    ]
    for place, row in enumerate(formula(trace, everywhere, *rows)):
        builder.store(trace.row(row), builder.gep(write, [_index(place)]), align=8)
    builder.ret_void()


def _index(place: int) -> ir.Constant:
    return ir.Constant(ir.IntType(32), place)
