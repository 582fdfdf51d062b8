"""Real networks: training with trustworthy sharpness, opposing signals, the bridge to the theory.

Imports without torch; a name that needs torch says which extra to install when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from realnet.config import TrainConfig
from realnet.training.runfolder import load_run

_LAZY = {
    "train": "realnet.training.train",
    "SharpnessTracker": "realnet.curvature.tracker",
    "top_eigenpairs": "realnet.curvature.tracker",
    "layer_sharpness": "realnet.curvature.parts",
    "sample_curvature": "realnet.curvature.parts",
    "build_network": "realnet.networks",
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
    "build_network",
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
