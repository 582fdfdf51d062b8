"""Evidence as by `evidence`, K eigenvectors (2) at four looks, kept among the run's curves."""

from __future__ import annotations

import numpy as np
import xarray as xr

from realnet.config import TrainConfig
from realnet.signals.evidence import Evidence
from realnet.signals.kept import with_evidence

LOOKS = 4
FIRST = 0.4  # of the steps: before, descent is not yet at the edge


class KeptEvidence(Evidence):
    """Evidence that goes into the curves."""

    name = "evidence_kept"

    def add_to(self, curves: xr.Dataset) -> xr.Dataset:
        """All that was recorded, see `realnet.signals.kept`."""
        return with_evidence(curves, self.dataset()) if self.looks and self.task else curves


def make(number: int | None, config: TrainConfig) -> KeptEvidence:
    """`number` is K, the eigenvectors at a look."""
    looks = np.unique(np.linspace(FIRST, 1.0, LOOKS) * config.steps).round().astype(int)
    return KeptEvidence(
        directions=number or 2,
        checkpoints=looks.tolist(),
        step_size=config.step_size,
        tolerance=config.tolerance,
        seed=config.seed,
    )
