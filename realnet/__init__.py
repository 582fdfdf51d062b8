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
    "answers": "realnet.signals.answer",
    "find_graded_signals": "realnet.signals.graded",
    "find_opposing_groups": "realnet.signals.groups",
    "Evidence": "realnet.signals.evidence",
    "Run": "realnet.training.run",
    "observe": "realnet.signals.study",
    "study": "realnet.signals.study",
}

__all__ = [
    "Evidence",
    "Run",
    "SharpnessTracker",
    "TrainConfig",
    "answers",
    "build_network",
    "find_graded_signals",
    "find_opposing_groups",
    "layer_sharpness",
    "load_run",
    "observe",
    "sample_curvature",
    "study",
    "top_eigenpairs",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'realnet' has no attribute {name!r}")
    from realnet.extra import need_torch

    need_torch(f"realnet.{name}")
    return getattr(import_module(_LAZY[name]), name)
