"""Data sets from Python: arrays and texts with their labels, a pandas DataFrame, or Datasets made elsewhere."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from jaxnets.data import labels as classes
from jaxnets.data import notes
from jaxnets.data.assemble import Encoding, assemble_texts, check_unused
from jaxnets.data.blocks import redrawn
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.features import assemble_features
from jaxnets.data.file_rows import Columns
from jaxnets.data.folds import Splitting
from jaxnets.data.python_values import (
    Labels,
    check_indexes,
    checked_column,
    checked_inputs,
    checked_labels,
    checked_texts,
    is_frame,
    is_sequence,
    kind_of,
)
from jaxnets.data.raw import RawDataset
from jaxnets.data.tokenized import tokenize
from jaxnets.data.tokenizer import Tokenizer
from jaxnets.data.validation import check_lengths, check_widths
from jaxnets.errors import UserError

Pair = tuple[Any, Any]
"""Inputs and labels."""

FORMS = (
    "a name, a path, a tuple (inputs, labels), three such pairs for train, dev and test, "
    "a pandas DataFrame, a jaxnets Dataset, or a function that gives one of these"
)
SPLITS = {1: ("train",), 2: ("train", "test"), 3: ("train", "dev", "test")}


def loader(value: Any, name: str = "") -> Callable[..., tuple[Dataset, ...]] | None:
    """The loader of data in memory; its keywords are those that `load_features` and the like take.

    >>> inputs, labels = np.eye(40), ["even", "odd"] * 20
    >>> (dataset,) = loader((inputs, labels))()
    >>> dataset.name, dataset.class_names, len(dataset.train), len(dataset.dev), len(dataset.test)
    ('arrays', ('even', 'odd'), 32, 4, 4)
    """
    if isinstance(value, str | os.PathLike) or callable(value):
        return None
    if isinstance(value, Dataset):
        return _named(_given, (value,), value.name)
    if isinstance(value, tuple | list) and value and all(isinstance(one, Dataset) for one in value):
        return _named(_given, tuple(value), value[0].name)
    if is_frame(value):
        return _named(load_frame, value, name or "frame")
    pairs = _pairs(value)
    if any(_is_text(inputs) for inputs, _ in pairs):
        return _named(load_texts, pairs, name or "texts")
    return _named(load_features, pairs, name or "arrays")


def load_features(
    pairs: Sequence[Pair], name: str, folds: int = 1, dev_share: float = 0.1, split_seed: int = 0, num_blocks: int = 1
) -> tuple[Dataset, ...]:
    """Features and labels as a data set.

    The features are taken as they are, as float32: they are not standardized.

    Args:
      pairs: for train; for train and test; or for train, dev and test. In each the inputs are numbers `[examples,
        features]`, the labels `[examples]` whole numbers, strings or truth values.
      name: of the data set.
      folds: of the cross-validation if there is no test split; 1 holds out a tenth instead.
      dev_share: share of the training examples that become the dev split if there is none.
      split_seed: seed of the draws of missing splits.
      num_blocks: above 1, all splits are drawn anew, so many times.

    Raises:
      UserError: for the first mistake, with its split and row.
    """
    raw = _raw(pairs, name, checked_inputs)
    return assemble_features(raw, Splitting(folds, dev_share, split_seed, num_blocks), standardize=False)


def load_texts(
    pairs: Sequence[Pair],
    name: str,
    tokenizer: str = "words",
    lowercase: bool = True,
    folds: int = 1,
    dev_share: float = 0.1,
    split_seed: int = 0,
    num_blocks: int = 1,
    min_count: int = 1,
    max_vocabulary: int = 0,
    length_percentile: float = 100.0,
    word_vectors: str = "",
) -> tuple[Dataset, ...]:
    """Texts and labels as a data set, encoded as those of files are.

    Args:
      pairs: as in `load_features`, but the inputs are strings `[examples]`.
      name: of the data set.
      tokenizer: how texts are split into words: `words` or `whitespace`.
      lowercase: whether capitals become small letters.
      folds: of the cross-validation if there is no test split; 1 holds out a tenth instead.
      dev_share: share of the training examples that become the dev split if there is none.
      split_seed: seed of the draws of missing splits.
      num_blocks: above 1, all splits are drawn anew, so many times.
      min_count: a word is known if it occurs at least this often in the training texts.
      max_vocabulary: number of words, the most frequent, that are known at most; 0 is no limit.
      length_percentile: texts are cut to the length of this percentile of the training texts.
      word_vectors: file of word vectors, .vec, .txt or .npz.

    Raises:
      UserError: for the first mistake, with its split and row.
    """
    splitter = Tokenizer(tokenizer, lowercase)
    encoding = Encoding(min_count, max_vocabulary, length_percentile, word_vectors)
    tokenized = tokenize(_raw(pairs, name, checked_texts), splitter)
    return assemble_texts(tokenized, Splitting(folds, dev_share, split_seed, num_blocks), encoding, splitter)


def load_frame(
    frame: Any,
    name: str,
    label_column: str = "label",
    text_column: str = "text",
    tokenizer: str = "words",
    lowercase: bool = True,
    folds: int = 1,
    dev_share: float = 0.1,
    split_seed: int = 0,
    num_blocks: int = 1,
    min_count: int = 1,
    max_vocabulary: int = 0,
    length_percentile: float = 100.0,
    word_vectors: str = "",
) -> tuple[Dataset, ...]:
    """A pandas DataFrame as a data set: of texts if it has the column of texts, of features otherwise.

    Features are all columns but that of the labels. They are taken as they are, as float32: not standardized.

    Args:
      frame: the DataFrame.
      name: of the data set.
      label_column: name of the column of labels.
      text_column: name of the column of texts.
      tokenizer: how texts are split into words: `words` or `whitespace`.
      lowercase: whether capitals become small letters.
      folds: of the cross-validation if there is no test split; 1 holds out a tenth instead.
      dev_share: share of the training examples that become the dev split if there is none.
      split_seed: seed of the draws of missing splits.
      num_blocks: above 1, all splits are drawn anew, so many times.
      min_count: a word is known if it occurs at least this often in the training texts.
      max_vocabulary: number of words, the most frequent, that are known at most; 0 is no limit.
      length_percentile: texts are cut to the length of this percentile of the training texts.
      word_vectors: file of word vectors, .vec, .txt or .npz.

    Raises:
      UserError: for the first mistake, with its column and row.
    """
    splitting, splitter = Splitting(folds, dev_share, split_seed, num_blocks), Tokenizer(tokenizer, lowercase)
    encoding = Encoding(min_count, max_vocabulary, length_percentile, word_vectors)
    Columns(label_column, text_column)  # refuses one column for both
    labels = checked_column(frame, label_column, "label_column")
    columns = [str(column) for column in frame.columns]
    if text_column in columns:
        texts = checked_column(frame, text_column, "text_column")
        unused = ", ".join(column for column in columns if column not in (label_column, text_column))
        unread = (f"These columns are not used: {unused}.",) if unused else ()
        raw = replace(_raw([(texts, labels)], name, checked_texts), notes=unread)
        return assemble_texts(tokenize(raw, splitter), splitting, encoding, splitter)
    check_unused(name, encoding, splitter)
    features = frame.iloc[:, [place for place, column in enumerate(columns) if column != label_column]]
    return assemble_features(_raw([(features, labels)], name, checked_inputs), splitting, standardize=False)


def _given(datasets: tuple[Dataset, ...], name: str, num_blocks: int = 1, split_seed: int = 0) -> tuple[Dataset, ...]:
    """The Datasets as they are, or blocks of the first; of folds, each holds all examples."""
    return datasets if num_blocks == 1 else redrawn(datasets[0], num_blocks, split_seed)


def _named(load: Callable[..., tuple[Dataset, ...]], value: Any, name: str) -> Callable[..., tuple[Dataset, ...]]:
    """The loader of a value, which has the name of the data set as its `__name__`."""
    loader = partial(load, value, name)
    loader.__name__ = name  # type: ignore[attr-defined]
    return loader


def _pairs(value: Any) -> Sequence[Pair]:
    """The pairs of inputs and labels of which a value consists."""
    if isinstance(value, tuple) and len(value) in (2, 3) and all(map(_is_pair, value)):
        return value
    if isinstance(value, tuple) and len(value) == 2:
        return (value,)
    hint = ""
    if isinstance(value, tuple):
        hint = f" of {len(value)} items, which are not two or three pairs (inputs, labels)"
    elif hasattr(value, "shape"):
        hint = " without labels"
    raise UserError(f"dataset: this is {kind_of(value)}{hint}; it must be {FORMS}.")


def _is_pair(item: Any) -> bool:
    """Whether an item is a pair of inputs and labels, rather than inputs or labels themselves."""
    return isinstance(item, tuple) and len(item) == 2 and all(map(is_sequence, item))


def _is_text(inputs: Any) -> bool:
    """Whether some of the inputs are strings (or bytes, which are refused as texts)."""
    return (
        is_sequence(inputs) and getattr(inputs, "ndim", 1) == 1 and any(isinstance(one, str | bytes) for one in inputs)
    )


def _raw(pairs: Sequence[Pair], name: str, convert: Callable[[Any, str], Any]) -> RawDataset:
    """The data set of some pairs, whose inputs are converted by `checked_features`, `checked_texts` or the like."""
    split_names = SPLITS[len(pairs)]
    wheres = [f"dataset: '{name}'" + (f", {split}" if len(pairs) > 1 else "") for split in split_names]
    inputs = [convert(of_split, where) for (of_split, _), where in zip(pairs, wheres, strict=True)]
    labels = [checked_labels(of_split, where) for (_, of_split), where in zip(pairs, wheres, strict=True)]
    for of_inputs, of_labels, where in zip(inputs, labels, wheres, strict=True):
        check_lengths(of_inputs, of_labels, where)
    for pair, where in zip(pairs, wheres, strict=True):
        check_indexes(*pair, where)
    check_widths(dict(zip(split_names, inputs, strict=True)), f"dataset: '{name}'")
    class_names = _class_names(labels[0], wheres[0])
    numbered = [_numbered(of_split, class_names, where) for of_split, where in zip(labels, wheres, strict=True)]
    splits = {split: Split(*parts) for split, *parts in zip(split_names, inputs, numbered, strict=True)}
    lost = notes.on_digits([of_split for of_split, _ in pairs]) if convert is checked_inputs else ()
    return RawDataset(name, class_names, splits, tuple(lost), label_type=type(labels[0][0]).__name__)


def _class_names(labels: Labels, where: str) -> tuple[str, ...]:
    """The names of the classes; whole numbers are in numerical order, so that 0 to K - 1 keep their values."""
    hint = " Are inputs and labels swapped, or the labels no classes?"
    if isinstance(labels[0], str):
        return classes.class_names([str(label) for label in labels], where, hint)
    distinct = sorted(set(labels))
    classes.check_classes(len(distinct), labels, where, hint)
    return tuple(map(str, distinct))


def _numbered(labels: Labels, class_names: Sequence[str], where: str) -> np.ndarray:
    """The labels as numbers `int32[examples]`."""
    numbers = {name: number for number, name in enumerate(class_names)}
    for row, label in enumerate(labels):
        if str(label) not in numbers:
            raise classes.unknown_label(f"{where}, row {row}", str(label), class_names)
    return np.array([numbers[str(label)] for label in labels], np.int32)
