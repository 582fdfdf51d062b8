"""The findings in order, made of what the report has; what it lacks is left out, and counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from figures import benchmarks
from figures.cache import Datasets
from figures.described import described
from figures.experiments.kit.scales import honest
from figures.experiments.kit.shown import CURVES, finished
from figures.findings import model, network, proofs
from figures.page import Finding
from figures.style import svg_text
from realnet.experiments.kit.results import load_result

# A figure's name, and what is made of its data.
FIGURES: tuple[tuple[str, Callable[[Datasets], Any]], ...] = (
    ("edge", model.dip_and_rise),
    ("edge", model.flatter_end),
    ("oscillation", model.antiphase),
    ("ledger", proofs.verdicts),
    ("sweeps", model.every_problem),
    ("overview", network.edge_of_stability),
    ("bridge", network.forecast),
    ("signals", network.opposing_groups),
)


def findings(data: Mapping[str, Datasets], curves: Path = CURVES) -> list[Finding]:
    """The first page's findings from the figures' data (by name) and the finished experiments."""
    made = []
    for name, make in FIGURES:
        if name in data and (found := make(data[name])) is not None:
            made.append(_finding(found, name))
    if "decisive_strong" in finished(curves):
        found = network.removal(honest(load_result(curves, "decisive_strong")))
        made.append(_finding(found, "experiment-decisive_strong"))
    if (there := benchmarks.read(benchmarks.SWEEP)) is not None:
        made.append(_finding(network.speed(there[0]), "bench-sweep"))
    return made


def _finding(found: model.Found, anchor: str) -> Finding:
    sentence, figure = found
    return Finding(sentence, svg_text(figure), described(figure), anchor, "how it was found")
