"""The tables of a comparison as a reader sees them: texts, with intervals, and why one cannot be given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.comparison.answer import SOURCES, Answer
from jaxnets.comparison.table import Study
from jaxnets.report import study_tables
from jaxnets.report.tables import cell
from jaxnets.stats.estimates import percent as percent_of

NONE = "–"


@dataclass(frozen=True)
class Table:
    """A table for the page."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    note: str = ""


def percent(value: float) -> str:
    """A share of 1 in percent.

    >>> percent(0.9712), percent(float("nan"))
    ('97.1%', '–')
    """
    return NONE if pd.isna(value) else f"{value:.1%}"


def with_bounds(row: Mapping[Any, Any], name: str, shares: bool = True) -> str:
    r"""An estimate with its bounds, or with the reason why there are none.

    >>> unknown = dict.fromkeys(["loss_low", "loss_high"], float("nan"))
    >>> with_bounds({"loss": 0.5, **unknown, "loss_note": "one value"}, "loss", False)
    '0.500 (–: one\xa0value)'
    """
    value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if pd.isna(value):
        return NONE
    middle = percent(value) if shares else f"{value:.3f}"
    if pd.isna(low) or pd.isna(high):
        return f"{middle} ({NONE}: {unbroken(row[f'{name}_note'])})"
    bounds = f"({100 * low:.1f} to {100 * high:.1f})" if shares else f"({low:.3f} to {high:.3f})"
    return f"{middle} {unbroken(bounds)}"


def unbroken(text: str) -> str:
    """A text that stays on one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _number(value: float, digits: int = 3) -> str:
    if pd.isna(value):
        return NONE
    return "never" if np.isinf(value) else f"{value:,.{digits}g}" if value < 1000 else f"{value:,.0f}"


def _lead(study: Study, row: Mapping[Any, Any]) -> list[str]:
    """The first cells of a row: the task if there are several, and the contestant."""
    task = [str(row["task"])] if len(study.tasks) > 1 else []
    return [*task, str(row["contestant"])]


def _head(study: Study) -> tuple[str, ...]:
    return (*(("task",) if len(study.tasks) > 1 else ()), study.by.replace("_", " "))


def standings(study: Study, answer: Answer) -> Table:
    """Each contestant at its chosen settings."""
    rows = []
    for row in answer.contestants.to_dict("records"):
        estimates = [with_bounds(row, name) for name in ("accuracy", "median", "iqm")]
        loss = with_bounds(row, "loss", shares=False)
        counts = [str(row["num_runs"]), percent(row["diverged_share"])]
        rows.append([*_lead(study, row), *estimates, loss, *counts, row["setting"]])
    columns = (
        *("mean test accuracy", "median", "interquartile mean", "test loss"),
        *("runs", "diverged", "chosen setting"),
    )
    note = (
        f"In parentheses: bounds of 95% intervals over {study.unit}s. A run that diverged counts as chance. Settings "
        "were chosen on dev."
    )
    return Table("At the chosen settings", (*_head(study), *columns), rows, note)


def tuning(study: Study, answer: Answer) -> Table:
    """How each contestant was tuned, and how fast it gets to the target."""
    rows = [
        [
            *_lead(study, row),
            str(row["tuning_runs"]),
            percent(row["tuning_diverged_share"]),
            _number(row["width_decades"], 2) + (" (best on the edge)" if row["edge"] else ""),
            percent(row.get("target", np.nan)),
            percent(row["reached_share"]),
            *(_number(row[f"{name}_to_target"]) for name in ("steps", "examples", "seconds")),
        ]
        for row in answer.contestants.to_dict("records")
    ]
    columns = ("tuning runs", "diverged", "good rates (decades)", "target", "reached", "steps", "examples", "seconds")
    note = (
        "Good rates: the width of the learning rates within 1% of the best. On the edge: the best rate is the least or "
        "the largest tried, and a better one may lie outside. Steps, examples and seconds: of the median run to the "
        "target; never, if over half do not arrive."
    )
    return Table("Tuning and speed", (*_head(study), *columns), rows, note)


def ensembles(study: Study, answer: Answer) -> Table | None:
    """The average of the seeds' probabilities beside a single run; None if predictions were not kept."""
    known = answer.contestants[answer.contestants["ensemble_accuracy"].notna()]
    if known.empty:
        return None
    rows = [
        [
            *_lead(study, row),
            f"{row['members']:.0f}",
            *(percent(row[f"{kind}_accuracy"]) for kind in _KINDS),
            *(_number(row[f"{kind}_{score}"]) for score in ("loss", "calibration") for kind in _KINDS),
        ]
        for row in known.to_dict("records")
    ]
    scores = ("test accuracy", "test loss", "calibration error")
    columns = tuple(f"{score}, {kind}" for score in scores for kind in _KINDS)
    note = "Single: mean over the runs. Ensemble: the average of their probabilities."
    return Table("Ensembles", (*_head(study), "members", *columns), rows, note)


_KINDS = ("single", "ensemble")


def pairs(answer: Answer) -> list[dict[str, Any]]:
    """A row for each pair: `task`, `name`, `outcome` with its `look` in the style sheet, and the other `cells`."""
    return [
        {
            "task": row["task"],
            "name": f"{row['first']} − {row['second']}",
            "outcome": _ahead(row),
            "look": {"tie": "tie", "open": "inconclusive"}.get(row["outcome"], "supported"),
            "cells": [
                _points(row),
                _sources(row),
                with_bounds(row, "improvement"),
            ],
        }
        for row in answer.pairs.to_dict("records")
    ]


def _points(row: Mapping[Any, Any]) -> str:
    """A difference in percentage points with its bounds."""
    if pd.isna(row["difference"]):
        return NONE
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return _signed(f"{100 * row['difference']:+.2f} ({NONE}: {unbroken(row.get('note') or 'spread unknown')})")
    bounds = f"({percent_of(row['level'])} CI {100 * row['low']:+.2f} to {100 * row['high']:+.2f})"
    return _signed(f"{100 * row['difference']:+.2f} {unbroken(bounds)}")


def _sources(row: Mapping[Any, Any]) -> str:
    """The shares of the variance of a difference."""
    shares = [f"{words} {row[name]:.0%}" for name, words in SOURCES.items() if pd.notna(row[name])]
    return ", ".join(shares) or f"{row['unit']}s"


def _signed(text: str) -> str:
    """A text with minus signs in place of hyphens."""
    return text.replace("-", "\N{MINUS SIGN}")


def _ahead(row: Mapping[Any, Any]) -> str:
    ahead = {"first": row["first"], "second": row["second"]}.get(row["outcome"])
    return f"{ahead} ahead" if ahead is not None else str(row["outcome"])


def protocol(study: Study) -> list[tuple[str, str]]:
    """How it was done: names and descriptions."""
    one = study.protocol
    in_blocks = " in each block" if study.unit == "block" else ""
    settings = f"{one.search}, {one.num_trials} settings × {one.num_seeds} seeds for each{in_blocks}, the same for all."
    return [
        ("Compared", f"{study.by.replace('_', ' ')}: {', '.join(map(str, study.contestants))}."),
        ("Search", settings),
        ("Choice", _CHOICE),
        ("Confirmation", _CONFIRMED.format(one.confirm_seeds, in_blocks) if one.confirm_seeds else _NOT_CONFIRMED),
        ("Blocks", _BLOCKS.format(one.num_blocks) if one.num_blocks > 1 else _ONE_BLOCK),
        ("Runs", f"{len(study.runs):,} runs{_steps(study)}."),
    ]


_CHOICE = (
    "The setting with the best mean dev accuracy; a run that diverged counts as a failure. The test examples had "
    "no say."
)
_CONFIRMED = "The chosen setting is trained again with {} fresh seeds{}; only these runs report."
_NOT_CONFIRMED = "None: the runs that chose report as well, which flatters them."
_BLOCKS = "{}, each with a new split of the data, new tuning and new seeds. The block is the unit of inference."
_ONE_BLOCK = "One split of the data: the intervals hold for this split alone. The seed is the unit of inference."


def _steps(study: Study) -> str:
    """The steps of all runs, and the share of them that was saved."""
    taken, saved = study.protocol.steps_taken, study.protocol.steps_saved
    share = saved / max(taken + saved, 1)
    words = f" with {taken:,} steps" if taken else ""
    return words + (f"; {share:.0%} of all steps were saved" if share >= 0.005 else "")


def spaces(study: Study) -> Table:
    """What was tuned."""
    rows = [[name.replace("_", " "), text] for name, text in study.protocol.spaces.items()]
    return Table("Search spaces", ("hyperparameter", "values"), rows)


def tasks(study: Study) -> Table:
    """The tasks with their numbers of examples."""
    rows = [
        [
            one.name,
            one.about or NONE,
            f"{one.num_train:,} / {one.num_dev:,} / {one.num_test:,}",
            str(one.num_classes),
            percent(one.chance),
            percent(one.target),
        ]
        for one in study.tasks
    ]
    columns = ("task", "about", "examples: train / dev / test", "classes", "chance", "target")
    return Table("Tasks" if len(rows) > 1 else "Task", columns, rows)


def alike(study: Study) -> list[tuple[str, str]]:
    """What was not tuned: names and descriptions of what is alike in all runs, and in those of each contestant."""
    found = {"In all runs": study_tables.shared(study)}
    found |= {f"With {name}": study_tables.fixed(study, name) for name in study_tables.contestants(study)}
    return [(name, f"{_listed(values)}.") for name, values in found.items() if values]


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {cell(value)}" for name, value in values.items())
