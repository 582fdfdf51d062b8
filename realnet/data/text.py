"""Moby-Dick as token windows for small language models; tokens shown in their context."""

from __future__ import annotations

import lzma
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linmodel.arguments import typed
from linmodel.errors import integer, refuse
from realnet.data.samples import Samples

TOKENS = ("characters", "words")
SHOWN = 5  # tokens printed in their context
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class TextData:
    """N windows of T tokens.

    inputs      int64 (N, T), token ids 0 .. len(vocabulary) - 1
    labels      int64 (N, T), the next tokens
    vocabulary  the tokens; rarer ones are the first entry
    begins      (N,), place of each window's first token in `stream`
    stream      ids of the whole text
    joint       what stands between tokens in print: "" (characters) or " " (words)
    """

    inputs: NDArray[np.int64]
    labels: NDArray[np.int64]
    vocabulary: tuple[str, ...]
    begins: NDArray[np.int64]
    stream: NDArray[np.int64]
    joint: str
    provenance: dict = field(default_factory=dict)

    @property
    def n_classes(self) -> int:
        """Size of the vocabulary."""
        return len(self.vocabulary)


def moby_dick() -> str:
    """The novel's chapters, 1.2 MB of public-domain English."""
    packed = (files("realnet") / "data_files" / "moby_dick.txt.xz").read_bytes()
    return lzma.decompress(packed).decode("utf-8")


@typed
def load_text(
    size: int | None = None,
    seed: int = 0,
    *,
    context: int = 32,
    tokens: str = "characters",
    vocabulary: int = 64,
) -> TextData:
    """`size` windows of `context` tokens, their places drawn with `seed` without repetition.

    size        None: the whole text, window after window
    tokens      "characters" (as they are), or "words" (lower case, split at white space)
    vocabulary  number of tokens kept: the most frequent, and one for all others
    Raises InvalidInput for numbers out of range or an unknown kind of tokens.
    """
    seed = integer("seed", seed, low=0)
    context = integer("context", context, low=2)
    kept = integer("vocabulary", vocabulary, low=3)
    if tokens not in TOKENS:
        refuse("tokens", tokens, "one of " + ", ".join(TOKENS))
    stream, names = _stream(tokens, kept)
    begins = _begins(len(stream) - context, size, seed, context)
    windows = stream[begins[:, None] + np.arange(context + 1)]
    source = {
        "source": "Moby-Dick, chapters 1 to 135 (public domain; CC0 edition)",
        "tokens": tokens,
        "context": context,
        "size": len(begins),
        "seed": seed,
    }
    return TextData(
        inputs=windows[:, :-1],
        labels=windows[:, 1:],
        vocabulary=names,
        begins=begins,
        stream=stream,
        joint="" if tokens == "characters" else " ",
        provenance=source,
    )


def load_windows(
    name: str, size: int | None, seed: int, held_out: int = 0, **dials: Any
) -> Samples:
    """Windows as samples; `held_out` further ones are not trained on. Dials as `load_text`."""
    beside = integer("held_out", held_out, low=0)
    if size is None and beside:
        refuse("size with held_out", "all the text", "a number of windows, or held_out = 0")
    text = load_text(None if size is None else size + beside, seed, **dials)
    count = len(text.inputs) - beside

    def described(chosen: Sequence[int]) -> list[str]:
        return [transitions(text, chosen), *map(repr, in_context(text, chosen[:SHOWN]))]

    return Samples(
        text.inputs[:count],
        text.labels[:count],
        name,
        text.n_classes,
        text.provenance | {"size": count, "vocabulary": list(text.vocabulary)},
        held_out=(text.inputs[count:], text.labels[count:]) if beside else None,
        described=described,
    )


@cache
def _stream(tokens: str, kept: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The text as ids, and the `kept` tokens that these stand for, the unknown one first."""
    text = moby_dick()
    if tokens == "characters":
        pieces = np.array(list(" ".join(text.split())))
    else:
        pieces = np.array(text.lower().split())
    names, ids, counts = np.unique(pieces, return_inverse=True, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[: kept - 1]
    table = np.zeros(len(names), dtype=np.int64)
    table[frequent] = 1 + np.arange(len(frequent))
    stream = table[ids]
    stream.flags.writeable = False  # one for all that ask
    return stream, (UNKNOWN, *names[frequent].tolist())


def _begins(places: int, size: int | None, seed: int, context: int) -> NDArray[np.int64]:
    """Where the windows begin, among `places` places."""
    if places < 1:
        refuse("context", context, f"at most {places + context - 1} tokens, the text's length")
    if size is None:
        return np.arange(0, places, context)
    size = integer("size", size, low=1)
    if size > places:
        refuse("size", size, f"at most {places} windows")
    return np.random.default_rng(seed).choice(places, size, replace=False)


@typed
def in_context(
    data: TextData, samples: Sequence[int], before: int = 20, after: int = 5
) -> list[str]:
    """Each predicted token [in brackets] within its text; samples count tokens, window by window.

    Raises InvalidInput for a sample outside 0 .. N T - 1.
    """
    width = data.labels.shape[1]
    shown = []
    for sample in samples:
        if not 0 <= sample < data.labels.size:
            refuse("sample", int(sample), f"0 to {data.labels.size - 1}")
        place = int(data.begins[sample // width]) + int(sample) % width + 1
        left = data.stream[max(0, place - before) : place]
        right = data.stream[place + 1 : place + 1 + after]
        first, token, last = (
            data.joint.join(data.vocabulary[i] for i in part)
            for part in (left, data.stream[place : place + 1], right)
        )
        shown.append(f"{first}{data.joint}[{token}]{data.joint}{last}")
    return shown


@typed
def transitions(data: TextData, samples: Sequence[int], most: int = 5) -> str:
    """The commonest "token seen last -> token to come" of the samples, each with its count."""
    chosen = list(samples)
    seen, next_ones = data.inputs.ravel()[chosen], data.labels.ravel()[chosen]
    names = data.vocabulary
    counts = Counter(f"{names[a]!r} -> {names[b]!r}" for a, b in zip(seen, next_ones, strict=True))
    shown = [f"{name} {count}" for name, count in counts.most_common(most)]
    rest = len(chosen) - sum(count for _, count in counts.most_common(most))
    return ", ".join(shown) + (f", {rest} others" if rest else "")
