"""The data set on the devices: its folds side by side, its texts as a stream and in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import jax
import numpy as np
from jaxtyping import Int

from jaxnets.data import texts
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Packed, Texts
from jaxnets.engine.devices import Placement
from jaxnets.models.blocks import TextBatch
from jaxnets.training.batches import EVALUATION_BATCH, Examples, TextStream
from jaxnets.training.word_rows import GivenVectors

# A batch of texts to be evaluated: the windows of a text CNN over so many words still fit in a core's cache.
_POSITIONS = 2048


class DeviceFolds(NamedTuple):
    """The data set on the device, shared by all runs; the first axis of each array is that of the folds.

    Texts are there twice: as a stream to draw batches from, and in batches to be evaluated. The training examples are
    None where they are streamed; see `jaxnets.engine.stream`.
    """

    train: Examples | None
    dev: Examples
    test: Examples
    train_in_batches: Examples | None = None
    word_vectors: GivenVectors | None = None


@dataclass(frozen=True)
class PlacedFolds:
    """The data set on the devices, and the order of its test examples."""

    folds: DeviceFolds
    test_rows: Int[np.ndarray, "folds batches examples"]


def put(folds: Sequence[Dataset], placement: Placement, *, streamed: bool = False) -> PlacedFolds:
    """Puts the folds of a data set, of equal training size, on the devices; streamed training examples stay away."""
    train, dev, test = ([getattr(fold, name) for fold in folds] for name in ("train", "dev", "test"))
    if folds[0].is_text:
        test_split, test_rows = _packed(test)
        of_train = (None, None) if streamed else (_stream(train), _packed(train)[0])
        on_host = DeviceFolds(of_train[0], _packed(dev)[0], test_split, of_train[1])
    else:
        most = max(map(len, test))
        test_rows = np.stack([_plain_rows(len(split), most) for split in test])
        on_host = DeviceFolds(None if streamed else _features(train), _features(dev), _features(test))
    vectors = folds[0].word_vectors
    if vectors is not None:
        on_host = on_host._replace(
            word_vectors=GivenVectors(vectors.vectors, vectors.given, np.float32(vectors.deviation))  # type: ignore
        )
    return PlacedFolds(jax.device_put(on_host, placement.replicated), test_rows)


def _features(splits: Sequence[Split]) -> Examples:
    """The features of each fold; where some have fewer examples, those that fill them up weigh nothing."""
    equal = len({len(split) for split in splits}) == 1
    weights = [None if equal else np.ones(len(split), np.float32) for split in splits]
    return _stacked(
        [Examples(split.inputs, split.labels, weight) for split, weight in zip(splits, weights, strict=True)]  # type: ignore[arg-type]
    )


def _stream(splits: Sequence[Split]) -> Examples:
    """The texts of each fold one after another."""
    streams = [cast(Texts, split.inputs) for split in splits]
    return _stacked(
        [
            Examples(TextStream(stream.words, stream.starts, stream.lengths), split.labels)  # type: ignore[arg-type]
            for stream, split in zip(streams, splits, strict=True)
        ]
    )


def _packed(splits: Sequence[Split]) -> tuple[Examples, np.ndarray]:
    """The texts of each fold in batches, and their numbers there."""
    inputs = [cast(Texts, split.inputs) for split in splits]
    positions = widest_batch(inputs)
    packed = [texts.pack(own, positions, EVALUATION_BATCH) for own in inputs]
    most_texts = max(one.rows.shape[1] for one in packed)
    packed = [widened(one, most_texts) for one in packed]
    batches = [in_examples(one, split.labels[one.rows]) for one, split in zip(packed, splits, strict=True)]
    num_batches = max(one.rows.shape[0] for one in packed)
    rows = [padded(one.rows, num_batches, -1) for one in packed]
    return _stacked(batches), np.stack(rows)


def widened(packed: Packed, most_texts: int) -> Packed:
    """Batches with room for so many texts."""
    missing = ((0, 0), (0, most_texts - packed.rows.shape[1]))
    return Packed(
        packed.words,
        np.where(packed.text == packed.rows.shape[1], most_texts, packed.text).astype(np.int32),
        np.pad(packed.lengths, missing),
        np.pad(packed.rows, missing, constant_values=-1),
    )


def in_examples(packed: Packed, labels: Int[np.ndarray, "batches examples"]) -> Examples:
    """Texts in batches with their labels; where there is no text, it weighs nothing."""
    inputs = TextBatch(packed.words, packed.text, packed.lengths)  # type: ignore[arg-type]
    weights = (packed.rows >= 0).astype(np.float32)
    return Examples(inputs, labels, weights)  # type: ignore[arg-type]


def widest_batch(folds: Sequence[Texts]) -> int:
    """The positions of a batch to be evaluated: equal in all folds, as long as the longest text of any of them."""
    return max(_POSITIONS, *(int(own.lengths.max(initial=1)) for own in folds))


def _stacked(splits: Sequence[Examples]) -> Examples:
    """Folds on a new first axis; the shorter arrays are filled up with zeros."""

    def stack(*leaves: np.ndarray) -> np.ndarray:
        size = max(len(leaf) for leaf in leaves)
        return np.stack([padded(leaf, size) for leaf in leaves])

    return jax.tree.map(stack, *splits)


def padded(array: np.ndarray, size: int, value: int = 0) -> np.ndarray:
    """An array with rows of a value after its own, up to so many."""
    widths = ((0, size - len(array)), *((0, 0),) * (array.ndim - 1))
    return np.pad(array, widths, constant_values=value)


def _plain_rows(num_examples: int, most: int) -> np.ndarray:
    """Where features are, in the batches in which they are evaluated, if the largest fold has `most` examples."""
    size = min(most, EVALUATION_BATCH)
    rows = np.arange(-(-most // size) * size)
    return np.where(rows < num_examples, rows, -1).reshape(-1, size)
