"""What a data set is: three splits of examples with labels, as NumPy arrays."""

from dataclasses import dataclass, replace

import numpy as np

from jaxnets.names import UserError

PADDING, UNKNOWN = "<pad>", "<unk>"


@dataclass(frozen=True)
class Split:
    """Examples with their labels.

    Attributes:
      inputs: `float32[examples, features]`, or word ids `int32[examples, words]` with 0 for padding.
      labels: `int32[examples]`, from 0 to the number of classes - 1.
    """

    inputs: np.ndarray
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
    """

    name: str
    train: Split
    dev: Split
    test: Split
    class_names: tuple[str, ...]
    vocabulary: tuple[str, ...] = ()

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    @property
    def is_text(self) -> bool:
        """Whether the inputs are word ids."""
        return bool(self.vocabulary)

    def decode(self, row: np.ndarray) -> str:
        """The words of a row of ids, without padding."""
        return " ".join(self.vocabulary[word] for word in row if word != 0)


def validate(dataset: Dataset) -> Dataset:
    """The data set in the dtypes that training takes, if nothing is wrong with it.

    Raises:
      UserError: for the first mistake found, with its split and row.
    """
    if not isinstance(dataset, Dataset):
        raise UserError(f"--dataset: the loader gave a {type(dataset).__name__}; it must give a jaxnets Dataset.")
    if dataset.num_classes < 2:
        raise UserError(f"--dataset: '{dataset.name}' has {dataset.num_classes} class; a classifier needs two or more.")
    splits = {name: _validate_split(dataset, name) for name in ("train", "dev", "test")}
    widths = {name: split.inputs.shape[1:] for name, split in splits.items()}
    if len(set(widths.values())) > 1:
        raise UserError(f"--dataset: the inputs of '{dataset.name}' differ in shape: {widths}.")
    return replace(dataset, **splits)


def _validate_split(dataset: Dataset, name: str) -> Split:
    split: Split = getattr(dataset, name)
    where = f"--dataset: '{dataset.name}', {name}"
    inputs, labels = np.asarray(split.inputs), np.asarray(split.labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{where}: labels must be a row of whole numbers, not {labels.dtype}{list(labels.shape)}.")
    if inputs.ndim < 2 or len(inputs) != len(labels):
        raise UserError(f"{where}: {len(labels)} labels do not go with inputs of shape {list(inputs.shape)}.")
    if len(labels) == 0:
        raise UserError(f"{where}: there are no examples.")
    _first(
        (labels < 0) | (labels >= dataset.num_classes),
        lambda row: f"{where}, row {row}: label {labels[row]} is not one of 0 to {dataset.num_classes - 1}.",
    )
    return Split(_validate_inputs(dataset, inputs, where), labels.astype(np.int32))


def _validate_inputs(dataset: Dataset, inputs: np.ndarray, where: str) -> np.ndarray:
    per_row = tuple(range(1, inputs.ndim))
    if dataset.is_text:
        if not np.issubdtype(inputs.dtype, np.integer):
            raise UserError(f"{where}: with a vocabulary, inputs must be word ids, not {inputs.dtype}.")
        size = len(dataset.vocabulary)
        outside = ((inputs < 0) | (inputs >= size)).any(axis=per_row)
        _first(outside, lambda row: f"{where}, row {row}: a word id is not one of 0 to {size - 1}.")
        return inputs.astype(np.int32)
    if not (np.issubdtype(inputs.dtype, np.floating) or np.issubdtype(inputs.dtype, np.integer)):
        raise UserError(f"{where}: inputs must be numbers, not {inputs.dtype}.")
    inputs = inputs.astype(np.float32)
    bad = ~np.isfinite(inputs).all(axis=per_row)
    _first(bad, lambda row: f"{where}, row {row}: an input is NaN, infinite, or beyond float32.")
    return inputs


def _first(bad: np.ndarray, message) -> None:
    """Raises the error for the first bad row."""
    if bad.any():
        raise UserError(message(int(np.argmax(bad))))
