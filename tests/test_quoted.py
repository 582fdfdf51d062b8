"""Numbers that pages of docs/ quote stand in the committed data."""

import json
import re
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

pytest.importorskip("torch")
from figures.experiments.kit import shown
from figures.experiments.kit.scales import honest
from figures.tracking_costs import EIGSH, against, measured
from realnet.bridge.calibration import cases, table
from realnet.bridge.coverage import coverage
from realnet.experiments.kit.results import load_result

ROOT = Path(__file__).parent.parent
CURVES = ROOT / "figures" / "curves"
# Quoted of runs made again, whose curves are not kept: the page says so.
NOT_KEPT = {
    ("mechanism", "−0.49 [−0.88, −0.09]"),
    ("mechanism", "+0.50 [0.11, 0.88]"),
    ("mechanism", "1.7"),
    ("mechanism", "4.8"),
}
LOBPCG = "warm LOBPCG, edge of stochastic stability, tol=0.01"
THREE = (
    *("ours, k=3", "eigsh, our products, warm, k=3, ncv=10, tol=0.001"),
    "eigsh, our products, warm, k=3, ncv=20, tol=0.001",
)
NUMBER = r"[−+-]?\d+(?:\.\d+)?(?:e[−-]?\d+)?"
INTERVAL = re.compile(rf"({NUMBER}) ?\[({NUMBER}), ?({NUMBER})\]")
DECIMAL = re.compile(r"[−-]?\d+\.\d+%?")


def rows_of(page, section=""):
    """Cells of the rows of the page's tables, heads left out."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    if section:
        text = text.partition(section)[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def rounds_to(quoted, had):
    """Whether both may be one number: they differ by no more than their last digits' halves.

    A whole number in the data is exact: "0" is no wide range.
    """
    (asked, slack), (there, more) = _read(quoted), _read(had)
    more = more if "." in had or "e" in had else 0.0
    return abs(asked - there) <= slack + more + 1e-12


@cache
def _read(text):
    text, scale = text.replace("−", "-"), 1.0
    if text.endswith("%"):
        text, scale = text[:-1], 0.01
    mantissa, _, power = text.partition("e")
    digits = len(mantissa.partition(".")[2])
    return float(text) * scale, 0.5 * 10.0 ** (int(power or 0) - digits) * scale


def missing(name, outcome, cells):
    """Intervals and decimals of `outcome` that no cell of the experiment's tables has."""
    text = "\n".join(cells)
    intervals, numbers = INTERVAL.findall(text), set(re.findall(NUMBER, text))
    found = [
        whole[0]
        for whole in INTERVAL.finditer(outcome)
        if not any(all(map(rounds_to, whole.groups(), one)) for one in intervals)
    ]
    found += [
        each
        for each in DECIMAL.findall(INTERVAL.sub("", outcome))
        if not any(rounds_to(each, one) for one in numbers)
    ]
    return [each for each in found if (name, each) not in NOT_KEPT]


def cells_of(name):
    tables = shown.pages()[name].tables(honest(load_result(CURVES, name)))
    cells = [str(cell) for table in tables for row in [table.heading, *table.rows] for cell in row]
    return [*cells, *(f"{value:.4g}" for value in worked_out(name, tables))]


def worked_out(name, tables):
    """Means over seeds and a ratio of them that the page works out and no table has."""
    if name == "layers":
        return [np.mean([float(cell) for cell in row[2:]]) for row in tables[0].rows]
    if name == "removal_planted":
        return load_result(CURVES, name).value.mean("seed").values.ravel()
    if name == "branching_natural":
        mean = load_result(CURVES, name).effect.sel(outcome="loss").mean("seed")
        beyond = (mean - mean.sel(group="random")).sel(cell="mlp tanh cross-entropy")
        chosen = beyond.sel(group="large loss")
        return [float(chosen.sel(arm="averaged") / chosen.sel(arm="through"))]
    return []


def outcomes():
    """What each experiment found: the list below its heading, which is "name" or "name, part"."""
    text = (ROOT / "docs" / "experiments.md").read_text("utf-8")
    text = text.partition("\n## One by one\n")[2].partition("\n## ")[0]
    found = {}
    for part in text.split("\n### ")[1:]:
        items = re.findall(r"^- .+\n(?:  .+\n)*", part, re.MULTILINE)
        found[part.partition("\n")[0]] = " ".join(" ".join(items).split())
    return found


OUTCOMES = outcomes()


def test_every_kept_experiment_is_on_the_page():
    assert {each.split(",")[0] for each in OUTCOMES} == {path.stem for path in CURVES.glob("*.nc")}
    assert all(OUTCOMES.values())


@pytest.mark.parametrize("heading", OUTCOMES)
def test_an_experiments_numbers_are_those_of_its_data(heading):
    name = heading.split(",")[0]
    assert missing(name, OUTCOMES[heading], cells_of(name)) == []


def test_a_number_that_is_not_there_is_seen():
    assert (
        missing("any", "falls to 0.40 [0.38, 0.42], 1.6%", ["0.398 [0.381, 0.421]", "0.016"]) == []
    )
    planted = "falls to 0.40 [0.38, 0.43] at 0.7"
    assert missing("any", planted, ["0.398 [0.381, 0.421]", "0.016"]) == [
        "0.40 [0.38, 0.43]",
        "0.7",
    ]


def test_the_sweeps_table_is_the_measured_one():
    found = json.loads((CURVES / "bench_sweep.json").read_text("utf-8"))
    own = found["linmodel.sweep"]
    measured = {"`linmodel.sweep`": own} | found["peers"]
    rows = rows_of("benchmarks.md", "## Sweeps")[1:]
    assert [row[0] for row in rows] == list(measured)
    for name, *cells in rows:
        one = measured[name]
        micro, times, error, count = (re.sub(r",| \(.*", "", cell) for cell in cells)
        assert rounds_to(micro, repr(one["microseconds"])), name
        assert rounds_to(times, repr(one["microseconds"] / own["microseconds"])), name
        assert rounds_to(error, repr(one["error"])) and int(count) == one["cells"], name
        assert ("misses 1e-8" in cells[2]) == (one["error"] > 1e-8), name
    descent, text = found["descent"], (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    assert f"gave {own['speedup_all_cores']:.2f} times one thread" in text
    assert "A million cells" in text and descent["cells"] == 1e6 and descent["steps"] == 1e4
    assert f"took {descent['seconds']:.1f} s of processor time" in text
    assert f"loop {descent['numpy_seconds']:.0f} s ({descent['ratio']:.0f} times more)" in text


def test_the_forecasts_table_is_the_measured_one():
    found = coverage(cases(table())).sel(rule="two runs")
    columns = {"left out": "leave one network out", "fresh, all": "fresh"}
    rows = [row for row in rows_of("forecasting.md") if row[0] in columns]
    assert len(rows) == 6
    for name, window, edges, held, error, late, width, later, never, rightly in rows:
        one = found.sel(column=columns[name], window=_read(window)[0])
        counts = re.findall(
            r"\d+", " ".join([edges, held.partition("(")[0], later, never, rightly])
        )
        keys = ("forecasts", "edges", "held", "later", "later_held", "never_reached", "rightly")
        assert counts == [f"{float(one[key]):.0f}" for key in (*keys, "not_reached")], one
        quoted = held.partition("(")[2].rstrip(")"), error, late, width
        had = one.held / one.forecasts, one.median_error, one.late_error, one.width
        assert all(map(rounds_to, quoted, [repr(float(value)) for value in had])), one


def test_the_table_of_fitted_alpha_is_the_measured_one():
    found = json.loads((CURVES / "bench_alpha.json").read_text("utf-8"))
    known = [row for row in found if " planted, seed" in row["case"]]
    fresh = [row for row in found if row not in known]
    rows = [row for row in rows_of("forecasting.md") if row[1] in ("isotropic", "spectrum")]
    for (_, toy, within, median, ends), part in zip(
        rows, (known, known, fresh, fresh), strict=True
    ):
        ratios = [row[toy] / row["measured"] for row in part if row[toy]]
        near = sum(0.5 <= ratio <= 2 for ratio in ratios)
        assert within.startswith(f"{near} of {len(part)}"), toy
        assert ("not fitted" in within) == (len(ratios) < len(part)), toy
        had = np.median(ratios), min(ratios), max(ratios)
        quoted = (median.partition(" ")[0], *ends.replace(",", "").split(" to "))
        assert all(map(rounds_to, quoted, [repr(float(value)) for value in had])), toy


def natural(section, loss):
    """Rows of signals.md by the arms of the experiment, and the experiment's data."""
    found = xr.load_dataset(CURVES / "natural.nc")
    rows = [row for row in rows_of("signals.md", section) if len(row) > 4]
    named = {row[0].partition(" (")[0] + loss: row[1:] for row in rows}
    arms = [str(arm).replace("; mse", ", MSE").replace(";", ",") for arm in found.arm.values]
    return {arm: named[arm] for arm in arms if arm in named}, found.assign_coords(arm=arms)


def test_the_natural_runs_table_is_the_measured_one():
    rows, found = natural("## Batch norm", "")
    assert rows.keys() == set(found.arm.values)
    for arm, (near, *counts, p, energy, curvature, dominance) in rows.items():
        one = found.sel(arm=arm)
        had = [int((one[key] > 0).sum()) for key in ("listed", "opposed", "claimed")]
        assert [int(count) for count in counts] == had, arm
        keys = ("near", "p_value", "energy_share", "curvature_share", "dominance")
        for quoted, key in zip((near, p, energy, curvature, dominance), keys, strict=True):
            value = float(one[key].median())
            assert rounds_to(quoted, repr(value)) if quoted else np.isnan(value), (arm, key)


def test_the_natural_runs_loss_changes_are_the_measured_ones():
    rows, found = natural("Per-sample loss changes", ", cross-entropy")
    assert len(rows) == 5
    for arm, cells in rows.items():
        for text, key in zip(
            cells, [f"change_{end}" for end in ("sd", "2sd", "3sd", "4sd")], strict=True
        ):
            values = found[key].sel(arm=arm).values
            if " to " in text:
                quoted, values = text.split(" to "), (values.min(), values.max())
            else:
                quoted = np.resize(text.replace(", each", "").split(", "), 3)
            assert all(map(rounds_to, quoted, [repr(float(value)) for value in values])), (arm, key)


def met_and_missed(found):
    """What the page says below the tables of tracking, in the numbers of `found`."""
    loads = measured(found)
    ours = {name: load["methods"]["ours"] for name, load in loads.items()}
    ratios = {line[0]: line[4] for line in against(found)}
    spent = [f"{ours[name]['gradients']:.1f}" for name in ("digits-edge", "mlp-1e5-edge")]
    three = [found["mlp-1e5-edge"]["methods"][name] for name in THREE]
    own, ten, twenty = (
        f"{one['gradients']:.1f} gradients, {one['missed']} of {one['evaluations']} missed"
        for one in three
    )
    held = [
        [round(one["memory"]) for who, one in load["methods"].items() if start in who]
        for start in ("ours", EIGSH + "6", "LOBPCG")
        for name, load in loads.items()
        if name.startswith("mlp-1e6")
    ]
    least, most = ([end(chain(*held[i : i + 3])) for i in (0, 3, 6)] for end in (min, max))
    slower = [name for name, ratio in ratios.items() if ratio != "–" and float(ratio) > 1]
    missed, evaluations = (sum(o[key] for o in ours.values()) for key in ("missed", "evaluations"))
    peers = {name: load["methods"][LOBPCG] for name, load in loads.items()}
    accurate = [name for name, one in peers.items() if one["accurate"]]
    shares = [peers[name]["gradients"] / ours[name]["gradients"] for name in accurate]
    wrong = [one for one in peers.values() if not one["accurate"]]
    share, lost, tried = (
        f"{min(shares):.2f} to {max(shares):.2f}",
        *(sum(one[key] for one in wrong) for key in ("missed", "evaluations")),
    )
    smooth = [ratios[f"mlp-{size}"] for size in ("1e5-smooth", "1e6-smooth", "1e7")]
    return [
        f"{missed} of {evaluations} evaluations were off by more",
        f"slower on {', '.join(slower) or 'none'}",
        f"where training is smooth: {smooth[0]} at 1e5, {smooth[1]} at 1e6, {smooth[2]} at 1e7",
        f"at the edge of the small nets: missed ({', '.join(spent)})",
        f"k = 3 at the edge: {own}; eigsh with ncv=10 {ten}; with ncv=20 {twenty}",
        f"{least[0]} to {most[0]} beyond a gradient and a product",
        f"(eigsh ncv=6 {least[1]} to {most[1]}, LOBPCG {least[2]} to {most[2]})",
        f"right on {', '.join(accurate)}, and cheaper there ({share} of ours); "
        f"on the others {lost} of {tried} evaluations missed",
        f"worst error at 1e7 {ours['mlp-1e7']['worst_error']:.1e}",
    ]


def test_what_the_bench_of_tracking_met_and_missed_is_measured():
    found = json.loads((CURVES / "bench_curvature.json").read_text("utf-8"))
    text = " ".join((ROOT / "docs" / "benchmarks.md").read_text("utf-8").split())
    assert [sentence for sentence in met_and_missed(found) if sentence not in text] == []
    found["mlp-1e7"]["methods"]["ours"]["worst_error"] = 9e-4
    assert len([sentence for sentence in met_and_missed(found) if sentence not in text]) == 1
