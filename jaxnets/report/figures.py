"""Figures: each is one Altair chart, that a page embeds, a notebook shows, and `save` exports."""

import base64
import colorsys
import importlib
import re
import struct
import textwrap
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from jaxnets import io
from jaxnets.claims import verdicts
from jaxnets.claims.verdicts import Rule
from jaxnets.errors import one_line, printable
from jaxnets.stats import estimates, selection
from jaxnets.stats.estimates import Estimate, Kind


class _Altair:  # imported when a chart is drawn: it takes half a second
    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("altair"), name)


alt = _Altair()

KINDS = ("png", "svg", "pdf")
INK = "#1b1f24"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)  # Okabe and Ito (2008)
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "triangle-left", "triangle-right")
DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])
_LIGHT = {"ink": INK, "quiet": "#57606a", "line": "#d5dae0", "page": "#f5f6f8"}
_DARK = {"ink": "#e6e9ed", "quiet": "#a3acb8", "line": "#363d46", "page": "#1d2126"}
_ON_DARK = {COLOURS[0]: "#3f94f0", COLOURS[5]: "#a5dcff", INK: "#e6e9ed"}
WIDTH, HEIGHT, ROW = 360, 260, 28  # pixels
_MANY = 20  # classes of a confusion matrix above which its zeros are left out


@dataclass(frozen=True)
class Picture:
    """A figure with the sentence that explains it, to be read beside it or in its stead."""

    figure: Any
    caption: str


def palette(count: int) -> list[str]:
    """So many colours, no two alike."""
    spread = [colorsys.hls_to_rgb((place * 0.618) % 1, 0.3 + 0.1 * (place % 4), 0.6) for place in range(count)]
    further = ["#" + "".join(f"{round(255 * part):02X}" for part in colour) for colour in spread]
    return list(dict.fromkeys([*COLOURS, *further]))[:count]


def theme(dark: bool = False) -> dict[str, Any]:
    """The Vega-Lite configuration of all charts, for a light or a dark page."""
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
        "legend": text | symbols | {"orient": "top", "labelLimit": 220, "titleLimit": 0, "columns": 2},
        "title": {"color": tone["ink"], "anchor": "start", "fontSize": 13, "fontWeight": "normal"},
        "header": {"labelColor": tone["ink"], "labelFontSize": 12},
        "text": {"color": tone["ink"], "fontSize": 12},
        "rule": {"color": tone["quiet"]},
        "style": {"ink": {"color": tone["ink"]}, "halo": {"stroke": tone["page"], "strokeWidth": 4}},
        "range": {"category": [_ON_DARK.get(one, one) if dark else one for one in COLOURS], "symbol": list(SHAPES)},
    }


# ---- what charts are made of ------------------------------------------------------------------------------------


def rows(table: pd.DataFrame | Iterable[Mapping[str, Any]]) -> Any:
    """A chart of a table: what is not finite is missing, texts hold no control characters."""
    frame = table if isinstance(table, pd.DataFrame) else pd.DataFrame(list(table))
    return alt.Chart(alt.InlineData(values=records(frame)))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table for JSON: what is not finite is None, texts hold no control characters."""
    names = list(map(str, table))
    return [dict(zip(names, map(_plain, row), strict=True)) for row in table.itertuples(index=False)]


def _plain(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.number):
        whole = isinstance(value, int | np.integer)
        return None if not np.isfinite(value) else int(value) if whole else float(f"{value:.9g}")
    return None if value is None or value is pd.NA else _text(value)


def _text(value: Any) -> str:
    return printable(str(value))


def looks(
    names: Sequence[Any], field: str = "series", title: str | None = None, *, legend: bool = True
) -> dict[str, Any]:
    """The channels of a colour and a form for each name, no colour twice, in one legend."""
    domain, shown = [_text(name) for name in names], alt.Legend(title=title, symbolLimit=0) if legend else None
    # the theme has the first colours, for light and dark pages
    scale = {"domain": domain} | ({"range": palette(len(names))} if len(names) > len(COLOURS) else {})
    forms = [SHAPES[number % len(SHAPES)] for number in range(len(names))]
    return {
        "color": alt.Color(f"{field}:N").scale(**scale).legend(shown),
        "shape": alt.Shape(f"{field}:N").scale(domain=domain, range=forms).legend(shown),
    }


def banded(
    base: Any, x: Any, y: Any, look: Mapping[str, Any], tips: Sequence[Any] = (), *, points: bool = True
) -> list:
    """A line with its interval (fields `low` and `high`) as a band, and its points; without an interval no band.

    The later of two lines that coincide is the thinner one: both are seen.
    """
    color = look["color"]
    band = base.mark_area(opacity=0.18, clip=True).encode(x=x, y=y.field("low"), y2="high:Q", color=color)
    line = base.mark_line(clip=True).encode(x=x, y=y, color=color, strokeWidth=_thinner(color))
    spots = base.mark_point(filled=False, clip=False, strokeWidth=1.8).encode(x=x, y=y, color=color, tooltip=list(tips))
    marks = {"size": _thinner(color, 90, 30), "shape": look["shape"]} if points else {"opacity": alt.value(0)}
    return [band, line, spots.encode(**marks)]


def _thinner(look: Any, most: float = 4.0, least: float = 1.5) -> Any:
    """A size for each name, the first one's the largest."""
    content = look.to_dict()
    domain = content["scale"]["domain"]
    sizes = np.linspace(most, least, len(domain)).round(2).tolist() if len(domain) > 1 else [least + 0.5]
    channel = alt.StrokeWidth if most < 10 else alt.Size
    legend = alt.Legend(**content["legend"]) if content.get("legend") else None  # one legend with that of the colour
    return channel(f"{content['field']}:O").scale(domain=domain, range=sizes).legend(legend)


def figure(*layers: Any, title: str = "", width: int = WIDTH, height: int = HEIGHT) -> Any:
    """Layers as one chart."""
    return alt.layer(*layers).properties(
        width=width, height=height, **({"title": one_line(title, 80)} if title else {})
    )


def rule(dash: Sequence[int] = (2, 3), **at: float) -> Any:
    """A line across the panel, at `x` or at `y`."""
    place = {channel: alt.datum(float(value), type="quantitative") for channel, value in at.items()}
    return rows([{"at": 0}]).mark_rule(strokeDash=list(dash), style="ink").encode(**place)


def axis(place: str, values: Iterable[Any], title: str, scale: str = "linear", percent: bool = False) -> Any:
    """The channel of a field on a continuous axis, `x`, or `y` for `y` and `value`, with room around what is shown."""
    channel = (alt.X if place == "x" else alt.Y)(field=place, type="quantitative")
    form = "~%" if percent else "~g"
    look: dict[str, Any] = {"format": form, "tickCount": 5}
    if scale == "log":
        numbers = np.array([v for v in values if np.isfinite(v) and v > 0], float)
        look |= {"values": ticks(numbers.min(), numbers.max())} if len(numbers) else {}
    elif not percent and all(float(v).is_integer() for v in values if np.isfinite(v)):
        look["tickMinStep"] = 1
    one = channel.title(_wrapped(title)).axis(**look)
    return one.scale(type=scale, nice=False, padding=10, **({} if scale == "log" else {"zero": False}))


def _wrapped(text: str, width: int = 48) -> Any:
    return textwrap.wrap(printable(text), width) or ""


def ticks(low: float, high: float) -> list[float]:
    """The marks of a logarithmic axis: 1, 2 and 5 of each power of ten, of many powers some.

    >>> ticks(0.5, 10)
    [0.5, 1.0, 2.0, 5.0, 10.0]
    """
    least, most = np.floor(np.log10(low)), np.ceil(np.log10(high))
    decades = np.arange(least, most + 1)
    few = 10.0 ** decades[:: max(1, -(-len(decades) // 6))]
    marks = few if high / low > 200 else np.array([float(f"{step}e{int(d)}") for d in decades for step in (1, 2, 5)])
    kept = [float(f"{mark:.6g}") for mark in marks if low * 0.999 <= mark <= high * 1.001]
    return kept if len(kept) > 1 else [float(f"{value:.2g}") for value in dict.fromkeys((low, high))]


# ---- the charts of claims: each from a table in which a row is an observation -----------------------------------


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
    xlabel: str | None = None,
    ylabel: str | None = None,
    xscale: str = "linear",
    yscale: str = "linear",
    domain: tuple[float, float] | None = None,
) -> Any:
    """The mean of `y` over `x`, a line for each value of `by`, with bands for the intervals."""
    table = table[np.isfinite(table[y].astype(float))]
    kind = kind or (estimates.SHARE if percent else estimates.kind_of(y))
    found = [
        {"x": place, **_ends(estimate(values) if estimate else estimates.mean(values, kind), percent)}
        | {"series": printable(str(name))}
        for name, group in (table.groupby(by, sort=False) if by else [("", table)])
        for place, values in group.groupby(x, sort=False)[y]
    ]
    drawn = pd.DataFrame(found, columns=["x", "value", "low", "high", "series"])
    if yscale == "log":  # which shows what is above zero
        drawn = drawn[drawn["value"] > 0]
        drawn.loc[drawn["low"] <= 0, ["low", "high"]] = np.nan
    label = xlabel or x.replace("_", " ")
    if pd.api.types.is_numeric_dtype(table[x]):
        drawn = drawn.sort_values("x", kind="stable")
        across = axis("x", drawn["x"], label, xscale)
    else:
        drawn = drawn.assign(x=drawn["x"].map(_text))
        across = alt.X("x:O").title(label).axis(labelAngle=0)
        across = across.scale(domain=list(dict.fromkeys(map(_text, table[x]))))
    shown = drawn[["value", "low", "high"]].to_numpy(float).ravel()
    up = axis("value", shown, ylabel or y.replace("_", " "), yscale, percent)
    up = up.scale(domain=domain, nice=False) if domain else up
    names = list(dict.fromkeys(drawn["series"]))
    look = looks(names, title=(legend or by or "").replace("_", " "), legend=bool(by and names))
    layers = banded(rows(drawn), across, up, look, points=markers)
    if not markers and len(names) > 1:
        dashes = [DASHES[number % len(DASHES)] for number in range(len(names))]
        dash = alt.StrokeDash("series:N").scale(domain=names, range=dashes).legend(None)
        layers[1] = layers[1].encode(strokeDash=dash)
    return figure(*layers, title=title)


def _ends(estimate: Estimate, share: bool) -> dict[str, float]:
    """An estimate with both bounds or none; those of a share within 0 and 1."""
    low, high = float(estimate.low), float(estimate.high)
    if not (np.isfinite(low) and np.isfinite(high)):
        low = high = np.nan
    elif share:
        low, high = max(low, 0.0), min(high, 1.0)
    return {"value": float(estimate.value), "low": low, "high": high}


def dots(
    found: Mapping[str, Estimate | Mapping[str, Estimate]],
    *,
    title: str = "",
    zero: float | None = None,
    bound: float | None = None,
    percent: bool = False,
    ratio: bool = False,
    xlabel: str = "",
) -> Any:
    """A row for each name: a dot at the value, a bar over the interval, lines at `zero` (dotted) and `bound`.

    Of a name with several series a row has a dot for each, beside one another. With `ratio`, what is given are natural
    logarithms of ratios.
    """
    numbers = ["value", "low", "high"]
    table = [
        {"name": name, "series": one, **_ends(estimate, estimate.kind == estimates.SHARE)}
        for name, own in found.items()
        for one, estimate in (own.items() if isinstance(own, Mapping) else [("", own)])
    ]
    drawn = pd.DataFrame(table, columns=["name", "series", *numbers])
    series = list(dict.fromkeys(map(_text, drawn["series"])))
    lines_at = [(place, dash) for place, dash in ((zero, [2, 3]), (bound, [6, 4])) if place is not None]
    x = alt.X(field="value", type="quantitative").title(_wrapped(xlabel))
    if ratio:
        drawn[numbers] = np.exp(drawn[numbers].astype(float).clip(-20, 20))
        lines_at = [(float(np.exp(place)), dash) for place, dash in lines_at]
        seen = np.array([0.5, 2.0, *drawn[numbers].to_numpy().ravel(), *(place for place, _ in lines_at)], float)
        seen = seen[np.isfinite(seen)]
        x = x.scale(type="log", domain=[seen.min() * 0.95, seen.max() * 1.05], nice=False)
        x = x.axis(values=ticks(seen.min(), seen.max()), labelExpr="format(datum.value, '~g') + '×'")
    else:
        x = x.scale(padding=10, nice=False, zero=False).axis(format="~%" if percent else "~g", tickCount=5)
    several = len(series) > 1
    look = looks(series, legend=several)
    place = {"y": alt.Y("name:N").scale(domain=[_text(name) for name in found]).title(None), "color": look["color"]}
    place |= {"yOffset": alt.YOffset("series:N").scale(domain=series)} if several else {}
    base = rows(drawn)
    bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2.5)
    bars = bars.encode(x=x.field("low"), x2="high:Q", **place)
    spots = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, shape=look["shape"], **place)
    across = [rule(dash, x=place) for place, dash in lines_at]
    return figure(*across, bars, spots, title=title, height=(ROW + 12 * several) * max(len(found), 1) + 10)


def dots_of_means(table: pd.DataFrame, by: str, series: str, column: str, *, percent: bool = False, **look: Any) -> Any:
    """The means of a column as `dots`: a row for each value of `by`, in it a dot for each of `series`."""
    kind = estimates.SHARE if percent else estimates.kind_of(column)
    found = {
        str(name): {str(one): estimates.mean(values, kind) for one, values in own.groupby(series, sort=False)[column]}
        for name, own in table.groupby(by, sort=False)
    }
    return dots(found, percent=percent, **look)


def on_tasks(table: pd.DataFrame, rule: Rule, xlabel: str = "") -> Any:
    """The effect on each task with its interval, the bound of the rule (dashed), and zero (dotted)."""
    effects = {str(task): verdicts.estimated(own) for task, own in table.groupby("task", sort=False)}
    percent, ratio = rule.unit == "%", rule.unit == "log×"
    return dots(effects, zero=0.0, bound=rule.bound, xlabel=xlabel, percent=percent, ratio=ratio)


def plane(
    table: pd.DataFrame,
    z: str,
    *layers: Any,
    title: str = "",
    label: str = "",
    levels: Sequence[float] | int = 11,
    boundary: float | None = None,
) -> Any:
    """The column `z` over the plane of the columns `x` and `y`, a grid, with a line where it is `boundary`.

    The heights are an image, their contours lines; `layers` are drawn over both.
    """
    import contourpy

    grid = table.pivot(index="y", columns="x", values=z)
    xs, ys, heights = grid.columns.to_numpy(float), grid.index.to_numpy(float), grid.to_numpy(float)
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    span = [low, high] if high > low else [low - 0.5, low + 0.5]
    marks = np.linspace(span[0], span[1], levels + 1)[1:-1] if isinstance(levels, int) else np.asarray(levels)
    x = alt.X("x:Q").scale(domain=[xs[0], xs[-1]], nice=False).title("x").axis(grid=False, tickCount=5)
    y = alt.Y("y:Q").scale(domain=[ys[0], ys[-1]], nice=False).title("y").axis(grid=False, tickCount=5)
    half = (xs[1] - xs[0]) / 2, (ys[1] - ys[0]) / 2  # the image has a pixel around each point
    corners = {"x": xs[0] - half[0], "x2": xs[-1] + half[0], "y": ys[0] - half[1], "y2": ys[-1] + half[1]}
    image = rows([{**corners, "url": _image((heights[::-1] - span[0]) / (span[1] - span[0]))}])
    image = image.mark_image(aspect=False, clip=True).encode(x=x, y=y, x2="x2:Q", y2="y2:Q", url="url:N")
    heat = alt.Color("height:Q").scale(scheme="cividis", domain=span)
    heat = heat.legend(title=_wrapped(label), orient="right", format="~g", gradientLength=HEIGHT - 40)
    bar = rows([{"height": value} for value in span]).mark_point(opacity=0).encode(color=heat)
    contours = contourpy.contour_generator(xs, ys, heights)

    def contour(at: Iterable[float], **look: Any) -> Any:
        paths = [path for level in at for path in contours.lines(level)]
        steps = [
            {"line": n, "order": k, "x": a, "y": b} for n, path in enumerate(paths) for k, (a, b) in enumerate(path)
        ]
        return rows(steps).mark_line(clip=True, **look).encode(x=x, y=y, detail="line:N", order="order:Q")

    drawn = [image, bar, contour(marks, color="white", strokeWidth=0.5, opacity=0.5)]
    drawn += [contour([boundary], color="white", strokeWidth=2)] if boundary is not None else []
    apart = {"color": "independent", "shape": "independent", "strokeWidth": "independent", "size": "independent"}
    return figure(*drawn, *layers, title=title, width=HEIGHT + 20).resolve_scale(**apart)


def _image(shares: np.ndarray) -> str:
    """Shares of 1 in the colours of cividis, as a PNG in a data URL. Source: the polynomial of d3-scale-chromatic."""
    t = np.clip(np.nan_to_num(shares), 0, 1)
    red = -4.54 - t * (35.34 - t * (2381.73 - t * (6402.7 - t * (7024.72 - t * 2710.57))))
    green = 32.49 + t * (170.73 + t * (52.82 - t * (131.46 - t * (176.58 - t * 67.37))))
    blue = 81.24 + t * (442.36 - t * (2482.43 - t * (6167.24 - t * (6614.94 - t * 2475.67))))
    pixels = np.clip(np.stack([red, green, blue], axis=-1), 0, 255).round().astype(np.uint8)
    content = b"".join(b"\0" + row.tobytes() for row in pixels)
    size = struct.pack(">IIBBBBB", *shares.shape[::-1], 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", size), (b"IDAT", zlib.compress(content)), (b"IEND", b"")):
        png += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return "data:image/png;base64," + base64.b64encode(png).decode()


def path(table: pd.DataFrame, x: str, y: str, by: str, colours: Sequence[str], legend: str) -> list[Any]:
    """Layers: a way with its steps for each value of `by`, in the order of the rows, on a white edge."""
    named = pd.DataFrame({"x": table[x], "y": table[y], "series": table[by].map(_text), "order": range(len(table))})
    names = list(dict.fromkeys(named["series"]))
    base = rows(named).encode(x="x:Q", y="y:Q", order="order:Q")
    shown = alt.Legend(title=legend, orient="bottom", columns=2)
    look = alt.Color("series:N").scale(domain=names, range=[colours[n % len(colours)] for n in range(len(names))])
    unnamed = look.legend(None)
    edge = base.mark_line(color="white", strokeWidth=5, opacity=0.5, clip=True).encode(detail="series:N")
    ways = base.mark_line(clip=True).encode(color=unnamed, strokeWidth=_thinner(unnamed, 3.5, 1.2))
    spots = base.mark_point(size=22, clip=True, opacity=1, filled=True)
    spots = spots.encode(color=look.legend(shown), shape=looks(names, title=legend)["shape"].legend(shown))
    return [edge, ways, spots]


def against(
    table: pd.DataFrame,
    x: str,
    y: str,
    by: str,
    *,
    slope: float = 1.0,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
) -> Any:
    """A point for each row, a colour and a form for each value of `by`, and the dotted line `y = slope * x`."""
    shown = pd.DataFrame({"x": table[x], "y": table[y], "series": table[by].map(_text)})
    shown = shown.replace([np.inf, -np.inf], np.nan).dropna(subset=["x", "y"])
    names = list(dict.fromkeys(shown["series"]))
    across = axis("x", shown["x"], xlabel or x.replace("_", " "))
    up = axis("y", shown["y"], ylabel or y.replace("_", " "))
    spots = rows(shown).mark_point(size=30, opacity=0.7).encode(x=across, y=up, **looks(names, legend=bool(names)))
    ends = np.array([shown["x"].min(), shown["x"].max()]) if len(shown) else np.array([0.0, 1.0])
    line = rows([{"x": end, "y": slope * end} for end in ends]).mark_line(strokeDash=[2, 3], style="ink")
    return figure(line.encode(x=across, y=up), spots, title=title)


def points(x: Sequence[float], y: Sequence[float], classes: Sequence[Any], names: Mapping[Any, str]) -> Any:
    """A layer of examples as marks, a colour and a form for each class; white edges part them from what is behind."""
    shown = pd.DataFrame({"x": list(x), "y": list(y), "series": [names[label] for label in classes]})
    domain, legend = list(names.values()), alt.Legend(title=None, orient="bottom")
    look = alt.Color("series:N").scale(domain=domain, range=list(COLOURS[1 : 1 + len(domain)])).legend(legend)
    marks = rows(shown).mark_point(filled=True, size=150, opacity=1, stroke="white", strokeWidth=1.5)
    return marks.encode(x="x:Q", y="y:Q", color=look, shape=looks(domain)["shape"].legend(legend))


def confusion(counts: ArrayLike, class_names: Sequence[str], title: str) -> Any:
    """Examples of each class by the class that they were taken for, as shares of the class."""
    numbers = np.asarray(counts)
    shares = numbers / np.maximum(numbers.sum(axis=1, keepdims=True), 1)
    names = [f"{number + 1} {one_line(name, 64)}" for number, name in enumerate(class_names)]  # none twice
    few = len(names) <= _MANY
    cells = [
        {"row": names[row], "column": names[column], "share": shares[row, column], "count": numbers[row, column]}
        for row, column in np.ndindex(*numbers.shape)
        if few or numbers[row, column]
    ]
    side = 40 if few else max(900 // len(names), 3)
    axis = {"labelOverlap": not few, "grid": False}
    base = rows(cells).encode(
        x=alt.X("column:N").scale(domain=names).title("predicted class").axis(labelAngle=-45, **axis),
        y=alt.Y("row:N").scale(domain=names).title("class").axis(**axis),
    )
    heat = alt.Color("share:Q").scale(scheme="cividis", domain=[0, 1])
    layers = [base.mark_rect().encode(color=heat.legend(title="share of the class", format="~%", orient="right"))]
    if few:
        ink = alt.condition("datum.share > 0.6", alt.value("black"), alt.value("white"))
        layers.append(base.mark_text().encode(text="count:Q", color=ink))
    return figure(*layers, title=title, width=side * len(names), height=side * len(names))


def learning_curves(runs: pd.DataFrame, curves: pd.DataFrame, test_share: float = np.nan, by: str = "optimizer") -> Any:
    """Training loss and dev accuracy over the steps, for each row of `selection.best_configurations`."""
    best, unit = selection.best_configurations(runs, [by]), selection.unit(runs)
    members = best[[by, "learning_rate", "members"]].explode("members").rename(columns={"members": "run"})
    members["best"] = [f"{row[by]} at {row['learning_rate']:.3g}" for _, row in members.iterrows()]
    shown = curves.merge(members[["run", "best"]].astype({"run": int}), on="run").merge(runs[["run", unit]], on="run")
    panels = []
    for column, label in (("train_loss", "training loss (nats)"), ("dev_accuracy", "dev accuracy")):
        kind = estimates.kind_of(column)
        means = shown.groupby(["best", "step", unit], sort=False)[column].mean().reset_index()
        percent = kind == estimates.SHARE

        def estimate(values: pd.Series, kind: Kind = kind) -> Estimate:
            return selection.over_units(values.rename_axis(unit), test_share, kind)

        look: dict[str, Any] = {"estimate": estimate, "percent": percent, "markers": False, "legend": by}
        look |= {"yscale": "linear" if percent or not (means[column] > 0).any() else "log"}
        panels.append(lines(means, "step", column, "best", ylabel=label, **look))
    return alt.hconcat(*panels)


# ---- on paper ---------------------------------------------------------------------------------------------------


def specification(figure: Any) -> dict[str, Any]:
    """A figure as Vega-Lite; what it sets itself takes precedence over the theme."""
    content = figure if isinstance(figure, dict) else figure.to_dict(validate=False)
    config = theme()
    for part in ("axis", "legend"):  # the canvas grows with the names
        config[part]["labelLimit"] = 0
    for name, value in content.get("config", {}).items():
        config[name] = config.get(name, {}) | value if isinstance(value, dict) else value
    return {**content, "config": config, "padding": 8}


def save(figure: Any, directory: Path, name: str, kinds: Sequence[str] = ("png",)) -> list[Path]:
    """Writes a figure, each file whole or not at all. The SVG's ink is light where the reader's page is dark."""
    import vl_convert

    with io.file_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    content = specification(figure)
    convert: dict[str, Callable[[], bytes]] = {
        "svg": lambda: adapting(vl_convert.vegalite_to_svg(content)),
        "pdf": lambda: vl_convert.vegalite_to_pdf(content),
        "png": lambda: vl_convert.vegalite_to_png({**content, "background": "white"}, scale=2),
    }

    def write(kind: str) -> Path:
        made = convert[kind]()
        return io.write(directory / f"{name}.{kind}", lambda temporary: temporary.write_bytes(made))

    return [write(kind) for kind in dict.fromkeys(kinds)]


def svg(figure: Any) -> str:
    """A figure as SVG, for a notebook."""
    import vl_convert

    return vl_convert.vegalite_to_svg(specification(figure) | {"background": "white"})


def adapting(svg: str) -> bytes:
    """An SVG whose ink follows the reader's choice of a light or a dark page, the same each time it is made."""
    counted = r'(?<=id=")(?:clip|gradient_)\d+|(?<=url\(#)(?:clip|gradient_)\d+'
    places = {one: place for place, one in enumerate(dict.fromkeys(re.findall(counted, svg)))}
    # Vega counts them over all figures of a process
    text = re.sub(counted, lambda match: f"{match[0].rstrip('0123456789')}{places[match[0]]}", svg)
    swapped = {light: _DARK[name] for name, light in _LIGHT.items()} | _ON_DARK
    names = {colour: f"--on-page-{number}" for number, colour in enumerate(swapped)}
    light, dark = (
        ";".join(f"{name}:{tones[colour]}" for colour, name in names.items())
        for tones in ({colour: colour for colour in swapped}, swapped)
    )
    style = f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}</style>"
    for tone, name in names.items():
        text = re.sub(tone, f"var({name})", text, flags=re.IGNORECASE)
    return re.sub(r"(<svg[^>]*>)", lambda match: match.group(1) + style, text, count=1).encode()
