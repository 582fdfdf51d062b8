import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

from linmodel import InvalidInput, OpposingSignals, State, gradient_descent, store
from realnet.config import TrainConfig
from realnet.experiments import collecting, engine, mechanism, numbers, results, toy
from realnet.experiments.definition import Experiment, Scale
from realnet.experiments.registry import EXPERIMENTS, chosen, rerun
from realnet.experiments.trial import Trial
from realnet.experiments.trial_data import trial_data
from realnet.experiments.trial_run import TrialRun, run_trial
from tests.tolerances import SHARPNESS

DIALS = {"fraction": 0.1, "magnitude": 6.0}
TRAIN = TrainConfig(
    data="planted", net="mlp", loss="cross-entropy", size=120, width=8, depth=1,
    step_size=0.2, steps=20, every=5, device="cpu",
)  # fmt: skip
OPTIONS = [
    {"probes": True, "sketch": 8, "blocks": True},
    {"arm": "removed"},
    {"dropout": 0.3},
    {"weight_decay": 0.01, "perp": True},
    {"stablemax": True},
]


def trial(**fields):
    own = {name: fields.pop(name) for name in list(fields) if name in Trial.__dataclass_fields__}
    return Trial(replace(TRAIN, **fields), dials=DIALS, **own)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options))
def test_an_interrupted_trial_resumes_to_the_same_numbers(tmp_path, options, monkeypatch):
    whole = run_trial(trial(**options))
    done = []

    def stop(self):
        done.append(1)
        if len(done) == 8:
            raise KeyboardInterrupt
        original(self)

    original = TrialRun.advance
    run = TrialRun(trial(**options))
    for _ in range(7):
        run.advance()
    again = TrialRun(trial(**options))
    torch.save(run.state(), tmp_path / "state")
    again.restore(torch.load(tmp_path / "state", weights_only=True))
    while not again.finished:
        again.advance()
    assert again.dataset().identical(whole)
    monkeypatch.setattr(TrialRun, "advance", stop)
    with pytest.raises(KeyboardInterrupt):
        run_trial(trial(**options))


def test_probes_agree_with_plain_derivatives():
    run = TrialRun(trial(probes=True, dtype="float64"))
    run.advance()
    row = run.dataset().isel(time=0)
    # The mean of v^T H_i v is v^T H v, which is the sharpness.
    np.testing.assert_allclose(row.curvature_mean, row.sharpness, rtol=SHARPNESS)
    again = TrialRun(trial(probes=True, dtype="float64"))
    before = again.losses(again.inputs, again.labels)
    gradient = again.whole.gradient()[1]
    again.whole.write(again.point - 0.2 * gradient)
    change = again.losses(again.inputs, again.labels) - before
    np.testing.assert_allclose(row.change_sd, change.std(correction=0), rtol=1e-9)
    np.testing.assert_allclose(row.actual_change, change.mean(), rtol=1e-9)
    # Descent's quadratic model: -eta |g|^2 + eta^2 g^T H g / 2; along v alone it rises past 2/eta.
    assert row.predicted_change < 0 < row.along_share <= 1


def test_sketch_keeps_distances():
    curves = run_trial(trial(sketch=128))
    run = TrialRun(trial())
    start = run.point.clone()
    while not run.finished:
        run.advance()
    moved = float((run.point - start).norm())
    sketched = np.linalg.norm(curves.sketch[-1] - curves.sketch[0])
    assert abs(sketched / moved - 1) < 0.25


def test_removed_groups_are_still_watched_and_dropout_is_not_in_the_curvature():
    curves = run_trial(trial(arm="removed"))
    assert np.isfinite(curves["loss class 0"]).all()
    assert run_trial(trial(dropout=0.5, steps=1)).sharpness[0] == pytest.approx(
        float(run_trial(trial(steps=1)).sharpness[0]), rel=SHARPNESS
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"arm": "hidden"}, "untouched, removed"),
        ({"arm": "removed", "data": "digits"}, "planted groups"),
        ({"rho": 2.0}, "rho in"),
        ({"dropout": 1.0}, "dropout in"),
        ({"weight_decay": -1.0}, ">= 0"),
    ],
)
def test_bad_trials_say_what_is_allowed(fields, says):
    with pytest.raises(InvalidInput) as caught:
        trial(**fields)
    assert says in str(caught.value)


def test_modular_and_text_data_are_what_they_say():
    modular = TrainConfig(data="modular", size=None, seed=1)
    data = trial_data(Trial(modular, dials={"modulus": 7, "train_share": 0.6}))
    a, b = data.inputs[:, 0, 0].argmax(1), data.inputs[:, 1, 0].argmax(1)
    np.testing.assert_array_equal((a + b) % 7, data.labels)
    assert len(data.labels) + len(data.test[1]) == 49
    text = trial_data(
        Trial(replace(modular, data="text", net="gpt", size=5), dials={"context": 16})
    )
    assert text.inputs.shape == (5, 16)
    np.testing.assert_array_equal(text.inputs[:, 1:], text.labels[:, :-1])


def test_instability_counts_rises_and_ignores_constants_and_rounding():
    losses = [3.0, 2.0, 2.5, 1.0, 1.0 + 1e-9, 0.5]
    found = numbers.instability(losses)
    assert found["share_rising"] == pytest.approx(1 / 5)
    assert found["largest_rise"] == pytest.approx(0.5)
    assert numbers.instability(np.array(losses) + 100)["share_rising"] == found["share_rising"]
    assert numbers.instability([1.0, np.nan])["largest_rise"] == np.inf
    with pytest.raises(InvalidInput, match="two or more"):
        numbers.instability([1.0])


def test_antiphase_sees_opposition_and_not_a_common_trend():
    rng = np.random.default_rng(0)
    trend, swing = np.exp(-np.arange(300) / 60), 0.05 * rng.standard_normal(300)
    assert numbers.antiphase(trend + swing, trend - swing) < -0.9
    assert numbers.antiphase(trend + swing, trend + swing) > 0.9
    other = 0.05 * rng.standard_normal(300)
    assert abs(numbers.antiphase(trend + swing, trend + other)) < 0.2
    assert np.isnan(numbers.antiphase(trend[:10], trend[:10]))


def test_intervals_cover_and_differences_are_paired():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        _, low, high = numbers.mean_interval(rng.standard_normal(5))
        hits += low <= 0 <= high
    assert 0.92 <= hits / 400 <= 0.98
    seeds = np.array([[1.0, 5.0, 9.0], [1.5, 5.5, 9.5]])
    table = xr.Dataset({"x": (("arm", "seed"), seeds)}, {"arm": ["a", "b"]})
    found = numbers.with_intervals(table, "seed", against="a")
    assert found.x_difference.sel(arm="b") == found.x_difference_low.sel(arm="b") == 0.5
    assert found.x_high.sel(arm="b") - found.x_low.sel(arm="b") > 10


def tiny(steps=10, seeds=2):
    def trials(scale):
        return {
            (arm, seed): scale.scaled(trial(arm=arm, seed=seed, steps=steps))
            for arm in ("untouched", "removed")
            for seed in scale.seeds(seeds)
        }

    def collect(runs, _scale):
        about = {"end": "final loss"}
        return collecting.table(runs, lambda run: {"end": float(run.loss[-1])}, about)

    return Experiment("tiny", "Tiny", (), trials, collect)


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


def test_every_experiment_says_its_trials_at_any_scale():
    for one in EXPERIMENTS.values():
        for key, each in one.trials(Scale(size=100, quick=True)).items():
            assert each.train.device == "cpu" and each.train.size == 100, key
            json.dumps(each.as_dict())
    with pytest.raises(InvalidInput, match="decisive_strong"):
        chosen(["nothing"])
    with pytest.raises(InvalidInput, match="device"):
        Scale(device="tpu")


def test_an_arm_runs_again_with_any_seed(tmp_path):
    scale = Scale(size=60, quick=True)
    known = run_trial(EXPERIMENTS["decisive_strong"].trials(scale)["groups removed", 1])
    again = rerun("decisive_strong", "groups removed", 1, tmp_path / "run", scale)
    assert again.drop_attrs().identical(known.drop_attrs())
    other = rerun("decisive_strong", "groups removed", 17, scale=scale)
    assert other.step_loss[0] != known.step_loss[0]
    with pytest.raises(InvalidInput, match="untouched, groups removed"):
        rerun("decisive_strong", "nothing", 1)


def test_noisy_steps_have_the_full_loss_beside_their_own():
    curves = run_trial(trial(every_loss=True, optimiser="sgd", batch_size=8))
    at = np.isin(curves.step_time, curves.time)
    np.testing.assert_allclose(curves["loss all"].values[at], curves.loss[:-1], rtol=1e-5)
    assert (curves["loss all"] != curves.step_loss).any()
    plain = run_trial(trial(every_loss=True))
    np.testing.assert_allclose(plain["loss all"], plain.step_loss, rtol=1e-5)


def test_alpha_of_planted_inputs_is_theory_s():
    """Outliers of size a on a share p, the rest standard normal: alpha = p a^2."""
    from realnet.experiments.measured import alpha_of, with_interval

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
    arm = toy.ARMS["untouched"]
    _, sharpness, losses = toy.descend(toy.population(arm, 0), 0, noise=0.0)
    c, b, b_o = toy.start_parameters(0)
    state = State(c, b[0], float(np.linalg.norm(b[1:])), float(b_o.sum() / np.sqrt(len(b_o))))
    problem = OpposingSignals(arm.alpha, toy.B, toy.K, toy.D1, "aligned", arm.p)
    steps = gradient_descent(problem, state, toy.STEP_SIZE, 60)
    seen = sharpness[: 61 : toy.EVERY]
    np.testing.assert_allclose(seen, steps.sharpness[:: toy.EVERY], rtol=1e-8)
    change = np.diff(losses[:61])
    np.testing.assert_allclose(change, np.diff(steps.loss), rtol=1e-6, atol=1e-9)


def test_null_controls_change_nothing_in_the_population_and_little_on_samples():
    paths = {
        name: toy.descend(toy.population(toy.ARMS[name], 0), 0, toy.NOISE)[1]
        for name in ("untouched", "p / 2, alpha kept", "g removed", "outliers removed")
    }
    for name in ("p / 2, alpha kept", "g removed"):
        np.testing.assert_array_equal(paths[name], paths["untouched"])
    assert np.nanmax(paths["outliers removed"]) < 0.1 * np.nanmax(paths["untouched"])
    plain, half = (
        toy.samples(toy.ARMS[name], 0).gram for name in ("untouched", "p / 2, alpha kept")
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
