"""Figures from result tables, in colours that the colour-blind can tell apart, with markers that differ too."""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import figure as drawing
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from matplotlib.ticker import Formatter, LogFormatter, LogitFormatter, PercentFormatter, ScalarFormatter
from numpy.typing import ArrayLike

from jaxnets import io
from jaxnets.errors import one_line, printable
from jaxnets.stats import estimates, selection

# What is written or drawn in it is light where the page is dark: see `save`.
INK = "#1b1f24"
# On a dark page, for what would be too dark on it.
_ON_DARK = {INK: "#e6e9ed", "#0072B2": "#4aa8e8"}
# Okabe and Ito (2008), black last
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)
MARKERS = "os^Dv<>"
DASHES = ("-", "--", ":", "-.")
STYLE: Any = {
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    "axes.facecolor": "none",
    "axes.titlesize": 10,
    "legend.frameon": False,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "pdf.fonttype": 42,  # letters that can be searched and edited
    "svg.fonttype": "none",
    "svg.hashsalt": "jaxnets",
}
# The same figure is the same file, whenever it is written.
_UNDATED: Any = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


_LARGEST, _MANY = 14, 20  # inches of a confusion matrix; classes above which its zeros are left out
_LONGEST_NAME = 24

# They write mathematics themselves.
_NUMBERS = (LogFormatter, LogitFormatter, ScalarFormatter)


class Figure(drawing.Figure):
    """A figure on which names and texts are nothing else: a `$` in a label is no mathematics, and no character acts."""

    def draw(self, renderer: Any) -> None:
        """Draws it."""
        numbers: set[Any] = set()
        for axis in self.findobj(Axis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, _NUMBERS):
                numbers |= {text for text in axis.findobj(Text) if text is not axis.label}
            elif not isinstance(formatter, _Names):
                axis.set_major_formatter(_Names(formatter))
        for text in self.findobj(Text):
            if text not in numbers:
                text.set_text(printable(text.get_text()))
                text.set_parse_math(False)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # it is shown as a box
            super().draw(renderer)


class _Names(Formatter):
    """Writes what another formatter writes, as text."""

    def __init__(self, formatter: Any) -> None:
        self._formatter = formatter

    def format_ticks(self, values: Any) -> list[str]:
        return [printable(text) for text in self._formatter.format_ticks(values)]

    def __call__(self, x: float, pos: int | None = None) -> str:
        return printable(self._formatter(x, pos))

    def set_axis(self, axis: Any) -> None:
        super().set_axis(axis)
        self._formatter.set_axis(axis)


@dataclass(frozen=True)
class Picture:
    """A figure with the sentence that explains it, to be read beside it or in its stead."""

    figure: Figure
    caption: str


def style() -> AbstractContextManager[None]:
    """The settings under which all figures are drawn."""
    return mpl.rc_context(STYLE)


def panel(title: str = "", *, width: float = 4.6, height: float = 3.4, **axes: Any) -> tuple[Figure, Axes]:
    """A figure of one panel, small enough to be read on a narrow screen, and its axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    one = figure.subplots()
    one.set(**axes)
    one.set_title(title, loc="left")
    return figure, one


def accuracy_over_learning_rate(runs: pd.DataFrame, test_share: float = np.nan, by: str = "optimizer") -> Figure:
    """Mean test accuracy over the learning rate, a line for each optimizer, with 95% intervals.

    Where more than the learning rate varies, each point is the configuration that is best on dev. The rate that is
    best on dev is ringed; rates at which every run diverged are crosses at the bottom.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7, 4.4), layout="constrained")
        axes = figure.subplots()
        best = selection.best_configurations(runs, [by])
        for (name, group), colour, marker in styled(runs, by):
            points = selection.best_configurations(group, ["learning_rate"], test_share=test_share)
            points = points.sort_values("learning_rate")
            low, high = points["test_accuracy_low"], points["test_accuracy_high"]
            line_with_band(axes, points["learning_rate"], points["test_accuracy"], low, high, name, colour, marker)
            lost = points[points["test_accuracy"].isna()]["learning_rate"]
            axes.plot(lost, np.zeros(len(lost)), "x", color=colour, clip_on=False, zorder=3)
            chosen = best[best[by] == name].iloc[0]
            axes.plot(
                chosen["learning_rate"],
                chosen["test_accuracy"],
                "o",
                ms=14,
                mfc="none",
                mec=colour,
                mew=1.8,
                clip_on=False,
            )
        axes.set(xscale="log", xlabel="learning rate", ylabel="test accuracy", ylim=(0, 1.02))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.legend(title=by.replace("_", " "), frameon=False)
        title = f"Bands: 95% interval of the mean over {selection.unit(runs)}s. Ring: best on dev."
        axes.set_title(title, loc="left", fontsize=9)
        return figure


def learning_curves(
    runs: pd.DataFrame, curves: pd.DataFrame, test_share: float = np.nan, by: str = "optimizer"
) -> Figure:
    """Training loss and dev accuracy over the steps, for each row of `choosing.best_configurations`."""
    best, unit = selection.best_configurations(runs, [by]), selection.unit(runs)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 4), layout="constrained")
        loss, accuracy = figure.subplots(1, 2)
        # with no positive loss to show, as when every run diverged at once, a logarithmic axis has no bounds
        scale = "log" if (curves["train_loss"] > 0).any() else "linear"
        loss.set(yscale=scale, xlabel="step", ylabel="training loss (nats)")
        for (name, group), colour, _ in styled(best, by):
            members = curves[curves["run"].isin(group["members"].iloc[0])].merge(runs[["run", unit]], on="run")
            label = f"{name} at {group['learning_rate'].iloc[0]:.3g}"
            for axes, column in ((loss, "train_loss"), (accuracy, "dev_accuracy")):
                table = members.groupby(["step", unit])[column].mean().unstack()
                about = test_share, estimates.kind_of(column)
                points = [selection.over_units(row.dropna(), *about) for _, row in table.iterrows()]
                mean, low, high = ([getattr(one, name) for one in points] for name in ("value", "low", "high"))
                line_with_band(axes, table.index, mean, low, high, label, colour, "")
        accuracy.set(xlabel="step", ylabel="dev accuracy")
        accuracy.yaxis.set_major_formatter(PercentFormatter(1))
        loss.set_title(f"Bands: 95% interval of the mean over {unit}s", loc="left", fontsize=9)
        accuracy.legend(frameon=False, loc="lower right")
        return figure


def styled(table: pd.DataFrame, by: str) -> Iterator[tuple[tuple[Any, pd.DataFrame], str, str]]:
    """The groups of a table, each with its name, a colour and a marker of its own."""
    for number, group in enumerate(table.groupby(by, sort=False)):
        yield group, COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]


def confusion(counts: ArrayLike, class_names: Sequence[str], title: str) -> Figure:
    """Examples of each class by the class that they were taken for, as shares of the class."""
    numbers = np.asarray(counts)
    shares = numbers / np.maximum(numbers.sum(axis=1, keepdims=True), 1)
    names = [one_line(name, _LONGEST_NAME) for name in class_names]
    if not all(map(is_drawable, names)):
        names = [str(number) for number in range(len(names))]
    size = min(2.2 + 0.55 * len(names), _LARGEST)
    points = min(STYLE["font.size"], 72 * 0.7 * (size - 2.2) / len(names))
    with mpl.rc_context(STYLE | {"xtick.labelsize": points, "ytick.labelsize": points}):
        figure = Figure(figsize=(size + 0.8, size), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
        axes.grid(visible=False)
        for row, column in np.argwhere(numbers > 0) if len(names) > _MANY else np.ndindex(*numbers.shape):
            colour = "black" if shares[row, column] > 0.6 else "white"
            text = str(numbers[row, column])
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=points)
        step = max(1, round(4 / points))  # smaller letters cannot be read
        axes.set_xticks(range(0, len(names), step), names[::step], rotation=90 if max(map(len, names)) > 5 else 0)
        axes.set_yticks(range(0, len(names), step), names[::step])
        axes.set(xlabel="predicted class", ylabel="class", title=title)
        figure.colorbar(image, ax=axes, label="share of the class")
    return figure


def is_drawable(text: str) -> bool:
    """Whether the font of the figures has all signs of a text.

    >>> is_drawable("naïve"), is_drawable("好评")
    (True, False)
    """
    font = get_font(findfont(FontProperties(family=mpl.rcParamsDefault["font.family"])))
    return all(font.get_char_index(ord(sign)) for sign in printable(text))


def line_with_band(
    axes: Axes, x: ArrayLike, mean: ArrayLike, low: ArrayLike, high: ArrayLike, label: str, colour: str, marker: str
) -> None:
    """A line with its interval as a band around it."""
    xs, middle, below, above = (np.asarray(values, np.float64) for values in (x, mean, low, high))
    axes.plot(xs, middle, color=colour, marker=marker, ms=5, label=label)
    axes.fill_between(xs, below, above, where=np.isfinite(below) & np.isfinite(above), color=colour, alpha=0.2, lw=0)


def save(figure: Figure, directory: Path, name: str, kinds: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Writes a figure, each file whole or not at all. The SVG's ink is light where the reader's page is dark."""
    with io.file_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in kinds:
        content = BytesIO()
        with style():
            figure.savefig(content, format=kind, dpi=160, metadata=_UNDATED[kind], transparent=kind == "svg")
        figure.set_layout_engine(None)  # it is laid out now, and another engine would draw it once more for itself
        written = adapting(content.getvalue()) if kind == "svg" else content.getvalue()
        paths.append(io.write(directory / f"{name}.{kind}", partial(_put, written)))
    return paths


def _put(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def adapting(svg: bytes) -> bytes:
    """An SVG whose ink follows the reader's choice of a light or a dark page."""
    names = {colour: f"--on-page-{number}" for number, colour in enumerate(_ON_DARK)}
    light = ";".join(f"{name}:{colour}" for colour, name in names.items())
    dark = ";".join(f"{name}:{_ON_DARK[colour]}" for colour, name in names.items())
    rule = f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}</style>"
    text = svg.decode()
    for colour, name in names.items():
        text = re.sub(colour, f"var({name})", text, flags=re.IGNORECASE)
    return re.sub(r"(<svg[^>]*>)", lambda match: match.group(1) + rule, text, count=1).encode()
