"""The figures of a comparison for papers: PNG, SVG and PDF, each with its table as CSV."""

import functools
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter, ScalarFormatter

from jaxnets import io
from jaxnets.comparison.answer import Answer
from jaxnets.comparison.table import Study
from jaxnets.report import study_tables
from jaxnets.report.figures import COLOURS, MARKERS, Figure, style
from jaxnets.report.figures import save as save_figure

KINDS = ("png", "svg", "pdf")
_MOST_COLUMNS = 3


def save(study: Study, answer: Answer, directory: Path) -> list[Path]:
    """Writes the figures of a comparison, and the table of each beside it."""
    paths = []
    for name, draw in _FIGURES.items():
        with style():
            figure, table = draw(study, answer)
        if table.empty:
            continue
        paths += save_figure(figure, directory, name, KINDS)
        paths.append(io.write(directory / f"{name}.csv", functools.partial(table.to_csv, index=False)))
    return paths


def warm_up() -> None:
    """Loads what writes PNG, SVG and PDF, and the fonts, by a figure that nobody sees."""
    figure = Figure(figsize=(1, 1))
    figure.subplots().set(xscale="log", xlabel="1")
    for kind in KINDS:
        figure.savefig(BytesIO(), format=kind)


def accuracy_over_learning_rate(study: Study, answer: Answer) -> tuple[Figure, pd.DataFrame]:
    """Dev accuracy of the runs that tuned over the learning rate, a panel for each task; chosen rates are ringed."""
    table, each = study_tables.rates(answer)
    chosen = study_tables.chosen(study, answer)
    band = "95% intervals of the means" if each else "quartiles of the settings in a third of a decade"
    figure, panels = _panels(study, 7.0, 4.4)
    for task, axes in panels.items():
        axes.set(xscale="log", xlabel="learning rate", ylabel="dev accuracy")
        _lines(axes, study, table[table["task"] == task], "learning_rate", "accuracy", markers=each)
        for number, name in enumerate(study_tables.contestants(study)):
            own = study_tables.of_contestant(chosen[chosen["task"] == task], name)
            look: Any = {"ms": 14, "mfc": "none", "mec": COLOURS[number % len(COLOURS)], "mew": 1.8, "clip_on": False}
            axes.plot(own["learning_rate"], own["accuracy"], "o", **look)
    _finish(figure, panels, study, f"Bands: {band}. Rings: chosen on dev.")
    return figure, table


def learning_curves(study: Study, answer: Answer) -> tuple[Figure, pd.DataFrame]:
    """Dev accuracy over the steps at the chosen settings, and for a single task the training loss beside it."""
    _, table = study_tables.learning_curves(study)
    note = "Bands: 95% intervals of the means."
    if len(study.tasks) > 1:
        figure, panels = _panels(study, 7.0, 4.4)
        for task, axes in panels.items():
            axes.set(xlabel="step", ylabel="dev accuracy")
            own = table[(table["task"] == task) & (table["curve"] == "dev_accuracy")]
            _lines(axes, study, own, "step", "mean", markers=False)
        _finish(figure, panels, study, note)
        return figure, table
    figure = Figure(figsize=(9, 4), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    losses = table[table["curve"] == "train_loss"]
    loss.set(yscale="log" if (losses["mean"] > 0).any() else "linear", xlabel="step", ylabel="training loss (nats)")
    accuracy.set(xlabel="step", ylabel="dev accuracy")
    _lines(loss, study, losses, "step", "mean", markers=False)
    _lines(accuracy, study, table[table["curve"] == "dev_accuracy"], "step", "mean", markers=False)
    _finish(figure, {"": accuracy}, study, note, titled=loss)
    return figure, table


def tuning_curves(study: Study, answer: Answer) -> tuple[Figure, pd.DataFrame]:
    """The expected test accuracy of the best of so many trials, a panel for each task."""
    table = answer.tuning
    figure, panels = _panels(study, 5.4, 4.0)
    budgets = sorted(table["budget"].unique())
    for task, axes in panels.items():
        axes.set(xscale="log", xlabel="trials (settings tried)", ylabel="expected test accuracy")
        axes.xaxis.set(major_locator=FixedLocator(budgets), minor_locator=NullLocator())
        axes.xaxis.set_major_formatter(ScalarFormatter())
        _lines(axes, study, table[table["task"] == task], "budget", "accuracy")
    _finish(figure, panels, study, "Bands: 95% intervals.")
    return figure, table


def profiles(study: Study, answer: Answer) -> tuple[Figure, pd.DataFrame]:
    """The share of runs whose normalized score is at least a threshold."""
    figure = Figure(figsize=(5.4, 4), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel="normalized score", ylabel="share of runs at least as good", ylim=(0, 1.02))
    _lines(axes, study, study_tables.profiles(answer), "threshold", "share", markers=False)
    _finish(figure, {"": axes}, study, "Bands: 95% intervals.")
    return figure, answer.profiles


def critical_difference(study: Study, answer: Answer) -> tuple[Figure, pd.DataFrame]:
    """Mean ranks, and bars over the contestants that cannot be told apart. Source: Demšar (2006), section 3.2.2."""
    ranks, bars = study_tables.ranks(answer)
    figure = Figure(figsize=(6, 1.2 + 0.34 * (len(ranks) + len(bars))), layout="constrained")
    axes = figure.subplots()
    order = {name: number for number, name in enumerate(study_tables.contestants(study))}
    for _, row in ranks.iterrows():
        number = order[row["contestant"]]
        look: Any = {"color": COLOURS[number % len(COLOURS)], "ms": 8, "ls": "none"}
        axes.plot([row["rank"]], [row["row"]], marker=MARKERS[number % len(MARKERS)], **look)
    for _, row in bars.iterrows():
        axes.plot([row["low"], row["high"]], [row["row"]] * 2, color="0.5", lw=4, solid_capstyle="round")
    axes.set_xlabel("mean rank (1 is best)")
    axes.invert_yaxis()
    axes.set_title(f"Critical difference: {answer.critical_difference:.2f}", loc="left", fontsize=9)
    return figure, ranks.drop(columns="row")


_FIGURES: dict[str, Callable[[Study, Answer], tuple[Figure, pd.DataFrame]]] = {
    "accuracy_over_learning_rate": accuracy_over_learning_rate,
    "learning_curves": learning_curves,
    "tuning_curves": tuning_curves,
    "profiles": profiles,
    "critical_difference": critical_difference,
}


def _panels(study: Study, width: float, height: float) -> tuple[Figure, dict[str, Axes]]:
    """A figure with a panel for each task; a single one has the given size in inches."""
    names = [task.name for task in study.tasks]
    if len(names) == 1:
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, {names[0]: figure.subplots()}
    columns = min(len(names), _MOST_COLUMNS)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.5 * columns, 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(grid, names, strict=False):
        axes.set_title(name, loc="left")
    return figure, dict(zip(names, grid, strict=False))


def _lines(axes: Axes, study: Study, table: pd.DataFrame, x: str, y: str, markers: bool = True) -> None:
    """A line with its band for each contestant."""
    for number, name in enumerate(study_tables.contestants(study)):
        own = study_tables.of_contestant(table, name).sort_values(x)
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)] if markers else ""
        axes.plot(own[x], own[y], color=colour, marker=marker, ms=5, label=name)
        low, high = (own[bound].fillna(own[y]) for bound in ("low", "high"))
        axes.fill_between(own[x], low, high, color=colour, alpha=0.2, lw=0)


def _finish(figure: Figure, panels: dict[str, Axes], study: Study, note: str, titled: Axes | None = None) -> None:
    """Percent on the ordinates, a legend, and what the bands are."""
    shown: Sequence[Axes] = list(panels.values())
    for axes in shown:
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    title = study.by.replace("_", " ")
    if len(shown) == 1:
        shown[0].legend(title=title)
        (titled or shown[0]).set_title(note, loc="left", fontsize=9)
    else:
        handles, labels = shown[0].get_legend_handles_labels()
        figure.legend(handles, labels, title=title, loc="outside lower center", ncols=min(len(labels), 7))
        figure.suptitle(note, fontsize=9, x=0.01, ha="left")
