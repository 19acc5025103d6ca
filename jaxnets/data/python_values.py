"""From Python's lists, arrays, Series and DataFrames to checked features, texts and labels."""

from typing import Any

import numpy as np

from jaxnets.data.validation import as_array, checked_features
from jaxnets.errors import UserError, nearest
from jaxnets.io import LONGEST_LABEL

Labels = list[int] | list[str]
LONGEST_LIST = 20


def checked_inputs(inputs: Any, where: str) -> np.ndarray:
    """Features `float32[examples, features]` from an array, a list of rows or a DataFrame of numbers or booleans."""
    if is_frame(inputs):
        return _features_of_frame(inputs, where)
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


def _features_of_frame(frame: Any, where: str) -> np.ndarray:
    if 0 in frame.shape:
        rows, columns = frame.shape
        raise UserError(f"{where}: the frame has {rows} rows and {columns} columns of features.")
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if dtype.kind not in "iufb":
            raise UserError(
                f"{where}: column '{name}' holds values of type {dtype}, not numbers; convert it, drop it, or name it "
                f"by text_column if it holds the texts."
            )
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    return checked_features(values, where, [str(column) for column in frame.columns])


def check_indexes(inputs: Any, labels: Any, where: str) -> None:
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


def checked_texts(inputs: Any, where: str) -> list[str]:
    """Texts from a list, an array or a Series of strings."""
    if not is_sequence(inputs) or getattr(inputs, "ndim", 1) != 1:
        raise UserError(f"{where}: texts must be a list of strings, not {kind_of(inputs)}.")
    for row, text in enumerate(inputs):
        if not isinstance(text, str):
            raise UserError(f"{where}, row {row}: the text is {_described(text)}; it must be a string.")
    return [str(text) for text in inputs]


def checked_labels(values: Any, where: str) -> Labels:
    """Labels from a list, an array or a Series of whole numbers, strings or booleans."""
    labels = [_plain(label) for label in _row(values, where)]
    for row, label in enumerate(labels):
        if _is_missing(label):
            raise UserError(f"{where}, row {row}: the label is missing ({label}).")
        if _is_long(label):
            raise UserError(
                f"{where}, row {row}: the label has more than {LONGEST_LABEL} characters; are labels and texts swapped?"
            )
    for row, label in enumerate(labels):
        if not isinstance(label, bool | int | str):
            kinds = "whole numbers, strings or booleans"
            raise UserError(f"{where}, row {row}: the label is {_described(label)}; labels must be {kinds}.")
        if type(label) is not type(labels[0]):
            first = _described(labels[0])
            raise UserError(f"{where}, row {row}: the label is {_described(label)}, but in row 0 it is {first}.")
        if label == "":
            raise UserError(f"{where}, row {row}: the label is empty.")
    return labels


def _row(values: Any, where: str) -> list[Any]:
    """The labels as a list."""
    if not is_sequence(values):
        raise UserError(f"{where}: labels must be a list or an array, not {kind_of(values)}.")
    if isinstance(values, list | tuple):
        return list(values)
    array = as_array(values, f"{where}: labels")
    if array.ndim != 1:
        hint = "; take labels.ravel()"
        if array.ndim == 2 and array.shape[1] > 1:
            one_hot = bool((np.sort(array, axis=1) == np.arange(array.shape[1]) // (array.shape[1] - 1)).all())
            hint = "; make one-hot rows labels by labels.argmax(axis=1)" if one_hot else "; an example has one label"
        raise UserError(f"{where}: labels must be an array [examples], not one of shape {list(array.shape)}{hint}.")
    return array.tolist()


def checked_column(frame: Any, name: str, field: str) -> Any:
    """The column of a DataFrame with a name."""
    columns = [str(column) for column in frame.columns]
    if columns.count(name) > 1:
        raise UserError(f"{field}: the frame has {columns.count(name)} columns '{name}'; rename all but one.")
    if name not in columns:
        listed = ", ".join(columns[:LONGEST_LIST]) + (", ..." if len(columns) > LONGEST_LIST else "")
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


def _plain(value: Any) -> Any:
    """Python's own value of a scalar of NumPy or another library."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value


def _is_missing(value: Any) -> bool:
    """Whether a value is None, NaN or one of pandas' missing values."""
    is_nan = isinstance(value, float) and value != value
    return is_nan or value is None or type(value).__name__ in ("NAType", "NaTType")


def _is_long(label: Any) -> bool:
    """Whether a label is too long for a name; of a number, before its digits are written."""
    if isinstance(label, int):
        return abs(label) >= 10**LONGEST_LABEL
    return isinstance(label, str) and len(label) > LONGEST_LABEL


def _described(value: Any) -> str:
    """A value in one short line, with its type."""
    text = " ".join(repr(value).split())
    return f"{text if len(text) <= 40 else text[:40] + '...'} ({type(value).__name__})"
