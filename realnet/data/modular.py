"""Addition modulo p as a data set: every pair once, a share of the pairs held out."""

from __future__ import annotations

import numpy as np

from linmodel.errors import integer, real, refuse
from realnet.data.samples import Samples


def load_modular(
    name: str, size: int | None, seed: int, modulus: int = 47, train_share: float = 0.5
) -> Samples:
    """(a + b) mod `modulus` from one-hot a and b as an image (2, 1, modulus).

    round(train_share p^2) pairs drawn with `seed` may be trained on (`size` of them; None: all),
    the rest are held out. Members and watched sets: "mirror trained" and "mirror held out", the
    training pairs (a, b) whose mirror image (b, a), which has the same sum, is trained on, and not.
    Raises InvalidInput: modulus below 3, a share that leaves one side empty, size out of range.
    """
    p = integer("modulus", modulus, low=3)
    share = real("train_share", train_share, above=0)
    a, b = (each.ravel() for each in np.meshgrid(range(p), range(p), indexing="ij"))
    eye = np.eye(p, dtype=np.float32)
    inputs = np.stack([eye[a], eye[b]], axis=1)[:, :, None]
    labels = ((a + b) % p).astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(labels))
    count = round(share * len(labels))
    if not 0 < count < len(labels):
        refuse("train_share", share, "a share that leaves samples on both sides")
    size = count if size is None else integer("size", size, low=2)
    if size > count:
        hint = f"They are train_share = {share:g} of {len(labels)} pairs; size 0 takes them all."
        refuse("size", size, f"at most {count}", hint)
    train, held_out = order[:size], order[count:]
    twin = np.isin((p * b + a)[train], train)
    members = {"mirror trained": twin, "mirror held out": ~twin}
    return Samples(
        inputs[train],
        labels[train],
        name,
        p,
        {"source": f"(a + b) mod {p}", "train_share": share, "size": size, "seed": seed},
        members,
        {key: (inputs[train][own], labels[train][own]) for key, own in members.items()},
        (inputs[held_out], labels[held_out]),
    )
