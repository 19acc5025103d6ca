"""Parquet tables that are read back: whoever wrote them, they have the columns that are needed, of the right kinds."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pandas.api import types

from jaxnets.basics import checksums
from jaxnets.basics.errors import UserError

Columns = Mapping[str, str]
"""What each column must be: `number`, `whole`, `text`, or empty for any of them and for switches."""

_MOST_CELLS_PER_BYTE, _FEW_CELLS = 64, 10_000_000
_IS = {"number": types.is_numeric_dtype, "whole": types.is_integer_dtype, "text": types.is_string_dtype}
_WORDS = {"number": "numbers", "whole": "whole numbers", "text": "texts", "": "numbers, switches or texts"}


def read_table(path: Path, columns: Columns) -> pd.DataFrame:
    """A table."""
    checksums.check(path.parent, path.name)
    try:
        _check_header(path)
        table = pd.read_parquet(path)
        problem = _misfit(table, columns)
    except FileNotFoundError:
        raise
    except Exception as error:  # PyArrow and pandas raise many kinds for what is damaged
        problem = (str(error) or type(error).__name__).splitlines()[0].removesuffix(".")
    if problem:
        raise UserError(f"{path}: cannot be read: {problem}.")
    return table


def _check_header(path: Path) -> None:
    """Refuses what is no file or would fill the memory, from the sizes that stand in the file, before it is read."""
    from pyarrow import parquet  # it takes a moment, which commands without tables are spared

    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    about = parquet.read_metadata(path)
    cells = about.num_rows * about.num_columns
    if cells > _FEW_CELLS + _MOST_CELLS_PER_BYTE * path.stat().st_size:
        raise ValueError(
            f"it claims {about.num_rows:,} rows of {about.num_columns} columns, more than its bytes can hold"
        )


def _misfit(table: pd.DataFrame, columns: Columns) -> str:
    """What is wrong with the columns of a table; empty if nothing is."""
    if not all(isinstance(name, str) for name in table.columns) or not table.columns.is_unique:
        return "the names of its columns are not texts, or not distinct"
    for name in columns:
        if name not in table:
            return f"there is no column '{name}'"
    for name in table.columns:
        if not _fits(table[name], kind := columns.get(name, "")):
            return f"the column '{name}' must hold {_WORDS[kind]}"
    return ""


def _fits(values: pd.Series, kind: str) -> bool:
    """Whether a column is of a kind; one without values, or of gaps alone, is of all."""
    if values.empty:
        return True
    if values.dtype == object:  # of version 0.1.0, or empty
        present = {type(value) for value in values.dropna()}
        return not present or (kind in ("", "text") and present <= {str, bool, int, float})
    checks = [_IS[kind]] if kind else [*_IS.values(), types.is_bool_dtype]
    return any(bool(check(values.dtype)) for check in checks)
