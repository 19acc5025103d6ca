"""The page of a comparison: one HTML file that opens without a network, and its figures as files."""

import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from jaxnets import io
from jaxnets.comparison.answer import Answer
from jaxnets.comparison.leaderboard import failed
from jaxnets.comparison.table import TUNING, Comparison
from jaxnets.errors import UserError, printable
from jaxnets.metrics import METRICS, SCORE
from jaxnets.report import console, figures, tables
from jaxnets.report.figures import ROW, alt, banded, looks
from jaxnets.stats import estimates, selection

PAGE = "report.html"
HEIGHT = 320
MOST_RUNS, MOST_SETTINGS, MOST_POINTS, MOST_EVALUATIONS = 12_000, 8_000, 8_000, 40  # more would make the page too large
FEW_RATES = 15  # with more rates than this, as a random search has, a line through each would be a scribble
_LOG = {"type": "log", "padding": 8, "nice": False}


@dataclass(frozen=True)
class Chart:
    """A figure of the page in several variants, which read data sets by name; `tables` are those of its own."""

    name: str
    title: str
    caption: str
    variants: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    switch: str = ""
    wide: bool = False
    on_paper: bool = True


def _data(name: str) -> Any:
    """A chart of a data set of the page."""
    return alt.Chart(alt.NamedData(name))


def _tips(*fields: str) -> list[Any]:
    """What a hover shows: fields as `name:type` or `name:type:format`."""
    found = []
    for one in fields:
        name, kind, *form = one.split(":")
        tip = alt.Tooltip(f"{name}:{kind}", title=_words(name))
        found.append(tip.format(form[0]) if form else tip)
    return found


def _run_tips() -> list[Any]:
    head = ("run:Q", "method:N", "phase:N", "learning_rate:Q:.3g", "seed:Q", "status:N")
    return _tips(*head, "dev_accuracy:Q:.2%", "test_accuracy:Q:.2%")


def _axis(
    channel: Any, name: str, title: str, form: str = "~%", scale: Mapping[str, Any] | None = None, **look: Any
) -> Any:
    scale = {"zero": False, "padding": 8, "nice": False} if scale is None else scale
    return channel(field=name, type="quantitative").scale(**scale).title(title).axis(format=form, tickCount=6, **look)


def _words(name: str) -> str:
    return name.replace("_", " ")


def charts(comparison: Comparison, said: Answer) -> list[Chart]:
    """The figures of a comparison that have something to show, and their data sets."""
    names = [str(name) for name in comparison.methods]
    found = [
        _scores(said, names),
        _pairs(comparison, said),
        _rates(comparison, said, names),
        *_learning_curves(comparison, names),
        _tuning(said, names),
        _profiles(said, names),
        _ranks(said, names),
        _settings(comparison, names),
    ]
    return [one for one in found if one.variants]


def runs(comparison: Comparison) -> pd.DataFrame:
    """All runs with what tells them apart and what became of them; `method` is the column of the methods.

    `score` is the dev accuracy: of a run that was stopped its last one, of another without one chance. `reports` is
    true for the runs that report.
    """
    head = [
        "run",
        "phase",
        comparison.by,
        *(name for name in comparison.tuned if name != comparison.by),
        *selection.REPETITIONS,
    ]
    ends = [f"{split}_{name}" for name in reversed(METRICS) for split in ("dev", "test")]
    columns = [*head, "status", "diverged_step", *ends, "train_loss", "seconds", "task"]
    found = comparison.runs[[name for name in columns if name in comparison.runs]]
    found = found.rename(columns={comparison.by: "method"}).dropna(axis=1, how="all")
    last = found["run"].map(comparison.curves.groupby("run")[SCORE].last())
    chance = found["task"].map({facts.name: failed(facts, SCORE) for facts in comparison.tasks})
    scores = comparison.runs[SCORE].astype(float).fillna(last.where(found["status"] == selection.STOPPED))
    reports = found["run"].isin(comparison.reporting["run"])
    return found.astype({"method": str}).assign(score=scores.fillna(chance), reports=reports)


# ---- the figures ------------------------------------------------------------------------------------------------


def _scores(said: Answer, names: Sequence[str]) -> Chart:
    """Test accuracy at the chosen settings: a row for each method, its runs, its mean and interval."""
    means = said.methods.groupby("method", sort=False)["accuracy"].mean().sort_values(ascending=False)
    caption = (
        f"Test accuracy at the chosen settings. Dots: runs; marks: means; bars: {said.percent} intervals, where there "
        "is one."
    )
    if means.notna().any():
        over = " over the tasks" if said.methods["task"].nunique() > 1 else ""
        highest, lowest = (f"{means.index[place]}, {means.dropna().iloc[place]:.1%}" for place in (0, -1))
        caption += f" Highest mean{over}: {highest}; lowest: {lowest}."
    y = alt.Y("method:N").scale(domain=list(map(str, means.index))).title(None)
    x = _axis(alt.X, "test_accuracy", "test accuracy")
    look = looks(names, "method", legend=False)
    # runs of equal accuracy lie side by side
    own = _data("runs").transform_filter("datum.reports")
    own = own.transform_window(place="row_number()", groupby=["method", "test_accuracy"])
    offset = alt.YOffset("place:Q").scale(domain=[0, 8], range=[ROW * 0.9, ROW * 0.1], clamp=True)
    own = own.mark_circle(size=12, opacity=0.6).encode(x=x, y=y, yOffset=offset, color=look["color"])
    about = _tips("method:N", "setting:N", "accuracy:Q:.2%", "accuracy_low:Q:.2%", "accuracy_high:Q:.2%")
    base = _data("leaderboard").encode(y=y, color=look["color"], tooltip=about)
    bars = base.mark_rule(strokeWidth=3).encode(x=x.field("accuracy_low"), x2="accuracy_high:Q")
    spots = base.mark_point(filled=True, size=110, opacity=1).encode(x=x.field("accuracy"), shape=look["shape"])
    drawn = figures.figure(own.encode(tooltip=_run_tips()), bars, spots, height=ROW * len(names) + 10)
    shown = {"leaderboard": said.methods.drop(columns="ensemble_loss")}
    return Chart("leaderboard", tables.SCORES, caption, {"": drawn}, shown, wide=len(names) > 4, on_paper=False)


def _pairs(comparison: Comparison, said: Answer) -> Chart:
    """Differences of test accuracy: a row for each pair, with its interval, and a line at zero."""
    named = said.pairs["first"].astype(str) + " − " + said.pairs["second"].astype(str)
    outcome = said.pairs["outcome"].where(said.pairs["outcome"].isin(["tie", "open"]), "ahead")
    words = {"ahead": "with one ahead", "tie": "tied", "open": "open"}
    counts = ", ".join(f"{(outcome == name).sum()} {text}" for name, text in words.items())
    where = " on all tasks" if len(comparison.tasks) > 1 else ""
    level = estimates.percent(said.pairs["level"].min()) if len(named) else ""
    together = ", simultaneous over the pairs of a task" if len(named) > 1 else ""
    caption = f"Differences of mean test accuracy, with {level} CIs{together}. Pairs{where}: {counts}."
    y = alt.Y("pair:N").scale(domain=list(dict.fromkeys(named))).title(None).axis(labelLimit=190)
    x = _axis(alt.X, "difference", "difference of test accuracy; right of zero the first is better", "+.1%")
    form = alt.Shape("outcome:N").scale(domain=["ahead", "tie", "open"], range=["circle", "square", "cross"])
    shown = _tips("pair:N", "outcome:N", "difference:Q:+.2%", "low:Q:+.2%", "high:Q:+.2%", "improvement:Q:.1%")
    base = _data("pairs").encode(y=y, tooltip=shown)
    bars = base.mark_rule(strokeWidth=3, style="ink").encode(x=x.field("low"), x2="high:Q")
    spots = base.mark_point(filled=True, size=90, opacity=1, style="ink").encode(x=x, shape=form.title(None))
    drawn = figures.figure(figures.rule(x=0), bars, spots, height=ROW * named.nunique() + 10)
    table = said.pairs.drop(columns="values").assign(pair=named, outcome=outcome)
    variants, wide = {"": drawn} if len(named) else {}, len(named) > 6
    return Chart("pairs", "Pair by pair", caption, variants, {"pairs": table}, wide=wide, on_paper=False)


def _rates(comparison: Comparison, said: Answer, names: Sequence[str]) -> Chart:
    """Dev accuracy over the learning rate: the whole range, and near the best."""
    keys, table = ["task", "method", "learning_rate"], said.sensitivity
    chosen = comparison.reporting.rename(columns={comparison.by: "method"})[keys].drop_duplicates()
    chosen = chosen.merge(table[[*keys, "accuracy"]], on=keys)
    each = table.empty or table.groupby(keys[:2])["learning_rate"].nunique().max() <= FEW_RATES
    line = f"Lines: means over the runs; bands: {said.percent} intervals."
    if not each:
        thirds = (np.log10(table["learning_rate"].clip(lower=1e-300)) * 3).round() / 3
        groups = table.assign(learning_rate=10**thirds).groupby(keys, sort=False)["accuracy"]
        quartiles = groups.quantile(np.array([0.5, 0.25, 0.75])).unstack()
        table = quartiles.set_axis(["accuracy", "low", "high"], axis=1).reset_index().sort_values(keys)
        line = "Lines: medians of the settings in a third of a decade; bands: their quartiles."
    widths = said.methods.groupby("method", sort=False)["width_decades"].mean().dropna()
    within = ", ".join(f"{name} {width:.1f}" for name, width in widths.items())
    caption = (
        f"Dev accuracy of the tuning runs. {line} Crosses: diverged runs (at chance) and stopped ones (at their last "
        "accuracy). Rings: chosen rates." + (f" Range within 1% of the best, in decades: {within}." if within else "")
    )

    def draw(domain: list[float] | None) -> Any:
        x = _axis(alt.X, "learning_rate", "learning rate", "~g", _LOG, grid=False)
        y = _axis(alt.Y, "accuracy", "dev accuracy", scale={"zero": False, "domain": domain} if domain else None)
        look = looks(names, "method")
        shown = _tips("method:N", "learning_rate:Q:.3g", "accuracy:Q:.2%", "low:Q:.2%", "high:Q:.2%")
        band, means, spots = banded(_data("rates"), x, y, look, shown, points=bool(each))
        own = _data("runs").transform_filter("datum.phase == 'tuning'").transform_calculate(accuracy="datum.score")
        ended = "datum.status == 'finished'"
        own = own.mark_point(clip=True, size=26, strokeWidth=1).encode(
            x=x,
            y=y,
            color=look["color"],
            shape=alt.condition(ended, alt.value("circle"), alt.value("cross")),
            opacity=alt.condition(ended, alt.value(0.45), alt.value(0.9)),
            tooltip=_run_tips(),
        )
        rings = _data("chosen").mark_point(size=260, strokeWidth=2, clip=True).encode(x=x, y=y, color=look["color"])
        return figures.figure(band, means, own, spots, rings, height=HEIGHT)

    ceiling = float(table["accuracy"].max())
    close = [max(ceiling - 0.06, 0.0), min(ceiling + 0.02, 1.0)]
    variants = {"whole range": draw(None), "near the best": draw(close)} if len(table) else {}
    title, shown = "Accuracy over the learning rate", {"rates": table, "chosen": chosen}
    return Chart("accuracy_over_learning_rate", title, caption, variants, shown, "range", wide=True)


def _learning_curves(comparison: Comparison, names: Sequence[str]) -> list[Chart]:
    """Dev accuracy and training loss over steps, examples and seconds: a line for each run, and their means."""
    lines, means = learning_curves(comparison)
    few = lines
    if len(lines) > MOST_POINTS:
        groups = [group["run"].unique() for _, group in lines.groupby(["task", "method"], sort=False)]
        most = max(int(max(map(len, groups)) * MOST_POINTS / len(lines)), 1)
        few = lines[lines["run"].isin(np.concatenate([group[:most] for group in groups]))]
    shown = f"{few['run'].nunique()} of {lines['run'].nunique()} runs" if len(few) < len(lines) else "the runs"

    def draw(curve: str, cost: str, title: str, form: str) -> Any:
        x, look = _axis(alt.X, cost, title, form, {}, grid=False), looks(names, "method")
        own, mean = _data("curve_lines"), _data("curve_means").transform_filter(f"datum.curve == '{curve}'")
        if share := estimates.kind_of(curve) == estimates.SHARE:
            y = _axis(alt.Y, "mean", "dev accuracy", scale={"zero": False})
        else:  # a logarithmic axis shows what is above zero
            y = _axis(alt.Y, "mean", "training loss (nats)", "~g", {"type": "log", "nice": False})
            own, mean = own.transform_filter(f"datum.{curve} > 0"), mean.transform_filter("datum.mean > 0")
        own = own.encode(x=x, y=y.field(curve), color=look["color"], detail="run:N")
        about = ("run:Q", "method:N", "seed:Q", "status:N", "step:Q", "examples:Q:,", "seconds:Q:.3g")
        thin = own.mark_line(strokeWidth=1, opacity=0.25)
        hover = own.mark_line(strokeWidth=8, opacity=0)  # a thin line is hard to hit
        hover = hover.encode(tooltip=_tips(*about, f"{curve}:Q:{'.2%' if share else '.3g'}"))
        return figures.figure(thin, *banded(mean, x, y, look, points=False), hover, height=HEIGHT)

    costs = {"steps": ("step", "step", ",.0f"), "examples": ("examples", "examples seen", "~s")}
    costs |= {"seconds": ("seconds", "seconds", "~g")}
    words = {
        "dev_accuracy": ("Dev accuracy while training", "is at chance"),
        "training_loss": ("Training loss", "has the loss of a blind guess"),
    }
    data = {"curve_lines": few, "curve_means": means}
    found = []
    for curve, (title, end) in words.items():
        caption = (
            f"{title}, at the chosen settings. Thick lines: means; bands: {estimates.percent(comparison.level)} CI; "
            f"thin lines: {shown}. After it has diverged a run {end}."
        )
        variants = {label: draw(curve, *cost) for label, cost in costs.items()} if len(lines) else {}
        found.append(Chart(curve, title, caption, variants, data, "over"))
    return found


def learning_curves(comparison: Comparison) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The curves of the runs that report, and their means with intervals over seeds or repeats.

    After a run has diverged its accuracy counts as chance and its loss as that of a blind guess.
    """
    lines, means = [], []
    curves, shown = comparison.curves.rename(columns={"train_loss": "training_loss"}), ["dev_accuracy", "training_loss"]
    for facts, name in itertools.product(comparison.tasks, comparison.methods):
        about = {"task": facts.name, "method": str(name)}
        group = comparison.reporting
        group = group[(group["task"] == facts.name) & (group[comparison.by] == name)].set_index("run")
        costs = {"examples": group["batch_size"].replace(0, facts.num_train).astype(float)}
        costs |= {"seconds": group["seconds"] / group["num_steps"]}
        known = curves.loc[curves["run"].isin(group.index), ["run", "step", *shown]]
        steps = np.sort(known["step"].unique())
        if len(steps) > MOST_EVALUATIONS:
            steps = steps[np.linspace(0, len(steps) - 1, MOST_EVALUATIONS).round().astype(int)]
        known = known[known["step"].isin(steps)].dropna()
        lost = itertools.product(group.index[group["status"] == "diverged"], steps)
        blind = pd.DataFrame(lost, columns=["run", "step"]).assign(**{curve: failed(facts, curve) for curve in shown})
        own = pd.concat([known, blind] if len(blind) else [known]).drop_duplicates(["run", "step"])
        own = own.sort_values(["run", "step"], kind="stable").join(
            group[[*dict.fromkeys(["seed", "status", comparison.unit])]], on="run"
        )
        spent = {kind: own["step"] * own["run"].map(cost) for kind, cost in costs.items()}
        lines.append(own.assign(**spent, **about))
        for curve in shown:
            table = own.groupby(["step", comparison.unit])[curve].mean().unstack()
            kind = facts.test_share, estimates.kind_of(curve), facts.num_dev
            found = [selection.over_units(row.dropna(), *kind, level=comparison.level) for _, row in table.iterrows()]
            rows = [(step, one.value, one.low, one.high) for step, one in zip(table.index, found, strict=True)]
            mean = pd.DataFrame(rows, columns=["step", "mean", "low", "high"])
            spent = {kind: mean["step"] * cost.mean() for kind, cost in costs.items()}
            means.append(mean.assign(**spent, **about, curve=curve))
    return pd.concat(lines, ignore_index=True), pd.concat(means, ignore_index=True)


def _tuning(said: Answer, names: Sequence[str]) -> Chart:
    """The expected test accuracy over the number of trials."""
    budgets = sorted({int(number) for number in said.tuning["budget"]})
    x = _axis(alt.X, "budget", "trials (settings tried)", "~g", _LOG, grid=False, values=budgets)
    y = _axis(alt.Y, "accuracy", "expected test accuracy", scale={"zero": False})
    shown = _tips("method:N", "budget:Q", "accuracy:Q:.2%", "low:Q:.2%", "high:Q:.2%")
    drawn = figures.figure(*banded(_data("tuning"), x, y, looks(names, "method"), shown), height=HEIGHT)
    caption = (
        f"Expected test accuracy of the setting that is best on dev among so many trials; bands: {said.percent} "
        "intervals, where they can be given. A steep curve needs more tuning."
    )
    variants = {"": drawn} if len(said.tuning) else {}
    return Chart("tuning_curves", "How much tuning it takes", caption, variants, {"tuning": said.tuning})


def _profiles(said: Answer, names: Sequence[str]) -> Chart:
    """The share of runs at or above each normalized score, from where the profiles begin to differ from 1."""
    least = said.profiles.groupby("threshold")["share"].min()
    begin = least.index[least == 1].max()
    table = said.profiles if np.isnan(begin) else said.profiles[said.profiles["threshold"] >= begin]
    x = _axis(alt.X, "threshold", "normalized score", "~g", {"zero": False, "nice": False}, grid=False)
    y = _axis(alt.Y, "share", "share of runs at least as good", scale={"domain": [0, 1]})
    shown = _tips("method:N", "threshold:Q:.3f", "share:Q:.1%", "low:Q:.1%", "high:Q:.1%")
    drawn = banded(_data("profiles"), x, y, looks(names, "method"), shown, points=False)
    caption = (
        f"Share of the runs whose normalized score is at least the threshold; bands: {said.percent} intervals. A score "
        "of 0 is chance, 1 is the mean of the best method. A higher curve is better; crossing curves mean that "
        "some runs failed."
    )
    variants = {"": figures.figure(*drawn, height=HEIGHT)} if len(table) else {}
    return Chart("profiles", "Performance profiles", caption, variants, {"profiles": table})


def _ranks(said: Answer, names: Sequence[str]) -> Chart:
    """A critical-difference diagram: mean ranks, and bars over those that cannot be told apart."""
    table = said.ranks.sort_values("rank", kind="stable").astype({"method": str})
    table = table.assign(row=table["method"])
    by_name = table.set_index("method")["rank"]
    groups = [by_name[list(group)] for group in said.groups if len(group) > 1]
    label = "not separated {}" if len(groups) > 1 else "not separated"
    bars = pd.DataFrame(
        [(", ".join(one.index), one.min(), one.max(), label.format(number)) for number, one in enumerate(groups, 1)],
        columns=["members", "low", "high", "row"],
    )
    rows = [*table["row"], *bars["row"]]
    y = alt.Y("row:N").scale(domain=rows).title(None)
    x = _axis(alt.X, "rank", "mean rank (1 is best)", "~g", {"zero": False, "padding": 12}, tickMinStep=1)
    spots = _data("ranks").mark_point(filled=True, size=110, opacity=1)
    spots = spots.encode(x=x, y=y, tooltip=_tips("method:N", "rank:Q:.2f"))
    spots = spots.encode(**looks(names, "method", legend=False))
    spans = _data("groups").mark_rule(strokeWidth=5, strokeCap="round")
    spans = spans.encode(x=x.field("low"), x2="high:Q", y=y, tooltip=_tips("members:N"))
    variants = {"": figures.figure(spans, spots, height=ROW * len(rows) + 10)} if len(table) else {}
    caption = (
        "Mean ranks over tasks or repeats; 1 is best. A bar joins methods that are not separated "
        f"(critical difference {said.critical_difference:.2f})."
    )
    return Chart("critical_difference", "Ranks", caption, variants, {"ranks": table, "groups": bars})


def _settings(comparison: Comparison, names: Sequence[str]) -> Chart:
    """The settings that were tried over two hyperparameters, of each method that was tuned in both."""
    tuning = runs(comparison.whole)
    tuning = tuning[tuning["phase"] == TUNING]
    tuned = [name for name in comparison.tuned if name in tuning and tuning[name].nunique() > 1]
    keys = [name for name in ["task", "method", "repeat", *comparison.tuned] if name in tuning]
    table = tuning.groupby(keys, sort=False, dropna=False).agg(accuracy=("score", "mean"), runs=("run", "size"))
    table = table.reset_index()
    few = table.iloc[:: -(-len(table) // MOST_SETTINGS) or 1]

    def axis(channel: Any, name: str) -> Any:
        values = tuning[name].dropna()
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            return channel(f"{name}:N").title(_words(name))
        log = values.min() > 0 and values.max() >= 100 * values.min()
        return _axis(channel, name, _words(name), "~g", _LOG if log else None)

    def draw(method: str, x: str, y: str) -> Any:
        heat = alt.Color("accuracy:Q").scale(scheme="cividis")
        heat = heat.legend(title="dev accuracy", format="~%", gradientLength=180, tickCount=3)
        own = _data("settings").transform_filter(alt.FieldEqualPredicate(field="method", equal=method))
        shown = _tips(f"{x}:N", f"{y}:N", "accuracy:Q:.2%", "runs:Q")
        spots = own.mark_point(filled=True, size=110, opacity=1).encode(x=axis(alt.X, x), y=axis(alt.Y, y), color=heat)
        return figures.figure(spots.encode(tooltip=shown), height=HEIGHT)

    variants = {
        f"{name}: {_words(x)} × {_words(y)}": draw(name, x, y)
        for name, (x, y) in itertools.product(names, itertools.combinations(tuned, 2))
        if table.loc[table["method"] == name, [x, y]].nunique().min() > 1
    }
    part = f" Shown: {len(few):,} of {len(table):,} settings." if len(few) < len(table) else ""
    caption = f"A point for each setting that was tried, with its mean dev accuracy; failures count as chance.{part}"
    title = "Two hyperparameters at a time"
    return Chart("settings", title, caption, variants, {"settings": few}, "show", wide=True, on_paper=False)


# ---- the page ---------------------------------------------------------------------------------------------------


def data_sets(comparison: Comparison, shown: Sequence[Chart]) -> dict[str, pd.DataFrame]:
    """What the charts read, by name; of the runs those that report first, as many as the page has room for."""
    every = runs(comparison)
    if len(every) > MOST_RUNS:
        every = every.sort_values("reports", ascending=False, kind="stable").head(MOST_RUNS)
    found = {"runs": every} | {name: table for chart in shown for name, table in chart.tables.items()}
    return {name: table.astype({"method": str}) if "method" in table else table for name, table in found.items()}


def html(
    comparison: Comparison,
    said: Answer,
    shown: Sequence[Chart],
    data: Mapping[str, pd.DataFrame],
    command: str,
    environment: Mapping[str, Any],
) -> str:
    """The page in one file, with its scripts and data."""

    def of_page(chart: Chart, drawn: Any) -> dict[str, Any]:
        content = drawn.properties(width="container", description=chart.caption).to_dict(validate=False)
        del content["config"], content["$schema"]  # the page has one configuration for all
        return content | {"autosize": {"type": "fit-x", "contains": "padding"}}

    with ThreadPoolExecutor(1) as pool:  # the scripts take as long as all else
        bundle = pool.submit(scripts)
        content = {
            "charts": [
                {"name": one.name, "variants": [of_page(one, drawn) for drawn in one.variants.values()]}
                for one in shown
            ],
            "data": {name: _rows(table) for name, table in data.items()},
            "themes": {"light": figures.theme(), "dark": figures.theme(dark=True)},
            "table": _columns(comparison, data["runs"]),
        }
    known = {name: value for name, value in environment.items() if name != "command" and value not in (None, [], {})}
    return console.page(
        "comparison.html",
        title=_question(comparison),
        comparison=comparison,
        answer=said,
        tables=tables,
        charts=shown,
        content=_json(content),
        num_shown=len(data["runs"]),
        command=command,
        environment=[(_words(name), _listed(value)) for name, value in known.items()],
        bundle=Markup(bundle.result()),
    )


def _rows(table: pd.DataFrame) -> dict[str, list]:
    return {"columns": list(table), "rows": [list(row.values()) for row in figures.records(table)]}


def _question(comparison: Comparison) -> str:
    """What the comparison asks."""
    names = [str(name) for name in comparison.methods]
    where = comparison.tasks[0].name if len(comparison.tasks) == 1 else f"{len(comparison.tasks)} tasks"
    if len(names) < 2:
        return f"How good is the {_words(comparison.by)} {names[0] if names else ''} on {where}?"
    return f"Which {_words(comparison.by)} is better on {where}: {', '.join(names[:-1])} or {names[-1]}?"


def _columns(comparison: Comparison, every: pd.DataFrame) -> list[list[str]]:
    """The columns of the table of all runs: in the data, for the reader, and `number`, `share` or `text`."""
    hidden = {"score", "reports", *(["task"] if len(comparison.tasks) == 1 else [])}
    found = []
    for name in (name for name in map(str, every) if name not in hidden):
        numeric, share = pd.api.types.is_numeric_dtype(every[name]), estimates.kind_of(name) == estimates.SHARE
        label = _words(comparison.by if name == "method" else name)
        found.append([name, label, "text" if not numeric else "number share" if share else "number"])
    return found


def _json(content: Mapping[str, Any]) -> Markup:
    """JSON that may stand in an element `script`: nothing in it can end that element."""
    text = printable(json.dumps(content, allow_nan=False, separators=(",", ":"), ensure_ascii=False))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_listed(one)}" for name, one in value.items())
    return ", ".join(map(_listed, value)) if isinstance(value, list | tuple) else str(value)


@functools.cache
def scripts() -> str:
    """The scripts of Vega, Vega-Lite and Vega-Embed; one copy serves all charts."""
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")


# ---- files ------------------------------------------------------------------------------------------------------


def on_paper(
    comparison: Comparison, shown: Sequence[Chart], data: Mapping[str, pd.DataFrame]
) -> dict[str, dict[str, Any]]:
    """The figures for papers by name, as Vega-Lite with data; a panel for each task where there are several."""
    found = {}
    for chart in (one for one in shown if one.on_paper):
        several = len(comparison.tasks) > 1 and any("task" in table for table in chart.tables.values())
        drawn = next(iter(chart.variants.values())).to_dict(validate=False)
        del drawn["config"], drawn["$schema"]
        read = [name for name in data if f'"data": {{"name": "{name}"}}' in json.dumps(drawn)]
        panels, sets = [], drawn.pop("datasets", {})
        for facts in comparison.tasks if several else comparison.tasks[:1]:
            own = f"{facts.name}/" if several else ""
            text = json.dumps(drawn)
            for name in read:
                text = text.replace(f'"data": {{"name": "{name}"}}', f'"data": {json.dumps({"name": own + name})}')
                table = data[name]
                of_task = table[table["task"] == facts.name] if several and "task" in table else table
                sets[own + name] = figures.records(of_task)
            panels.append(json.loads(text) | ({"title": facts.name} if several else {}))
        whole = {"concat": panels, "columns": 3} if several else panels[0]
        found[chart.name] = whole | {"datasets": sets}
    return found


def write(
    directory: Path,
    comparison: Comparison,
    said: Answer,
    command: str,
    environment: Mapping[str, Any],
    kinds: str = "png",
) -> list[Path]:
    """Writes the page into a run directory, and its figures as files of some kinds."""
    page = directory / PAGE
    if (directory / "figures").is_symlink():
        raise UserError(f"{directory / 'figures'}: it is a link, and the figures would be written elsewhere.")
    shown = charts(comparison, said)
    data = data_sets(comparison, shown)
    content = html(comparison, said, shown, data, command, environment)
    io.write(page, lambda temporary: Path(temporary).write_text(content, encoding="utf-8"))
    drawn = on_paper(comparison, shown, data).items()
    return [
        page,
        *(path for name, one in drawn for path in figures.save(one, directory / "figures", name, kinds.split(","))),
    ]
