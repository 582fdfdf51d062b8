"""S1's simulated step: it holds before the edge and refuses a descent that has left the flow."""

import numpy as np

from proofs_check.claims import paths


def test_a_run_far_beyond_the_edge_is_not_similar():
    run = paths._draw(np.random.default_rng(3))
    assert paths._similar(**run)
    assert not paths._similar(**run | {"edge": 20 * run["edge"]})


def test_a_step_size_too_large_at_the_start_is_not_similar():
    run = paths._draw(np.random.default_rng(3))
    assert not paths._similar(**run | {"step_size": 3.5 * run["step_size"]})
