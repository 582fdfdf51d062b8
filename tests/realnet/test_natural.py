"""Runs on natural images compared: evidence among the curves, colours, agreement of loadings."""

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.stats import spearmanr

from linmodel.errors import InvalidInput
from realnet.config import TrainConfig
from realnet.observers.colours import COLOURS
from realnet.signals.agreeing import agreement
from realnet.signals.evidence import Evidence
from realnet.signals.kept import kept_evidence
from realnet.training.run import Run
from tests.tolerances import ALGEBRA, SINGLE

LABELS = np.repeat(np.arange(4), 30)


@pytest.fixture(scope="module")
def run() -> Run:
    config = TrainConfig(
        data="planted", size=40, net="vgg", depth=1, width=2, norm="batch", activation="relu",
        loss="cross-entropy", steps=4, every=4, eigenvalues=1, tolerance=0.05,
        observe=("evidence_kept=1", "colours"),
    )  # fmt: skip
    found = Run(config)
    while not found.finished:
        found.advance()
    return found


def test_evidence_comes_out_of_the_curves_as_it_went_in(run) -> None:
    (own,) = (one for one in run.observers if isinstance(one, Evidence))
    curves = run.dataset()
    assert "sharpness" in curves
    back = kept_evidence(curves)
    xr.testing.assert_equal(back.drop_attrs(), own.dataset().drop_attrs())
    assert back.attrs["step_size"] == run.config.step_size
    with pytest.raises(InvalidInput, match="no evidence"):
        kept_evidence(curves[["sharpness"]])


def test_colours_are_measured_against_the_images_of_the_run(run) -> None:
    norms = run.dataset().colour_norm.values
    assert norms.shape == (2, len(COLOURS))
    task = run.task
    mean, sd = (torch.tensor(task.provenance[key]).reshape(3) for key in ("mean", "sd"))
    red = ((torch.tensor([1.0, 0.0, 0.0]) - mean) / sd)[:, None, None]
    red = red.expand(3, *task.inputs.shape[2:])
    features = task.model.eval()[:-1]
    with torch.no_grad():
        naive = features(red[None].float()).norm() / features(task.inputs).norm(dim=1).mean()
    assert norms[-1, COLOURS.index("red")] == pytest.approx(float(naive), SINGLE)


def test_agreement_is_the_largest_rank_correlation_and_its_null_keeps_classes() -> None:
    generator = np.random.default_rng(0)
    common = generator.normal(size=len(LABELS))
    one = [common + 0.3 * generator.normal(size=len(LABELS)), generator.normal(size=len(LABELS))]
    other = [-common + 0.3 * generator.normal(size=len(LABELS))]
    by_class = [LABELS + 0.01 * generator.normal(size=len(LABELS)) for _ in range(2)]
    value, p, usual = agreement([one, other, [], by_class[:1], by_class[1:]], LABELS)
    naive = max(abs(spearmanr(first, other[0]).statistic) for first in one)
    assert value[0, 1] == pytest.approx(naive, ALGEBRA) and p[0, 1] == 1 / 200
    assert np.isnan(value[2]).all() and np.isnan(p[:, 2]).all()
    assert 0 < usual[0, 1] < 0.3 and abs(usual[3, 4] - value[3, 4]) < 0.1
    assert value[3, 4] > 0.8 and p[3, 4] > 0.02, "classes alone are no agreement"
    with pytest.raises(InvalidInput, match="loadings"):
        agreement([[np.ones(3)]], LABELS)
