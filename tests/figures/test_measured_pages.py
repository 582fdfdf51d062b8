"""The report's chapters of results made beforehand: benchmarks and experiments."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from figures import benchmarks, tracking_costs
from figures.experiments.kit import pages
from linmodel import InvalidInput

ROOT = Path(__file__).parents[2]

ROW = {"microseconds": 2.5, "error": 1e-9, "cells": 10}
SWEEP = {
    "environment": {"created": "2026-01-02", "cores": 2, "processor": "a processor"},
    "linmodel.sweep": {**ROW, "speedup_all_cores": 1.9},
    "peers": {
        "fast peer": {**ROW, "microseconds": 20.0},
        "wrong peer": {**ROW, "error": 1e-3},
        "absent peer": {"missing": "no module named peer"},
    },
    "descent": {"cells": 10, "steps": 5, "seconds": 0.1, "ratio": 25.0},
}
COST = {
    "gradients": 7.0, "cold_gradients": 30.0, "products": 3.0, "cpu": 0.1, "wall": 0.2,
    "worst_error": 1e-4, "missed": 0, "evaluations": 9, "accurate": True, "memory": None,
}  # fmt: skip
CURVATURE = {
    "environment": {},
    "W1": {
        "parameters": 10, "samples": 5, "seeds": [1, 2], "sharpness": [1.0, 2.0],
        "two_over_eta": 2.0, "gap_median": 0.1, "gap_least": 0.01, "gradient_seconds": 0.01,
        "methods": {"ours": COST, "peer": {"left_out": "not installed: no module named peer"}},
    },
}  # fmt: skip


def test_benchmarks_show_speed_accuracy_and_who_is_missing(tmp_path):
    (tmp_path / "bench_sweep.json").write_text(json.dumps(SWEEP))
    (tmp_path / "bench_curvature.json").write_text(json.dumps(CURVATURE))
    sweep, curvature = benchmarks.sections((tmp_path / "none", tmp_path))
    assert "2026-01-02 on 2 cores (a processor)" in sweep.caption
    rows = {row[0]: row[1:] for row in sweep.tables[0].rows}
    assert rows["fast peer"][1] == "8" and rows["wrong peer"][2] == "1.0e-03"
    assert rows["absent peer"][0] == "no module named peer"
    assert sweep.svg and curvature.svg
    ours, peer = curvature.tables[0].rows
    assert ours[2:] == ["7.0", "30.0", "3.0", "0.1", "0.2", "–", "1e-04", "0 of 9"]
    assert peer[2] == "not installed: no module named peer" and len(peer) == len(ours)


def test_the_page_of_benchmarks_has_the_committed_table():
    found, _ = benchmarks.read(benchmarks.CURVATURE, benchmarks.FOLDERS[1:])
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert tracking_costs.markdown(found) in page
    with pytest.raises(InvalidInput, match="markers"):
        tracking_costs.with_table("no markers", found)


def test_without_measurements_the_page_says_how_to_make_them(tmp_path):
    (tmp_path / "bench_sweep.json").write_text("{ half")
    assert all("make bench" in one.note for one in benchmarks.sections((tmp_path,)))
    (only,) = pages.sections(tmp_path)
    assert "make experiments" in only.note


def test_an_experiments_section_has_age_picture_and_intervals(monkeypatch):
    monkeypatch.setattr(pages, "finished", lambda _folder: ["toy_arms"])
    (only,) = pages.sections()
    assert re.search(r"Made \d{4}-\d\d-\d\d on cpu, 5 seeds\.", only.caption)
    assert only.files == ("data/experiments/toy_arms.nc",) and only.alt and only.command
    assert "GPU" in only.caption and only.svg
    table = only.tables[0]
    assert len(table.heading) == len(table.rows[0]) and "[" in table.rows[0][1]
