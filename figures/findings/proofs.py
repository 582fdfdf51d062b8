"""How much of the theory a machine has checked."""

from __future__ import annotations

from figures.cache import Datasets
from figures.findings.model import SIZE, Found
from figures.ledger import FAMILIES, TILES
from figures.style import label_axes, panels


def verdicts(datasets: Datasets) -> Found:
    """Claims by family and verdict, counted."""
    table = datasets["claims"]
    names = [str(name) for name in table.claim.values]
    found = table.verdict.values.tolist()
    figure, axes = panels(1, 1, SIZE)
    panel = axes[0, 0]
    families = [letter for letter in FAMILIES if any(name[0] == letter for name in names)]
    for place, letter in enumerate(families):
        left = 0
        for verdict, (fill, ink) in TILES.items():
            count = sum(n[0] == letter and v == verdict for n, v in zip(names, found, strict=True))
            if count:
                panel.barh(place, count, left=left, color=fill, edgecolor="#777777")
                panel.text(left + count / 2, place, str(count), color=ink, ha="center", va="center")
                left += count
    panel.set_yticks(range(len(families)), [FAMILIES[letter] for letter in families])
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
