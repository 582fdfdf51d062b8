"""Evidence for opposing groups: losses of single samples, K eigenvectors (4) at twelve looks."""

from __future__ import annotations

from realnet.config import TrainConfig
from realnet.signals.evidence import Evidence, checkpoint_steps

LOOKS = 12


def make(number: int | None, config: TrainConfig) -> Evidence:
    """`number` is K, the eigenvectors at a look; looks are dense early in the run."""
    chosen = checkpoint_steps(config.steps, LOOKS).tolist()
    return Evidence(
        directions=number or 4,
        checkpoints=chosen,
        step_size=config.step_size,
        seed=config.seed,
    )
