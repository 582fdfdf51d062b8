import numpy as np
import pytest
import torch
from torch.nn import functional

from linmodel import InvalidInput
from realnet.config import TrainConfig
from realnet.data import datasets
from realnet.data.interventions import ARMS, randomise_background, remove, remove_random
from realnet.training.building import load_samples
from realnet.training.losses import stablemax_loss
from realnet.training.steps import perp_gradient
from tests.tolerances import FLOAT32_STEP

DIALS = {"fraction": 0.1, "magnitude": 6.0}


@pytest.fixture(scope="module")
def planted():
    return datasets.load("planted", 200, 3, **DIALS)


@pytest.fixture(scope="module")
def faint():
    return datasets.load("planted", 200, 3, **(DIALS | {"magnitude": 1e-9}))


def test_removal_takes_the_group_and_nothing_else(planted):
    group = planted.members["opposing"]
    rest = remove(planted, group, "why")
    np.testing.assert_array_equal(rest.inputs, planted.inputs[~group])
    assert not rest.members["opposing"].any() and rest.provenance["removed"] == group.sum()


def test_the_control_removes_as_many_at_random_and_the_same_again(planted):
    group = planted.members["opposing"]
    rest = remove_random(planted, 100, seed=1)
    assert len(rest) == len(planted) - 100
    # About half of the members are among the removed half: no preference.
    assert 0.2 < rest.members["opposing"].sum() / group.sum() < 0.8
    np.testing.assert_array_equal(rest.inputs, remove_random(planted, 100, seed=1).inputs)
    with pytest.raises(InvalidInput, match="fewer than"):
        remove_random(planted, len(planted), seed=1)


@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0])
def test_backgrounds_change_on_the_fraction_asked_and_only_there(planted, faint, rho):
    group = planted.members["opposing"]
    changed = randomise_background(planted, faint, group, rho, seed=0)

    def raw(data):
        sd, mean = (np.array(data.provenance[key])[:, None, None] for key in ("sd", "mean"))
        return data.inputs * sd + mean

    moved = np.abs(raw(changed) - raw(planted)).max(axis=(1, 2, 3)) > 1e-3
    assert moved.sum() == round(rho * group.sum()) and not (moved & ~group).any()


def test_a_random_background_keeps_its_strength_and_loses_the_shared_hue(planted, faint):
    group = planted.members["opposing"]
    changed = randomise_background(planted, faint, group, 1.0, seed=0)

    def strengths(data):
        sd, mean = (np.array(data.provenance[key])[:, None, None] for key in ("sd", "mean"))
        plain_sd, plain_mean = (
            np.array(faint.provenance[key])[:, None, None] for key in ("sd", "mean")
        )
        parts = (data.inputs * sd + mean) - (faint.inputs * plain_sd + plain_mean)
        return np.sqrt((parts[group] ** 2).mean(axis=(1, 2, 3))), parts[group].mean(axis=(0, 2, 3))

    before, shared = strengths(planted)
    after, rest = strengths(changed)
    np.testing.assert_allclose(after, before, rtol=1e-4)
    assert np.abs(rest).max() < 0.5 * np.abs(shared).max()


def test_bad_fractions_and_foreign_data_are_refused(planted, faint):
    group = planted.members["opposing"]
    with pytest.raises(InvalidInput, match=r"1\.5"):
        randomise_background(planted, faint, group, 1.5, seed=0)
    with pytest.raises(InvalidInput, match="same samples"):
        randomise_background(planted, remove(planted, group, "why"), group, 1.0, seed=0)
    with pytest.raises(InvalidInput, match="bool of shape"):
        remove(planted, group[:10], "why")


def test_stablemax_is_its_definition_and_is_finite_where_the_definition_overflows():
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(50, 7, generator=generator, dtype=torch.float64)
    labels = torch.randint(7, (50,), generator=generator)
    s = torch.where(logits >= 0, logits + 1, 1 / (1 - logits))
    expected = -(s / s.sum(-1, keepdim=True)).gather(1, labels[:, None])[:, 0].log()
    torch.testing.assert_close(stablemax_loss(logits, labels), expected, rtol=1e-12, atol=1e-12)
    extreme = torch.tensor([[1e30, -1e30, 0.0]])
    assert torch.isfinite(stablemax_loss(extreme, torch.tensor([1]))).all()


def test_stablemax_separates_what_softmax_rounds_away():
    """Logits (200, 0): float32 softmax has no gradient left, StableMax has."""
    logits = torch.tensor([[200.0, 0.0]], requires_grad=True)
    label = torch.tensor([0])
    (soft,) = torch.autograd.grad(functional.cross_entropy(logits, label), logits)
    (stable,) = torch.autograd.grad(stablemax_loss(logits, label).mean(), logits)
    assert float(soft.abs().max()) == 0.0 and float(stable.abs().min()) > 0.0


def test_perp_gradient_is_orthogonal_and_keeps_the_rest():
    generator = torch.Generator().manual_seed(1)
    g, w = torch.randn(2, 300, generator=generator)
    projected = perp_gradient(g, w)
    assert abs(float(projected @ w)) < 1e-4
    torch.testing.assert_close(
        g - projected, w * float(g @ w) / float(w @ w), rtol=FLOAT32_STEP, atol=1e-6
    )
    torch.testing.assert_close(perp_gradient(g, torch.zeros(300)), g)


@pytest.mark.parametrize("arm", list(ARMS))
def test_every_arm_watches_the_same_original_members(arm):
    known = {"data": "planted", "size": 200, "seed": 3, "dials": DIALS}
    data = load_samples(TrainConfig(**known, arm=arm, rho=1.0 if arm == "background" else 0.0))
    plain = load_samples(TrainConfig(**known))
    assert list(plain.watched) == ["class 0", "class 1"]
    for name, (inputs, _) in plain.watched.items():
        np.testing.assert_array_equal(data.watched[name][0], inputs)
    assert len(data.labels) == (180 if arm in ("removed", "random") else 200)


def test_members_that_agree_have_one_label_and_the_same_pictures(planted):
    known = {"data": "planted", "size": 200, "seed": 3, "dials": DIALS}
    data = load_samples(TrainConfig(**known, arm="agreed"))
    group = planted.members["opposing"]
    assert set(planted.labels[group]) == {0, 1} and set(data.labels[group]) == {0}
    np.testing.assert_array_equal(data.labels[~group], planted.labels[~group])
    np.testing.assert_array_equal(data.inputs, planted.inputs)
