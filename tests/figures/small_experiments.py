"""Every experiment at the smallest size that its code can run at."""

from dataclasses import replace

from realnet.bridge.searching import Search
from realnet.experiments import (
    adam_on_text,
    agreement,
    branching,
    collapse,
    decisive,
    forecast,
    grokking,
    measured_alpha,
    mechanism,
    natural,
    per_layer,
    plateaus,
    removal,
    roles,
    toy_arms,
    toy_optimisers,
)
from realnet.experiments.kit.registry import experiments


def _first(table, count):
    return dict(list(table.items())[:count])


def small_experiments():
    """The experiments with small settings, in their order."""
    # The same planted groups in both: they share their runs. Three arms, for their figure.
    decided = decisive.Settings(
        decisive.DIALS["strong"], _first(decisive.ARMS, 3), seeds=2, steps=100
    )
    # A search that finds something, not the best.
    little = Search(starts=20, refined=1, rounds=1, refit=3)
    few = {"net": "mlp", "width": 8, "depth": 1, "size": 60, "time": 40.0}
    few |= {"small": 0.25, "second": 2.0}
    one = measured_alpha.Settings()
    normed = {"VGG": natural.NETWORKS["VGG, batch norm"] | {"width": 2, "depth": 1}}
    settings = {
        "decisive_strong": decided,
        "decisive_weak": decided,
        "mechanism": mechanism.Settings(replace(decided, seeds=1), (0.0, 0.4), smoothing_seeds=1),
        "roles": roles.Settings(_first(roles.ARMS, 2), steps=100, seeds=2),
        "grokking": grokking.Settings(_first(grokking.ARMS, 2), modulus=7, steps=100, seeds=1),
        "collapse": collapse.Settings(_first(collapse.ARMS, 2), modulus=7, steps=100),
        "text": adam_on_text.Settings(_first(adam_on_text.ARMS, 2), context=8, steps=100, seeds=1),
        "layers": per_layer.Settings({"mlp": per_layer.NETWORKS["mlp"] | {"width": 8}}, seeds=1),
        "layers_natural": per_layer.Settings(
            {"mlp": per_layer.NETWORKS["mlp"] | {"width": 8}}, steps=100, seeds=1
        ),
        "agreement": agreement.Settings(steps=100, seeds=1),
        "forecast": forecast.Settings(
            {"mlp": few | {"larger": (2.0, 3.0, 4.0)}}, seeds=1, search=little
        ),
        "measured": measured_alpha.Settings(
            _first(one.toys, 1),
            _first(one.planted, 1),
            seeds=1,
            resamples=5,
            checkpoints=12,
            search=little,
        ),
        "branching_planted": branching.Settings(
            step_sizes=_first(branching.PLANTED, 1), steps=60, observe=("branch",)
        ),
        "branching_natural": branching.Settings(
            "digits", {}, _first(branching.NATURAL, 1), steps=60, observe=("branch",)
        ),
        "removal_planted": removal.Settings(size=40, width=4, steps=4, every=4, seeds=1),
        "removal_natural": removal.Settings(
            "digits", {}, removal.NATURAL, size=40, width=4, steps=4, every=4, seeds=1
        ),
        "natural": natural.Settings(
            "planted", {}, normed, {"mse": {"VGG": 0.2}}, steps=100, seeds=2, draws=99
        ),
        "plateaus": plateaus.Settings(samples=60, width=6, steps=60, every=15, seeds=2),
        "toy_arms": toy_arms.Settings(steps=60, samples=200),
        "toy_optimisers": toy_optimisers.Settings(steps=30, seeds=1),
    }
    return [
        replace(each, settings=settings.get(name, each.settings))
        for name, each in experiments().items()
    ]
