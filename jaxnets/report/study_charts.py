"""The interactive charts of a comparison, drawn by Altair; each reads data sets that the page holds by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jaxnets.report.figures import COLOURS

if TYPE_CHECKING:  # Altair is imported where a chart is drawn
    import altair as alt

HEIGHT, ROW = 320, 30
_LIGHT = {"ink": "#1b1f24", "quiet": "#57606a", "line": "#d5dae0", "page": "#f5f6f8"}
_DARK = {"ink": "#e6e9ed", "quiet": "#a3acb8", "line": "#363d46", "page": "#1d2126"}
_ON_DARK = {COLOURS[0]: "#3f94f0", COLOURS[5]: "#a5dcff", COLOURS[6]: "#e6e9ed"}
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "triangle-left", "triangle-right")


@dataclass(frozen=True)
class Chart:
    """A figure of the page."""

    name: str
    title: str
    caption: str
    variants: Mapping[str, Mapping[str, Any]]
    switch: str = ""
    wide: bool = False


def theme(dark: bool) -> dict[str, Any]:
    """The configuration of all charts, for a light or a dark page."""
    tone = _DARK if dark else _LIGHT
    text = {"labelColor": tone["ink"], "titleColor": tone["ink"], "labelFontSize": 12, "titleFontSize": 12}
    text |= {"titleFontWeight": "normal", "aria": False}
    lines = {"gridColor": tone["line"], "domainColor": tone["quiet"], "tickColor": tone["quiet"]}
    symbols = {"symbolOpacity": 1, "symbolSize": 90, "symbolStrokeWidth": 2, "symbolStrokeColor": tone["ink"]}
    return {
        "background": None,
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "mark": {"aria": False},
        "axis": text | lines | {"labelLimit": 150, "labelOverlap": "greedy"},
        "legend": text | symbols | {"orient": "top", "labelLimit": 150},
        "text": {"color": tone["ink"], "fontSize": 12},
        "rule": {"color": tone["quiet"]},
        "style": {"ink": {"color": tone["ink"]}, "halo": {"stroke": tone["page"], "strokeWidth": 4}},
        "range": {"category": [_ON_DARK.get(one, one) if dark else one for one in COLOURS], "symbol": list(SHAPES)},
    }


def data_set(name: str) -> "alt.Chart":
    """A chart of a data set that the page holds."""
    import altair as alt

    return alt.Chart(alt.NamedData(name))


def colour(contestants: Sequence[str], legend: bool = True) -> "alt.Color":
    """A colour for each contestant."""
    import altair as alt

    shown = alt.Legend(title=None) if legend else None
    return alt.Color("contestant:N").scale(domain=list(contestants)).legend(shown)


def shape(contestants: Sequence[str]) -> "alt.Shape":
    """A form for each contestant."""
    import altair as alt

    return alt.Shape("contestant:N").scale(domain=list(contestants)).legend(alt.Legend(title=None))


def tips(*fields: str) -> list["alt.Tooltip"]:
    """What a hover shows: fields as `name:type` or `name:type:format`."""
    import altair as alt

    tips = []
    for field in fields:
        name, kind, *form = field.split(":")
        tip = alt.Tooltip(f"{name}:{kind}", title=name.replace("_", " "))
        tips.append(tip.format(form[0]) if form else tip)
    return tips


def specification(layers: Sequence["alt.Chart"], description: str, height: int = HEIGHT) -> dict[str, Any]:
    """Layers as a Vega-Lite specification that is as wide as the page has room for."""
    import altair as alt

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
    import altair as alt

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
    base = data_set("rates").encode(x=x, color=look)
    band = base.mark_area(opacity=0.18, clip=True).encode(y=y.field("low"), y2="high:Q")
    line = base.mark_line(clip=True, strokeWidth=2).encode(y=y)
    marks = base.mark_point(filled=True, size=45, opacity=1, clip=True)
    marks = marks.encode(y=y, shape=shape(contestants), tooltip=shown)
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
    layers = [band, line, spots, *([marks] if each else []), ring]
    return specification(layers, "Dev accuracy over the learning rate, a line for each contestant.")


def run_tips() -> list["alt.Tooltip"]:
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
    import altair as alt

    label, accuracy = curve.replace("_", " "), curve.endswith("accuracy")
    x = alt.X(field=cost, type="quantitative").title(title).axis(format=form, grid=False, tickCount=6)
    y = alt.Y(field="mean", type="quantitative").scale(zero=False).title(label).axis(format="~%")
    if not accuracy:
        y = y.scale(type="log", nice=False).title(f"{label} (nats)").axis(format="~g", tickCount=5)
    look = colour(contestants)
    means = data_set("curve_means").transform_filter(f"datum.curve == '{curve}'").encode(x=x, color=look)
    runs = data_set("curve_lines").transform_lookup(lookup="run", from_=_facts_of_runs())
    runs = runs.encode(x=x, y=y.field(curve), color=look, detail="run:N")
    if not accuracy:  # a logarithmic axis shows what is above zero
        means = means.transform_filter("datum.mean > 0")
        runs = runs.transform_filter(f"datum.{curve} > 0")
    band = means.mark_area(opacity=0.2).encode(y=y.field("low"), y2="high:Q")
    middle = means.mark_line(strokeWidth=2.5).encode(y=y)
    thin = runs.mark_line(strokeWidth=1, opacity=0.25)
    value = f"{curve}:Q:.2%" if accuracy else f"{curve}:Q:.3g"
    shown = tips("run:Q", "contestant:N", "seed:Q", "status:N", "step:Q", "examples:Q:,", "seconds:Q:.3g", value)
    hover = runs.mark_line(strokeWidth=8, opacity=0).encode(tooltip=shown)  # a thin line is hard to hit
    return specification([thin, band, middle, hover], f"{label} over {title}, a line for each run and their mean.")


def _facts_of_runs() -> "alt.LookupData":
    import altair as alt

    return alt.LookupData(data=alt.NamedData("runs"), key="run", fields=["seed", "status"])


def tuning_curves(contestants: Sequence[str], budgets: Sequence[int]) -> dict[str, dict[str, Any]]:
    """The expected test accuracy over the number of trials."""
    import altair as alt

    x = (
        alt.X(field="budget", type="quantitative")
        .scale(type="log", nice=False, padding=8)
        .title("trials (settings tried)")
    )
    x = x.axis(format="~g", grid=False, values=list(budgets))
    y = alt.Y(field="accuracy", type="quantitative").scale(zero=False).title("expected test accuracy").axis(format="~%")
    shown = tips("contestant:N", "budget:Q", "accuracy:Q:.2%", "low:Q:.2%", "high:Q:.2%")
    return {"": _banded("tuning", x, y, shown, contestants, "Expected test accuracy over the number of trials.")}


def profiles(contestants: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The share of runs at or above each normalized score."""
    import altair as alt

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
    return {"": _banded("profiles", x, y, shown, contestants, "Share of runs over the normalized score.", False)}


def _banded(
    data: str,
    x: "alt.X",
    y: "alt.Y",
    shown: Sequence["alt.Tooltip"],
    names: Sequence[str],
    about: str,
    marks: bool = True,
) -> dict[str, Any]:
    """A line with a band for each contestant."""
    base = data_set(data).encode(x=x, color=colour(names))
    band = base.mark_area(opacity=0.18).encode(y=y.field("low"), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=y)
    spots = base.mark_point(filled=True, size=45, opacity=1 if marks else 0)
    spots = spots.encode(y=y, tooltip=shown, **({"shape": shape(names)} if marks else {}))
    return specification([band, line, spots], about)
