"""What a comparison of text classifiers shows on the console."""

from collections.abc import Sequence

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jaxnets.evidence.comparison import System, all_labels, certain_mistakes, compare, confusion
from jaxnets.evidence.statistics import mean_interval
from jaxnets.report.tables import print_table, table, with_interval

_LONGEST_TEXT = 160


def systems_table(nets: Sequence[System], classical: Sequence[System], num_folds: int) -> Table:
    """A row for each system: accuracy, and the paired difference to the best baseline with McNemar's test."""
    best = max(classical, key=lambda system: system.accuracies.mean(), default=None)
    rows = [_row(system, best) for system in (*classical, *nets)]
    bayes = next((system for system in classical if system.name == "naive_bayes"), None)
    header = ["system", "test accuracy", "seconds", "difference", "McNemar p"]
    repetitions = f"{num_folds} folds" if num_folds > 1 else "seeds"
    caption = f"Accuracy: mean ± 95% interval over {repetitions}. Seconds: of one seed."
    if best is not None:
        caption += f" Difference: to {best.name}, the best baseline, paired by test example."
    if bayes is not None and bayes is not best:
        against = [(system.name, compare(system, bayes)) for system in nets]
        told = ", ".join(f"{name} {found.difference:+.3f} ± {found.half_width:.3f}" for name, found in against)
        caption += f" To naive_bayes: {told}."
    for system in nets:
        caption += f" {system.name}, chosen on dev: {system.configuration}."
    return table("Systems", header, rows, caption)


def _row(system: System, best: System | None) -> list[str]:
    row = [system.name, with_interval(*mean_interval(system.accuracies)), f"{system.seconds:.1f}"]
    if best is None or system.name == best.name:
        return [*row, "–", "–"]
    against = compare(system, best)
    difference = f"{against.difference:+.3f} ± {against.half_width:.3f}"
    return [*row, difference, f"{against.p_value:.2g}"]


def print_details(console: Console, system: System, results, predictions: pd.DataFrame) -> None:
    """The confusions of a system, and the most certain mistakes of its model's runs."""
    dataset = results.folds[0]
    counts = confusion(all_labels(results.folds), system.predictions, dataset.num_classes)
    rows = [[name, *map(str, row)] for name, row in zip(dataset.class_names, counts, strict=True)]
    title = f"{system.name}, first seed: examples of each class (row) by predicted class"
    print_table(console, title, ["", *dataset.class_names], rows)
    runs = results.runs[(results.runs["model"] == system.name) & (results.runs["status"] == "finished")]
    mistakes = certain_mistakes(predictions[predictions["run"].isin(runs["run"])], 50)
    mistakes = mistakes.drop_duplicates(["fold", "example"]).head(8)
    print_table(
        console,
        f"{system.name}: the most certain mistakes",
        ["certainty", "predicted", "label", "text"],
        [_mistake(row, results) for _, row in mistakes.iterrows()],
    )


def _mistake(row: pd.Series, results) -> list[str]:
    fold = results.folds[int(row["fold"])]
    text = fold.decode(fold.test.inputs[int(row["example"])])
    shown = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
    names = fold.class_names
    return [f"{row['certainty']:.3f}", names[int(row["prediction"])], names[int(row["label"])], escape(shown)]


def likeness(table: pd.DataFrame) -> pd.DataFrame:
    """How like a phrase others are to filters and to indicators: a row of `jaxnets.analysis.windows.likeness` a net."""
    phrases = table[["other", "contrary"]].iloc[0].to_list()
    cosines = table[["like", "opposite"]].mean().to_list()
    indicators = table["indicators"].iloc[0]
    return pd.DataFrame({"phrase": phrases, "to the filters": cosines, "to indicators of n-grams": indicators})


def strongest(table: pd.DataFrame) -> pd.DataFrame:
    """What each filter answers to: the rows of `jaxnets.analysis.windows.strongest` of a filter in one."""
    windows = table.groupby(["filter", "class"], sort=False)["window"].agg("; ".join)
    return windows.rename("windows").reset_index()
