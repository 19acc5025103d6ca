"""The tables of a comparison and of text classifiers: one list of columns for the console and the page."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from jaxnets.comparison.answer import SOURCES, Answer
from jaxnets.comparison.table import Comparison
from jaxnets.data.dataset import Dataset
from jaxnets.data.texts import Texts
from jaxnets.errors import one_line
from jaxnets.metrics import METRICS
from jaxnets.report.console import Table
from jaxnets.stats import estimates, selection
from jaxnets.stats.ensembles import System, accuracy, certain_mistakes, difference_of_systems

NONE = "–"
MOST_TASKS = 3  # of which the console shows tables; the page has all

Row = Mapping[Any, Any]

# ---- cells ------------------------------------------------------------------------------------------------------


def cell(value: Any) -> str:
    """A hyperparameter in a cell: a number with three digits, what is missing as a dash.

    >>> cell(0.031623), cell(None), cell("adam")
    ('0.0316', '–', 'adam')
    """
    if pd.isna(value):
        return NONE
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def percent(value: float) -> str:
    """A share of 1 in percent."""
    return NONE if pd.isna(value) else f"{value:.1%}"


def number(value: float, digits: int = 3) -> str:
    """A number that may be unknown, or never reached.

    >>> number(float("inf")), number(float("nan")), number(12345.6), number(2)
    ('never', '–', '12,346', '2')
    """
    if pd.isna(value):
        return NONE
    return "never" if np.isinf(value) else f"{value:,.{digits}g}" if value < 1000 else f"{value:,.0f}"


def with_interval(value: float, low: float, high: float, reason: str = "", sign: str = "") -> str:
    """A value with the bounds of its interval, or why there is none.

    >>> with_interval(0.97222, 0.9663, 0.9812), with_interval(0.5, float("nan"), float("nan"), "one value")
    ('0.972 (0.966 to 0.981)', '0.500 (one value)')
    """
    if pd.isna(value):
        return NONE
    if pd.isna(low) or pd.isna(high):
        return f"{value:{sign}.3f}" + (f" ({reason})" if reason else "")
    return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def bounded(row: Row, name: str, metric: str = "accuracy") -> str:
    r"""An estimate of a row with its bounds, or with the reason why there are none, shown as a metric is.

    >>> unknown = dict.fromkeys(["loss_low", "loss_high"], float("nan"))
    >>> bounded({"loss": 0.5, **unknown, "loss_note": "one value"}, "loss", "loss")
    '0.500 (–: one\xa0value)'
    """
    value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if pd.isna(value):
        return NONE
    show = METRICS[metric].show
    if pd.isna(low) or pd.isna(high):
        return f"{show(value)} ({NONE}: {_unbroken(row[f'{name}_note'])})"
    bounds = f"({show(low).removesuffix('%')} to {show(high).removesuffix('%')})"
    return f"{show(value)} {_unbroken(bounds)}"


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


# ---- the methods of a comparison --------------------------------------------------------------------------------

SCORES, TUNING, ENSEMBLES = "At the chosen settings", "Tuning and speed", "Ensembles"


@dataclass(frozen=True)
class Column:
    """A column about the methods of a comparison: its table on the page, what it shows how, and on the console."""

    table: str
    heading: str
    show: Callable[[Any], str]
    name: str
    console: str = ""

    def cell(self, row: Row) -> str:
        """The text of a row."""
        return self.show(row[self.name]) if self.name else self.show(row)


def columns() -> list[Column]:
    """All columns, in their order; one for each metric, and of the accuracy the median and interquartile mean too."""
    middles = {"median": "median", "interquartile mean": "iqm"}
    scores = [Column(SCORES, f"test {name}", partial(bounded, name=name, metric=name), "") for name in METRICS]
    scores = [one for one in reversed(scores) if one.heading != "test accuracy"]
    accuracy = Column(SCORES, "mean test accuracy", partial(bounded, name="accuracy"), "", "test accuracy ({level} CI)")
    return [
        Column(SCORES, "chosen setting", str, "setting", "setting"),
        accuracy,
        *(Column(SCORES, words, partial(bounded, name=name), "") for words, name in middles.items()),
        *scores,
        Column(SCORES, "runs", str, "num_runs"),
        Column(SCORES, "diverged", percent, "diverged_share"),
        Column(TUNING, "tuning runs", str, "tuning_runs"),
        Column(TUNING, "diverged", percent, "tuning_diverged_share", "diverged in tuning"),
        Column(TUNING, "LR range (decades)", partial(number, digits=2), "width_decades", "LR range"),
        Column(TUNING, "best rate", lambda edge: "on the edge" if edge else "inside", "edge"),
        Column(TUNING, "target", percent, "target"),
        Column(TUNING, "reached", percent, "reached_share"),
        Column(TUNING, "steps", number, "steps_to_target", "steps to target"),
        Column(TUNING, "examples", number, "examples_to_target"),
        Column(TUNING, "seconds", number, "seconds_to_target"),
        Column(ENSEMBLES, "members", "{:.0f}".format, "members"),
        Column(ENSEMBLES, "test accuracy, single", percent, "single_accuracy"),
        Column(ENSEMBLES, "test accuracy, ensemble", percent, "ensemble_accuracy", "ensemble"),
        Column(ENSEMBLES, "test loss, single", number, "single_loss"),
        Column(ENSEMBLES, "test loss, ensemble", number, "ensemble_loss"),
        Column(ENSEMBLES, "calibration error, single", number, "single_calibration"),
        Column(ENSEMBLES, "calibration error, ensemble", number, "ensemble_calibration"),
    ]


_FIRST_TO_GO = ("ensemble", "LR range", "steps to target", "diverged in tuning")
_NOTES = {
    SCORES: "In parentheses: {level} CIs over {unit}s. A diverged run counts as chance. Settings were chosen on dev.",
    TUNING: "LR range: the width of the learning rates within 1% of the best. On the edge: the best rate is the lowest "
    "or the highest tried, and a better one may lie outside. Steps, examples and seconds: of the median run to the "
    "target; never, if over half do not arrive.",
    ENSEMBLES: "Single: mean over the runs. Ensemble: the average of their probabilities.",
}


def of_methods(comparison: Comparison, said: Answer) -> list[Table]:
    """The tables of the page with a row for each method on each task; ensembles where predictions were kept."""
    lead = [*(["task"] if len(comparison.tasks) > 1 else []), "method"]
    names = [name.replace("method", comparison.by.replace("_", " ")) for name in lead]
    found = []
    for title, note in _NOTES.items():
        own = [column for column in columns() if column.table == title]
        table = said.methods if title != ENSEMBLES else said.methods.dropna(subset=["ensemble_accuracy"])
        rows = [
            [*(str(row[name]) for name in lead), *(one.cell(row) for one in own)] for row in table.to_dict("records")
        ]
        words = note.format(unit=comparison.unit, level=said.percent)
        found += [Table(title, [*names, *(one.heading for one in own)], rows, words)] if rows else []
    return found


def print_answer(console: Console, said: Answer) -> None:
    """Prints the tables of methods and the answer in sentences, with what cannot be said after it."""
    tasks = said.methods.groupby("task", sort=False)
    for task, own in list(tasks)[:MOST_TASKS]:
        records = own.to_dict("records")
        name, values = _settings(own)
        cells = {"": [str(row["method"]) for row in records], name: values}
        for one in columns()[1:]:
            shown = [one.cell(row) for row in records] if one.console else [NONE]
            cells |= {one.console.format(level=said.percent): shown} if set(shown) != {NONE} else {}
        title = f"{task}: best setting of each, {own['num_runs'].iloc[0]} test runs"
        optional = [name for name in _FIRST_TO_GO if name in cells]
        console.print(Table(title, list(cells), list(zip(*cells.values(), strict=True)), optional=optional))
    if len(tasks) > MOST_TASKS:
        console.print(f"The tables of the other {len(tasks) - MOST_TASKS} tasks are in the report.")
    for sentence in said.sentences:
        console.print(Text(sentence, style="bold" if sentence == said.sentences[0] else ""))
    for caution in said.cautions:
        console.print(Text(f"Caution: {caution}", style="yellow"))


def _settings(rows: pd.DataFrame) -> tuple[str, list[str]]:
    """The header of the settings, and the settings; the name of an only hyperparameter goes into the header."""
    settings = [str(setting).replace("_", " ") for setting in rows["setting"]]
    name, *others = {setting.rpartition(" ")[0] for setting in settings}
    if others or not name or "," in name:
        return "setting", settings
    return name, [setting.removeprefix(name).strip() for setting in settings]


def pairs(said: Answer) -> list[dict[str, Any]]:
    """A row for each pair: `task`, `name`, `outcome` with its `look` in the style sheet, and the other `cells`."""
    rows = []
    for row in said.pairs.to_dict("records"):
        points = NONE
        if pd.notna(row["difference"]):
            bounds = _unbroken(row.get("note") or "spread unknown")
            points = f"{100 * row['difference']:+.2f} ({NONE}: {bounds})"
            if pd.notna(row["low"]) and pd.notna(row["high"]):
                level = estimates.percent(row["level"])
                bounds = _unbroken(f"({level} CI {100 * row['low']:+.2f} to {100 * row['high']:+.2f})")
                points = f"{100 * row['difference']:+.2f} {bounds}"
        shares = [f"{words} {row[name]:.0%}" for name, words in SOURCES.items() if pd.notna(row[name])]
        ahead = {"first": row["first"], "second": row["second"]}.get(row["outcome"])
        rows.append(
            {
                "task": row["task"],
                "name": f"{row['first']} − {row['second']}",
                "outcome": row["outcome"] if ahead is None else f"{ahead} ahead",
                "look": {"tie": "tie", "open": "inconclusive"}.get(row["outcome"], "supported"),
                "cells": [
                    points.replace("-", "\N{MINUS SIGN}"),
                    ", ".join(shares) or f"{row['unit']}s",
                    bounded(row, "improvement"),
                ],
            }
        )
    return rows


def protocol(comparison: Comparison) -> list[tuple[str, str]]:
    """How it was done: names and descriptions, and what was not tuned."""
    one, runs = comparison.protocol, comparison.runs
    in_repeats = " in each repeat" if comparison.unit == "repeat" else ""
    share = one.steps_saved / max(one.steps_taken + one.steps_saved, 1)
    steps = f" with {one.steps_taken:,} steps" if one.steps_taken else ""
    saved = f"; {share:.0%} of all steps were saved" if share >= 0.005 else ""
    final_runs = "No final runs: tuning runs are reported, so scores are optimistic."
    if one.final_seeds:
        final_runs = (
            f"The chosen setting is trained again with {one.final_seeds} fresh seeds{in_repeats}; results are from "
            "these runs only."
        )
    repeats = "One split of the data: the intervals hold for this split alone. The seed is the unit of inference."
    if one.num_repeats > 1:
        repeats = (
            f"{one.num_repeats}, each with another split of the data, tuning and seeds. The repeat is the unit of "
            "inference."
        )
    choice = "The setting with the best mean dev accuracy; diverged runs count as chance. Test data were not used."
    search = f"{one.search}, {one.num_trials} settings × {one.num_seeds} seeds each{in_repeats}, the same for all."
    found = [
        ("Compared", f"{comparison.by.replace('_', ' ')}: {', '.join(map(str, comparison.methods))}."),
        ("Search", search),
        ("Choice", choice),
        ("Final runs", final_runs),
        ("Repeats", repeats),
        ("Runs", f"{len(runs):,} runs{steps}{saved}."),
    ]
    alike = {"In all runs": _constant(runs, selection.REPETITIONS)}
    others = {comparison.by, *alike["In all runs"], *comparison.tuned, *selection.REPETITIONS}
    alike |= {f"With {name}": _constant(own, others) for name, own in runs.groupby(comparison.by, sort=False)}
    for name, values in alike.items():
        words = ", ".join(f"{key.replace('_', ' ')} {cell(value)}" for key, value in values.items())
        found += [(name, f"{words}.")] if words else []
    return found


def _constant(runs: pd.DataFrame, without: Collection[str]) -> dict[str, Any]:
    """The hyperparameters that are alike in all of the runs."""
    names = [name for name in selection.hyperparameters(runs) if name not in without and runs[name].notna().all()]
    return {name: runs[name].iloc[0] for name in names if runs[name].nunique() == 1}


def of_protocol(comparison: Comparison) -> list[Table]:
    """The tasks with their numbers of examples, and what was tuned."""
    rows = []
    for one in comparison.tasks:
        sizes = f"{one.num_train:,} / {one.num_dev:,} / {one.num_test:,}"
        shares = percent(one.chance), percent(one.target)
        rows.append([one.name, one.about or NONE, sizes, str(one.num_classes), *shares])
    headings = ("task", "about", "examples: train / dev / test", "classes", "chance", "target")
    spaces = [[name.replace("_", " "), text] for name, text in comparison.protocol.spaces.items()]
    found = [Table("Tasks", headings, rows), Table("Search spaces", ("hyperparameter", "values"), spaces)]
    return [table for table in found if table.rows]


# ---- text classifiers -------------------------------------------------------------------------------------------

_LONGEST_TEXT, _LONGEST_NAME, _LEAST_NAME = 160, 24, 6  # characters; the last of a class that heads a column
_MOST_LISTED, _MOST_MISTAKES = 10, 8
_LARGE = 1.5  # times the share of each of equally large classes


def systems(nets: Sequence[System], classical: Sequence[System], num_folds: int, level: float) -> Table:
    """A row for each system: accuracy, and the difference to the best baseline."""

    def difference(system: System, other: System) -> str:
        found = difference_of_systems(system, other, level)
        return with_interval(found.value, found.low, found.high, found.reason(), "+")

    best = max(classical, key=lambda system: system.accuracies.mean(), default=None)
    bayes = next((system for system in classical if system.name == "naive_bayes"), None)
    rows = []
    for system in (*classical, *nets):
        found = accuracy(system, level)
        against = NONE if best is None or system.name == best.name else difference(system, best)
        shown = with_interval(found.value, found.low, found.high, found.reason())
        rows.append([system.name, shown, f"{system.seconds:.1f}", against])
    over, repetitions = "seeds and test texts together", "seeds (of a baseline or an ensemble: over test texts)"
    if num_folds > 1:
        over, repetitions = "folds", f"{num_folds} folds"
    notes = [
        f"Accuracy: mean and {estimates.percent(level)} CI over {repetitions}. A name × n is the ensemble of n seeds.",
        "Seconds: of one seed, or of all of an ensemble.",
    ]
    notes += [f"Difference: to {best.name}, the best baseline; CI over {over}."] if best is not None else []
    if bayes is not None and bayes is not best:
        notes.append(f"To naive_bayes: {', '.join(f'{system.name} {difference(system, bayes)}' for system in nets)}.")
    notes += [f"{system.name}, chosen on dev: {system.configuration}." for system in nets if system.configuration]
    return Table("Systems", ["system", "test accuracy", "seconds", "difference"], rows, " ".join(notes))


def confusion(
    name: str, counts: Int[np.ndarray, "classes classes"], class_names: Sequence[str], width: int
) -> list[Table]:
    """The confusion matrix of a system; of too many classes the most confused pairs, and those with the lowest F1."""
    names = [one_line(one, _LONGEST_NAME) for one in class_names]
    least = max(len(str(counts.max())), min(longest := max(map(cell_len, names)), _LEAST_NAME))
    if longest + 2 + len(names) * (least + 2) <= width:
        rows = [[one, *map(str, row)] for one, row in zip(names, counts, strict=True)]
        return [Table(f"{name}: examples of each class (row) by predicted class", ["", *names], rows)]
    wrong = counts - np.diag(np.diag(counts))
    worst = [divmod(int(place), len(names)) for place in np.argsort(-wrong, axis=None, kind="stable")[:_MOST_LISTED]]
    confused = [
        [names[label], names[taken], str(wrong[label, taken]), str(counts[label].sum())]
        for label, taken in worst
        if wrong[label, taken]
    ]
    examples, predicted, right = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    f1 = np.where(examples > 0, 2 * right / np.maximum(examples + predicted, 1), np.inf)
    rows = []
    for label in (label for label in np.argsort(f1, kind="stable")[:_MOST_LISTED] if examples[label]):
        precision = f"{right[label] / predicted[label]:.3f}" if predicted[label] else NONE
        scores = f"{right[label] / examples[label]:.3f}", precision, f"{f1[label]:.3f}"
        rows.append([names[label], str(examples[label]), str(predicted[label]), *scores])
    tested = examples > 0
    note = f"Mean F1 of all {tested.sum()} classes of the test examples (macro F1): {f1[tested].mean():.3f}."
    headings = ["class", "examples", "predicted", "recall", "precision", "F1"]
    return [
        Table(f"{name}: the most confused pairs of classes", ["class", "predicted", "examples", "of"], confused),
        Table(f"{name}: the classes with the lowest F1", headings, rows, note),
    ]


def mistakes(name: str, predictions: pd.DataFrame, folds: Sequence[Dataset]) -> Table:
    """The most certain mistakes of a system on texts."""
    rows = []
    for row in certain_mistakes(predictions, _MOST_MISTAKES).to_dict("records"):
        fold = folds[int(row["fold"])]
        assert isinstance(fold.test.inputs, Texts)
        text = fold.decode(fold.test.inputs[int(row["example"])])
        short = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
        classes = [fold.class_names[int(row[column])] for column in ("prediction", "label")]
        rows.append([f"{row['certainty']:.3f}", *classes, short])
    return Table(f"{name}: the most certain mistakes", ["certainty", "predicted", "label", "text"], rows)


def balance(
    labels: Int[np.ndarray, "examples"], class_names: Sequence[str], predictions: Int[np.ndarray, "examples"]
) -> list[str]:
    """Sentences on what an accuracy hides: one class has most of the examples, others are never predicted."""
    counts = np.bincount(labels, minlength=len(class_names))
    name, share = class_names[int(counts.argmax())], counts.max() / len(labels)
    sentences = []
    if share >= _LARGE / len(class_names):
        about = f"'{name}' is the class of {share:.1%} of the test examples"
        sentences.append(f"{about}: always predicting it has an accuracy of {share:.4f}.")
    never = np.setdiff1d(np.flatnonzero(counts), predictions) if len(predictions) else np.zeros(0, int)
    if len(never):
        listed = ", ".join(f"'{class_names[label]}' ({counts[label]} test examples)" for label in never[:_MOST_LISTED])
        more = f" and {len(never) - _MOST_LISTED} more" if len(never) > _MOST_LISTED else ""
        sentences.append(f"Never predicted: {listed}{more}.")
    return sentences
