"""The report's chapters of results made beforehand: benchmarks and experiments."""

from __future__ import annotations

import json
import re

from figures import benchmarks
from figures.experiments.kit import pages

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
CURVATURE = {
    "environment": {},
    "W1": {
        "methods": {
            "ours": {
                "accurate": True, "gradient_equivalents_median": 7.0, "relative_error_max": 1e-4,
            },
            "peer": {"left_out": "no module named peer"},
        }
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
    assert curvature.tables[0].rows[1][2] == "no module named peer"


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
