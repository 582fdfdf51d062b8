"""Intervals over seeds: within what the quantity can be, Student's where no bound is near."""

import re

import numpy as np
import pytest

from figures.experiments.kit import shown
from figures.experiments.kit.scales import honest, interval, kind_of
from realnet.experiments.kit.instability import mean_interval
from realnet.experiments.kit.results import load_result
from tests.tolerances import ALGEBRA, NEAR_STUDENT

BOUNDS = {"positive": (0, np.inf), "share": (0, 1), "correlation": (-1, 1)}


def test_dates_are_absolute_and_seeds_are_counted():
    data = load_result(shown.CURVES, "decisive_strong")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", shown.day(data))
    assert shown.seeds(data) == f", {data.sizes['seed']} seeds"


def test_no_interval_leaves_where_its_quantity_can_be():
    for name in shown.finished():
        data = honest(load_result(shown.CURVES, name))
        for variable in (str(each) for each in data.data_vars if f"{each}_mean" in data):
            kind = kind_of(variable, data[variable])
            low, mean, high = (data[f"{variable}_{end}"].values for end in ("low", "mean", "high"))
            known = np.isfinite(low)
            assert ((low <= mean) & (mean <= high))[known].all(), (name, variable)
            if kind in BOUNDS:
                least, most = BOUNDS[kind]
                assert (low[known] >= least).all() and (high[known] <= most).all(), (name, variable)


@pytest.mark.parametrize(("kind", "values"), [("positive", [20.0, 21.0, 22.5]), ("any", [-1, 2, 3]),
    ("share", [0.5, 0.52, 0.49]), ("correlation", [0.1, -0.05, 0.02])])  # fmt: skip
def test_intervals_are_students_where_no_bound_is_near(kind, values):
    plain = mean_interval(values)
    found = interval(values, kind=kind)
    assert found[0] == pytest.approx(plain[0], rel=ALGEBRA)
    assert found[2] - found[1] == pytest.approx(plain[2] - plain[1], rel=NEAR_STUDENT)


def test_an_interval_of_seeds_that_agree_is_a_point():
    assert interval([0.0, 0.0], kind="share") == (0, 0, 0)
    assert interval([1.0, np.nan], kind="share")[0] == 1
    assert np.isnan(interval([1.0, np.nan], kind="share")[1])
