"""What a notebook shows of a sweep by itself: the best configurations, and the main figure."""

import html as markup
import math
from typing import Any

import pandas as pd

from jaxnets.errors import printable
from jaxnets.report import figures
from jaxnets.report.tables import cell, with_interval
from jaxnets.stats import selection


def html(runs: pd.DataFrame, curves: pd.DataFrame, test_share: float = math.nan) -> str:
    """A table of the best configuration of each optimizer, and a figure under it.

    The figure is the test accuracy over the learning rate where there are several, otherwise the learning curves.
    """
    finished = runs[runs["status"] == selection.FINISHED] if len(runs) else runs
    if not len(finished):
        return f"<p>{len(runs):,} runs, of which none finished.</p>"
    best = selection.best_configurations(runs, test_share=test_share)
    several = runs["learning_rate"].nunique() > 1
    figure: Any = figures.learning_curves(runs, curves, test_share)
    if several:
        members = selection.best_configurations(runs, ["optimizer", "learning_rate"])["members"].explode()
        shown = finished[finished["run"].isin(members)]
        figure = figures.lines(shown, "learning_rate", "test_accuracy", "optimizer", percent=True, xscale="log")
    return f"<p>{len(runs):,} runs; chosen by mean dev accuracy.</p>{_table(best)}{figures.svg(figure)}"


def _table(best: pd.DataFrame) -> str:
    """The best configurations with their accuracies."""
    names = list(best.columns[: list(best.columns).index("num_seeds")])
    header = [*(name.replace("_", " ") for name in names), "test accuracy", "dev accuracy", "diverged"]
    rows = [
        [
            *(cell(row[name]) for name in names),
            *(_with_interval(row, name) for name in ("test_accuracy", "dev_accuracy")),
            f"{row['diverged_share']:.1%}",
        ]
        for _, row in best.iterrows()
    ]
    return pd.DataFrame([[markup.escape(printable(text)) for text in row] for row in rows], columns=header).to_html(
        index=False, escape=False, border=0
    )


def _with_interval(row: pd.Series, name: str) -> str:
    return with_interval(*(row[f"{name}{end}"] for end in ("", "_low", "_high", "_note")))
