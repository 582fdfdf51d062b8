"""What an evaluation of the sharpness costs, ours and peers', as `make bench` measured it.

`python -m figures.tracking_costs` rewrites the table of docs/benchmarks.md between its markers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

from figures.dots import dots_panel
from figures.style import label_axes, panels
from figures.table import Table, number
from linmodel.errors import InvalidInput
from linmodel.files import write_text

BEGIN = "<!-- costs: written by python -m figures.tracking_costs docs/benchmarks.md -->"
END = "<!-- end of costs -->"
WORKLOADS = {
    "digits-ce": "MLP on all digits, cross-entropy, step size 2/50",
    "digits-mse": "the same, squared loss",
    "digits-edge": "the same at the edge, step size 2/6",
    "photos-cnn": "CNN on colour photographs, cross-entropy",
    "mlp-1e5-ce": "MLP 784-144-144-10 on Fashion-MNIST, cross-entropy",
    "mlp-1e5-smooth": "the same on MNIST, squared loss, far below the edge",
    "mlp-1e5-edge": "the same on Fashion-MNIST at the edge",
    "mlp-1e5-chunks": "the same in four chunks",
    "mlp-1e6-ce": "MLP 784-700-700-10 on MNIST, cross-entropy",
    "mlp-1e6-smooth": "the same on Fashion-MNIST, squared loss, far below the edge",
    "mlp-1e6-edge": "the same at the edge",
    "mlp-1e7": "MLP 784-2790-2790-10 on Fashion-MNIST, squared loss, far below the edge",
    "gpt-1e6": "GPT on characters of Moby-Dick",
}
HEADING = [
    "workload", "method", "gradients", "cold", "products", "processor s", "wall s",
    "memory", "worst error", "missed",
]  # fmt: skip
AGAINST = [
    "workload", "ours", "missed", "eigsh, cheapest right", "ours over it",
    "memory: ours; eigsh, ncv=6",
]  # fmt: skip
EIGSH = "eigsh, our products, warm, ncv="


def measured(found: dict) -> dict[str, dict]:
    """The workloads of a result, in the order of WORKLOADS."""
    loads = {name: row for name, row in found.items() if "methods" in row}
    return {name: loads[name] for name in (*WORKLOADS, *loads) if name in loads}


def rows(found: dict) -> list[list[str]]:
    """A line a workload and method: means of warm evaluations over all seeds, the worst of all."""
    return [
        [name, method, *_cells(row)]
        for name, load in measured(found).items()
        for method, row in load["methods"].items()
    ]


def _cells(row: dict) -> list[str]:
    if "left_out" in row:
        return [row["left_out"], *["–"] * (len(HEADING) - 3)]
    memory = "–" if row["memory"] is None else f"{row['memory']:.0f}"
    costs = (f"{row[name]:.1f}" for name in ("gradients", "cold_gradients", "products"))
    seconds = (number(row[name]) for name in ("cpu", "wall"))
    missed = f"{row['missed']} of {row['evaluations']}"
    return [*costs, *seconds, memory, f"{row['worst_error']:.0e}", missed]


def against(found: dict) -> list[list[str]]:
    """Ours over eigsh at its cheapest setting that was right at every point of every seed.

    Memory: of ours; of eigsh with 6 vectors.
    """
    lines = []
    for name, load in measured(found).items():
        ours, peers = load["methods"]["ours"], load["methods"]
        missed = f"{ours['missed']} of {ours['evaluations']}"
        right = {
            who.removeprefix(EIGSH).partition(",")[0]: one["gradients"]
            for who, one in peers.items()
            if who.startswith(EIGSH) and one.get("accurate")
        }
        ncv = min(right, key=right.__getitem__, default=None)
        best = "none right" if ncv is None else f"{right[ncv]:.1f} (ncv={ncv})"
        ratio = "–" if ncv is None else f"{ours['gradients'] / right[ncv]:.2f}"
        held = [one["memory"] for who, one in peers.items() if who == "ours" or EIGSH + "6" in who]
        memory = "–" if None in held else "; ".join(f"{size:.0f}" for size in held)
        lines.append([name, f"{ours['gradients']:.1f}", missed, best, ratio, memory])
    return lines


def about(found: dict) -> list[str]:
    """A sentence a workload: what it is."""
    return [
        f"{name}: {WORKLOADS.get(name, name)}; {load['parameters']:,} parameters, "
        f"{load['samples']:,} samples, seeds {', '.join(map(str, load['seeds']))}, sharpness "
        f"{load['sharpness'][0]:.3g} to {load['sharpness'][1]:.3g} "
        f"(2/η {load['two_over_eta']:.3g}), gap to the second "
        f"{load['gap_least']:.1%} at least, median {load['gap_median']:.1%}, "
        f"a gradient {number(load['gradient_seconds'])} s"
        for name, load in measured(found).items()
    ]


def section(found: dict) -> tuple[str, list[Table], Figure]:
    """Caption, table and picture for the report."""
    loads = measured(found)
    caption = (
        "Cost of one warm evaluation of the sharpness along training, in gradients of the same "
        "network and data (mean over all seeds; hollow: some evaluation is off by more than 1e-3, "
        "relative to the true eigenvalue). " + "; ".join(about(found)) + "."
    )
    height = sum(0.3 * len(load["methods"]) + 1.1 for load in loads.values())
    drawn, axes = panels(len(loads), 1, (9, height))
    for panel, (name, load) in zip(axes.flat, loads.items(), strict=True):
        known = {who: one for who, one in load["methods"].items() if "accurate" in one}
        cost = {who: one["gradients"] for who, one in known.items()}
        dots_panel(panel, cost, [one["accurate"] for one in known.values()])
        label_axes(panel, "gradients an evaluation", "", name)
    return caption, [Table("Top Hessian eigenvalue along training", HEADING, rows(found))], drawn


def markdown(found: dict) -> str:
    """The tables of docs/benchmarks.md: ours against eigsh, the workloads, and every method."""
    workloads = "\n".join(f"- {line}" for line in about(found))
    return "\n\n".join([_table(AGAINST, against(found)), workloads, _table(HEADING, rows(found))])


def _table(heading: list[str], lines: list[list[str]]) -> str:
    return "\n".join(
        "| " + " | ".join(line) + " |" for line in [heading, ["---"] * len(heading), *lines]
    )


def with_table(text: str, found: dict) -> str:
    """`text` with the lines between the markers replaced; InvalidInput without the markers."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise InvalidInput(f"the text lacks the markers {BEGIN!r} and {END!r}: put them back.")
    return f"{head}{BEGIN}\n{markdown(found)}\n{END}{tail}"


if __name__ == "__main__":
    made = Path(__file__).parent / "curves" / "bench_curvature.json"
    page = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/benchmarks.md")
    table = with_table(page.read_text(encoding="utf-8"), json.loads(made.read_text("utf-8")))
    write_text(page, table)
