"""The interactive charts of the settings that were tried: two hyperparameters at a time, and all of them at once."""

import itertools
from collections.abc import Sequence
from typing import Any

import pandas as pd

from jaxnets.report import study_tables
from jaxnets.report.study_charts import HEIGHT, colour, data_set, specification, tips

_CELL, _AXIS = "cell ", "axis "  # put before the name of a hyperparameter


def cells(settings: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The settings with a column for each hyperparameter that names its cell, and the cells in their order."""
    found = {name: study_tables.binned(settings[name]) for name in names}
    columns = {f"{_CELL}{name}": values for name, (values, _) in found.items()}
    return settings.assign(**columns), {name: order for name, (_, order) in found.items()}


def heat_maps(
    settings: pd.DataFrame, contestants: Sequence[str], orders: dict[str, list[str]], by: str
) -> dict[str, dict[str, Any]]:
    """Mean dev accuracy over two hyperparameters, of each contestant that was tuned in both.

    Where but one was tuned, it is drawn over the contestants.
    """
    if not orders:
        return {}
    first = next(iter(orders))
    found = {f"{_words(first)} × {_words(by)}": _heat_map(first, "contestant", orders[first], list(contestants), None)}
    for name, (one, other) in itertools.product(contestants, itertools.combinations(orders, 2)):
        own = settings[settings["contestant"] == name]
        if own[one].nunique() > 1 and own[other].nunique() > 1:
            label = f"{name}: {_words(one)} × {_words(other)}"
            found[label] = _heat_map(one, other, orders[one], orders[other], name)
    return found


def _heat_map(x: str, y: str, columns: list[str], rows: list[str], contestant: str | None) -> dict[str, Any]:
    import altair as alt

    down = y if y == "contestant" else f"{_CELL}{y}"
    up = rows if y == "contestant" else rows[::-1]
    base = data_set("settings")
    if contestant is not None:
        base = base.transform_filter(alt.FieldEqualPredicate(field="contestant", equal=contestant))
    base = base.transform_aggregate(accuracy="mean(score)", settings="count()", groupby=[f"{_CELL}{x}", down])
    chart = base.mark_rect().encode(
        x=alt.X(f"{_CELL}{x}:N")
        .scale(domain=columns)
        .title(_words(x))
        .axis(labelAngle=-40, grid=False, labelOverlap=False),
        y=alt.Y(f"{down}:N")
        .scale(domain=up)
        .title(_words(y) if y != "contestant" else None)
        .axis(grid=False, labelOverlap=False),
        color=alt.Color("accuracy:Q").scale(scheme="cividis").legend(_bar("dev accuracy")),
        tooltip=[
            alt.Tooltip(f"{_CELL}{x}:N", title=_words(x)),
            alt.Tooltip(f"{down}:N", title=_words(y)),
            *tips("accuracy:Q:.2%", "settings:Q"),
        ],
    )
    return specification([chart], f"Mean dev accuracy over {_words(x)} and {_words(y)}.", ROW_OF_CELLS * len(rows) + 10)


ROW_OF_CELLS = 34


def _bar(title: str) -> Any:
    import altair as alt

    return alt.Legend(title=title, format="~%", gradientLength=180, tickCount=3)


def _words(name: str) -> str:
    return name.replace("_", " ")


def parallel(settings: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The settings with their places on parallel axes, and the marks of the axes: `axis`, `place`, `mark`."""
    axes = [*names, "score"]
    found = {name: study_tables.positions(settings[name]) for name in axes}
    places = settings.assign(**{f"{_AXIS}{name}": values for name, (values, _) in found.items()})
    marks = [
        {"axis": f"{_AXIS}{name}", "place": place, "mark": f"{float(mark):.0%}" if name == "score" else mark}
        for name, (_, scale) in found.items()
        for place, mark in scale
    ]
    return places.assign(setting=range(len(settings))), pd.DataFrame(marks)


def parallel_coordinates(contestants: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A line for each setting through its hyperparameters to its dev accuracy; all contestants, or one of them."""
    if not names:
        return {}
    return {"all": _parallel(contestants, names, None)} | {
        one: _parallel(contestants, names, one) for one in contestants
    }


def _parallel(contestants: Sequence[str], names: Sequence[str], contestant: str | None) -> dict[str, Any]:
    import altair as alt

    axes = [f"{_AXIS}{name}" for name in [*names, "score"]]
    faint = 0.3 if contestant is not None else 0.15
    label = f"replace(replace(slice(datum.label, {len(_AXIS)}), /_/g, ' '), /^score$/, 'dev accuracy')"
    x = alt.X("axis:N").scale(domain=axes, padding=0.25).title(None)
    x = x.axis(labelExpr=label, labelAngle=0 if len(axes) < 6 else -25, grid=True, domain=False, orient="top")
    y = alt.Y("place:Q").scale(domain=[-0.06, 1.06], nice=False).axis(None)
    base = data_set("settings").transform_fold(list(axes), as_=["axis", "place"])
    if contestant is not None:
        base = base.transform_filter(alt.FieldEqualPredicate(field="contestant", equal=contestant))
    base = base.transform_filter("isValid(datum.place)")
    lines = base.mark_line(strokeWidth=1.2).encode(
        x=x,
        y=y,
        detail="setting:N",
        color=colour(contestants),
        opacity=alt.condition("datum['axis score'] > 0.97", alt.value(0.9), alt.value(faint)),
        tooltip=tips("runs:N", "contestant:N", *(f"{name}:N" for name in names), "score:Q:.2%"),
    )
    marks = data_set("scales").encode(x=x, y=y, text="mark:N")
    layers = [lines, marks.mark_text(align="left", dx=6, style="halo"), marks.mark_text(align="left", dx=6)]
    return specification(layers, "Parallel coordinates: a line for each setting.", HEIGHT)
