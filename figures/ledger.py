"""The ledger at a glance: every claim with its verdict, in one picture."""

from __future__ import annotations

import numpy as np
import xarray as xr
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from figures.cache import Datasets
from figures.mathematics import mathml, prose
from figures.options import Work
from figures.style import mosaic
from figures.table import Table
from linmodel.store import provenance

NAME = "ledger"
TITLE = "The ledger: every statement, and how strong its verdict is"
STATEMENTS: tuple[str, ...] = ()
OPTIONS = ()
CAPTION = (
    "Each tile is a statement, with its verdict below the id. From strong to weak: proved "
    "(for all parameters), certified (enclosure over a box), tested (sampled, never called a "
    "proof), open; refuted means that a counterexample is attached. The table gives "
    "statement, method and evidence."
)
# Fill and text colour; the verdict is also written in the tile. On a dark page white becomes paper
# and black turns light with it; this blue stays (the lines' grows too light for white text).
TILES = {
    "proved": ("#006FB0", "white"),
    "certified": ("#56B4E9", "#111111"),
    "tested": ("#F0E442", "#111111"),
    "open": ("#FFFFFF", "black"),
    "refuted": ("#D55E00", "white"),
    "error": ("#000000", "white"),
}
FAMILIES = {
    "M": "model",
    "H": "Hessian",
    "F": "flow",
    "G": "descent",
    "S": "authors' statements",
    "T": "paper's theorems",
    "E": "others' statements",
}
FIELDS = (
    "title",
    "statement",
    "latex",
    "source",
    "verdict",
    "recorded",
    "method",
    "evidence",
    "function",
)
PER_ROW = 12


def compute(work: Work) -> Datasets:
    """Run every check of the ledger."""
    from proofs_check import run
    from proofs_check.credit import totals

    results = run(each=lambda result: work.report(f"{result.claim.id}: {result.verdict}"))
    columns = {
        name: [
            str(getattr(result, name) if hasattr(result, name) else getattr(result.claim, name))
            for result in results
        ]
        for name in FIELDS
    }
    table = xr.Dataset(
        {name: ("claim", np.array(values, dtype=str)) for name, values in columns.items()},
        coords={"claim": [result.claim.id for result in results]},
        attrs={
            "title": "ledger",
            "credit": totals([result.claim for result in results]),
            **provenance(method="proofs_check"),
        },
    )
    seconds = [result.seconds for result in results]
    table["seconds"] = ("claim", seconds, {"long_name": "time of the check", "units": "s"})
    return {"claims": table}


def draw(datasets: Datasets) -> Figure:
    """Tiles in rows by family of statement."""
    table = datasets["claims"]
    rows = _rows([str(name) for name in table.claim.values])
    figure, axes = mosaic([["tiles"]], (9, 0.75 * len(rows) + 0.9))
    panel = axes["tiles"]
    for i, (family, names) in enumerate(rows):
        panel.text(-0.15, -i - 0.5, family, ha="right", va="center")
        for j, name in enumerate(names):
            verdict = str(table.verdict.sel(claim=name).item())
            fill, ink = TILES.get(verdict, TILES["error"])
            panel.add_patch(
                Rectangle((j, -i - 0.95), 0.94, 0.9, facecolor=fill, edgecolor="#777777")
            )
            panel.text(
                j + 0.47, -i - 0.34, name, ha="center", va="center", color=ink, weight="bold"
            )
            panel.text(j + 0.47, -i - 0.7, verdict, ha="center", va="center", color=ink, fontsize=8)
    panel.set(xlim=(-2.2, PER_ROW + 0.1), ylim=(-len(rows) - 0.1, 0.05))
    panel.set_axis_off()
    counts = {name: int((table.verdict == name).sum()) for name in TILES}
    text = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    panel.set_title(f"{table.sizes['claim']} claims: {text}", loc="left")
    return figure


def words(datasets: Datasets) -> list[str]:
    """Whether every verdict is the recorded one."""
    table = datasets["claims"]
    other = table.claim.values[(table.verdict != table.recorded).values]
    if len(other):
        return [f"Not as recorded: {', '.join(other)}. See `python -m proofs_check`."]
    seconds = float(table.seconds.sum())
    return [
        f"Every verdict is the recorded one; the checks took {seconds:.0f} s in all: "
        f"{table.attrs['credit']}."
    ]


def tables(datasets: Datasets) -> list[Table]:
    """Id, statement, verdict, method, evidence, for every claim."""
    table = datasets["claims"]
    rows = []
    for name in table.claim.values:
        row = table.sel(claim=name)
        texts = [str(row[key].item()) for key in ("verdict", "method", "evidence")]
        rows.append([str(name), _statement(row), *texts])
    anchors = [f"claim-{row[0]}" for row in rows]
    return [Table("", ["id", "statement", "verdict", "method", "evidence"], rows, anchors)]


def _statement(row: xr.Dataset) -> Markup:
    """Title, formula, and the exact words."""
    title, words = escape(str(row["title"].item())), prose(str(row.statement.item()))
    latex = str(row.latex.item()) if "latex" in row else ""
    formula = Markup('<span class="formula">{}</span>').format(mathml(latex)) if latex else ""
    return Markup("<strong>{}</strong> {}{}").format(title, formula, words)


def families(names: list[str]) -> dict[str, list[str]]:
    """Names by what their first letter stands for; an unknown letter is a family of its own."""
    letters = dict.fromkeys([*FAMILIES, *(name[0] for name in names)])
    found = {FAMILIES.get(one, one): [n for n in names if n.startswith(one)] for one in letters}
    return {family: members for family, members in found.items() if members}


def _rows(names: list[str]) -> list[tuple[str, list[str]]]:
    """Names by family, at most PER_ROW in a row; a row's label once."""
    return [
        (family if first == 0 else "", members[first : first + PER_ROW])
        for family, members in families(names).items()
        for first in range(0, len(members), PER_ROW)
    ]
