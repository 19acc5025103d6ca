"""What a data set must be before anything trains on it; the first mistake is reported with its split and row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jaxnets.data import arrays_on_disk
from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split
from jaxnets.data.labels import TYPES, typed
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

_TYPE_NAMES = {"U": "text", "b": "booleans", "c": "complex numbers", "M": "dates"}


def validate(dataset: Dataset) -> Dataset:
    """The data set in the dtypes that training takes, if nothing is wrong with it.

    Features become float32, word ids and labels int32; values do not change otherwise.
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
    try:
        labels = typed(dataset.class_names, dataset.label_type)
    except (KeyError, ValueError, AttributeError):
        raise UserError(
            f"dataset: '{dataset.name}' has the label_type {dataset.label_type!r}, which does not fit its class_names "
            f"{', '.join(map(repr, dataset.class_names[:3]))}; leave it out, or take one of {', '.join(TYPES)}."
        ) from None
    if twice := [label for label, count in Counter(labels).items() if count > 1]:
        raise UserError(f"dataset: '{dataset.name}' has several classes of the name {twice[0]!r}; give each its own.")
    splits = {name: _split(dataset, name) for name in ("train", "dev", "test")}
    check_widths({name: split.inputs for name, split in splits.items()}, f"dataset: '{dataset.name}'")
    return replace(dataset, train=splits["train"], dev=splits["dev"], test=splits["test"])


def validate_folds(folds: Sequence[Dataset], noun: str = "folds") -> tuple[Dataset, ...]:
    """The folds of a cross-validation, each as `validate` gives it, if they can be runs of one program."""
    checked = tuple(map(validate, folds))

    def shared(fold: Dataset) -> dict[str, Any]:
        width = fold.train.inputs.shape[1] if isinstance(fold.train.inputs, np.ndarray) else 0
        counts = {"training examples": len(fold.train), "features": width, "classes": fold.num_classes}
        return {**{f"number of {what}": count for what, count in counts.items()}, "vocabulary": fold.vocabulary}

    for number, fold in enumerate(checked):
        for (what, of_first), of_fold in zip(shared(checked[0]).items(), shared(fold).values(), strict=True):
            if of_first != of_fold:
                shown = f": {of_first} and {of_fold}" if isinstance(of_fold, int) else ""
                raise UserError(f"dataset: {noun} 0 and {number} of '{fold.name}' differ in their {what}{shown}.")
    return checked


def check_widths(inputs: dict[str, Any], where: str) -> None:
    """Checks that the features of all splits have one width; texts have none."""
    widths = {name: of_split.shape[1] for name, of_split in inputs.items() if isinstance(of_split, np.ndarray)}
    if len(set(widths.values())) > 1:
        listed = ", ".join(f"{width} in {name}" for name, width in widths.items())
        raise UserError(f"{where}: the inputs must be of one width, not {listed}.")


def check_lengths(inputs: Sequence | np.ndarray | Texts, labels: Sequence | np.ndarray, where: str) -> None:
    """Checks that there are examples, and a label for each."""
    if len(inputs) != len(labels):
        raise UserError(
            f"{where}: there are {len(inputs)} inputs and {len(labels)} labels; each input needs one label."
        )
    if len(labels) == 0:
        raise UserError(f"{where}: there are no examples.")


def checked_features(values: Any, where: str, columns: Sequence[str] = ()) -> np.ndarray:
    """Features `float32[examples, features]` from anything that NumPy makes an array of numbers of.

    Those that are mapped stay in their file, of their own type.
    """
    inputs = _rows(values, "examples, features", where)
    if inputs.dtype.kind not in "iuf":
        hint = "; convert them by inputs.astype(float)" if inputs.dtype.kind == "O" else ""
        raise UserError(
            f"{where}: inputs must be numbers, not {_TYPE_NAMES.get(inputs.dtype.kind, inputs.dtype)}{hint}."
        )
    for start, piece in arrays_on_disk.pieces(inputs):
        with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite, which is reported
            wrong = ~np.isfinite(piece.astype(np.float32, copy=False))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            feature = f"'{columns[column]}'" if len(columns) else column
            finite = f"feature {feature} is {piece[row, column]}; it must be a finite float32 number"
            raise UserError(f"{where}, row {start + row}: {finite}.")
    return inputs if arrays_on_disk.is_mapped(inputs) else inputs.astype(np.float32, copy=False)


def as_array(values: Any, what: str) -> np.ndarray:
    """The array of some values, which may be a list of rows."""
    try:
        return np.asarray(values)
    except Exception as error:  # NumPy's own for ragged rows; foreign arrays raise whatever they like
        told = " ".join(str(error).split())[:200].rstrip(".")
        raise UserError(f"{what} must be an array, all rows of one length: {told}.") from error


def _split(dataset: Dataset, name: str) -> Split:
    split, where = getattr(dataset, name), f"dataset: '{dataset.name}', {name}"
    if not isinstance(split, Split):
        raise UserError(f"{where}: must be a jaxnets Split, not a {type(split).__name__}.")
    labels = as_array(split.labels, f"{where}: labels")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{where}: labels must be a row of whole numbers, not {labels.dtype}{list(labels.shape)}.")
    inputs = _texts(split.inputs, dataset, where) if dataset.is_text else checked_features(split.inputs, where)
    check_lengths(inputs, labels, where)
    wrong = (labels < 0) | (labels >= dataset.num_classes)
    if wrong.any():
        row = int(np.argmax(wrong))
        right = f"one of 0 to {dataset.num_classes - 1}, as there are {dataset.num_classes} classes"
        raise UserError(f"{where}, row {row}: label {labels[row]} must be {right}.")
    return Split(inputs, labels.astype(np.int32, copy=False))


def _rows(values: Any, axes: str, where: str) -> np.ndarray:
    inputs = as_array(values, f"{where}: inputs")
    if inputs.ndim == 2 and inputs.shape[1]:
        return inputs
    hint = "; take inputs.reshape(len(inputs), -1)" if inputs.ndim and len(inputs) else ""
    raise UserError(f"{where}: inputs must be an array [{axes}], not one of shape {list(inputs.shape)}{hint}.")


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
