"""Real networks: training with trustworthy sharpness, opposing signals, the bridge to the theory.

Imports without torch; a name that needs torch says which extra to install when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from realnet.config import TrainConfig
from realnet.runfolder import load_run

_LAZY = {
    "train": "realnet.training",
    "SharpnessTracker": "realnet.curvature",
    "top_eigenpairs": "realnet.curvature",
    "layer_sharpness": "realnet.curvature_parts",
    "sample_curvature": "realnet.curvature_parts",
    "build_network": "realnet.networks",
    "observe": "realnet.signal_evidence",
    "study": "realnet.signal_gradients",
}

__all__ = [
    "SharpnessTracker",
    "TrainConfig",
    "build_network",
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
