import numpy as np
import pytest

from linmodel import InvalidInput
from realnet.data import datasets


def test_stripes_run_along_their_class():
    data = datasets.load("stripes", 40, 1, classes=2, noise=0.0)
    across, down = (np.abs(np.diff(data.inputs[:, 0], axis=axis)).sum((1, 2)) for axis in (2, 1))
    np.testing.assert_array_equal(data.labels, across < down)
    assert data.members == {} and data.inputs.shape == (40, 1, 16, 16)
    again = datasets.load("stripes", 40, 1, classes=2, noise=0.0)
    np.testing.assert_array_equal(data.inputs, again.inputs)


@pytest.mark.parametrize("dials", [{"classes": 1}, {"side": 4}, {"noise": -1}, {"colour": 1}])
def test_dials_out_of_range_are_refused(dials):
    with pytest.raises(InvalidInput, match=next(iter(dials))):
        datasets.load("stripes", 40, **dials)
