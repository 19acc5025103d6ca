"""A comparison's answer on the console."""

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from jaxnets.comparison.answer import Answer
from jaxnets.report.tables import print_table
from jaxnets.stats.estimates import LEVEL, percent

MOST_TASKS = 3  # of which the console shows tables; the page has all


def print_answer(console: Console, answer: Answer) -> None:
    """Prints the table of contestants and the answer in sentences, with what cannot be said after it."""
    tasks = list(dict.fromkeys(answer.contestants["task"]))
    for task in tasks[:MOST_TASKS]:
        _print_contestants(console, task, answer.contestants[answer.contestants["task"] == task])
    if len(tasks) > MOST_TASKS:
        _line(console, f"The tables of the other {len(tasks) - MOST_TASKS} tasks are in the report.")
    for sentence in answer.sentences:
        _line(console, sentence, "bold" if sentence == answer.sentences[0] else "")
    for caution in answer.cautions:
        _line(console, f"Caution: {caution}", "yellow")


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style))


def _print_contestants(console: Console, task: str, rows: pd.DataFrame) -> None:
    setting, values = _settings(rows)
    header = [
        "",
        setting,
        "test\n(%)",
        f"{percent(LEVEL)}\nCI",
        "ensemble\n(%)",
        "LR\nrange",
        "target\nsteps",
        "di-\nverged",
    ]
    ordered = rows.sort_values("accuracy", ascending=False, kind="stable")
    cells = [
        [
            str(row["contestant"]),
            values[row["contestant"]],
            f"{100 * row['accuracy']:.1f}",
            percents(row["accuracy_low"], row["accuracy_high"]),
            number(100 * row["ensemble_accuracy"], "{:.1f}"),
            number(row["width_decades"], "{:.1f}"),
            number(row["steps_to_target"], "{:,.0f}"),
            f"{row['tuning_diverged_share']:.0%}",
        ]
        for _, row in ordered.iterrows()
    ]
    runs = int(rows["num_runs"].iloc[0])
    print_table(console, f"{task}: best setting of each, {runs} test runs", header, cells)


def _settings(rows: pd.DataFrame) -> tuple[str, dict[str, str]]:
    """The header of the settings and each contestant's; the name of the only hyperparameter goes into the header."""
    settings = {row["contestant"]: str(row["setting"]).replace("_", " ") for _, row in rows.iterrows()}
    names = {setting.rpartition(" ")[0] for setting in settings.values()}
    (name, *others) = names
    if others or not name or "," in name:
        return "setting", settings
    return name, {contestant: setting.removeprefix(name).strip() for contestant, setting in settings.items()}


def percents(low: float, high: float) -> str:
    """The bounds of an accuracy, in percent.

    >>> percents(0.988, 0.994), percents(float("nan"), float("nan"))
    ('98.8–99.4', '–')
    """
    return "–" if np.isnan(low) or np.isnan(high) else f"{100 * low:.1f}–{100 * high:.1f}"


def number(value: float, form: str) -> str:
    """A number that may be unknown, or never reached.

    >>> number(float("inf"), "{:.0f}"), number(float("nan"), "{:.0f}"), number(2.0, "{:.1f}")
    ('never', '–', '2.0')
    """
    if np.isinf(value):
        return "never"
    return "–" if np.isnan(value) else form.format(value)
