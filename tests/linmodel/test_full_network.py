"""The full network: reduced descent is the special case; every optimiser has a plain twin."""

import numpy as np
import pytest

from linmodel import (
    InvalidInput,
    OpposingSignals,
    draw,
    gradient_descent,
    hessian_spectrum,
    reduce,
    standard_parameters,
)
from linmodel.network.full_network import train_network
from linmodel.network.moments import population_moments, sample_moments
from linmodel.network.optimisers import (
    Adam,
    Clipped,
    GradientDescent,
    HeavyBall,
    Nesterov,
    PlainSharpnessAware,
    SharpnessAware,
)
from tests.tolerances import ALGEBRA, DIFFERENCES, FLOW

PROBLEM = OpposingSignals(alpha=20.0, beta_norm=4.0, k=2.0, d1=6)
ALIGNED = OpposingSignals(alpha=20.0, beta_norm=4.0, k=2.0, d1=6, support="aligned")
NAMES = ("c", "epsilon", "n", "o", "loss", "opposing_curvature", "sharpness")


def parameters_of(problem, seed=3):
    return standard_parameters(problem, np.random.default_rng(seed))


def vector(parameters):
    return np.concatenate([[parameters.c], parameters.b, parameters.b_o])


@pytest.mark.parametrize("problem", [PROBLEM, ALIGNED])
def test_population_descent_is_the_reduced_one(problem):
    parameters = parameters_of(problem)
    full = train_network(problem, parameters, GradientDescent(0.01), 300)
    start = reduce(problem, parameters)[0]
    reduced = gradient_descent(problem, start, 0.01, 300)
    for name in NAMES:
        np.testing.assert_allclose(full[name], reduced[name], rtol=FLOW, atol=FLOW, err_msg=name)
    assert float(full.rest_n.max()) < FLOW
    np.testing.assert_allclose(full.rest_o, full.rest_o[0], atol=FLOW)
    assert full.attrs["status"] == "completed"


def test_moments_give_the_loss_its_gradient_and_curvature():
    """Against the loss written out over the samples, and central differences."""
    rng = np.random.default_rng(0)
    samples = draw(ALIGNED, 200, rng)
    moments, theta = sample_moments(samples), vector(parameters_of(ALIGNED))
    z = np.hstack([samples.x, samples.x_o])

    def loss(t):
        return 0.5 * np.mean((t[0] * (z @ t[1:]) - samples.y) ** 2)

    best = np.linalg.lstsq(z, samples.y, rcond=None)[0]
    least = 0.5 * np.mean((z @ best - samples.y) ** 2)
    assert float(moments.excess(theta)) == pytest.approx(loss(theta) - least, rel=FLOW)
    h = 1e-5
    basis = h * np.eye(theta.size)
    slopes = [(loss(theta + e) - loss(theta - e)) / (2 * h) for e in basis]
    np.testing.assert_allclose(moments.gradient(theta), slopes, atol=DIFFERENCES * 10)
    rows = [(moments.gradient(theta + e) - moments.gradient(theta - e)) / (2 * h) for e in basis]
    top = np.linalg.eigvalsh(np.array(rows))[-1]
    assert float(moments.sharpness(theta)) == pytest.approx(top, rel=DIFFERENCES)


def test_population_sharpness_is_h1():
    parameters = parameters_of(PROBLEM)
    top = hessian_spectrum(PROBLEM, reduce(PROBLEM, parameters)[0]).values[0]
    found = float(population_moments(PROBLEM).sharpness(vector(parameters)))
    assert found == pytest.approx(top, rel=ALGEBRA)


def plain_heavy_ball(theta, slope, steps):
    speed = np.zeros_like(theta)
    for _ in range(steps):
        speed = 0.9 * speed + slope(theta)
        theta = theta - 0.002 * speed
    return theta


def plain_adam(theta, slope, steps):
    mean, square = np.zeros_like(theta), np.zeros_like(theta)
    for t in range(1, steps + 1):
        g = slope(theta)
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g * g
        corrected = mean / (1 - 0.9**t), square / (1 - 0.999**t)
        theta = theta - 0.01 * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    return theta


def plain_sam(theta, slope, steps):
    for _ in range(steps):
        g = slope(theta)
        theta = theta - 0.01 * slope(theta + 0.1 * g / np.sqrt(g @ g))
    return theta


def plain_unnormalised_sam(theta, slope, steps):
    for _ in range(steps):
        theta = theta - 0.01 * slope(theta + 0.002 * slope(theta))
    return theta


def plain_nesterov(theta, slope, steps):
    """The same in its other form: the gradient is taken where momentum leads."""
    ahead, before = theta, theta
    for _ in range(steps):
        theta = ahead - 0.002 * slope(ahead)
        ahead, before = theta + 0.9 * (theta - before), theta
    return ahead


def plain_clipping(theta, slope, steps):
    for _ in range(steps):
        g = slope(theta)
        size = np.sqrt(g @ g) + 1e-6
        theta = theta - 0.01 * (g if size < 2.0 else 2.0 * g / size)
    return theta


@pytest.mark.parametrize(
    ("optimiser", "plain"),
    [
        (HeavyBall(0.002, 0.9), plain_heavy_ball),
        (Adam(0.01), plain_adam),
        (SharpnessAware(0.01, 0.1), plain_sam),
        (PlainSharpnessAware(0.01, 0.002), plain_unnormalised_sam),
        (Nesterov(0.002, 0.9), plain_nesterov),
        (Clipped(0.01, 2.0), plain_clipping),
    ],
)
def test_optimisers_against_their_formulas(optimiser, plain):
    parameters = parameters_of(PROBLEM)
    run = train_network(PROBLEM, parameters, optimiser, 40)
    theta = plain(vector(parameters), population_moments(PROBLEM).gradient, 40)
    assert float(run.c[-1]) == pytest.approx(theta[0], rel=FLOW)
    assert float(run.epsilon[-1]) == pytest.approx(theta[1], rel=FLOW)


def test_optimisers_agree_with_torch():
    torch = pytest.importorskip("torch")
    samples = draw(PROBLEM, 50, np.random.default_rng(1))
    z, y = (torch.tensor(value) for value in (np.hstack([samples.x, samples.x_o]), samples.y))
    parameters = parameters_of(PROBLEM)
    for optimiser, make in (
        (GradientDescent(0.01), lambda p: torch.optim.SGD(p, lr=0.01)),
        (HeavyBall(0.002, 0.9), lambda p: torch.optim.SGD(p, lr=0.002, momentum=0.9)),
        (
            Nesterov(0.002, 0.9),
            lambda p: torch.optim.SGD(p, lr=0.002, momentum=0.9, nesterov=True),
        ),
        (Adam(0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
    ):
        theta = torch.tensor(vector(parameters), requires_grad=True)
        trainer = make([theta])
        for _ in range(30):
            trainer.zero_grad()
            (0.5 * ((theta[0] * (z @ theta[1:]) - y) ** 2).mean()).backward()
            trainer.step()
        run = train_network(PROBLEM, parameters, optimiser, 30, samples=samples)
        assert float(run.c[-1]) == pytest.approx(theta[0].item(), rel=FLOW)


def test_batches_are_unbiased_and_the_whole_sample_is_the_limit():
    samples = draw(PROBLEM, 40, np.random.default_rng(2))
    parameters = parameters_of(PROBLEM)
    whole = train_network(PROBLEM, parameters, GradientDescent(0.005), 50, samples=samples)
    everything = train_network(
        PROBLEM,
        parameters,
        GradientDescent(0.005),
        50,
        samples=samples,
        batch_size=40,
        rng=np.random.default_rng(0),
    )
    np.testing.assert_allclose(everything.c, whole.c, rtol=FLOW)
    noisy = [
        train_network(
            PROBLEM,
            parameters,
            GradientDescent(0.005),
            1,
            samples=samples,
            batch_size=5,
            rng=np.random.default_rng(seed),
        ).c[-1]
        for seed in range(60)
    ]
    error = np.std(noisy) / np.sqrt(len(noisy))
    assert np.std(noisy) > 0 and abs(np.mean(noisy) - whole.c[1]) < 4 * error


def test_label_noise_moves_steps_but_not_their_mean():
    samples = draw(PROBLEM, 20, np.random.default_rng(2))
    parameters, step = parameters_of(PROBLEM), GradientDescent(0.005)
    clean = train_network(PROBLEM, parameters, step, 1, samples=samples).c[-1]
    noisy = [
        train_network(
            PROBLEM,
            parameters,
            step,
            1,
            samples=samples,
            label_noise=1.0,
            rng=np.random.default_rng(seed),
        ).c[-1]
        for seed in range(60)
    ]
    error = np.std(noisy) / np.sqrt(len(noisy))
    assert np.std(noisy) > 0 and abs(np.mean(noisy) - clean) < 4 * error


def test_records_every_few_steps_are_the_same_run():
    parameters = parameters_of(ALIGNED)
    samples = draw(ALIGNED, 100, np.random.default_rng(5))
    every = train_network(ALIGNED, parameters, GradientDescent(0.01), 20, samples=samples)
    some = train_network(
        ALIGNED, parameters, GradientDescent(0.01), 20, samples=samples, record_every=5
    )
    assert some.step.values.tolist() == [0, 5, 10, 15, 20]
    for name in ("c", "o", "sharpness", "loss_plus", "loss_minus"):
        np.testing.assert_allclose(some[name], every[name][::5], rtol=ALGEBRA)
    np.testing.assert_allclose(some.wobble_o[1:-1], every.wobble_o[5:-1:5], rtol=ALGEBRA)
    second = np.diff(every.o, 2)
    np.testing.assert_allclose(every.wobble_o[1:-1], np.abs(second), rtol=FLOW, atol=FLOW)


def test_divergence_is_a_status():
    run = train_network(PROBLEM, parameters_of(PROBLEM), GradientDescent(1.0), 100)
    assert run.attrs["status"] == "diverged"
    assert run.step[-1] == run.attrs["diverged_at_step"] - 1
    assert np.isfinite(run.sharpness).all()


def test_bad_input_is_refused():
    parameters, step = parameters_of(PROBLEM), GradientDescent(0.01)
    rng = np.random.default_rng(0)
    samples = draw(PROBLEM, 10, rng)
    for settings in (
        {"batch_size": 5},
        {"label_noise": 1.0, "rng": rng},
        {"samples": samples, "label_noise": -1.0, "rng": rng},
        {"samples": samples, "batch_size": 11, "rng": rng},
        {"samples": samples._replace(x=samples.x[:, :2])},
        {"record_every": 0},
    ):
        with pytest.raises(InvalidInput):
            train_network(PROBLEM, parameters, step, 10, **settings)
    for make in (
        lambda: GradientDescent(0.0),
        lambda: HeavyBall(0.1, 1.0),
        lambda: Adam(0.1, beta2=1.0),
        lambda: SharpnessAware(0.1, -1.0),
        lambda: Clipped(0.1, 0.0),
    ):
        with pytest.raises(InvalidInput):
            make()


def test_a_covariance_of_another_shape_is_refused_and_not_spread_out() -> None:
    problem = OpposingSignals(alpha=5.0, beta_norm=2.0, k=2.0, d1=2)
    for covariance in ([1.0], 3.0, np.eye(3), np.arange(16.0).reshape(4, 4)):
        with pytest.raises(InvalidInput, match="covariance"):
            population_moments(problem, covariance=covariance)
    assert population_moments(problem, covariance=2 * np.eye(4)).matrix[3, 3] == 2
