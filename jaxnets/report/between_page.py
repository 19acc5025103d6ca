"""Run directories compared: on the console, and as a page that opens offline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from jaxnets.evidence import between
from jaxnets.evidence.between import CHOSEN, EQUAL, HIGHER, LOWER, OPEN, SETTING, TIE
from jaxnets.report import pages, tables

MARKS = {HIGHER: "▲", LOWER: "▼", TIE: "=", OPEN: "?", EQUAL: "≡"}
_TITLES = {CHOSEN: "Contestants, each at its chosen setting", SETTING: "Settings that both have, as tuned"}
_HEADER = ("before", "after", "difference", "outcome")


@dataclass(frozen=True)
class Pair:
    """A run directory against the first."""

    before: str
    after: str
    same_data: bool
    table: pd.DataFrame

    @property
    def sentences(self) -> list[str]:
        """What it says, with what the reader must know of it."""
        told = between.sentences(self.table)
        if not len(self.table):
            return told
        data = "The data and their splits are the same" if self.same_data else "The data or their splits differ"
        paired = int(self.table["paired"].sum())
        return [*told, f"{data}; {paired} of {len(self.table)} differences are taken over pairs of equal seeds."]


def print_pairs(console: Console, names: Sequence[str], setups: pd.DataFrame, pairs: Sequence[Pair]) -> None:
    """Prints in what the set-ups differ, and what differs in the results."""
    if len(setups):
        rows = [[str(cell) for cell in row] for row in setups.itertuples(index=False)]
        tables.print_table(console, "The set-ups differ in", ["part", "what", *names], rows)
    else:
        console.print("The set-ups do not differ.")
    for pair in pairs:
        console.print(Text(f"{pair.after} against {pair.before}", style="bold"))
        chosen = pair.table["kind"] == CHOSEN
        real = pair.table["outcome"].isin([HIGHER, LOWER])
        _print_rows(console, _TITLES[CHOSEN], pair.table[chosen])
        _print_rows(console, "Settings that differ, as tuned; the page has all", pair.table[~chosen & real])
        for sentence in pair.sentences:
            console.print(Text(sentence))


def _print_rows(console: Console, title: str, table: pd.DataFrame) -> None:
    if table.empty:
        return
    several = table["task"].nunique() > 1
    rows = [row[0 if several else 1 :] for row in _rows(table)]
    tables.print_table(console, title, [*(["task"] if several else []), "", *_HEADER], rows)


def html(
    names: Sequence[str], setups: pd.DataFrame, pairs: Sequence[Pair], reports: Sequence[str], command: str
) -> str:
    """The comparison as one file."""
    return pages.render(
        "between.html",
        directories=list(zip(names, reports, strict=True)),
        setups=_table("In what the set-ups differ", ["part", "what", *names], setups.to_numpy().tolist()),
        pairs=[_content(pair) for pair in pairs],
        command=command,
    )


def _content(pair: Pair) -> dict[str, Any]:
    shown = [(title, pair.table[pair.table["kind"] == kind]) for kind, title in _TITLES.items()]
    return {
        "before": pair.before,
        "after": pair.after,
        "sentences": pair.sentences,
        "tables": [_table(title, ["task", "name", *_HEADER], _rows(own)) for title, own in shown if len(own)],
    }


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    return {"title": title, "columns": columns, "rows": rows}


def _rows(table: pd.DataFrame) -> list[list[str]]:
    return [
        [
            str(row["task"]),
            str(row["name"]),
            f"{row['before']:.1%}",
            f"{row['after']:.1%}",
            _difference(row),
            f"{MARKS[row['outcome']]} {row['outcome']}",
        ]
        for _, row in table.iterrows()
    ]


def _difference(row: pd.Series) -> str:
    """A difference in points with its bounds, or why there are none."""
    points = f"{100 * row['difference']:+.1f}"
    if row["outcome"] == EQUAL:
        return "0"
    if np.isnan(row["low"]):
        return f"{points} (no bounds: {row['note']})"
    return f"{points} ({between.in_points(row)})"
