"""Tables on the console."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int
from rich import box
from rich.console import Console
from rich.table import Table

_LARGE = 1.5  # times the share of each of equally large classes
_MOST_LISTED = 10


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> Table:
    """A table with its words to the left and its numbers to the right."""
    result = Table(title=title, caption=caption or None, box=box.SIMPLE_HEAD, title_justify="left")
    result.caption_justify = "left"
    rows = [list(row) for row in rows]
    for position, name in enumerate(columns):
        numeric = all(_is_number(row[position]) for row in rows)
        result.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=position == 0)
    for row in rows:
        result.add_row(*row)
    return result


def print_table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table."""
    console.print(table(title, columns, rows))


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text[:1] in "-–"


def on_balance(
    labels: Int[np.ndarray, "examples"], class_names: Sequence[str], predictions: Int[np.ndarray, "examples"]
) -> list[str]:
    """Sentences on what an accuracy hides: one class has most of the examples, others are never predicted."""
    counts = np.bincount(labels, minlength=len(class_names))
    name, share = class_names[int(counts.argmax())], counts.max() / len(labels)
    sentences = []
    if share >= _LARGE / len(class_names):
        sentences.append(
            f"'{name}' is the class of {share:.1%} of the test examples: always predicting it has an accuracy of "
            f"{share:.4f}."
        )
    never = np.setdiff1d(np.flatnonzero(counts), predictions) if len(predictions) else np.zeros(0, int)
    if len(never):
        listed = ", ".join(f"'{class_names[label]}' ({counts[label]} test examples)" for label in never[:_MOST_LISTED])
        more = f" and {len(never) - _MOST_LISTED} more" if len(never) > _MOST_LISTED else ""
        sentences.append(f"Never predicted: {listed}{more}.")
    return sentences


def with_interval(value: float, low: float, high: float, reason: str = "", sign: str = "") -> str:
    """A value with the bounds of its interval, or why there is none.

    >>> with_interval(0.97222, 0.9663, 0.9812), with_interval(0.5, float("nan"), float("nan"), "one value")
    ('0.972 (0.966 to 0.981)', '0.500 (one value)')
    """
    if pd.isna(value):
        return "–"
    if pd.isna(low) or pd.isna(high):
        return f"{value:{sign}.3f}" + (f" ({reason})" if reason else "")
    return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def cell(value: Any) -> str:
    """A hyperparameter in a cell: a number with three digits, what is missing as a dash.

    >>> cell(0.031623), cell(None), cell("adam")
    ('0.0316', '–', 'adam')
    """
    if pd.isna(value):
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
