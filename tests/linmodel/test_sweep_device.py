"""The torch path gives the kernels' numbers, and says what it cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from linmodel import InvalidInput, State, sweep
from tests.tolerances import DEVICE

pytest.importorskip("torch")

FREE = State(1.0, 0.1, 0.4, 0.0)


def test_descent_equals_the_kernel():
    settings = {"beta_norm": [3.0, 10.0], "k": 4.0, "step_size": np.geomspace(1e-3, 0.1, 9)}
    alpha = [5.0, 20.0, 100.0]
    kernel, device = (
        sweep(alpha, **settings, steps=2501, device=device) for device in (None, "cpu")
    )
    assert len(np.unique(kernel.status)) == 3
    for name in kernel.data_vars:
        expected = kernel[name].values
        finite = np.isfinite(expected) & (kernel.status.values != 2)
        np.testing.assert_allclose(
            device[name].values[finite], expected[finite], rtol=DEVICE, atol=DEVICE, err_msg=name
        )


def test_flow_without_opposing_signal_equals_the_kernel():
    settings = {"times": np.linspace(0, 1, 30), "state": FREE, "variables": ["sharpness"]}
    alpha, beta_norm = np.geomspace(1, 1e4, 7), [2.0, 30.0]
    kernel = sweep(alpha, beta_norm, **settings)
    device = sweep(alpha, beta_norm, **settings, device="cpu")
    np.testing.assert_allclose(device.sharpness, kernel.sharpness, rtol=DEVICE)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"device": "no-such-device"}, "a torch device"),
        ({"state": None}, "o = 0 and B > 0"),
        ({"variables": ["t_dip"]}, "for the flow on a device"),
        ({"times": None, "steps": [0, 9], "step_size": 0.1, "variables": ["c"]}, "scalars"),
    ],
)
def test_refusals(change, says):
    settings = {
        "times": [0.0, 1.0], "state": FREE, "device": "cpu", "variables": ["sharpness"]
    }  # fmt: skip
    with pytest.raises(InvalidInput, match=says):
        sweep(10.0, 4.0, **(settings | change))
