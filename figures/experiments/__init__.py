"""Pages of the experiments on real networks, one module each, found by themselves.

A module has CAPTIONS (experiment's name -> caption), PLACE (in lists and in the report), `draw`
(Dataset -> Figure) and `tables` (Dataset -> list of Table). It shows what is saved, and computes
nothing. The experiment itself is the module of the same name in realnet/experiments.
"""
