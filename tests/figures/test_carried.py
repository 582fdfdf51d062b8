"""Committed results that were not made again belong to the runs that there are now."""

import pytest

from tests.figures.former import former_hash

pytest.importorskip("torch")


def test_the_mapping_of_keys_leads_from_todays_runs_to_the_committed_results():
    from figures.experiments.kit.shown import CURVES
    from realnet.experiments.kit.definition import Scale
    from realnet.experiments.kit.engine import is_finished
    from realnet.experiments.kit.registry import experiments
    from realnet.experiments.kit.results import read_manifest

    manifest = read_manifest(CURVES)
    for name, one in experiments().items():
        if name not in manifest:
            continue
        assert is_finished(one, Scale(), CURVES), name
        former = manifest[name].get("carried_from", {}).get("configuration")
        if former is not None:
            configs = one.configs(Scale())
            assert former["trials"] == len(configs), name
            assert former["trials_sha256"] == former_hash(configs), name
