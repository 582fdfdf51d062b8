"""How much of the theory a machine has checked."""

from __future__ import annotations

from figures.cache import Datasets
from figures.findings.model import SIZE, Found
from figures.ledger import TILES, families
from figures.style import label_axes, panels


def verdicts(datasets: Datasets) -> Found:
    """Claims by family and verdict, counted."""
    table = datasets["claims"]
    names = [str(name) for name in table.claim.values]
    verdict_of = dict(zip(names, table.verdict.values.tolist(), strict=True))
    found = list(verdict_of.values())
    figure, axes = panels(1, 1, SIZE)
    panel = axes[0, 0]
    kinds = families(names)
    for place, members in enumerate(kinds.values()):
        left = 0
        for verdict, (fill, ink) in TILES.items():
            count = sum(verdict_of[name] == verdict for name in members)
            if count:
                panel.barh(place, count, left=left, color=fill, edgecolor="#777777")
                panel.text(left + count / 2, place, str(count), color=ink, ha="center", va="center")
                left += count
    panel.set_yticks(range(len(kinds)), list(kinds))
    panel.invert_yaxis()
    panel.grid(visible=False, axis="y")
    label_axes(panel, "statements", "")
    present = [verdict for verdict in TILES if verdict in found]
    handles = [panel.barh(0, 0, color=TILES[v][0], edgecolor="#777777") for v in present]
    panel.legend(handles, present, loc="lower right")
    counts = {verdict: found.count(verdict) for verdict in present}
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    sentence = (
        f"Of {len(names)} statements about the model, {said}; the paper's Theorems 3.1 and 3.2 are "
        "open rows that wait for their constants. Sampling is never called proof, and each "
        "refutation has a witness that replays."
    )
    return sentence, figure
