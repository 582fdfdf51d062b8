"""Numbers that measure opposing signals, each with a bootstrap interval, in one Dataset.

G: both groups of a pair; N: number of samples; u: a recorded top eigenvector of the loss Hessian.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from linmodel import store
from linmodel.arguments import typed
from linmodel.errors import integer, refuse
from realnet.bridge.blocks import resampled
from realnet.signals import changes
from realnet.signals.antiphase import rank_correlation, swings
from realnet.signals.groups import Array, OpposingPair, group_losses, loss_changes

DEFINITIONS = {
    "fraction": "|G| / N",
    "curvature_share": "sum_G u'H_i u / sum_all u'H_i u: share of the eigenvalue of u",
    "curvature_ratio": "mean_G u'H_i u / mean_all u'H_i u (S14)",
    "slope_share": "sum_G |g_i.u| / sum_all |g_i.u|",
    "gradient_share": "sum_G g_i.g / (N g.g), g the mean gradient; 1 over all the data",
    "gradient_cosine": "cosine of the two groups' mean gradients",
    "antiphase": "rank correlation over steps of the groups' loss swings, less the others' (S11)",
    "input_share": "sum_G |x_i|^2 / sum_all |x_i|^2",
    "input_ratio": "mean_G |x_i| / mean_all |x_i|",
}
INTERVAL = (2.5, 97.5)
Found = dict[str, tuple[tuple[str, ...], Array, Array]]  # dims, value, draws (first axis)


@typed
def measure(
    evidence: xr.Dataset,
    pairs: Sequence[OpposingPair],
    grams: Sequence[xr.Dataset] | None = None,
    *,
    draws: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    """Every number of DEFINITIONS for each pair, and the loss-change distribution (S16).

    Each comes with NAME_low and NAME_high, a 95% bootstrap interval: samples are drawn again within
    the two groups and the rest (membership held fixed); for antiphase, blocks of ceil(steps^(1/3))
    consecutive steps; for gradient_cosine, the folds of `grams` (from
    `realnet.signals.gradients.fold_grams`; without them there is no cosine), of the cosine that as
    many samples have: means of few are noisy, and their cosine is nearer 0 than that of many.
    Dimensions: pair, checkpoint, direction, time. Raises InvalidInput for bad numbers.
    """
    draws = integer("draws", draws, low=2)
    generator = np.random.default_rng(integer("seed", seed, low=0))
    if grams is not None and len(grams) != len(pairs):
        refuse("grams", len(grams), f"one for each of the {len(pairs)} pairs")
    content = distribution(evidence)
    tables = [
        _one_pair(evidence, pair, None if grams is None else grams[i], draws, generator)
        for i, pair in enumerate(pairs)
    ]
    if tables:
        content = content.merge(xr.concat(tables, dim="pair"))
    content.attrs = evidence.attrs | store.provenance(
        draws=draws, seed=seed, pairs=len(pairs), observed=evidence.attrs.get("configuration", "")
    )
    return content


def _one_pair(
    evidence: xr.Dataset,
    pair: OpposingPair,
    gram: xr.Dataset | None,
    draws: int,
    generator: np.random.Generator,
) -> xr.Dataset:
    group = np.zeros(evidence.sizes["sample"], dtype=bool)
    group[pair.members] = True
    strata = [pair.plus, pair.minus, np.flatnonzero(~group)]
    counts = _resample(strata, group.size, draws, generator)
    found = _shares(evidence, group, counts)
    found["antiphase"] = ((), *_antiphase(evidence, pair, draws, generator))
    if gram is not None:
        found["gradient_cosine"] = (("checkpoint",), *_cosines(gram, draws, generator))
    table = xr.Dataset(coords={name: evidence[name] for name in ("checkpoint", "checkpoint_step")})
    table["fraction"] = ((), group.mean())
    table["plus_size"], table["minus_size"] = ((), len(pair.plus)), ((), len(pair.minus))
    table["jump"], table["p_value"] = ((), pair.score), ((), pair.p_value)
    for side, chosen in (("plus", pair.plus), ("minus", pair.minus), ("rest", strata[2])):
        table[f"loss_{side}"] = evidence.loss[:, chosen].mean("sample")
    for name, (dims, value, drawn) in found.items():
        low, high = np.nanpercentile(drawn, INTERVAL, axis=0)
        table[name] = (dims, value)
        table[f"{name}_low"], table[f"{name}_high"] = (dims, low), (dims, high)
    for name, definition in DEFINITIONS.items():
        if name in table:
            table[name].attrs = {"units": "1", "long_name": definition}
    return table


def _resample(
    strata: list[NDArray], count: int, draws: int, generator: np.random.Generator
) -> Array:
    """How often each sample is drawn, (1 + draws, N); row 0 is the data themselves."""
    counts = np.zeros((1 + draws, count))
    counts[0] = 1
    for members in strata:
        size = len(members)
        counts[1:, members] = generator.multinomial(size, np.full(size, 1 / size), size=draws)
    return counts


def _shares(evidence: xr.Dataset, group: NDArray[np.bool_], counts: Array) -> Found:
    views, times = ("checkpoint", "direction"), ("checkpoint",)
    curvature, slope = evidence.curvature.values, np.abs(evidence.slope.values)
    norm = evidence.input_norm.values
    share = group.mean()
    found = {
        "curvature_share": (views, *_ratio(curvature, group, counts)),
        "slope_share": (views, *_ratio(slope, group, counts)),
        "gradient_share": (times, *_ratio(evidence.alignment.values, group, counts)),
        "input_share": ((), *_ratio(norm**2, group, counts)),
    }
    _, value, drawn = found["curvature_share"]
    found["curvature_ratio"] = (views, value / share, drawn / share)
    value, drawn = _ratio(norm, group, counts)
    found["input_ratio"] = ((), value / share, drawn / share)
    return found


def _ratio(values: Array, group: NDArray[np.bool_], counts: Array) -> tuple[Array, Array]:
    """sum over the group / sum over all, along the last axis: the value and its draws."""
    flat = values.reshape(-1, values.shape[-1])
    own = (counts * group) @ flat.T
    drawn = (own / (counts @ flat.T)).reshape(len(counts), *values.shape[:-1])
    return drawn[0], drawn[1:]


def _antiphase(
    evidence: xr.Dataset, pair: OpposingPair, draws: int, generator: np.random.Generator
) -> tuple[Array, Array]:
    both = swings(*group_losses(evidence, pair.plus, pair.minus))
    steps = both.shape[1]
    block = int(np.ceil(steps ** (1 / 3)))
    drawn = np.full(draws, np.nan)
    for draw in range(draws if steps >= 3 else 0):
        drawn[draw] = rank_correlation(resampled(both, block, generator))
    return np.asarray(pair.antiphase), drawn


def _cosines(gram: xr.Dataset, draws: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Cosine of the sides' mean gradients by checkpoint, folds drawn again for the interval."""
    plus = gram.fold_side.values > 0
    sizes, inner = gram.fold_size.values, gram.gram.values
    weights = _resample([np.flatnonzero(plus), np.flatnonzero(~plus)], len(plus), draws, generator)
    first, second = weights * sizes * plus, weights * sizes * ~plus
    cross = np.einsum("df,tfg,dg->dt", first, inner, second)
    square = [np.einsum("df,tfg,dg->dt", side, inner, side) for side in (first, second)]
    for each in square:  # drawing again adds the folds' scatter to a squared norm: off on average
        each[1:] -= each[1:].mean(axis=0) - each[0]
    size = np.sqrt(np.prod([np.maximum(each, 1e-300) for each in square], axis=0))
    cosine = np.clip(cross / size, -1, 1)
    return cosine[0], cosine[1:]


@typed
def distribution(evidence: xr.Dataset) -> xr.Dataset:
    """S16: `changes.DEFINITIONS` of the one-step loss changes over the samples, at every step.

    On dimension change_time = the time before the step.
    """
    time = evidence.time.values[:-1]
    found = xr.Dataset(coords={"change_time": ("change_time", time, dict(evidence.time.attrs))})
    for name, values in changes.moments(loss_changes(evidence)).items():
        attrs = {"units": "1", "long_name": changes.DEFINITIONS[name]}
        found[name] = ("change_time", values, attrs)
    return found


@typed
def rows(numbers: xr.Dataset, pair: int = 0) -> list[tuple[str, float, float, float, str]]:
    """(name, value, low, high, definition), at the checkpoint and direction of largest share.

    Low and high are NaN where a number has no interval. Raises InvalidInput for no such pair.
    """
    if pair not in range(numbers.sizes.get("pair", 0)):
        refuse("pair", pair, f"0 to {numbers.sizes.get('pair', 0) - 1}", "No group was found.")
    own = numbers.isel(pair=pair)
    best = own.curvature_share.argmax(("checkpoint", "direction"))
    place = {str(name): int(index) for name, index in best.items()}
    table: list[tuple[str, float, float, float, str]] = []
    for name, definition in DEFINITIONS.items():
        if name in own:
            at = own.isel({dim: i for dim, i in place.items() if dim in own[name].dims})
            low, high = (
                float(at[key]) if (key := f"{name}_{end}") in at else float("nan")
                for end in ("low", "high")
            )
            table.append((name, float(at[name]), low, high, definition))
    return table
