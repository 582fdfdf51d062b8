"""A small sample of `make faults`: the same code, fewer times."""

from __future__ import annotations

import pytest

from tests.faults import disk, kills
from tests.faults.flips import flip_everywhere, outcome
from tests.faults.work import curve


@pytest.mark.parametrize("work", ["sweep", "report"])
def test_killed_works_end_in_the_same_result(work, tmp_path):
    found = kills.kill_at_random(work, tmp_path, kills=4, seed=1)
    assert found["killed"] == 4 and found["differing"] == 0


@pytest.mark.parametrize("work", ["sweep", "report", "training"])
def test_flipped_bits_are_never_silently_wrong(work, tmp_path):
    for kind, counts in flip_everywhere(work, tmp_path, flips=1, seed=2).items():
        assert counts["silently wrong"] == 0, kind


def test_the_harness_sees_a_planted_wrong_number():
    expected = curve()
    assert outcome(lambda: expected + 1e-9, expected) == "silently wrong"


def test_a_full_disk_is_one_sentence():
    if not disk.possible():
        pytest.skip("no mount namespace can be made here")
    end = disk.fill("flow", 8)
    assert end["status"] == 2 and end["clean"] and len(end["told"]) == 1, end
