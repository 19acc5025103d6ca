"""JSON files that are read back: whoever wrote them, they have the declared shape, or one line says what is wrong.

A shape is a type (`str`, `bool`, `int`, `float`, `None`, or `object` for anything), a value for itself, `[shape]` for a
list, or a dictionary of shapes by name for an object. In it a name that may be missing ends with `?`, and `...` stands
for all other names. A tuple of shapes is any of them, at most one of them a list and one an object. A whole number has
64 bits and is a float as well; no number is infinite or NaN.
"""

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxnets import io
from jaxnets.errors import UserError, nearest

if TYPE_CHECKING:  # it takes a moment, which the data sets and commands without tables are spared
    import pandas as pd

Shape = Any

SCALAR = (None, bool, int, float, str)
MOST_BYTES = 2**28
"""Of a JSON file; in memory it may take thirty times as much."""
_MOST_LEVELS = 60
_WORDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", None: "null"}


def read_json(path: Path, shape: Shape) -> Any:
    """The content of a JSON file."""
    io.check_checksums(path.parent, path.name)
    try:
        if path.exists() and not path.is_file():  # a pipe or a device may have no end
            raise ValueError("it is not a file")
        if (size := path.stat().st_size) > MOST_BYTES:
            raise ValueError(f"its {size:,} bytes are more than the {MOST_BYTES:,} that such a file may have")
        return parsed(path.read_text(encoding="utf-8"), shape)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def parsed(text: str, shape: Shape) -> Any:
    """The content of a JSON text.

    >>> parsed('{"seed": 3}', {"seed": int, "name?": str})
    {'seed': 3}
    >>> parsed('{"seed": 1e400}', {"seed": float})
    Traceback (most recent call last):
    ...
    ValueError: seed must be a number, not inf
    """

    def no_number(name: str) -> None:
        raise ValueError(f"{name} is not a number of JSON")

    try:
        content = json.loads(text, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    level = [content]
    for _ in range(_MOST_LEVELS):
        # half a character can be neither printed nor written
        if "\\u" in text and any(isinstance(one, str) and re.search("[\ud800-\udfff]", one) for one in level):
            raise ValueError("a text in it holds half a character")
        children = [
            [*one.keys(), *one.values()] if isinstance(one, dict) else one
            for one in level
            if isinstance(one, dict | list)
        ]
        level = [child for of_one in children for child in of_one]
        if not level:
            break
    else:
        raise ValueError(f"it is nested in more than {_MOST_LEVELS} levels")
    if problem := misfit(content, shape):
        raise ValueError(problem)
    return content


def misfit(value: Any, shape: Shape, place: str = "") -> str:
    """In what a value of JSON is not of a shape; empty if it is.

    >>> misfit({"seed": [1, "two"]}, {"seed": (int, [int])})
    "seed[1] must be a whole number, not 'two'"
    """
    wanted = shape if isinstance(shape, tuple) else (shape,)
    fitting = [one for one in wanted if _is_of(value, one)]
    if not fitting:
        return _told(value, wanted, place or "it")
    if isinstance(fitting[0], list):
        inner = (misfit(one, fitting[0][0], f"{place}[{number}]") for number, one in enumerate(value))
        return next(filter(None, inner), "")
    return _object_misfit(value, fitting[0], place) if isinstance(fitting[0], dict) else ""


def _is_of(value: Any, shape: Shape) -> bool:
    """Whether a value is of a shape, what it holds left aside."""
    if isinstance(shape, dict | list):
        return isinstance(value, type(shape))
    if shape is int:
        return type(value) is int and -(2**63) <= value < 2**63
    if shape is float:
        return _is_of(value, int) or (type(value) is float and math.isfinite(value))
    if isinstance(shape, type):
        return isinstance(value, shape)
    return type(value) is type(shape) and value == shape


def _told(value: Any, wanted: Sequence[Shape], place: str) -> str:
    def word(shape: Shape) -> str:
        if isinstance(shape, dict | list):
            return "an object" if isinstance(shape, dict) else "a list"
        return _WORDS.get(shape, repr(shape))

    shown = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    found = word(value) if isinstance(value, dict | list) else shown if len(shown) <= 40 else f"{shown[:36]} ..."
    known = [str(one) for one in wanted if type(one) is int]
    if known:
        return f"it has the {place} {found}; this version reads {' and '.join(known)}"
    return f"{place} must be {' or '.join(dict.fromkeys(map(word, wanted)))}, not {found}"


def _object_misfit(value: Mapping[str, Any], shape: Mapping[Any, Shape], place: str) -> str:
    def inner(name: str, place: str = place) -> str:
        name = name if len(name) <= 40 else f"{name[:36]} ..."
        return f"{place}.{name}" if place else name

    names = {name.removesuffix("?"): one for name, one in shape.items() if name is not ...}
    for name, one in names.items():
        if name not in value and name in shape:
            return f"{place or 'it'} lacks '{name}'"
        if name in value and (problem := misfit(value[name], one, inner(name))):
            return problem
    for name in value.keys() - names.keys() if ... not in shape else ():
        return f"{place or 'it'} has '{inner(name, '')}', which is not known.{nearest(name, names)}".removesuffix(".")
    others = (misfit(one, shape[...], inner(name)) for name, one in value.items() if name not in names)
    return next(filter(None, others), "")


def shape_of(kind: Any) -> Shape:
    """The shape of a dataclass as JSON: NaN is null, fields with a default may be missing.

    >>> from jaxnets import schema
    >>> schema.shape_of(tuple[float, ...])
    [(None, <class 'float'>)]
    """
    if dataclasses.is_dataclass(kind):
        hints, missing = typing.get_type_hints(kind), dataclasses.MISSING
        needed = [one.default is missing and one.default_factory is missing for one in dataclasses.fields(kind)]
        names = [one.name for one in dataclasses.fields(kind)]
        return {name if must else f"{name}?": shape_of(hints[name]) for name, must in zip(names, needed, strict=True)}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return [shape_of(arguments[0])]
    if origin in (types.UnionType, typing.Union):
        return tuple(None if one is type(None) else shape_of(one) for one in arguments)
    if origin is not None:  # a mapping
        return {...: shape_of(arguments[1])}
    return (None, float) if kind is float else kind


def made(kind: Any, value: Any) -> Any:
    """A dataclass from JSON of its shape; see `shape_of`."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: made(hints[name], one) for name, one in value.items()})
    if typing.get_origin(kind) is tuple:
        return tuple(made(typing.get_args(kind)[0], one) for one in value)
    return math.nan if kind is float and value is None else value


Columns = Mapping[str, str]
"""What each column must be: `number`, `whole`, `text`, or empty for any of them and for switches."""

_MOST_CELLS_PER_BYTE, _FEW_CELLS = 64, 10_000_000
_COLUMN_WORDS = {"number": "numbers", "whole": "whole numbers", "text": "texts", "": "numbers, switches or texts"}


def read_table(path: Path, columns: Columns) -> "pd.DataFrame":
    """A table."""
    import pandas as pd
    from pyarrow import parquet

    io.check_checksums(path.parent, path.name)
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a file")
        about = parquet.read_metadata(path)  # it tells the sizes before the memory is taken
        if about.num_rows * about.num_columns > _FEW_CELLS + _MOST_CELLS_PER_BYTE * path.stat().st_size:
            claim = f"{about.num_rows:,} rows of {about.num_columns} columns"
            raise ValueError(f"it claims {claim}, more than its bytes can hold")
        table = pd.read_parquet(path)
        problem = _table_misfit(table, columns)
    except FileNotFoundError:
        raise
    except Exception as error:  # PyArrow and pandas raise many kinds for what is damaged
        problem = (str(error) or type(error).__name__).splitlines()[0].removesuffix(".")
    if problem:
        raise UserError(f"{path}: cannot be read: {problem}.")
    return table


def _table_misfit(table: "pd.DataFrame", columns: Columns) -> str:
    """What is wrong with the columns of a table; empty if nothing is."""
    if not all(isinstance(name, str) for name in table.columns) or not table.columns.is_unique:
        return "the names of its columns are not texts, or not distinct"
    if missing := [name for name in columns if name not in table]:
        return f"there is no column '{missing[0]}'"
    misfits = [name for name in table.columns if not _fits(table[name], columns.get(name, ""))]
    return f"the column '{misfits[0]}' must hold {_COLUMN_WORDS[columns.get(misfits[0], '')]}" if misfits else ""


def _fits(values: "pd.Series", kind: str) -> bool:
    """Whether a column is of a kind; one without values, or of gaps alone, is of all."""
    from pandas.api import types as kinds

    if values.empty:
        return True
    if values.dtype == object:
        present = {type(value) for value in values.dropna()}
        return not present or (kind in ("", "text") and present <= {str, bool, int, float})
    of_kind = {"number": kinds.is_numeric_dtype, "whole": kinds.is_integer_dtype, "text": kinds.is_string_dtype}
    checks = [of_kind[kind]] if kind else [*of_kind.values(), kinds.is_bool_dtype]
    return any(bool(check(values.dtype)) for check in checks)


def typed(table: "pd.DataFrame") -> "pd.DataFrame":
    """The table with each column of Python objects turned into one of numbers, switches or texts; gaps stay gaps.

    >>> import pandas as pd
    >>> typed(pd.DataFrame({"nesterov": [None, True], "decay": [None, None]})).dtypes.astype(str).to_dict()
    {'nesterov': 'boolean', 'decay': 'float64'}
    """
    return table.assign(**{name: _column(table[name]) for name in table.columns if table[name].dtype == object})


def column(values: Sequence[Any]) -> "pd.Series":
    """A column of values of one kind, or of gaps, as `typed` has them.

    >>> column([1, None]).dtype, column([1, 2]).dtype
    (Int64Dtype(), dtype('int64'))
    """
    import pandas as pd

    if any(value is None for value in values):
        return _column(pd.Series(values, dtype=object))
    series = pd.Series(values)
    return _column(series) if series.dtype == object else series


def _column(values: "pd.Series") -> "pd.Series":
    kinds = {type(value) for value in values.dropna()}
    if kinds <= {bool}:
        return values.astype("boolean" if kinds else "float64")
    if kinds == {int}:
        return values.astype("Int64")
    if kinds <= {int, float}:
        return values.astype("float64")
    return values.map(str, na_action="ignore").astype("str")
