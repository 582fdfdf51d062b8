"""The gallery of a search written to a file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from linmodel.files import write_bytes
from realnet.data.samples import Samples
from realnet.signals.answer import Answer
from realnet.signals.gallery import Ends, gallery

DPI = 110


def draw(
    file: Path, samples: Samples, signals: Sequence[Answer], class_names: Sequence[str] | None
) -> str:
    """Both ends of each signal found; says what was written, or why nothing was."""
    found = [one for one in signals if one.found]
    if samples.is_text or not found:
        return "no gallery: " + ("text has no pictures" if samples.is_text else "no signal found")
    names = class_names or [str(label) for label in range(samples.n_classes)]
    ends = [
        Ends(f"{one.mode}, p = {one.p_value:.2g}: {one.sentence}", np.array(one.plus),
             np.array(one.minus))
        for one in found
    ]  # fmt: skip
    figure = gallery(_as_seen(samples), ends, [names[label] for label in samples.labels])
    content = io.BytesIO()
    figure.savefig(content, dpi=DPI, format="png")
    return f"wrote {write_bytes(file, content.getvalue())}"


def _as_seen(samples: Samples) -> np.ndarray:
    """Images before they were standardised, where it is known how they were."""
    given = samples.provenance
    if "mean" not in given or "sd" not in given:
        return samples.inputs
    mean, sd = (np.reshape(given[key], (1, -1, 1, 1)) for key in ("mean", "sd"))
    return np.clip(samples.inputs * sd + mean, 0, 1)
