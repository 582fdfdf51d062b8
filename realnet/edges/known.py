"""All quantities by name, with their usual options: what `evaluate(which=[...])` takes."""

from __future__ import annotations

from collections.abc import Iterable

from linmodel.errors import refuse
from realnet.edges.batch import BatchSharpness, GradientNoise
from realnet.edges.critical import Critical
from realnet.edges.directional import AlongGroup, AlongUpdate
from realnet.edges.gauss_newton import GaussNewton
from realnet.edges.hessian import LargestMagnitude, MostNegative, Top
from realnet.edges.history import PARTS, UNITS
from realnet.edges.preconditioned import Preconditioned
from realnet.edges.quantity import Quantity
from realnet.edges.spectrum import Density, Trace

BY_NAME = {
    "sharpness": Top,
    "top": Top,
    "negative": MostNegative,
    "magnitude": LargestMagnitude,
    "preconditioned": Preconditioned,
    "critical": Critical,
    "update": AlongUpdate,
    "trace": Trace,
    "density": Density,
}
WITH_OPTIONS = {
    "batch_sharpness": BatchSharpness,
    "gradient_noise": GradientNoise,
    "gauss_newton": GaussNewton,
    "group": AlongGroup,
}


def quantities(which: Iterable[str | Quantity] | str | Quantity) -> tuple[Quantity, ...]:
    """Each name's quantity, objects as they are. Raises InvalidInput: unknown, or twice."""
    given = [which] if isinstance(which, str) or hasattr(which, "measure") else which
    if not isinstance(given, Iterable):
        refuse("which", type(which).__name__, "a list of names or quantities")
    found = tuple(_one(each) for each in given)
    names = [each.name for each in found]
    if not names or len(set(names)) != len(names):
        refuse("which", names, "at least one quantity, each name once")
    stems = {*BY_NAME, *WITH_OPTIONS, *names}
    taken = [name for name in names if _column(name, stems)]
    taken += [name for name in names if name in ("", "time", *UNITS) or "/" in name]
    if taken:
        allowed = "a name without '/' that is no column of the history (time, step, loss, ...)"
        refuse("a quantity's name", taken[0], allowed)
    return found


def _column(name: str, stems: set[str]) -> bool:
    """Whether the history has a column of this name for one of these quantities."""
    stem, _, part = name.rpartition("_")
    return stem in stems and (part in (*PARTS, "converged") or part.isdigit())


def _one(each: object) -> Quantity:
    if isinstance(each, str):
        if each in BY_NAME:
            return BY_NAME[each]()
        if each in WITH_OPTIONS:
            kind = WITH_OPTIONS[each].__name__
            refuse("which", each, f"a {kind}(...) with its options, from realnet.edges.known")
    elif not isinstance(each, type) and hasattr(each, "measure") and hasattr(each, "name"):
        return each  # type: ignore[return-value]
    names = ", ".join([*BY_NAME, *WITH_OPTIONS])
    refuse("which", each, f"a quantity, or one of {names}")
