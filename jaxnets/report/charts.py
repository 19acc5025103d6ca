"""The kinds of charts that experiments share: each one panel, from a table in which a row is an observation."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from jaxnets.evidence import judging
from jaxnets.evidence.rules import Rule, in_unit
from jaxnets.report.figures import COLOURS, DASHES, INK, MARKERS, Figure, panel, styled
from jaxnets.stats import estimates
from jaxnets.stats.estimates import Estimate, Kind


def of_shares(values: pd.Series) -> Estimate:
    """The share of true values, with Wilson's interval: an `estimate` for `lines`."""
    return estimates.share(int(values.sum()), len(values))


def lines(
    table: pd.DataFrame,
    x: str,
    y: str,
    by: str | None = None,
    *,
    title: str = "",
    estimate: Callable[[pd.Series], Estimate] | None = None,
    kind: Kind | None = None,
    percent: bool = False,
    markers: bool = True,
    legend: str | None = None,
    **axes: Any,
) -> tuple[Figure, Axes]:
    """The mean of `y` over `x`, a line for each value of `by`, with bands for the 95% intervals."""
    figure, one = panel(title, **{"xlabel": x.replace("_", " "), "ylabel": y.replace("_", " ")} | axes)
    table = table[np.isfinite(table[y].astype(float))]
    estimate = estimate or partial(estimates.mean, kind=kind or _kind(y, percent))
    places = _places(table[x])
    groups = styled(table, by) if by else [(("", table), COLOURS[0], MARKERS[0])]
    for number, ((name, group), colour, marker) in enumerate(groups):
        points = {places[value]: estimate(values) for value, values in group.groupby(x, sort=False)[y]}
        look = {"marker": marker} if markers else {"ls": DASHES[number % len(DASHES)]}
        _line(one, dict(sorted(points.items())), label=str(name), color=colour, **look)
    if pd.api.types.is_integer_dtype(table[x]) and one.get_xscale() == "linear":
        one.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    if not pd.api.types.is_numeric_dtype(table[x]):
        one.set_xticks(range(len(places)), [str(value) for value in places])
    if percent:
        one.yaxis.set_major_formatter(PercentFormatter(1))
    if by and one.get_legend_handles_labels()[1]:  # lines without a name have no place in it
        one.legend(title=(legend or by).replace("_", " "))
    return figure, one


def _kind(column: str, percent: bool) -> Kind:
    """What is shown in percent is a share."""
    return estimates.SHARE if percent else estimates.kind_of(column)


def _places(values: pd.Series) -> dict[Any, float]:
    """Where each value stands: a number at itself, a text at its turn."""
    if pd.api.types.is_numeric_dtype(values):
        return {value: float(value) for value in values.unique()}
    return {value: float(place) for place, value in enumerate(values.unique())}


def _line(axes: Axes, points: Mapping[float, Estimate], *, color: str, **look: Any) -> None:
    x = np.array(list(points))
    middle, low, high = np.array([(e.value, e.low, e.high) for e in points.values()]).reshape(-1, 3).T
    axes.plot(x, middle, color=color, ms=5, **look)
    low, high = np.where(np.isnan(low), middle, low), np.where(np.isnan(high), middle, high)
    axes.fill_between(x, low, high, color=color, alpha=0.2, lw=0)


def dots(
    estimates: Mapping[str, Estimate], *, title: str = "", zero: float | None = None, percent: bool = False, **axes: Any
) -> tuple[Figure, Axes]:
    """A row for each name: a dot at the value, a bar over the 95% interval, and a line at `zero`."""
    figure, one = panel(title, height=0.9 + 0.36 * len(estimates), **axes)
    for row, (name, estimate) in enumerate(estimates.items()):
        colour = COLOURS[row % len(COLOURS)]
        one.plot([estimate.low, estimate.high], [name, name], color=colour, lw=2)
        one.plot([estimate.value], [name], MARKERS[row % len(MARKERS)], color=colour)
    if zero is not None:
        one.axvline(zero, color=INK, lw=1, ls=":")
    one.set_ylim(max(len(estimates), 1) - 0.5, -0.5)
    one.locator_params(axis="x", nbins=4)
    if percent:
        one.xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    return figure, one


def on_tasks(table: pd.DataFrame, rule: Rule, **axes: Any) -> Figure:
    """The effect on each task with its interval, the bound of the rule (dashed), and zero (dotted)."""
    effects = {str(task): judging.estimated(own) for task, own in table.groupby("task", sort=False)}
    figure, one = dots(effects, zero=0.0, percent=rule.unit == "%", **axes)
    one.axvline(rule.bound, color=INK, lw=1, ls="--")
    if rule.unit == "log×":
        one.xaxis.set_major_formatter(lambda value, place: in_unit(value, rule.unit))
    return figure


def series_of_dots(
    rows: Mapping[str, Mapping[str, Estimate]], *, title: str = "", percent: bool = False, **axes: Any
) -> tuple[Figure, Axes]:
    """A row for each name, and in it a dot with its interval for each series; all rows have the same series."""
    series = list(next(iter(rows.values())))
    figure, one = panel(title, height=1.3 + 0.4 * len(rows), **axes)
    for number, name in enumerate(series):
        colour, offset = COLOURS[number % len(COLOURS)], 0.2 * (number - (len(series) - 1) / 2)
        estimates = [of_series[name] for of_series in rows.values()]
        places = np.arange(len(rows)) + offset
        values, marker = [estimate.value for estimate in estimates], MARKERS[number % len(MARKERS)]
        one.plot(values, places, marker, color=colour, label=name)
        one.hlines(places, [e.low for e in estimates], [e.high for e in estimates], color=colour, lw=2)
    one.set_yticks(range(len(rows)), list(rows))
    one.set_ylim(len(rows) - 0.5, -0.5)
    one.locator_params(axis="x", nbins=4)
    one.legend(loc="upper left", bbox_to_anchor=(0, -0.28), ncols=len(series))
    if percent:
        one.xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    return figure, one


def series_of_means(
    table: pd.DataFrame, by: str, series: str, column: str, *, percent: bool = False, **look: Any
) -> tuple[Figure, Axes]:
    """The means of a column as `series_of_dots`: a row for each value of `by`, in it a dot for each of `series`."""
    kind = _kind(column, percent)
    rows = {
        str(name): {str(one): estimates.mean(values, kind) for one, values in rows.groupby(series, sort=False)[column]}
        for name, rows in table.groupby(by, sort=False)
    }
    return series_of_dots(rows, percent=percent, **look)


def plane(
    table: pd.DataFrame,
    z: str,
    *,
    title: str = "",
    label: str = "",
    levels: Sequence[float] | int = 11,
    boundary: float | None = None,
    **axes: Any,
) -> tuple[Figure, Axes]:
    """The column `z` over the plane of the columns `x` and `y`, a grid, with a line where it is `boundary`."""
    grid = table.pivot(index="y", columns="x", values=z)
    figure, one = panel(title, **{"xlabel": "x", "ylabel": "y"} | axes)
    filled = one.contourf(grid.columns, grid.index, grid.to_numpy(), levels=levels, cmap="cividis", alpha=0.85)
    if boundary is not None:
        one.contour(grid.columns, grid.index, grid.to_numpy(), levels=[boundary], colors="white", linewidths=2)
    one.grid(visible=False)
    figure.colorbar(filled, ax=one, label=label)
    return figure, one


def against(table: pd.DataFrame, x: str, y: str, by: str, *, slope: float = 1.0, **axes: Any) -> tuple[Figure, Axes]:
    """A point for each row, a colour and a marker for each value of `by`, and the dotted line `y = slope * x`."""
    figure, one = panel(**axes)
    for (name, group), colour, marker in styled(table, by):
        one.plot(group[x], group[y], marker, ms=5, alpha=0.6, color=colour, label=name)
    one.axline((0, 0), slope=slope, color=INK, lw=1, ls=":")
    if one.get_legend_handles_labels()[1]:  # no run may have finished
        one.legend(loc="upper left", bbox_to_anchor=(0, -0.18))
    return figure, one


def points(
    axes: Axes, x: Sequence[float], y: Sequence[float], classes: Sequence[Any], names: Mapping[Any, str]
) -> None:
    """Examples as marks, a colour and a form for each class; white edges keep them apart from what is behind."""
    for number, (label, name) in enumerate(names.items()):
        chosen = np.asarray(classes) == label
        axes.plot(
            np.asarray(x)[chosen],
            np.asarray(y)[chosen],
            MARKERS[number],
            ms=11,
            color=COLOURS[number + 1],
            mec="white",
            mew=1.5,
            label=name,
        )
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.18), ncols=len(names))


def zone(axes: Axes, low: float, high: float, name: str, colour: str) -> None:
    """A stretch of a logarithmic abscissa as a tinted band, with its name above it."""
    axes.axvspan(low, high, color=colour, alpha=0.12, lw=0)
    place = axes.get_xaxis_transform()
    axes.text(np.sqrt(low * high), 1.01, name, transform=place, ha="center", fontsize=8)
