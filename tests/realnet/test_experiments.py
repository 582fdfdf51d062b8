import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import xarray as xr

from linmodel import InvalidInput, OpposingSignals, State, gradient_descent, store
from linmodel.network.moments import sample_moments
from realnet.config import TrainConfig
from realnet.experiments import mechanism, toy_arms
from realnet.experiments.kit import collecting, engine, instability, results
from realnet.experiments.kit.definition import Experiment, Scale
from realnet.experiments.kit.registry import chosen, experiments, rerun
from realnet.training.train import train

DIALS = {"fraction": 0.1, "magnitude": 6.0}
TRAIN = TrainConfig(
    data="planted", net="mlp", loss="cross-entropy", size=120, width=8, depth=1,
    step_size=0.2, steps=20, every=5, device="cpu", dials=DIALS,
)  # fmt: skip


def config(**fields):
    return replace(TRAIN, **fields)


def test_instability_counts_rises_and_ignores_constants_and_rounding():
    losses = [3.0, 2.0, 2.5, 1.0, 1.0 + 1e-9, 0.5]
    found = instability.instability(losses)
    assert found["share_rising"] == pytest.approx(1 / 5)
    assert found["largest_rise"] == pytest.approx(0.5)
    assert instability.instability(np.array(losses) + 100)["share_rising"] == found["share_rising"]
    assert instability.instability([1.0, np.nan])["largest_rise"] == np.inf
    with pytest.raises(InvalidInput, match="two or more"):
        instability.instability([1.0])


def test_intervals_cover_and_differences_are_paired():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        _, low, high = instability.mean_interval(rng.standard_normal(5))
        hits += low <= 0 <= high
    assert 0.92 <= hits / 400 <= 0.98
    seeds = np.array([[1.0, 5.0, 9.0], [1.5, 5.5, 9.5]])
    table = xr.Dataset({"x": (("arm", "seed"), seeds)}, {"arm": ["a", "b"]})
    found = instability.with_intervals(table, "seed", against="a")
    assert found.x_difference.sel(arm="b") == found.x_difference_low.sel(arm="b") == 0.5
    assert found.x_high.sel(arm="b") - found.x_low.sel(arm="b") > 10


@dataclass(frozen=True)
class Tiny:
    steps: int = 10
    seeds: int = 2


def tiny(**settings):
    def configs(own, scale):
        return {
            (arm, seed): scale.scaled(config(arm=arm, seed=seed, steps=own.steps))
            for arm in ("untouched", "removed")
            for seed in scale.seeds(own.seeds)
        }

    def collect(runs, _settings, _scale):
        about = {"end": "final loss"}
        return collecting.table(runs, lambda run: {"end": float(run.loss[-1])}, about)

    return Experiment("tiny", "Tiny", (), Tiny(**settings), configs, collect)


def test_an_interrupted_experiment_leaves_no_result_and_resumes(tmp_path):
    def interrupt(count, note):
        if "removed" in note:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run_experiment(tiny(), Scale(), tmp_path, interrupt)
    assert not (tmp_path / "tiny.nc").exists()
    with pytest.raises(InvalidInput, match="a finished one"):
        results.load_result(tmp_path, "tiny")
    assert not engine.is_finished(tiny(), Scale(), tmp_path)
    left = engine.estimate(tiny(), Scale(), tmp_path)
    resumed = engine.run_experiment(tiny(), Scale(), tmp_path)
    assert left > 0 == engine.estimate(tiny(), Scale(), tmp_path)
    again = engine.run_experiment(tiny(), Scale(), tmp_path)
    assert again.equals(resumed)
    entry = results.read_manifest(tmp_path)["tiny"]
    assert {"configuration", "versions", "created", "seconds", "sha256"} <= set(entry)


def test_other_settings_are_not_taken_for_finished_and_runs_are_not_overwritten(tmp_path):
    engine.run_experiment(tiny(steps=10), Scale(), tmp_path)
    before = {path.name for path in (tmp_path / "runs").iterdir()}
    assert not engine.is_finished(tiny(steps=12), Scale(), tmp_path)
    engine.run_experiment(tiny(steps=12), Scale(), tmp_path)
    after = {path.name for path in (tmp_path / "runs").iterdir()}
    assert before < after and len(after) == 2 * len(before)


def test_a_changed_result_is_refused(tmp_path):
    engine.run_experiment(tiny(), Scale(), tmp_path)
    data = store.load(tmp_path / "tiny.nc")
    store.save(data + 1, tmp_path / "tiny.nc")
    with pytest.raises(InvalidInput, match="not the file"):
        results.load_result(tmp_path, "tiny")
    assert not engine.is_finished(tiny(), Scale(), tmp_path)


def test_every_experiment_says_its_runs_at_any_scale():
    for one in experiments().values():
        json.dumps(engine.settings_of(one, Scale())["settings"])
        for key, each in one.configs(Scale(size=100, quick=True)).items():
            assert each.device == "cpu" and each.size in (100, None), key
            json.dumps(each.as_dict())
    with pytest.raises(InvalidInput, match="decisive_strong"):
        chosen(["nothing"])
    with pytest.raises(InvalidInput, match="device"):
        Scale(device="tpu")


def test_an_arm_runs_again_with_any_seed(tmp_path):
    scale = Scale(size=60, quick=True)
    known = train(experiments()["decisive_strong"].configs(scale)["groups removed", 1])
    again = rerun("decisive_strong", "groups removed", 1, tmp_path / "run", scale)
    assert again.drop_attrs().identical(known.drop_attrs())
    other = rerun("decisive_strong", "groups removed", 17, scale=scale)
    assert other.step_loss[0] != known.step_loss[0]
    with pytest.raises(InvalidInput, match="untouched, groups removed"):
        rerun("decisive_strong", "nothing", 1)


def test_alpha_of_planted_inputs_is_theory_s():
    """Outliers of size a on a share p, the rest standard normal: alpha = p a^2."""
    from realnet.experiments.measured_alpha import alpha_of, with_interval

    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((4000, 10))
    inputs[:, 9] = 0
    own = np.arange(4000) < 200
    inputs[own, 9] = 30 * rng.choice([-1, 1], 200)
    assert alpha_of(inputs[own], inputs[~own]) == pytest.approx(0.05 * 30**2, rel=0.03)
    # A unit of measurement cancels, and so do directions that nothing uses.
    wider = np.pad(7 * inputs, ((0, 0), (0, 5)))
    same = alpha_of(inputs[own], inputs[~own])
    assert alpha_of(wider[own], wider[~own]) == pytest.approx(same)
    value, low, high = with_interval(inputs, own, seed=0)
    assert low < value < high and high / low < 1.5
    assert np.isnan(alpha_of(inputs[:0], inputs))


def test_the_toy_population_is_the_models_own_descent():
    """No noise: the full network's moments against linmodel's descent on the reduced state."""
    arm = toy_arms.ARMS["untouched"]
    own = toy_arms.Settings()
    run = toy_arms.descend(arm, 0, replace(own, noise=0.0, steps=60), "population")
    c, b, b_o = toy_arms.start_parameters(0)
    state = State(c, b[0], float(np.linalg.norm(b[1:])), float(b_o.sum() / np.sqrt(len(b_o))))
    problem = OpposingSignals(arm.alpha, toy_arms.B, toy_arms.K, toy_arms.D1, "aligned", arm.p)
    steps = gradient_descent(problem, state, toy_arms.STEP_SIZE, 60)
    np.testing.assert_allclose(run.sharpness, steps.sharpness, rtol=1e-8)
    np.testing.assert_allclose(np.diff(run.loss), np.diff(steps.loss), rtol=1e-6, atol=1e-9)


def test_null_controls_change_nothing_in_the_population_and_little_on_samples():
    own = toy_arms.Settings()
    paths = {
        name: toy_arms.descend(toy_arms.ARMS[name], 0, own, "population").sharpness
        for name in ("untouched", "p / 2, alpha kept", "g removed", "outliers removed")
    }
    for name in ("p / 2, alpha kept", "g removed"):
        np.testing.assert_array_equal(paths[name], paths["untouched"])
    assert np.max(paths["outliers removed"]) < 0.1 * np.max(paths["untouched"])
    plain, half = (
        sample_moments(toy_arms.samples(toy_arms.ARMS[name], 0, own.samples)).matrix
        for name in ("untouched", "p / 2, alpha kept")
    )
    tops = [np.linalg.eigvalsh(gram)[-1] for gram in (plain, half)]
    assert abs(tops[0] / tops[1] - 1) < 0.3 and tops[0] != tops[1]


def test_matched_time_reports_what_was_planted():
    time = np.linspace(0, 10, 11)
    path = np.stack([time, 0 * time], axis=1)
    apart = path + np.stack([0 * time, np.where(time > 5, 0.5 * time, 0.01 * time)], axis=1)
    attrs = {"two_over_eta": 7.0}
    flow, descent = (
        xr.Dataset({"sketch": (("time", "i"), where), "sharpness": ("time", time + 1)}, attrs=attrs)
        for where in (path, apart)
    )
    found = mechanism.matched_time(descent, flow)
    assert found["apart_before_edge"] == pytest.approx(0.01)
    assert found["apart_after_edge"] == pytest.approx(0.5)
