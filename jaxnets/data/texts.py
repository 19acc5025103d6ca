"""Texts of any length, one after another, and batches of them without padding between."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts as one stream of word ids."""

    words: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.lengths)

    @cached_property
    def starts(self) -> np.ndarray:
        """`int32[texts]`: where each text begins in the stream; `int64` if that is longer."""
        return (np.cumsum(self.lengths) - self.lengths).astype(np.int32 if len(self.words) < 2**31 else np.int64)

    def __getitem__(self, row: int) -> np.ndarray:
        """The word ids of one text."""
        return self.words[self.starts[row] : self.starts[row] + self.lengths[row]]

    def take(self, rows: np.ndarray) -> "Texts":
        """The texts of some rows, in their order.

        >>> texts = Texts.of([[5, 6], [], [7]])
        >>> texts.take(np.array([2, 0])).words.tolist()
        [7, 5, 6]
        """
        lengths = self.lengths[rows]
        begin = np.repeat(self.starts[rows] - (np.cumsum(lengths) - lengths), lengths)
        return Texts(self.words[begin + np.arange(lengths.sum())], lengths)

    def truncated(self, longest: int) -> "Texts":
        """The first words of each text, `longest` at most."""
        position = np.arange(len(self.words)) - np.repeat(self.starts, self.lengths)
        return Texts(self.words[position < longest], np.minimum(self.lengths, longest))

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | np.ndarray]) -> "Texts":
        """The texts of these rows of word ids.

        >>> Texts.of([[5, 6], [], [7]]).lengths.tolist()
        [2, 0, 1]
        """
        lengths = np.array([len(row) for row in rows], np.int32)
        words = np.concatenate([np.asarray(row, np.int32) for row in rows]) if len(rows) else np.zeros(0, np.int32)
        return cls(words.astype(np.int32, copy=False), lengths)

    @classmethod
    def joined(cls, parts: Sequence["Texts"]) -> "Texts":
        """All texts of some collections, one collection after another.

        >>> Texts.joined([Texts.of([[5, 6]]), Texts.of([[], [7]])]).lengths.tolist()
        [2, 0, 1]
        """
        return cls(np.concatenate([part.words for part in parts]), np.concatenate([part.lengths for part in parts]))

    @classmethod
    def of_padded(cls, rows: np.ndarray) -> "Texts":
        """The texts of the rows of an array `int[texts, words]`, in which 0 is padding.

        >>> Texts.of_padded(np.array([[5, 6, 0], [7, 0, 0]])).words.tolist()
        [5, 6, 7]
        """
        return cls(rows[rows != 0].astype(np.int32), (rows != 0).sum(axis=1).astype(np.int32))


class Packed(NamedTuple):
    """Texts cut into batches of one shape."""

    words: np.ndarray
    text: np.ndarray
    lengths: np.ndarray
    rows: np.ndarray


def pack(texts: Texts, num_positions: int, most_texts: int) -> Packed:
    """Packs texts in their order into batches, each as full as it gets with whole texts.

    >>> pack(Texts.of([[5, 6], [7], [8, 9]]), 3, 8).words.tolist()
    [[5, 6, 7], [8, 9, 0]]
    """
    num_positions = max(num_positions, int(texts.lengths.max(initial=1)))
    firsts = batch_starts(texts.lengths, num_positions, most_texts)
    counts = np.diff([*firsts, len(texts)])
    batch = np.repeat(np.arange(len(firsts)), counts)
    place = np.arange(len(texts)) - np.repeat(firsts, counts)
    shape = (len(firsts), int(counts.max(initial=1)))
    lengths, rows = np.zeros(shape, np.int32), np.full(shape, -1, np.int32)
    lengths[batch, place] = texts.lengths
    rows[batch, place] = np.arange(len(texts))
    words = np.zeros((len(firsts), num_positions), np.int32)
    text = np.full((len(firsts), num_positions), shape[1], np.int32)
    word_batch = np.repeat(batch, texts.lengths)
    position = np.arange(len(texts.words)) - np.repeat(texts.starts[firsts][batch], texts.lengths)
    words[word_batch, position] = texts.words
    text[word_batch, position] = np.repeat(place, texts.lengths)
    return Packed(words, text, lengths, rows)


def batch_starts(lengths: np.ndarray, num_positions: int, most_texts: int) -> list[int]:
    """The first text of each batch."""
    ends = np.cumsum(lengths, dtype=np.int64)
    firsts = [0]
    while True:
        before = ends[firsts[-1]] - lengths[firsts[-1]]
        fitting = int(np.searchsorted(ends, before + num_positions, side="right"))
        following = min(fitting, firsts[-1] + most_texts)
        if following >= len(lengths):
            return firsts
        firsts.append(following)


def budgets(lengths: np.ndarray, batch_size: int) -> tuple[int, ...]:
    """The numbers of positions for which a training step is compiled; the last holds any batch.

    The words of a random batch are nearly normally distributed, so that most batches fit closely into a small budget,
    almost all others into one a little larger, and the rare rest into one for the longest texts together.
    """
    most = int(np.sort(lengths)[-batch_size:].sum(dtype=np.int64))
    mean, deviation = lengths.mean() * batch_size, lengths.std() * batch_size**0.5
    closer = [_rounded_up(mean + wide * deviation) for wide in (0.75, 2.5)]
    # where little is to be gained, compiling once is better
    if most < 1.5 * mean or most < _SMALL:
        return (max(most, 1),)
    return (*(budget for budget in closer if budget < most), most)


_SMALL = 1024
_MULTIPLE = 16


def _rounded_up(positions: float) -> int:
    return int(-(-positions // _MULTIPLE) * _MULTIPLE)
