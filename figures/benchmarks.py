"""What `make bench` measured, as the report shows it: speed and accuracy beside the peers'.

Reads the JSON files of a run of one's own in build/ if there are any, else those of the project.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from matplotlib.figure import Figure

from figures import tracking_costs
from figures.described import described
from figures.dots import dots_panel
from figures.page import Section
from figures.style import label_axes, panels, svg_text
from figures.table import Table, number

HERE = Path(__file__).resolve().parent
FOLDERS = (HERE.parent / "build", HERE / "curves")
SWEEP, CURVATURE = "bench_sweep.json", "bench_curvature.json"
OPENING = "Made by `make bench`; this page only shows it."
ABSENT = "There is no such measurement here: `make bench` makes it."
# Largest relative error over all cells and times that the sweep's workload allows.
ENOUGH = 1e-8


def read(name: str, folders: tuple[Path, ...] = FOLDERS) -> tuple[dict, str] | None:
    """A benchmark's JSON and a line that says when and on what it was made; None without one."""
    for folder in folders:
        try:
            found = json.loads((folder / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, UnicodeDecodeError, json.JSONDecodeError):
            continue
        made = datetime.fromtimestamp((folder / name).stat().st_mtime, UTC)
        environment = found.get("environment", {})
        when = environment.get("created", made.isoformat(timespec="minutes"))
        machine = environment.get("processor", "unknown processor")
        return found, f"Measured {when} on {environment.get('cores', '?')} cores ({machine})."
    return None


def sections(folders: tuple[Path, ...] = FOLDERS) -> list[Section]:
    """A section for the sweep's benchmark and one for the curvature's, or notes in their place."""
    found = []
    for name, title, make in (
        (SWEEP, "Sweeps against solvers", _sweep),
        (CURVATURE, "Tracking sharpness against other tools", tracking_costs.section),
    ):
        there = read(name, folders)
        anchor = name.removesuffix(".json").replace("_", "-")
        if there is None:
            found.append(Section(anchor, title, note=ABSENT))
        else:
            caption, tables, drawn = make(there[0])
            found.append(
                Section(
                    anchor,
                    title,
                    f"{caption} {there[1]}",
                    tables=tables,
                    svg=svg_text(drawn),
                    alt=described(drawn),
                    command="make bench",
                )
            )
    return found


def _sweep(found: dict) -> tuple[str, list[Table], Figure]:
    mine = found["linmodel.sweep"]
    rows = {"linmodel.sweep": mine, **found["peers"]}
    known = {name: row for name, row in rows.items() if "microseconds" in row}
    descent = found["descent"]
    caption = (
        "Time of one cell of the gradient flow with 200 outputs, one thread, every solver at the "
        f"loosest tolerance at which its largest error over its cells is at most {ENOUGH:g} "
        "(hollow: it does not get there). Ours includes the 200 sharpness values, the peers' "
        "times are of the states alone, on the reduced form unless the name says otherwise. Both "
        f"cores together: {mine['speedup_all_cores']:.2f} times one thread. Descent, "
        f"{descent['cells']:,} cells of {descent['steps']:,} steps: {descent['seconds']:.1f} s of "
        f"processor time, {descent['ratio']:.0f} times less than NumPy. "
    )
    table = [
        [
            name,
            number(row["microseconds"]),
            number(row["microseconds"] / mine["microseconds"]),
            f"{row['error']:.1e}",
            f"{row['cells']:,}",
        ]
        for name, row in known.items()
    ]
    table += [
        [name, row["missing"], "–", "–", "–"] for name, row in rows.items() if name not in known
    ]
    heading = ["solver", "µs a cell", "times ours", "largest relative error", "cells"]
    drawn, axes = panels(1, 1, (8, 0.38 * len(known) + 1.2))
    dots_panel(axes[0, 0], {name: row["microseconds"] for name, row in known.items()},
          [row["error"] <= ENOUGH for row in known.values()])  # fmt: skip
    label_axes(axes[0, 0], "microseconds a cell, one thread", "")
    return caption, [Table("Gradient flow, workload W", heading, table)], drawn
