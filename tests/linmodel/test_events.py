"""Events of sampled curves against a plain walk along them."""

import math

import numpy as np
import pytest

from linmodel.events import event_times, first_dip, first_rise


def walk(curve, level):
    """The same by one loop: indices of the first dip and of the first rise, None without one."""
    dip = rise = None
    for i in range(len(curve) - 1):
        if dip is None and curve[i + 1] > curve[i]:
            dip = i
        if rise is None and curve[i] < level <= curve[i + 1]:
            rise = i + 1
    return dip, rise


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_a_walk(seed):
    curve = np.random.default_rng(seed).integers(0, 4, 6).astype(float)
    assert (first_dip(curve), first_rise(curve, 2.0)) == walk(curve, 2.0)


def test_times_and_nan_where_there_is_no_event():
    time = np.array([0.0, 0.5, 1.0, 1.5])
    assert event_times(time, np.array([3.0, 1.0, 2.0, 4.0]), 3.5) == (0.5, 1.5)
    assert all(map(math.isnan, event_times(time, np.array([3.0, 2.0, 1.0, 0.0]), 2.5)))
