import numpy as np
import pytest
import xarray as xr

from linmodel import InvalidInput
from realnet.signals.antiphase import antiphase
from realnet.signals.groups import find_opposing_groups, group_losses, loss_changes
from realnet.signals.numbers import distribution, measure, rows
from tests.tolerances import ALGEBRA, FALSE_ALARMS, NORMAL_TAILS

SAMPLES, DIRECTIONS, STEPS = 300, 2, 20
CHECKPOINTS = np.array([0, 5, 20])


def evidence(generator, bulk=None):
    """Evidence of unremarkable samples: log-normal responses, slopes of either sign."""
    shape = (len(CHECKPOINTS), DIRECTIONS, SAMPLES)
    response = np.exp(0.5 * generator.standard_normal(shape)) if bulk is None else bulk(shape)
    slope = response * generator.standard_normal(shape)
    views = ("checkpoint", "direction", "sample")
    steps = np.arange(STEPS + 1)
    return xr.Dataset(
        {
            "response": (views, response),
            "slope": (views, slope),
            "curvature": (views, response**2),
            "eigenvalue": (views[:2], (response**2).mean(-1)),
            "alignment": (views[::2], generator.normal(1, 1, (len(CHECKPOINTS), SAMPLES))),
            "loss": (("time", "sample"), generator.gamma(2, 1, (STEPS + 1, SAMPLES))),
            "input_norm": ("sample", generator.gamma(9, 1, SAMPLES)),
        },
        coords={
            "time": ("time", 0.1 * steps, {"units": "time"}),
            "checkpoint": ("checkpoint", 0.1 * CHECKPOINTS),
            "checkpoint_step": ("checkpoint", CHECKPOINTS),
        },
        attrs={"step_size": 0.1},
    )


def plant(found, plus, minus, direction=0, factor=10.0):
    """Groups that respond `factor` times more than any other, with slopes of opposite sign."""
    both = np.concatenate([plus, minus])
    largest = float(found.response.max())
    for checkpoint in range(len(CHECKPOINTS)):
        place = (checkpoint, direction, both)
        found.response.values[place] = factor * largest * np.linspace(1, 1.2, len(both))
        found.curvature.values[place] = found.response.values[place] ** 2
        side = np.where(np.isin(both, plus), 1.0, -1.0)
        found.slope.values[place] = side * found.response.values[place]
    return found


@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 1), (2, 2), (3, 9), (20, 20)])
def test_planted_groups_are_found_whole_and_on_their_sides(first, second):
    chosen = np.random.default_rng(1).permutation(SAMPLES)[: first + second]
    plus, minus = np.sort(chosen[:first]), np.sort(chosen[first:])
    (pair,) = find_opposing_groups(plant(evidence(np.random.default_rng(2)), plus, minus))
    sides = {tuple(pair.plus), tuple(pair.minus)}
    assert sides == {tuple(plus), tuple(minus)}
    np.testing.assert_array_equal(pair.members, np.sort(chosen))
    assert pair.p_value < FALSE_ALARMS and pair.score > 5
    assert (pair.votes[chosen] == 1).all() and pair.votes.max() == 1


def test_renaming_samples_renames_the_groups():
    generator = np.random.default_rng(3)
    found = plant(evidence(generator), np.arange(6), np.arange(6, 12))
    order = generator.permutation(SAMPLES)
    (pair,), (other,) = find_opposing_groups(found), find_opposing_groups(found.isel(sample=order))
    assert set(order[other.plus]) == set(pair.plus)
    assert set(order[other.minus]) == set(pair.minus)


def test_two_signals_are_two_disjoint_pairs():
    found = evidence(np.random.default_rng(4))
    plant(found, np.arange(5), np.arange(5, 10), direction=0)
    plant(found, np.arange(20, 24), np.arange(24, 28), direction=1)
    pairs = find_opposing_groups(found)
    assert sorted(map(tuple, (pair.members for pair in pairs))) == [
        tuple(range(10)),
        tuple(range(20, 28)),
    ]


def test_no_opposite_slopes_no_pair():
    found = plant(evidence(np.random.default_rng(5)), np.arange(12), np.arange(0))
    assert find_opposing_groups(found) == []


def test_a_group_larger_than_asked_for_is_no_outlier():
    found = plant(evidence(np.random.default_rng(6)), np.arange(40), np.arange(40, 80))
    assert find_opposing_groups(found) == []
    assert len(find_opposing_groups(found, largest_fraction=0.4)) == 1


def test_the_loss_changes_alone_can_show_the_groups():
    found = evidence(np.random.default_rng(7))
    swing = np.cumsum(10.0 * (-1.0) ** np.arange(STEPS + 1))
    found.loss.values[:, :8] += swing[:, None]
    found.loss.values[:, 8:16] -= swing[:, None]
    (pair,) = find_opposing_groups(found)
    assert {tuple(pair.plus), tuple(pair.minus)} == {tuple(range(8)), tuple(range(8, 16))}
    assert all("loss changes" in name for name in pair.observations)
    assert pair.antiphase < -0.5  # ranks within one sign are noise


BULKS = {
    "log-normal": lambda g: lambda shape: np.exp(g.standard_normal(shape)),
    "Student": lambda g: lambda shape: np.abs(g.standard_t(2, shape)),
    "Pareto": lambda g: lambda shape: 1 + g.pareto(1.5, shape),
}


@pytest.mark.parametrize("bulk", BULKS)
def test_false_alarms_without_groups_are_rare(bulk):
    alarms = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        alarms += bool(find_opposing_groups(evidence(generator, BULKS[bulk](generator))))
    assert alarms / 60 <= FALSE_ALARMS


def test_false_alarms_with_unlike_classes_are_rare():
    # A class responds as one and slopes one way; classes differ by factors of e.
    alarms = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        found = evidence(generator)
        label = np.arange(SAMPLES) % 10
        views = (len(CHECKPOINTS), DIRECTIONS, 10)
        found.response.values *= np.exp(generator.standard_normal(views))[..., label]
        side = generator.choice([-1.0, 1.0], views)[..., label]
        flips = generator.random(found.slope.shape) < 0.1
        found.slope.values = side * np.where(flips, -1, 1) * np.abs(found.slope.values)
        alarms += bool(find_opposing_groups(found))
    assert alarms / 60 <= FALSE_ALARMS


def test_bad_evidence_and_numbers_are_refused():
    good = evidence(np.random.default_rng(8))
    for bad, said in (
        (xr.Dataset(), "without loss"),
        (good.drop_vars("slope"), "without slope"),
        (good.assign(slope=good.slope * np.nan), "not finite in slope"),
        (good.isel(sample=slice(20)), "number of samples"),
    ):
        with pytest.raises(InvalidInput, match=said):
            find_opposing_groups(bad)
    for options in ({"jump": 1}, {"level": 0}, {"largest_fraction": 0.6}, {"minority": -1}):
        with pytest.raises(InvalidInput, match=next(iter(options))):
            find_opposing_groups(good, **options)


def test_antiphase_of_constructed_losses():
    found = evidence(np.random.default_rng(9))
    swing = 100 * np.random.default_rng(10).standard_normal(STEPS + 1)
    found.loss.values[:, :5] += swing[:, None]
    found.loss.values[:, 5:10] -= swing[:, None]
    trend = 1e4 * np.linspace(1, 0, STEPS + 1)
    found.loss.values[:, :10] += trend[:, None]
    first, second, rest = np.arange(5), np.arange(5, 10), np.arange(10, 15)
    assert antiphase(*group_losses(found, first, second)) < -0.95
    assert antiphase(*group_losses(found, first[:2], first[2:])) > 0.95
    assert abs(antiphase(*group_losses(found, first, rest))) < 0.9


def test_antiphase_sees_opposition_and_not_a_common_trend():
    rng = np.random.default_rng(0)
    trend, swing = np.exp(-np.arange(300) / 60), 0.05 * rng.standard_normal(300)
    assert antiphase(trend + swing, trend - swing) < -0.9
    assert antiphase(trend + swing, trend + swing) > 0.9
    other = 0.05 * rng.standard_normal(300)
    assert abs(antiphase(trend + swing, trend + other)) < 0.2
    assert np.isnan(antiphase(trend[:4], trend[:4]))
    assert np.isnan(antiphase([1.0, np.inf, 2.0, 3.0, 1.0, 0.0], trend[:6]))


def measured(seed=11):
    found = plant(evidence(np.random.default_rng(seed)), np.arange(6), np.arange(6, 12))
    pairs = find_opposing_groups(found)
    return found, pairs, measure(found, pairs, draws=50, seed=1)


def test_numbers_are_their_definitions_sample_by_sample():
    found, (pair,), numbers = measured()
    own = numbers.isel(pair=0)
    group = set(pair.members.tolist())
    for checkpoint in range(len(CHECKPOINTS)):
        for direction in range(DIRECTIONS):
            place = {"checkpoint": checkpoint, "direction": direction}
            curvature = found.curvature.isel(place).values
            mine = sum(curvature[i] for i in group)
            share = mine / sum(curvature)
            ratio = (mine / len(group)) / (sum(curvature) / SAMPLES)
            slope = np.abs(found.slope.isel(place).values)
            np.testing.assert_allclose(own.curvature_share.isel(place), share, rtol=ALGEBRA)
            np.testing.assert_allclose(own.curvature_ratio.isel(place), ratio, rtol=ALGEBRA)
            slopes = sum(slope[i] for i in group) / slope.sum()
            np.testing.assert_allclose(own.slope_share.isel(place), slopes, rtol=ALGEBRA)
    norm = found.input_norm.values
    mean = np.mean([norm[i] for i in group])
    np.testing.assert_allclose(own.input_ratio, mean / norm.mean(), rtol=ALGEBRA)
    np.testing.assert_allclose(own.fraction, len(group) / SAMPLES, rtol=ALGEBRA)


def test_intervals_hold_their_values_and_narrow_to_nothing_for_equal_samples():
    found, pairs, numbers = measured()
    for name in ("curvature_share", "slope_share", "gradient_share", "input_share"):
        assert (numbers[f"{name}_low"] <= numbers[name]).all()
        assert (numbers[name] <= numbers[f"{name}_high"]).all()
    found.curvature.values[:] = 1.0
    flat = measure(found, pairs, draws=20)
    np.testing.assert_allclose(flat.curvature_share_low, flat.curvature_share, rtol=ALGEBRA)
    np.testing.assert_allclose(flat.curvature_ratio_high, 1.0, rtol=ALGEBRA)


def test_rows_name_value_interval_and_definition():
    _, _, numbers = measured()
    table = {name: (value, low, high) for name, value, low, high, _ in rows(numbers)}
    value, low, high = table["curvature_share"]
    assert low <= value <= high and value == float(numbers.curvature_share.max())
    with pytest.raises(InvalidInput, match="pair"):
        rows(numbers, 1)


def test_numbers_without_pairs_are_the_loss_changes_only():
    found = evidence(np.random.default_rng(12))
    numbers = measure(found, [])
    assert "pair" not in numbers.dims and "change_sd" in numbers
    with pytest.raises(InvalidInput, match="grams"):
        measure(found, [], [xr.Dataset()])


def test_distribution_of_normal_changes():
    found = evidence(np.random.default_rng(13)).isel(sample=np.zeros(20_000, dtype=int))
    generator = np.random.default_rng(14)
    steps = generator.normal(0.1, 0.4, (STEPS, found.sizes["sample"]))
    found["loss"] = (("time", "sample"), np.vstack([0 * steps[:1], steps.cumsum(axis=0)]))
    np.testing.assert_allclose(loss_changes(found), steps, atol=ALGEBRA * 100)
    moments = distribution(found)
    expected = {
        "change_mean": 0.1,
        "change_sd": 0.4,
        "change_skewness": 0.0,
        "change_kurtosis": 0.0,
        "change_2sd": 0.0455,
        "change_3sd": 0.0027,
        "change_1": 0.0151,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(moments[name].mean(), value, atol=NORMAL_TAILS)
