"""What a data set is: three splits of examples with labels, as NumPy arrays."""

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxnets.data import arrays_on_disk
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

PADDING, UNKNOWN = "<pad>", "<unk>"


@dataclass(frozen=True, eq=False)
class Split:
    """Examples with their labels.

    Attributes:
      inputs: `float32[examples, features]`, or texts as word ids. A loader may give the latter as an array
        `int[examples, words]` with 0 for padding. Before encoding, texts are strings.
      labels: `int32[examples]`, from 0 to the number of classes - 1.
    """

    inputs: np.ndarray | Texts | list[str]
    labels: np.ndarray

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A classification task.

    Attributes:
      name: what to call it.
      train: the examples to learn from.
      dev: the examples on which hyperparameters are chosen.
      test: the examples on which the choice is judged.
      class_names: a name for each label.
      vocabulary: the words by their ids, the first two `<pad>` and `<unk>`; empty if the inputs are features.
      word_vectors: vectors of some of the words; None if there are none.
      tokenizer: how a text is split into words, as JSON; empty if the inputs are features.
      notes: sentences that the user should read about how the data set was made.
      label_type: of the labels as they were given: `str`, `int` or `bool`; empty if that is not known.
      max_length: the number of words to which texts were cut; 0 if none is.
    """

    name: str
    train: Split
    dev: Split
    test: Split
    class_names: tuple[str, ...]
    vocabulary: tuple[str, ...] = ()
    word_vectors: "WordVectors | None" = None
    tokenizer: str = ""
    notes: tuple[str, ...] = ()
    label_type: str = ""
    max_length: int = 0

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    @property
    def is_text(self) -> bool:
        """Whether the inputs are word ids."""
        return bool(self.vocabulary)

    @property
    def kind(self) -> str:
        """Whether the inputs are `text` or `features`."""
        return "text" if self.is_text else "features"

    def decode(self, row: np.ndarray) -> str:
        """The words of a row of ids, without padding.

        >>> split = Split(np.array([[2, 1, 0]], np.int32), np.array([0], np.int32))
        >>> Dataset("one", split, split, split, ("no", "yes"), (PADDING, UNKNOWN, "hello")).decode(split.inputs[0])
        'hello <unk>'
        """
        return " ".join(self.vocabulary[word] for word in row if word != 0)


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Vectors of some words of a vocabulary."""

    vectors: np.ndarray
    given: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self.vectors.shape[1]

    @property
    def deviation(self) -> float:
        """The standard deviation of all given numbers; words without a vector are initialized with the same."""
        return float(self.vectors[self.given].std())


def random_generator(field: str, seed: int, *stream: int) -> np.random.Generator:
    """The random numbers of a seed: PCG64 by name, as NumPy may change its default."""
    if seed < 0:
        raise UserError(f"{field}: {seed} is negative; a seed is a whole number from 0.")
    return np.random.Generator(np.random.PCG64([seed, *stream]))


def stratified(labels: np.ndarray, sizes: Sequence[int], generator: np.random.Generator) -> list[np.ndarray]:
    """Draws the rows of splits of the given sizes, no row twice, each class in proportion to what is left of it.

    >>> labels = np.array([0] * 6 + [1] * 3)
    >>> [labels[rows].tolist() for rows in stratified(labels, [6, 3], np.random.default_rng(0))]
    [[0, 0, 0, 0, 1, 1], [0, 0, 1]]
    """
    pools = [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    splits = []
    for size in sizes:
        shares = _shares(np.array([len(pool) for pool in pools]), size)
        splits.append(np.sort(np.concatenate([pool[:share] for pool, share in zip(pools, shares, strict=True)])))
        pools = [pool[share:] for pool, share in zip(pools, shares, strict=True)]
    return splits


def _shares(counts: np.ndarray, size: int) -> np.ndarray:
    """Whole numbers that add up to `size` in proportion to `counts`: the largest remainders are rounded up."""
    shares, remainders = np.divmod(counts * size, max(counts.sum(), 1))
    shares[np.argsort(-remainders, kind="stable")[: size - shares.sum()]] += 1
    return shares


def with_train_examples(dataset: Dataset, count: int, seed: int = 0) -> Dataset:
    """Fewer training examples, the classes in proportion; smaller subsets are nested in larger ones."""
    if count > (known := len(dataset.train)):
        raise UserError(f"num_train: {count} asked for, but '{dataset.name}' has {known} training examples.")
    return replace(dataset, train=_some(dataset.train, count, "num_train", seed))


def with_test_examples(dataset: Dataset, count: int, seed: int = 0) -> Dataset:
    """The data set with at most so many dev examples and as many test examples, the classes in proportion.

    A split that is the training split too stays as it is.
    """
    cut: dict[str, Any] = {
        name: _some(split, count, "num_test", seed)
        for name, split in (("dev", dataset.dev), ("test", dataset.test))
        if len(split) > count and split.inputs is not dataset.train.inputs
    }
    return replace(dataset, **cut)


def _some(split: Split, count: int, name: str, seed: int) -> Split:
    """Some examples of a split, the classes in proportion."""
    (rows,) = stratified(split.labels, [count], random_generator(name, seed))
    inputs = split.inputs.take(rows) if isinstance(split.inputs, Texts) else np.asarray(split.inputs)[rows]
    return Split(inputs, split.labels[rows])


def in_memory(dataset: Dataset) -> Dataset:
    """The data set with training features `float32` that may be mapped, but are not of a type of their file's."""
    if dataset.is_text:
        return dataset
    return replace(dataset, train=replace(dataset.train, inputs=np.asarray(dataset.train.inputs, np.float32)))


def owned(dataset: Dataset) -> Dataset:
    """The data set with arrays of its own, which nobody else can change; those that are mapped stay in their file."""
    arrays = (split.inputs for split in (dataset.train, dataset.dev, dataset.test))
    return copy.deepcopy(dataset, {id(array): array for array in arrays if arrays_on_disk.is_mapped(array)})


def fingerprint(datasets: Sequence[Dataset]) -> str:
    """Equal for equal examples in an equal order, on any machine."""
    digest = hashlib.sha256()
    for split in (split for dataset in datasets for split in (dataset.train, dataset.dev, dataset.test)):
        given = split.inputs
        arrays = (given.words, given.lengths) if isinstance(given, Texts) else (np.asarray(given),)
        for array in (*arrays, np.asarray(split.labels)):
            dtype = np.dtype(np.float32) if arrays_on_disk.is_mapped(array) and array.ndim == 2 else array.dtype
            digest.update(f"{array.shape}{dtype}".encode())
            for _, piece in arrays_on_disk.pieces(array):
                digest.update(np.ascontiguousarray(piece, dtype).data)
    return digest.hexdigest()[:16]
