"""Is the loss the same when it is computed again, and are the chunks' lengths their shares?"""

from __future__ import annotations

import torch

from linmodel.errors import InvalidInput
from realnet.curvature.chunks import REMEDY, Chunk, joined, length, part
from realnet.curvature.objective import Objective
from realnet.curvature.precision import full_precision

SAME_LOSS = 1e-6  # relative; sums on a GPU may differ in the last bits, dropout differs by far more
LOADER = (
    "Where the loader shuffles and drops some, or augments, pass one pass of it, list(loader). "
)
ADDS = {  # relative; sums in another order
    torch.float32: 1e-4,
    torch.float64: 1e-8,
    torch.float16: 1e-2,
    torch.bfloat16: 5e-2,
}


def refuse_noise(objective: Objective, loss: float, remedy: str) -> None:
    """Raises InvalidInput for a loss that differs when it is computed again."""
    total, counts = 0.0, 0.0
    for chunk, weight in objective.data:
        value, count = _value(objective, chunk)
        total += value * (weight if count is None else 1.0)
        counts += count or 0.0
    again = total / (counts or 1.0)
    if abs(again - loss) > SAME_LOSS * abs(loss):
        loader = "" if isinstance(objective.chunks, (list, tuple)) else LOADER
        raise InvalidInput(
            f"the loss is not deterministic: {loss!r}, then {again!r}. {loader}{remedy}"
        )


def refuse_wrong_shares(objective: Objective) -> None:
    """Raises InvalidInput where chunks' losses do not add up by their lengths.

    L(A and B) must be (|A| L(A) + |B| L(B)) / (|A| + |B|) for halves A, B of every chunk and of
    neighbours: a sum does not, nor does a mean over what is not ignored, nor a class-weighted one.
    """
    if objective.data.trusted or objective.data.count == 1:
        return
    last: tuple[Chunk, float, float] | None = None
    for chunk, _ in objective.data:
        size = length(chunk) or 0
        middle = (size + 1) // 2
        for begin, end in ((0, middle), (middle, size)):
            if begin == end:
                continue
            piece = part(chunk, begin, end)
            loss, count = _asked(objective, piece)
            samples = float(end - begin) if count is None else count
            mean = loss if count is None else loss / count
            if last is not None and (count is None or _join(last[0], piece)):
                _refuse_if_not_additive(objective, last, (piece, mean, samples))
            last = piece, mean, samples


def _refuse_if_not_additive(
    objective: Objective, one: tuple[Chunk, float, float], other: tuple[Chunk, float, float]
) -> None:
    loss, count = _asked(objective, joined(one[0], other[0]))
    both = loss if count is None else loss / count
    (_, first, a), (_, second, b) = one, other
    expected = (a * first + b * second) / (a + b)
    scale = max(abs(first), abs(second), abs(both))
    if not abs(both - expected) <= ADDS[objective.stored] * scale:
        raise InvalidInput(
            f"the loss of {a + b:g} samples is {both:.6g}, but their two parts of {a:g} and {b:g} "
            f"samples give {expected:.6g}: it is no mean over samples (reduction='sum', "
            f"ignore_index, class weights?), so chunks' lengths are not their shares. {REMEDY}"
        )


def _join(one: Chunk, other: Chunk) -> bool:
    """Whether they are alike in shape: chunks of counted losses need not be."""
    try:
        joined(one, other)
    except InvalidInput:
        return False
    return True


def _asked(objective: Objective, piece: Chunk) -> tuple[float, float | None]:
    try:
        return _value(objective, piece)
    except (RuntimeError, ValueError, IndexError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(
            f"loss_fn fails on part of a chunk, so shares by length cannot be checked ({error}). "
            f"{REMEDY}"
        ) from error


def _value(objective: Objective, chunk: Chunk) -> tuple[float, float | None]:
    with (
        full_precision(objective.device, twice=objective.twice),
        torch.enable_grad(),
    ):  # some losses hold a derivative
        loss, count = objective.loss(chunk)
    return float(loss.detach()), count
