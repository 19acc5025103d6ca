"""Tables whose columns hold one kind of value each, as Parquet and its readers want them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with each column of Python objects turned into one of numbers, switches or texts; gaps stay gaps.

    >>> typed(pd.DataFrame({"nesterov": [None, True], "decay": [None, None]})).dtypes.astype(str).to_dict()
    {'nesterov': 'boolean', 'decay': 'float64'}
    """
    return table.assign(**{name: _column(table[name]) for name in table.columns if table[name].dtype == object})


def column(values: Sequence[Any]) -> pd.Series:
    """A column of values of one kind, or of gaps, as `typed` has them.

    >>> column([1, None]).dtype, column([1, 2]).dtype
    (Int64Dtype(), dtype('int64'))
    """
    if any(value is None for value in values):
        return _column(pd.Series(values, dtype=object))
    series = pd.Series(values)
    return _column(series) if series.dtype == object else series


def _column(values: pd.Series) -> pd.Series:
    kinds = {type(value) for value in values.dropna()}
    if kinds <= {bool}:
        return values.astype("boolean" if kinds else "float64")
    if kinds == {int}:
        return values.astype("Int64")
    if kinds <= {int, float}:
        return values.astype("float64")
    return values.map(str, na_action="ignore").astype("str")
