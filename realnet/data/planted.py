"""Real objects on backgrounds with a planted opposing signal: known truth, strength as a dial.

A chosen fraction of the data, spread evenly over two (or more) classes, shares one strong
background. A network that uses the background helps one of these classes and hurts the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from linmodel.errors import integer, real, refuse
from realnet.data.images import standardise, stratified_subset
from realnet.data.photos import PHOTOS, patches
from realnet.data.samples import Samples

BACKGROUNDS = ("colour", "photo")
SKY = np.array([0.35, 0.75, 1.52])  # root mean square 1
CONTRAST = 0.15  # sd of ordinary backgrounds, in units of the objects' full brightness
JITTER = 0.1  # relative sd of the strength of the shared background from one member to the next


def plant(
    objects: NDArray,
    labels: NDArray,
    *,
    name: str,
    source: dict,
    size: int | None,
    seed: int,
    fraction: float = 0.05,
    magnitude: float = 4.0,
    classes: Sequence[int] = (0, 1),
    background: str = "colour",
    side: int | None = None,
) -> Samples:
    """Put grey objects (N, H, W) in [0, 1] on backgrounds and plant an opposing signal.

    pixel = cover x object + (1 - cover) x (ordinary + magnitude x (1 + 0.1 z) x shared)

    cover      1 on the object, 0 off it: min(1, 4 x object)
    ordinary   "colour": an own dim colour plus noise; "photo": an own photographic patch; sd 0.15
    shared     only on members: a sky colour or one photographic patch, root mean square 1
    fraction   members' share of all the data, split evenly over `classes`; 0 plants nothing
    magnitude  brightness of the shared background, objects' full brightness = 1; 0 plants nothing
    classes    labels that have members
    side       pixels of a side after block averaging (default: half, or all where at most 8)
    Theory's alpha is p a^2 for outliers of size a on a share p. provenance["strength"] is the same
    number here: the top eigenvalue of the members' share of the inputs' second moments over that of
    all others' (0 with nothing planted). It matters to most networks from about 1.
    `members` of the result: "opposing" (all of them) and "class c" for each class; the latter are
    `watched` too.

    Raises InvalidInput for dials out of range or more members than a class has samples.
    """
    fraction = real("fraction", fraction, low=0)
    magnitude = real("magnitude", magnitude, low=0)
    if background not in BACKGROUNDS:
        refuse("background", background, "one of " + ", ".join(BACKGROUNDS))
    classes = _checked_classes(classes, labels)
    chosen = stratified_subset(labels, size, seed)
    small = shrink(objects[chosen], side)
    labels = labels[chosen].astype(np.int64)
    generator = np.random.default_rng([seed, 1])
    planted = fraction if magnitude > 0 else 0.0
    members = _draw_members(labels, classes, planted, generator)
    behind, shared = _backgrounds(background, len(labels), small.shape[-1], generator)
    strength = magnitude * (1 + JITTER * generator.standard_normal(len(labels)))
    behind[members["opposing"]] += (strength[:, None, None, None] * shared)[members["opposing"]]
    cover = np.minimum(1, 4 * small)[:, None]
    images, scale = standardise(cover * small[:, None] + (1 - cover) * behind)
    dials = {"fraction": fraction, "magnitude": magnitude, "classes": list(classes)}
    noted = {**source, **dials, "background": background, "size": len(labels), "seed": seed}
    noted["strength"] = strength_of(images, members["opposing"])
    n_classes = int(labels.max()) + 1
    watched = {
        key: (images[own], labels[own])
        for key, own in members.items()
        if key != "opposing" and own.any()
    }
    return Samples(images, labels, name, n_classes, {**noted, **scale}, members, watched)


def strength_of(images: NDArray, members: NDArray[np.bool_]) -> float:
    """||X_members||^2 / ||X_others||^2, spectral norms of flattened images; 0 for no members."""
    if not members.any():
        return 0.0
    flat = images.reshape(len(images), -1).astype(np.float64)
    own, others = (np.linalg.norm(flat[chosen], 2) for chosen in (members, ~members))
    return float((own / others) ** 2)


def shrink(objects: NDArray, side: int | None) -> NDArray[np.float64]:
    """Block averages of square images: (N, H, H) to (N, side, side), side a divisor of H."""
    full = objects.shape[-1]
    if side is None:
        side = full if full <= 8 else full // 2
    side = integer("side", side, low=1)
    if full % side:
        allowed = [str(full // factor) for factor in range(1, full) if full % factor == 0]
        refuse("side", side, "one of " + ", ".join(allowed))
    factor = full // side
    blocks = objects.reshape(len(objects), side, factor, side, factor)
    return blocks.mean(axis=(2, 4), dtype=np.float64)


def _checked_classes(classes: Sequence[int], labels: NDArray) -> tuple[int, ...]:
    names = sorted({int(label) for label in labels})
    if not isinstance(classes, Sequence) or isinstance(classes, str):
        refuse("classes", classes, f"two or more different ones of {names}")
    wanted = tuple(integer("classes", label, low=0) for label in classes)
    if len(set(wanted)) != len(wanted) or len(wanted) < 2 or not set(wanted) <= set(names):
        refuse("classes", tuple(classes), f"two or more different ones of {names}")
    return wanted


def _draw_members(
    labels: NDArray, classes: Sequence[int], fraction: float, generator: np.random.Generator
) -> dict[str, NDArray[np.bool_]]:
    each = round(fraction * len(labels) / len(classes))
    if fraction > 0 and each == 0:
        refuse("fraction", fraction, f"at least {len(classes)} / {len(labels)}: one member a class")
    members = {"opposing": np.zeros(len(labels), dtype=bool)}
    for label in classes:
        pool = np.flatnonzero(labels == label)
        if each > len(pool):
            refuse("fraction", fraction, f"at most {len(classes) * len(pool) / len(labels):.3g}")
        own = np.zeros(len(labels), dtype=bool)
        own[generator.choice(pool, each, replace=False)] = True
        members[f"class {label}"] = own
        members["opposing"] |= own
    return members


def _backgrounds(
    kind: str, count: int, side: int, generator: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Ordinary backgrounds (count, 3, side, side), and the shared one (3, side, side)."""
    drawers: dict[str, Callable[..., tuple[NDArray, NDArray]]] = {
        "colour": _colours,
        "photo": _photographs,
    }
    return drawers[kind](count, side, generator)


def _colours(count: int, side: int, generator: np.random.Generator) -> tuple[NDArray, NDArray]:
    hue = generator.standard_normal((count, 3, 1, 1))
    noise = generator.standard_normal((count, 3, side, side))
    shared = np.broadcast_to(SKY[:, None, None], (3, side, side))
    return CONTRAST * (hue + noise) / np.sqrt(2), shared


def _photographs(count: int, side: int, generator: np.random.Generator) -> tuple[NDArray, NDArray]:
    which = generator.integers(0, len(PHOTOS), count)
    behind = np.empty((count, 3, side, side))
    for index, photo in enumerate(PHOTOS):
        own = which == index
        behind[own] = patches(photo, int(own.sum()), side, generator) if own.any() else 0
    behind = CONTRAST * (behind - behind.mean()) / behind.std()
    shared = patches(PHOTOS[0], 1, side, generator)[0]
    return behind, shared / np.sqrt((shared**2).mean())
