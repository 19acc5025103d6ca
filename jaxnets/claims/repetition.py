"""Whether a sweep that was trained again gave the same tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api import types

Outcome = Literal["bit-equal", "within tolerance", "different"]
KEYS = {"runs": ["run"], "curves": ["run", "step"], "predictions": ["run", "example"]}
"""The tables that are compared, and what names a row of each."""
TOLERANCE = 1e-3
NOT_COMPARED = ("seconds",)


@dataclass(frozen=True)
class Repeated:
    """A table beside the one of before."""

    table: str
    rows: int
    outcome: Outcome
    worst: str = ""
    difference: float = 0.0
    first: str = ""


def compare(name: str, before: pd.DataFrame, after: pd.DataFrame, tolerance: float = TOLERANCE) -> Repeated:
    """Compares a table with that of before, row by row.

    >>> import pandas as pd
    >>> before = pd.DataFrame({"run": [0, 1], "dev_loss": [0.5, 1.0], "seconds": [1.0, 1.0]})
    >>> compare("runs", before, before.assign(seconds=2.0)).outcome
    'bit-equal'
    >>> found = compare("runs", before, before.assign(dev_loss=[0.5, 3.0]))
    >>> found.outcome, found.worst, found.difference, found.first
    ('different', 'dev_loss', 1.0, 'run 1')
    """
    keys = [key for key in KEYS[name] if key in before]
    left, right = (table.sort_values(keys, ignore_index=True) for table in (before, after))
    if len(left) != len(right) or not left[keys].equals(right[keys]):
        return Repeated(name, len(left), "different", "rows", np.inf, f"{len(right):,} rows for {len(left):,}")
    columns = [column for column in left if column not in (*keys, *NOT_COMPARED)]
    differences = {column: _difference(left[column], right.get(column)) for column in columns}
    worst = str(max(columns, key=lambda column: differences[column].max(initial=0.0), default=""))
    largest = differences[worst].max(initial=0.0) if worst else 0.0
    if largest == 0:
        return Repeated(name, len(left), "bit-equal")
    row = left.loc[int(differences[worst].argmax()), keys]
    first = ", ".join(f"{key} {value}" for key, value in row.items())
    outcome: Outcome = "within tolerance" if largest <= tolerance else "different"
    return Repeated(name, len(left), outcome, worst, float(largest), first)


def _difference(before: pd.Series, after: pd.Series | None) -> np.ndarray:
    """How far each value is from that of before, relative to 1 + that; infinite where it is another text or a gap."""
    if after is None:
        return np.full(len(before), np.inf)
    if not (_is_number(before) and _is_number(after)):
        same = (before.astype("string") == after.astype("string")) | (before.isna() & after.isna())
        return np.where(same.fillna(False), 0.0, np.inf)
    left, right = (column.to_numpy(np.float64, na_value=np.nan) for column in (before, after))
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    with np.errstate(invalid="ignore"):
        apart = np.abs(left - right) / (1 + np.abs(left))
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))


def _is_number(column: pd.Series) -> bool:
    return types.is_numeric_dtype(column) and not types.is_bool_dtype(column)


def whole(found: Sequence[Repeated]) -> Outcome:
    """The outcome of all tables together: that of the worst.

    >>> whole([Repeated("runs", 3, "bit-equal"), Repeated("curves", 9, "within tolerance")])
    'within tolerance'
    """
    order: tuple[Outcome, ...] = ("bit-equal", "within tolerance", "different")
    return max((one.outcome for one in found), key=order.index, default="bit-equal")
