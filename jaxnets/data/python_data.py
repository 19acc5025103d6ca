"""Data sets from Python: arrays, texts, a pandas DataFrame, or Datasets made elsewhere; and arrays as .npy files."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jaxnets import io
from jaxnets.data import files
from jaxnets.data.dataset import (
    Dataset,
    Split,
    as_array,
    check_classes,
    check_lengths,
    check_widths,
    checked_features,
    class_names,
    unknown_label,
)
from jaxnets.data.encoding import Encoding, RawDataset, assemble, keywords, on_classes
from jaxnets.data.splits import SPLITS as ALL
from jaxnets.data.splits import FoldRows, Splitting, redrawn
from jaxnets.data.text_files import Columns
from jaxnets.errors import UserError, nearest, printable
from jaxnets.io import LONGEST_LABEL

Pair = tuple[Any, Any]
"""Inputs and labels."""

Labels = list[int] | list[str]
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
    load: Callable[..., tuple[Dataset, ...]]
    if isinstance(value, Dataset):
        value = (value,)
    if isinstance(value, tuple | list) and value and all(isinstance(one, Dataset) for one in value):
        load, value, name = _given, tuple(value), value[0].name
    elif is_frame(value):
        load, name = load_frame, name or "frame"
    else:
        value = _pairs(value)
        if any(_is_text(inputs) for inputs, _ in value):
            load, name = load_texts, name or "texts"
        else:
            load, name = load_features, name or "arrays"
    named = partial(load, value, name)
    named.__name__ = name  # type: ignore[attr-defined]
    return named


@keywords(splitting=Splitting(folds=1))
def load_features(pairs: Sequence[Pair], name: str, *, splitting: Splitting) -> tuple[Dataset, ...]:
    """Features and labels as a data set. The features are taken as they are, as float32: they are not standardized."""
    return assemble(_raw(pairs, name, _features), splitting, Encoding(), standardize=False)


@keywords(splitting=Splitting(folds=1), encoding=Encoding())
def load_texts(pairs: Sequence[Pair], name: str, *, splitting: Splitting, encoding: Encoding) -> tuple[Dataset, ...]:
    """Texts and labels as a data set, encoded as those of files are."""
    return assemble(_raw(pairs, name, _texts), splitting, encoding, standardize=False)


@keywords(splitting=Splitting(folds=1), encoding=Encoding())
def load_frame(
    frame: Any,
    name: str,
    label_column: str = "label",
    text_column: str = "text",
    *,
    splitting: Splitting,
    encoding: Encoding,
) -> tuple[Dataset, ...]:
    """A pandas DataFrame as a data set: of texts if it has the column of texts, of features otherwise.

    Features are all columns but that of the labels. They are taken as they are, as float32: not standardized.
    """
    Columns(label_column, text_column)  # refuses one column for both
    labels = _column(frame, label_column, "label_column")
    columns = [str(column) for column in frame.columns]
    if text_column in columns:
        raw = _raw([(_column(frame, text_column, "text_column"), labels)], name, _texts)
        unused = ", ".join(column for column in columns if column not in (label_column, text_column))
        raw = replace(raw, notes=(f"These columns are not used: {unused}.",) if unused else ())
    else:
        features = frame.iloc[:, [place for place, column in enumerate(columns) if column != label_column]]
        raw = _raw([(features, labels)], name, _features)
    return assemble(raw, splitting, encoding, standardize=False)


def has_arrays(path: Path) -> bool:
    """Whether a folder holds features as .npy files."""
    with io.file_errors(path, "read", "dataset"):
        return (path / "train_inputs.npy").is_file()


@keywords(splitting=Splitting(folds=1))
def load_arrays(path: Path, *, splitting: Splitting) -> tuple[Dataset, ...]:
    """The features of a folder with `train_inputs.npy` and `train_labels.npy`, and the same of `dev` and `test`.

    Inputs are numbers `[examples, features]`, which are not standardized; labels are whole numbers or strings. Where
    all three splits are there, the training inputs stay in their file. Otherwise missing ones are held out, in memory.
    """
    name = printable(path.name or path.resolve().name)
    given = [split for split in ALL if (path / f"{split}_inputs.npy").is_file()]
    inputs = {split: files.open_array(path / f"{split}_inputs.npy") for split in given}
    labels = {split: files.open_array(path / f"{split}_labels.npy") for split in given}
    if given == ["train", "dev"]:
        raise UserError(f"dataset: '{path}' has dev and no test; name it test, and dev is held out.")
    if len(given) < len(ALL) or splitting.num_repeats > 1:
        pairs = tuple((np.array(inputs[split]), np.array(labels[split])) for split in given)
        return load_features(pairs, name, **vars(splitting))
    of_train, where = labels["train"], io.shown(path / "train_labels.npy")
    if of_train.ndim != 1 or of_train.dtype.kind not in "iubU":
        shape = f"{of_train.dtype}{list(of_train.shape)}"
        raise UserError(f"dataset: '{where}' must be a row of whole numbers or strings, not {shape}.")
    classes = [str(label) for label in np.unique(of_train).tolist()]  # whole numbers in numerical order
    is_named = len(classes) < 2 or of_train.dtype.kind == "U"
    names = class_names(list(map(str, of_train)), where) if is_named else tuple(classes)
    known, splits = {name: number for number, name in enumerate(names)}, {}
    for split in ALL:
        distinct, places = np.unique(labels[split], return_inverse=True)
        numbers = np.array([known.get(str(label), -1) for label in distinct.tolist()], np.int32)[places.reshape(-1)]
        if (numbers < 0).any():
            row = int(np.argmin(numbers))
            where = f"dataset: '{io.shown(path / f'{split}_labels.npy')}', row {row}"
            raise unknown_label(where, str(labels[split][row]), names)
        check_lengths(inputs[split], numbers, f"dataset: '{name}', {split}")
        splits[split] = Split(inputs[split] if split == "train" else np.array(inputs[split]), numbers)
    rows = np.arange(len(splits["train"]))
    notes = [*on_classes(splits["train"].labels, names, [FoldRows(rows, rows[:0], rows[:0])])]
    notes.append("Whether examples occur more than once was not looked at: those of training stay in their file.")
    label_type = type(labels["train"][0].item()).__name__
    train, dev, test = splits.values()
    return (Dataset(name, train, dev, test, names, notes=tuple(notes), label_type=label_type),)


def _given(datasets: tuple[Dataset, ...], name: str, num_repeats: int = 1, split_seed: int = 0) -> tuple[Dataset, ...]:
    """The Datasets as they are, or repeats of the first; of folds, each holds all examples."""
    return datasets if num_repeats == 1 else redrawn(datasets[0], num_repeats, split_seed)


def _pairs(value: Any) -> Sequence[Pair]:
    """The pairs of inputs and labels of which a value consists."""

    def is_pair(item: Any) -> bool:
        return isinstance(item, tuple) and len(item) == 2 and all(map(is_sequence, item))

    if isinstance(value, tuple) and len(value) in (2, 3) and all(map(is_pair, value)):
        return value
    if isinstance(value, tuple) and len(value) == 2:
        return (value,)
    hint = ""
    if isinstance(value, tuple):
        hint = f" of {len(value)} items, which are not two or three pairs (inputs, labels)"
    elif hasattr(value, "shape"):
        hint = " without labels"
    raise UserError(f"dataset: this is {kind_of(value)}{hint}; it must be {FORMS}.")


def _is_text(inputs: Any) -> bool:
    """Whether some of the inputs are strings (or bytes, which are refused as texts)."""
    is_row = is_sequence(inputs) and getattr(inputs, "ndim", 1) == 1
    return is_row and any(isinstance(one, str | bytes) for one in inputs)


def _raw(pairs: Sequence[Pair], name: str, convert: Callable[[Any, str], Any]) -> RawDataset:
    """The data set of some pairs, whose inputs are converted to features or texts."""
    inputs, labels, wheres = {}, {}, {}
    for split, (of_inputs, of_labels) in zip(SPLITS[len(pairs)], pairs, strict=True):
        where = wheres[split] = f"dataset: '{name}'" + (f", {split}" if len(pairs) > 1 else "")
        inputs[split], labels[split] = convert(of_inputs, where), _labels(of_labels, where)
        check_lengths(inputs[split], labels[split], where)
        _check_indexes(of_inputs, of_labels, where)
    check_widths(inputs, f"dataset: '{name}'")
    names = _class_names(labels["train"], wheres["train"])
    numbers, splits = {of_class: number for number, of_class in enumerate(names)}, {}
    for split, of_labels in labels.items():
        for row, label in enumerate(of_labels):
            if str(label) not in numbers:
                raise unknown_label(f"{wheres[split]}, row {row}", str(label), names)
        splits[split] = Split(inputs[split], np.array([numbers[str(label)] for label in of_labels], np.int32))
    return RawDataset(name, names, splits, label_type=type(labels["train"][0]).__name__)


def _class_names(labels: Labels, where: str) -> tuple[str, ...]:
    """The names of the classes; whole numbers are in numerical order, so that 0 to K - 1 keep their values."""
    hint = " Are inputs and labels swapped, or the labels no classes?"
    if isinstance(labels[0], str):
        return class_names([str(label) for label in labels], where, hint)
    distinct = sorted(set(labels))
    check_classes(len(distinct), labels, where, hint)
    return tuple(map(str, distinct))


def _features(inputs: Any, where: str) -> np.ndarray:
    """Features `float32[examples, features]` from an array, a list of rows or a DataFrame of numbers or booleans."""
    if is_frame(inputs):
        if 0 in inputs.shape:
            rows, columns = inputs.shape
            raise UserError(f"{where}: the frame has {rows} rows and {columns} columns of features.")
        for name, dtype in zip(inputs.columns, inputs.dtypes, strict=True):
            if dtype.kind not in "iufb":
                raise UserError(
                    f"{where}: column '{name}' holds values of type {dtype}, not numbers; convert it, drop it, or name "
                    f"it by text_column if it holds the texts."
                )
        values = inputs.to_numpy(dtype=np.float64, na_value=np.nan)
        return checked_features(values, where, [str(column) for column in inputs.columns])
    if hasattr(inputs, "toarray"):
        raise UserError(f"{where}: inputs are a sparse matrix; make it an array by inputs.toarray().")
    if not is_sequence(inputs):
        raise UserError(f"{where}: inputs must be an array or a list, not {kind_of(inputs)}.")
    if len(inputs) == 0:
        raise UserError(f"{where}: there are no examples.")
    if isinstance(inputs, np.ma.MaskedArray) and inputs.mask.any():
        row = int(np.argwhere(inputs.mask)[0][0])
        raise UserError(f"{where}, row {row}: a masked value; each input must have all its features.")
    array = as_array(inputs, f"{where}: inputs")
    return checked_features(array.astype(np.float32) if array.dtype.kind == "b" else array, where)


def _check_indexes(inputs: Any, labels: Any, where: str) -> None:
    """Checks that inputs and labels of pandas belong together as they stand: they are put together by place."""
    index: Any = getattr(inputs, "index", None)
    other: Any = getattr(labels, "index", None)
    if not hasattr(index, "equals") or not hasattr(other, "equals") or index.equals(other):
        return
    place = next(place for place, (one, two) in enumerate(zip(index, other, strict=True)) if one != two)
    raise UserError(
        f"{where}, row {place}: inputs and labels are put together by place, and have different indexes, "
        f"{index[place]} and {other[place]}; take labels.loc[inputs.index], or both with reset_index(drop=True)."
    )


def _texts(inputs: Any, where: str) -> list[str]:
    if not is_sequence(inputs) or getattr(inputs, "ndim", 1) != 1:
        raise UserError(f"{where}: texts must be a list of strings, not {kind_of(inputs)}.")
    for row, text in enumerate(inputs):
        if not isinstance(text, str):
            raise UserError(f"{where}, row {row}: the text is {_described(text)}; it must be a string.")
    return [str(text) for text in inputs]


def _labels(values: Any, where: str) -> Labels:
    """Labels from a list, an array or a Series of whole numbers, strings or booleans."""
    if not is_sequence(values):
        raise UserError(f"{where}: labels must be a list or an array, not {kind_of(values)}.")
    if not isinstance(values, list | tuple):
        values = as_array(values, f"{where}: labels")
        if values.ndim != 1:
            hint = "take labels.ravel()"
            if values.shape[1:] != (1,):
                hint = "an example has one label; of one-hot rows take labels.argmax(axis=1)"
            raise UserError(
                f"{where}: labels must be an array [examples], not one of shape {list(values.shape)}; {hint}."
            )
        values = values.tolist()
    # Python's own value of a scalar of NumPy or another library
    labels = [one.item() if hasattr(one, "item") and getattr(one, "ndim", None) == 0 else one for one in values]
    for row, label in enumerate(labels):
        at = f"{where}, row {row}: the label"
        is_nan = isinstance(label, float) and label != label
        if label is None or is_nan or type(label).__name__ in ("NAType", "NaTType"):
            raise UserError(f"{at} is missing ({label}).")
    for row, label in enumerate(labels):
        at = f"{where}, row {row}: the label"
        is_whole = isinstance(label, int)
        if (is_whole and abs(label) >= 10**LONGEST_LABEL) or (isinstance(label, str) and len(label) > LONGEST_LABEL):
            raise UserError(f"{at} has more than {LONGEST_LABEL} characters; are labels and texts swapped?")
        if not isinstance(label, bool | int | str):
            raise UserError(f"{at} is {_described(label)}; labels must be whole numbers, strings or booleans.")
        if type(label) is not type(labels[0]):
            raise UserError(f"{at} is {_described(label)}, but in row 0 it is {_described(labels[0])}.")
        if label == "":
            raise UserError(f"{at} is empty.")
    return labels


def _column(frame: Any, name: str, field: str) -> Any:
    """The column of a DataFrame with a name."""
    columns = [str(column) for column in frame.columns]
    if columns.count(name) > 1:
        raise UserError(f"{field}: the frame has {columns.count(name)} columns '{name}'; rename all but one.")
    if name not in columns:
        listed = ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")
        raise UserError(f"{field}: the frame has no column '{name}'.{nearest(name, columns)} Its columns: {listed}.")
    return frame.iloc[:, columns.index(name)]


def is_sequence(value: Any) -> bool:
    """Whether a value has an order and a length, as a list or an array; a string is a single value.

    >>> [is_sequence(value) for value in ([1], np.ones(2), "text", {1: 2}, {1}, np.array(1))]
    [True, True, False, False, False, False]
    """
    ordered = hasattr(value, "__len__") and hasattr(value, "__getitem__")
    return ordered and not isinstance(value, str | bytes | dict) and getattr(value, "shape", None) != ()


def is_frame(value: Any) -> bool:
    """Whether a value is a pandas DataFrame; pandas is not imported to find out."""
    return any(
        kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas" for kind in type(value).__mro__
    )


def kind_of(value: Any) -> str:
    """The type of a value with its indefinite article.

    >>> kind_of(3), kind_of({1}), kind_of(None), kind_of(np.ones(2))
    ('an int', 'a set', 'None', 'an array')
    """
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return "an array" if value.ndim else "a scalar"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _described(value: Any) -> str:
    """A value in one short line, with its type."""
    text = " ".join(repr(value).split())
    return f"{text if len(text) <= 40 else text[:40] + '...'} ({type(value).__name__})"
