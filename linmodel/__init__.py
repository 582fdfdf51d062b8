"""The two-layer linear model of opposing signals: flow, descent, sharpness, bounds, sweeps.

What a problem is, and where it starts:
    OpposingSignals      the problem: alpha, beta_norm, k, and the data's law
    State                the reduced state (c, epsilon, n, o), one or a batch
    Parameters           the full network (c, b, b_o)
    Frame                the directions that `expand` rebuilds the network from
    Samples              x, x_o, y and the group of each sample
    draw                 samples of the data model
    reduce               the network's reduced state, and its frame (M5)
    expand               the network of a reduced state: the inverse of `reduce`
    standard_parameters  one draw of the standard initialisation
    standard_state       the same, reduced

At one state (M1, M9, H1):
    loss                 loss above its minimum, factor 1/2
    group_losses         mean losses of the two groups of outliers
    gradient             gradient of the loss
    velocity             right-hand side of the flow, -gradient
    opposing_curvature   alpha c^2
    sharpness            largest eigenvalue of the Hessian
    hessian_spectrum     all eigenvalues with their multiplicities
    Spectrum             what `hessian_spectrum` returns

In time, as an xarray.Dataset:
    gradient_flow        the flow to tolerance, with the dip and the crossing of 2/eta
    closed_form          the flow where it has a closed form (M8)
    gradient_descent     descent with log|o| (G1)
    sweep                flow or descent for every cell of a grid: in memory, to Zarr, on a cluster

Modules, imported when asked for:
    asymptotics          large alpha: time and depth of the dip, time of the crossing (F13)
    bounds               the flow's limit, floors, ceilings and times, one function a statement
    central_flow         the time average of descent at the edge of stability (G6)
    certified            intervals that contain the flow, proved in Arb
    decay                weight decay: kappa along the flow, and the minimum (G11)
    deep                 balanced networks of any depth (F14)
    drift                what steps of descent do to kappa (G8)
    edges                the edge of stability of other optimisers (G9, G10)
    envelope             two-sided bounds of the flow in closed form (F11)
    network              general spectra, and the full network under other optimisers
    phases               what descent does past the edge: settle, be thrown, oscillate, diverge
    settling             where descent is proved to settle or to diverge (G4e, G4f, G4g)
    strategies           hypothesis strategies for your own tests (needs hypothesis)

What can go wrong:
    InvalidInput         what came, what is allowed, what to do
    FlowFailed           the integrator stopped early
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import linmodel.interrupt  # noqa: F401  first: signals during the other imports are one line, too
from linmodel.closed_form import closed_form
from linmodel.data import Samples, draw
from linmodel.descent import gradient_descent
from linmodel.errors import FlowFailed, InvalidInput
from linmodel.flow import gradient_flow
from linmodel.landscape import (
    Spectrum,
    gradient,
    group_losses,
    hessian_spectrum,
    loss,
    opposing_curvature,
    sharpness,
    velocity,
)
from linmodel.problem import OpposingSignals, State
from linmodel.reduction import (
    Frame,
    Parameters,
    expand,
    reduce,
    standard_parameters,
    standard_state,
)
from linmodel.store import versions

if TYPE_CHECKING:
    from linmodel import asymptotics as asymptotics
    from linmodel import bounds as bounds
    from linmodel import central_flow as central_flow
    from linmodel import certified as certified
    from linmodel import decay as decay
    from linmodel import deep as deep
    from linmodel import drift as drift
    from linmodel import edges as edges
    from linmodel import envelope as envelope
    from linmodel import network as network
    from linmodel import phases as phases
    from linmodel import settling as settling
    from linmodel import strategies as strategies
    from linmodel.sweeps.running import sweep

    __version__: str

# Compiled code, which needs numba: imported when asked for.
_LAZY = {"sweep": "linmodel.sweeps.running"}
# Not in __all__: `from linmodel import *` should not need hypothesis, nor wait for Arb.
_MODULES = (
    "asymptotics",
    "bounds",
    "central_flow",
    "certified",
    "decay",
    "deep",
    "drift",
    "edges",
    "envelope",
    "network",
    "phases",
    "settling",
    "strategies",
)

__all__ = [
    "FlowFailed",
    "Frame",
    "InvalidInput",
    "OpposingSignals",
    "Parameters",
    "Samples",
    "Spectrum",
    "State",
    "closed_form",
    "draw",
    "expand",
    "gradient",
    "gradient_descent",
    "gradient_flow",
    "group_losses",
    "hessian_spectrum",
    "loss",
    "opposing_curvature",
    "reduce",
    "sharpness",
    "standard_parameters",
    "standard_state",
    "sweep",
    "velocity",
]


if not TYPE_CHECKING:  # for a type checker a misspelt name should be an error

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            return versions()["opposing-signals"]
        if name in _LAZY:
            return getattr(import_module(_LAZY[name]), name)
        if name in _MODULES:
            return import_module(f"linmodel.{name}")
        raise AttributeError(f"module 'linmodel' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY, *_MODULES])
