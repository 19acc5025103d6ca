"""Splits that are read as they are needed: some of their rows, in arrays of a fixed shape."""

import numpy as np

from jaxnets.data import texts
from jaxnets.data.dataset import Split
from jaxnets.data.texts import Packed, Texts

_AT_A_TIME = 1 << 12  # rows: to read all at once would take their memory several times


def features(split: Split, rows: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Some rows of features, zeros after them.

    >>> split = Split(np.array([[1], [2], [3]], np.uint8), np.array([0, 1, 1], np.int32))
    >>> [array.tolist() for array in features(split, np.array([0, 2]), 3)]
    [[[1.0], [3.0], [0.0]], [0, 1, 0]]
    """
    features = np.asarray(split.inputs)
    inputs = np.zeros((size, *features.shape[1:]), np.float32)
    for start in range(0, len(rows), _AT_A_TIME):
        some = rows[start : start + _AT_A_TIME]
        inputs[start : start + len(some)] = features[some]
    return inputs, _filled(split.labels[rows], size)


def stream(split: Split, rows: np.ndarray, size: int, num_words: int) -> tuple[np.ndarray, ...]:
    """Some rows of texts as a stream, zeros after them."""
    assert isinstance(split.inputs, Texts)
    words, lengths, end = np.zeros(num_words, np.int32), _filled(split.inputs.lengths[rows], size), 0
    for start in range(0, len(rows), _AT_A_TIME):
        some = split.inputs.take(rows[start : start + _AT_A_TIME]).words
        words[end : end + len(some)] = some
        end += len(some)
    return words, (np.cumsum(lengths) - lengths).astype(np.int32), lengths, _filled(split.labels[rows], size)


def pack(split: Split, rows: range, num_positions: int, most_texts: int) -> tuple[Packed, np.ndarray]:
    """The texts of consecutive rows in batches, as `texts.pack` makes them of all, and their labels `int32[rows]`."""
    assert isinstance(split.inputs, Texts)
    begin, end = rows.start, rows.stop
    lengths = split.inputs.lengths[begin:end]
    first = split.inputs.starts[begin] if begin < len(split) else 0
    words = np.asarray(split.inputs.words[first : first + lengths.sum(dtype=np.int64)])
    packed = texts.pack(Texts(words, lengths), num_positions, most_texts)
    return packed, split.labels[begin:end]


def example_bytes(split: Split) -> int:
    """The memory of an example in training, with its label; of a text, the mean."""
    if isinstance(split.inputs, Texts):
        return int(split.inputs.lengths.mean() * 4) + 16
    return 4 * int(np.prod(np.asarray(split.inputs).shape[1:])) + 8


def _filled(array: np.ndarray, size: int) -> np.ndarray:
    filled = np.zeros(size, np.int32)
    filled[: len(array)] = array
    return filled
