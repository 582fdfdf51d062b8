"""The experiments, one module each: a frozen Settings object, the runs, and what is collected.

A new experiment is two files: a module here with `EXPERIMENTS` (see `kit.definition.Experiment`)
and one of the same name in figures/experiments (caption, draw, tables). Both are found by
themselves. Rerun one arm with a seed of your own (the seed draws data, network and order):

    from realnet.experiments.kit.registry import rerun
    from realnet.experiments.decisive import numbers

    curves = rerun("decisive_strong", "groups removed", seed=17, out="my_runs/17")
    print(numbers(curves))

`out` is a run folder: interrupted, the same call goes on where it was; without it nothing is
written. `EXPERIMENTS[name].configs(Scale())` has all arms, each a `TrainConfig` for
`realnet.train`.
"""
