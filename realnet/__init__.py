"""Real networks: training with trustworthy sharpness, opposing signals, the bridge to the theory.

Imports without torch; a name that needs torch says which extra to install when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from realnet.config import TrainConfig
from realnet.training.runfolder import load_run

if TYPE_CHECKING:
    from realnet.curvature.parts import layer_sharpness, sample_curvature
    from realnet.curvature.tracker import SharpnessTracker, top_eigenpairs
    from realnet.edges.batch import BatchSharpness, GradientNoise
    from realnet.edges.callbacks import hugging_face_callback, lightning_callback
    from realnet.edges.critical import Critical
    from realnet.edges.directional import AlongGroup, AlongUpdate
    from realnet.edges.gauss_newton import GaussNewton
    from realnet.edges.hessian import LargestMagnitude, MostNegative
    from realnet.edges.preconditioned import Preconditioned
    from realnet.edges.spectrum import Density, Trace
    from realnet.networks import build_network
    from realnet.signals.answer import answers
    from realnet.signals.evidence import Evidence
    from realnet.signals.graded import find_graded_signals
    from realnet.signals.groups import find_opposing_groups
    from realnet.signals.study import observe, study
    from realnet.training.run import Run
    from realnet.training.train import train

_LAZY = {
    "train": "realnet.training.train",
    "SharpnessTracker": "realnet.curvature.tracker",
    "top_eigenpairs": "realnet.curvature.tracker",
    "layer_sharpness": "realnet.curvature.parts",
    "sample_curvature": "realnet.curvature.parts",
    "build_network": "realnet.networks",
    "AlongGroup": "realnet.edges.directional",
    "AlongUpdate": "realnet.edges.directional",
    "BatchSharpness": "realnet.edges.batch",
    "hugging_face_callback": "realnet.edges.callbacks",
    "lightning_callback": "realnet.edges.callbacks",
    "Critical": "realnet.edges.critical",
    "Density": "realnet.edges.spectrum",
    "GaussNewton": "realnet.edges.gauss_newton",
    "GradientNoise": "realnet.edges.batch",
    "LargestMagnitude": "realnet.edges.hessian",
    "MostNegative": "realnet.edges.hessian",
    "Preconditioned": "realnet.edges.preconditioned",
    "Trace": "realnet.edges.spectrum",
    "answers": "realnet.signals.answer",
    "find_graded_signals": "realnet.signals.graded",
    "find_opposing_groups": "realnet.signals.groups",
    "Evidence": "realnet.signals.evidence",
    "Run": "realnet.training.run",
    "observe": "realnet.signals.study",
    "study": "realnet.signals.study",
}

__all__ = [
    "AlongGroup",
    "AlongUpdate",
    "BatchSharpness",
    "Critical",
    "Density",
    "Evidence",
    "GaussNewton",
    "GradientNoise",
    "LargestMagnitude",
    "MostNegative",
    "Preconditioned",
    "Run",
    "SharpnessTracker",
    "Trace",
    "TrainConfig",
    "answers",
    "build_network",
    "find_graded_signals",
    "find_opposing_groups",
    "hugging_face_callback",
    "layer_sharpness",
    "lightning_callback",
    "load_run",
    "observe",
    "sample_curvature",
    "study",
    "top_eigenpairs",
    "train",
]


if not TYPE_CHECKING:  # for a type checker a misspelt name should be an error

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module 'realnet' has no attribute {name!r}")
        from linmodel.extra import require

        tracking = _LAZY[name].startswith(("realnet.curvature", "realnet.edges"))
        require(f"realnet.{name}", "track" if tracking else "realnet", "torch")
        return getattr(import_module(_LAZY[name]), name)
