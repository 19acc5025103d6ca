"""The interactive charts of a comparison, drawn by Altair; each reads data sets that the page holds by name."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from jaxnets.report import figures, study_tables
from jaxnets.report.figures import ROW, alt, banded

HEIGHT, ROW_OF_CELLS = 320, 34
colour = partial(figures.colour, field="contestant")
shape = partial(figures.shape, field="contestant")


@dataclass(frozen=True)
class Chart:
    """A figure of the page."""

    name: str
    title: str
    caption: str
    variants: Mapping[str, Mapping[str, Any]]
    switch: str = ""
    wide: bool = False


def data_set(name: str) -> Any:
    """A chart of a data set that the page holds."""
    return alt.Chart(alt.NamedData(name))


def tips(*fields: str) -> list[Any]:
    """What a hover shows: fields as `name:type` or `name:type:format`."""
    tips = []
    for field in fields:
        name, kind, *form = field.split(":")
        tip = alt.Tooltip(f"{name}:{kind}", title=name.replace("_", " "))
        tips.append(tip.format(form[0]) if form else tip)
    return tips


def specification(layers: Sequence[Any], description: str, height: int = HEIGHT) -> dict[str, Any]:
    """Layers as a Vega-Lite specification that is as wide as the page has room for."""
    chart = alt.layer(*layers).properties(width="container", height=height, description=description)
    content = chart.to_dict(validate=False)
    for unwanted in ("config", "$schema"):  # the page has one configuration for all
        content.pop(unwanted, None)
    return content | {"autosize": {"type": "fit-x", "contains": "padding"}}


def accuracy_over_learning_rate(contestants: Sequence[str], each: bool, ceiling: float) -> dict[str, dict[str, Any]]:
    """Dev accuracy over the learning rate: the whole range, and near the best."""
    close = [max(ceiling - 0.06, 0.0), min(ceiling + 0.02, 1.0)]
    return {"whole range": _rates(contestants, each, None), "near the best": _rates(contestants, each, close)}


def _rates(contestants: Sequence[str], each: bool, domain: list[float] | None) -> dict[str, Any]:
    x = (
        alt.X(field="learning_rate", type="quantitative")
        .scale(type="log", nice=False, padding=8)
        .title("learning rate")
    )
    x = x.axis(format="~g", tickCount=6, grid=False)
    scale = alt.Scale(zero=False, domain=domain) if domain else alt.Scale(zero=False, padding=8, nice=False)
    y = alt.Y(field="accuracy", type="quantitative").scale(scale).title("dev accuracy").axis(format="~%")
    look = colour(contestants)
    shown = tips("contestant:N", "learning_rate:Q:.3g", "accuracy:Q:.2%", "low:Q:.2%", "high:Q:.2%")
    line = banded(data_set("rates"), x, y, look, shown, **({"shape": shape(contestants)} if each else {}))
    runs = data_set("runs").transform_filter("datum.phase == 'tuning'").transform_calculate(accuracy="datum.score")
    spots = runs.mark_point(clip=True, size=26, strokeWidth=1).encode(
        x=x,
        y=y,
        color=look,
        shape=alt.condition("datum.status == 'finished'", alt.value("circle"), alt.value("cross")),
        opacity=alt.condition("datum.status == 'finished'", alt.value(0.45), alt.value(0.9)),
        tooltip=run_tips(),
    )
    ring = data_set("chosen").mark_point(size=260, strokeWidth=2, clip=True).encode(x=x, y=y, color=look)
    return specification(
        [*line[:2], spots, line[2], ring], "Dev accuracy over the learning rate, a line for each contestant."
    )


def run_tips() -> list[Any]:
    """What a hover shows of a run."""
    head = ("run:Q", "contestant:N", "phase:N", "learning_rate:Q:.3g", "seed:Q", "status:N")
    return tips(*head, "dev_accuracy:Q:.2%", "test_accuracy:Q:.2%")


_COSTS = {  # the column, the title, and the format of the numbers
    "steps": ("step", "step", ",.0f"),
    "examples": ("examples", "examples seen", "~s"),
    "seconds": ("seconds", "seconds", "~g"),
}


def learning_curves(contestants: Sequence[str], curve: str) -> dict[str, dict[str, Any]]:
    """A curve over steps, examples and seconds; `curve` is one of `jaxnets.report.study_tables.CURVES`."""
    return {name: _curves(contestants, curve, *cost) for name, cost in _COSTS.items()}


def _curves(contestants: Sequence[str], curve: str, cost: str, title: str, form: str) -> dict[str, Any]:
    label, accuracy = curve.replace("_", " "), curve.endswith("accuracy")
    x = alt.X(field=cost, type="quantitative").title(title).axis(format=form, grid=False, tickCount=6)
    y = alt.Y(field="mean", type="quantitative").scale(zero=False).title(label).axis(format="~%")
    if not accuracy:
        y = y.scale(type="log", nice=False).title(f"{label} (nats)").axis(format="~g", tickCount=5)
    look = colour(contestants)
    means = data_set("curve_means").transform_filter(f"datum.curve == '{curve}'")
    runs = data_set("curve_lines").transform_lookup(lookup="run", from_=_facts_of_runs())
    runs = runs.encode(x=x, y=y.field(curve), color=look, detail="run:N")
    if not accuracy:  # a logarithmic axis shows what is above zero
        means = means.transform_filter("datum.mean > 0")
        runs = runs.transform_filter(f"datum.{curve} > 0")
    thin = runs.mark_line(strokeWidth=1, opacity=0.25)
    value = f"{curve}:Q:.2%" if accuracy else f"{curve}:Q:.3g"
    shown = tips("run:Q", "contestant:N", "seed:Q", "status:N", "step:Q", "examples:Q:,", "seconds:Q:.3g", value)
    hover = runs.mark_line(strokeWidth=8, opacity=0).encode(tooltip=shown)  # a thin line is hard to hit
    return specification(
        [thin, *banded(means, x, y, look), hover], f"{label} over {title}, a line for each run and their mean."
    )


def _facts_of_runs() -> Any:
    return alt.LookupData(data=alt.NamedData("runs"), key="run", fields=["seed", "status"])


def tuning_curves(contestants: Sequence[str], budgets: Sequence[int]) -> dict[str, dict[str, Any]]:
    """The expected test accuracy over the number of trials."""
    x = (
        alt.X(field="budget", type="quantitative")
        .scale(type="log", nice=False, padding=8)
        .title("trials (settings tried)")
    )
    x = x.axis(format="~g", grid=False, values=list(budgets))
    y = alt.Y(field="accuracy", type="quantitative").scale(zero=False).title("expected test accuracy").axis(format="~%")
    shown = tips("contestant:N", "budget:Q", "accuracy:Q:.2%", "low:Q:.2%", "high:Q:.2%")
    layers = banded(data_set("tuning"), x, y, colour(contestants), shown, shape=shape(contestants))
    return {"": specification(layers, "Expected test accuracy over the number of trials.")}


def profiles(contestants: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The share of runs at or above each normalized score."""
    x = (
        alt.X(field="threshold", type="quantitative")
        .scale(zero=False, nice=False)
        .title("normalized score")
        .axis(grid=False, tickCount=6)
    )
    y = (
        alt.Y(field="share", type="quantitative")
        .scale(domain=[0, 1])
        .title("share of runs at least as good")
        .axis(format="~%")
    )
    shown = tips("contestant:N", "threshold:Q:.3f", "share:Q:.1%", "low:Q:.1%", "high:Q:.1%")
    layers = banded(data_set("profiles"), x, y, colour(contestants), shown)
    return {"": specification(layers, "Share of runs over the normalized score.")}


def standings(contestants: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Test accuracy at the chosen settings: a row for each contestant, its runs, its mean and interval."""
    y = alt.Y("contestant:N").scale(domain=list(contestants)).title(None)
    x = (
        alt.X(field="test_accuracy", type="quantitative")
        .scale(zero=False, padding=10, nice=False)
        .title("test accuracy")
        .axis(format="~%", tickCount=6)
    )
    look = colour(contestants, legend=False)
    runs = data_set("runs").transform_filter("datum.reports")
    # runs of equal accuracy lie side by side
    runs = runs.transform_window(place="row_number()", groupby=["contestant", "test_accuracy"])
    offset = alt.YOffset("place:Q").scale(domain=[0, 8], range=[ROW * 0.9, ROW * 0.1], clamp=True)
    runs = runs.mark_circle(size=12, opacity=0.6)
    runs = runs.encode(x=x, y=y, yOffset=offset, color=look, tooltip=run_tips())
    about = tips("contestant:N", "setting:N", "accuracy:Q:.2%", "accuracy_low:Q:.2%", "accuracy_high:Q:.2%")
    means = data_set("standings").encode(y=y, tooltip=about)
    bars = means.mark_rule(strokeWidth=3).encode(x=x.field("accuracy_low"), x2="accuracy_high:Q", color=look)
    spots = means.mark_point(filled=True, size=110, opacity=1)
    spots = spots.encode(x=x.field("accuracy"), color=look, shape=shape(contestants).legend(None))
    description = "Test accuracy of each contestant at its chosen setting: runs, mean and interval."
    return {"": specification([runs, bars, spots], description, ROW * len(contestants) + 10)}


def pairs(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Differences of test accuracy: a row for each pair, with its interval, and a line at zero."""
    y = alt.Y("pair:N").scale(domain=list(names)).title(None).axis(labelLimit=190)
    x = alt.X(field="difference", type="quantitative").scale(padding=10, nice=False)
    x = x.title("difference of test accuracy; right of zero the first is better").axis(format="+.1%", tickCount=4)
    form = alt.Shape("outcome:N").scale(domain=["ahead", "tie", "open"], range=["circle", "square", "cross"])
    base = data_set("pairs").encode(
        y=y, tooltip=tips("pair:N", "difference:Q:+.2%", "low:Q:+.2%", "high:Q:+.2%", "outcome:N")
    )
    bars = base.mark_rule(strokeWidth=2.5, style="ink").encode(x=x.field("low"), x2="high:Q")
    spots = base.mark_point(filled=True, size=110, opacity=1, style="ink").encode(x=x, shape=form.title(None))
    zero = data_set("pairs").mark_rule(strokeDash=[4, 3]).encode(x=alt.datum(0))
    return {
        "": specification(
            [zero, bars, spots],
            "Differences of test accuracy, pair by pair.",
            (ROW if len(names) < 11 else 20) * len(names) + 10,
        )
    }


def ranks(rows: Sequence[str], contestants: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A critical-difference diagram: mean ranks, and bars over those that cannot be told apart."""
    y = alt.Y("row:N").scale(domain=list(rows)).title(None)
    x = (
        alt.X(field="rank", type="quantitative")
        .scale(zero=False, padding=12)
        .title("mean rank (1 is best)")
        .axis(tickMinStep=1, format="~g")
    )
    look = colour(contestants, legend=False)
    spots = data_set("ranks").mark_point(filled=True, size=110, opacity=1)
    spots = spots.encode(x=x, y=y, color=look, shape=shape(contestants).legend(None))
    spots = spots.encode(tooltip=tips("contestant:N", "rank:Q:.2f"))
    bars = data_set("groups").mark_rule(strokeWidth=5, strokeCap="round").encode(x=x.field("low"), x2="high:Q", y=y)
    bars = bars.encode(tooltip=tips("members:N"))
    return {"": specification([bars, spots], "Mean ranks with bars over groups.", ROW * len(rows) + 10)}


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


def _bar(title: str) -> Any:
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
