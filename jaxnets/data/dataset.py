"""What a data set is: three splits of examples with labels, as NumPy arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxnets.basics.errors import UserError
from jaxnets.data.texts import Texts

PADDING, UNKNOWN = "<pad>", "<unk>"


@dataclass(frozen=True)
class Split:
    """Examples with their labels.

    Attributes:
      inputs: `float32[examples, features]`, or texts as word ids. A loader may give the latter as an array
        `int[examples, words]` with 0 for padding.
      labels: `int32[examples]`, from 0 to the number of classes - 1.
    """

    inputs: np.ndarray | Texts
    labels: np.ndarray

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A classification task.

    Attributes:
      name: what to call it.
      train: the examples to learn from.
      dev: those to choose hyperparameters by.
      test: those to judge the choice by.
      class_names: a name for each label.
      vocabulary: the words by their ids, the first two `<pad>` and `<unk>`; empty if the inputs are features.
      word_vectors: given for some of the words; None if for none.
      tokenizer: what splits a text into words, as JSON; empty if there is none.
      notes: what the user should know of how the set was made, a sentence each.
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

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    @property
    def is_text(self) -> bool:
        """Whether the inputs are word ids."""
        return bool(self.vocabulary)

    def decode(self, row: np.ndarray) -> str:
        """The words of a row of ids, without padding.

        >>> split = Split(np.array([[2, 1, 0]], np.int32), np.array([0], np.int32))
        >>> Dataset("one", split, split, split, ("no", "yes"), (PADDING, UNKNOWN, "hello")).decode(split.inputs[0])
        'hello <unk>'
        """
        return " ".join(self.vocabulary[word] for word in row if word != 0)


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Vectors given for some words of a vocabulary.

    Attributes:
      vectors: `float32[vocabulary, dim]`; zero where none is given.
      given: `bool[vocabulary]`, for which words one is.
    """

    vectors: np.ndarray
    given: np.ndarray

    @property
    def dim(self) -> int:
        """The numbers of a vector."""
        return self.vectors.shape[1]

    @property
    def deviation(self) -> float:
        """The standard deviation of the numbers that are given; words without a vector are drawn with the same."""
        return float(self.vectors[self.given].std())


def random_generator(flag: str, seed: int) -> np.random.Generator:
    """The random numbers of a seed: PCG64 by name, as NumPy may change its default.

    Raises:
      UserError: if the seed is negative.
    """
    if seed < 0:
        raise UserError(f"{flag}: {seed} is negative; a seed is a whole number from 0.")
    return np.random.Generator(np.random.PCG64(seed))


def stratified(labels: np.ndarray, sizes: Sequence[int], generator: np.random.Generator) -> list[np.ndarray]:
    """Draws the rows of splits of the given sizes, no row twice, the classes in each in their shares of what is left.

    Args:
      labels: `int[examples]`.
      sizes: of the splits, together not more than the examples; the largest first keeps the shares closest.
      generator: draws the rows of each class.

    Returns:
      The row numbers `int[size]` of each split, ascending.

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


def with_train_examples(dataset: Dataset, count: int) -> Dataset:
    """The data set with so many of its training examples, the classes in their shares; fewer are among those of more.

    Raises:
      UserError: if there are not as many.
    """
    train = dataset.train
    if count > len(train):
        raise UserError(f"num_train: {count} asked for, but '{dataset.name}' has {len(train)} training examples.")
    (rows,) = stratified(train.labels, [count], random_generator("num_train", 0))
    inputs = train.inputs.take(rows) if isinstance(train.inputs, Texts) else train.inputs[rows]
    return replace(dataset, train=Split(inputs, train.labels[rows]))


def validate(dataset: Dataset) -> Dataset:
    """The data set in the dtypes that training takes, if nothing is wrong with it.

    Feature inputs become float32, word ids and labels int32; values never change otherwise.

    Raises:
      UserError: for the first mistake found, with its split and row.
    """
    if not isinstance(dataset, Dataset):
        raise UserError(f"dataset: the loader gave a {type(dataset).__name__}; it must give a jaxnets Dataset.")
    dataset = replace(dataset, class_names=tuple(dataset.class_names), vocabulary=tuple(dataset.vocabulary))
    if dataset.num_classes < 2:
        raise UserError(f"dataset: '{dataset.name}' has {dataset.num_classes} class; a classifier needs two or more.")
    if dataset.is_text and dataset.vocabulary[:2] != (PADDING, UNKNOWN):
        first = ", ".join(map(repr, dataset.vocabulary[:2]))
        raise UserError(
            f"dataset: the vocabulary of '{dataset.name}' begins with {first}; it must begin with "
            f"'{PADDING}' (id 0) and '{UNKNOWN}' (id 1)."
        )
    splits = {name: _validate_split(dataset, name) for name in ("train", "dev", "test")}
    widths = {} if dataset.is_text else {name: split.inputs.shape[1] for name, split in splits.items()}  # type: ignore
    if len(set(widths.values())) > 1:
        listed = ", ".join(f"{width} in {name}" for name, width in widths.items())
        raise UserError(f"dataset: the inputs of '{dataset.name}' must be of one width, not {listed}.")
    return replace(dataset, train=splits["train"], dev=splits["dev"], test=splits["test"])


def _validate_split(dataset: Dataset, name: str) -> Split:
    split, where = getattr(dataset, name), f"dataset: '{dataset.name}', {name}"
    if not isinstance(split, Split):
        raise UserError(f"{where}: must be a jaxnets Split, not a {type(split).__name__}.")
    labels = _labels(split.labels, where)
    inputs = _texts(split.inputs, dataset, where) if dataset.is_text else _features(split.inputs, where)
    if len(inputs) != len(labels):
        raise UserError(
            f"{where}: there are {len(inputs)} inputs and {len(labels)} labels; each input needs one label."
        )
    if len(labels) == 0:
        raise UserError(f"{where}: there are no examples.")
    wrong = (labels < 0) | (labels >= dataset.num_classes)
    if wrong.any():
        row = int(np.argmax(wrong))
        right = f"one of 0 to {dataset.num_classes - 1}, as there are {dataset.num_classes} classes"
        raise UserError(f"{where}, row {row}: label {labels[row]} must be {right}.")
    return Split(inputs, labels.astype(np.int32, copy=False))


def _array(values: Any, what: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise UserError(f"{what} must be an array, all rows of one length.") from error


def _labels(values: Any, where: str) -> np.ndarray:
    labels = _array(values, f"{where}: labels")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{where}: labels must be a row of whole numbers, not {labels.dtype}{list(labels.shape)}.")
    return labels


def _rows(values: Any, axes: str, where: str) -> np.ndarray:
    inputs = _array(values, f"{where}: inputs")
    if inputs.ndim != 2 or inputs.shape[1] == 0:
        raise UserError(f"{where}: inputs must be an array [{axes}], not one of shape {list(inputs.shape)}.")
    return inputs


def _texts(inputs: Any, dataset: Dataset, where: str) -> Texts:
    num_words = len(dataset.vocabulary)
    if isinstance(inputs, Texts):  # made by the package itself, which knows its ids
        return inputs
    inputs = _rows(inputs, "examples, words", where)
    if not np.issubdtype(inputs.dtype, np.integer):
        raise UserError(f"{where}: with a vocabulary, inputs must be word ids (whole numbers), not {inputs.dtype}.")
    wrong = (inputs < 0) | (inputs >= num_words)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise UserError(f"{where}, row {row}: word id {inputs[row, column]} is not one of 0 to {num_words - 1}.")
    return Texts.of_padded(inputs)


def _features(inputs: Any, where: str) -> np.ndarray:
    inputs = _rows(inputs, "examples, features", where)
    if not (np.issubdtype(inputs.dtype, np.floating) or np.issubdtype(inputs.dtype, np.integer)):
        raise UserError(f"{where}: inputs must be numbers, not {inputs.dtype}.")
    with np.errstate(over="ignore"):  # such a number becomes infinite, which is reported
        features = inputs.astype(np.float32, copy=False)
    wrong = ~np.isfinite(features)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        value = inputs[row, column]
        raise UserError(f"{where}, row {row}: feature {column} is {value}; it must be a finite float32 number.")
    return features
