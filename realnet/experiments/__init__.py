"""The experiments: arms, runs, and the small curves that figures show. See `registry`.

Rerun one arm with a seed of your own (the seed draws data, network and order):

    from realnet.experiments.registry import rerun
    from realnet.experiments.decisive import numbers

    curves = rerun("decisive_strong", "groups removed", seed=17, out="my_runs/17")
    print(numbers(curves))

`out` is a run folder: interrupted, the same call goes on where it was; without it nothing is
written. `EXPERIMENTS[name].trials(Scale())` has all arms; a `Trial` of your own goes to
`realnet.experiments.trial_run.run_trial`.
"""
