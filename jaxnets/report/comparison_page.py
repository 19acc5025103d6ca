"""The page of a comparison: one HTML file that opens without a network, and its figures as files."""

import functools
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from jaxnets import io
from jaxnets.comparison.answer import Answer
from jaxnets.comparison.table import TUNING, Study
from jaxnets.errors import UserError, printable
from jaxnets.report import figures, pages, tables
from jaxnets.report.figures import ROW, alt, banded
from jaxnets.stats import estimates, selection

PAGE = "report.html"
HEIGHT = 320
MOST_RUNS, MOST_SETTINGS, MOST_POINTS, MOST_EVALUATIONS = 12_000, 8_000, 8_000, 40  # more would make the page too large
FEW_RATES = 15  # with more rates than this, as a random search has, a line through each would be a scribble
CURVES = {"dev_accuracy": "Dev accuracy while training", "training_loss": "Training loss"}

Data = Callable[[str], Any]
"""From the name of a data set to a chart of it: of the one that the page holds, or of its rows."""


@dataclass(frozen=True)
class Chart:
    """A figure of the page: in several variants, drawn from data sets by name, of which `tables` are its own."""

    name: str
    title: str
    caption: str
    variants: Mapping[str, Callable[[Data], Any]]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    switch: str = ""
    wide: bool = False
    on_paper: bool = True


def tips(*fields: str) -> list[Any]:
    """What a hover shows: fields as `name:type` or `name:type:format`."""
    found = []
    for one in fields:
        name, kind, *form = one.split(":")
        tip = alt.Tooltip(f"{name}:{kind}", title=name.replace("_", " "))
        found.append(tip.format(form[0]) if form else tip)
    return found


def run_tips() -> list[Any]:
    """What a hover shows of a run."""
    head = ("run:Q", "contestant:N", "phase:N", "learning_rate:Q:.3g", "seed:Q", "status:N")
    return tips(*head, "dev_accuracy:Q:.2%", "test_accuracy:Q:.2%")


def _axis(
    channel: Any, name: str, title: str, form: str = "~%", scale: Mapping[str, Any] | None = None, **look: Any
) -> Any:
    scale = {"zero": False, "padding": 8, "nice": False} if scale is None else scale
    return channel(field=name, type="quantitative").scale(**scale).title(title).axis(format=form, tickCount=6, **look)


_LOG = {"type": "log", "padding": 8, "nice": False}


def charts(study: Study, said: Answer) -> list[Chart]:
    """The figures of a comparison that have something to show, and their data sets."""
    names = [str(name) for name in study.contestants]
    found = [
        _standings(said, names),
        _pairs(study, said),
        _rates(study, said, names),
        *_learning_curves(study, names),
        _tuning(said, names),
        _profiles(said, names),
        _ranks(said, names),
        _settings(study, names),
    ]
    return [one for one in found if one.variants]


def runs(study: Study) -> pd.DataFrame:
    """All runs with what tells them apart and what became of them; `contestant` is the column of the contestants.

    `score` is the dev accuracy: of a run that was stopped its last one, of another without one chance. `reports` is
    true for the runs that report.
    """
    head = ["run", "phase", study.by, *(name for name in study.tuned if name != study.by), *selection.REPETITIONS]
    ends = ["dev_accuracy", "test_accuracy", "dev_loss", "test_loss", "train_loss", "seconds"]
    columns = [name for name in [*head, "status", "diverged_step", *ends, "task"] if name in study.runs]
    found = study.runs[columns].rename(columns={study.by: "contestant"}).dropna(axis=1, how="all")
    last = found["run"].map(study.curves.groupby("run")["dev_accuracy"].last())
    chance = found["task"].map({task.name: task.chance for task in study.tasks})
    scores = study.runs["dev_accuracy"].astype(float).fillna(last.where(found["status"] == selection.STOPPED))
    reports = found["run"].isin(study.reporting["run"])
    return found.astype({"contestant": str}).assign(score=scores.fillna(chance), reports=reports)


# ---- the figures ------------------------------------------------------------------------------------------------


def _standings(said: Answer, names: Sequence[str]) -> Chart:
    """Test accuracy at the chosen settings: a row for each contestant, its runs, its mean and interval."""
    means = said.contestants.groupby("contestant", sort=False)["accuracy"].mean().sort_values(ascending=False)
    caption = "Test accuracy at the chosen settings. Dots: runs; marks: means; bars: 95% intervals, where there is one."
    if means.notna().any():
        over = " over the tasks" if said.contestants["task"].nunique() > 1 else ""
        highest, lowest = (f"{means.index[place]}, {means.dropna().iloc[place]:.1%}" for place in (0, -1))
        caption += f" Highest mean{over}: {highest}; lowest: {lowest}."

    def draw(data: Data) -> Any:
        y = alt.Y("contestant:N").scale(domain=list(map(str, means.index))).title(None)
        x = _axis(alt.X, "test_accuracy", "test accuracy")
        look = figures.colour(names, "contestant", legend=False)
        # runs of equal accuracy lie side by side
        own = data("runs").transform_filter("datum.reports")
        own = own.transform_window(place="row_number()", groupby=["contestant", "test_accuracy"])
        offset = alt.YOffset("place:Q").scale(domain=[0, 8], range=[ROW * 0.9, ROW * 0.1], clamp=True)
        own = own.mark_circle(size=12, opacity=0.6).encode(x=x, y=y, yOffset=offset, color=look, tooltip=run_tips())
        about = tips("contestant:N", "setting:N", "accuracy:Q:.2%", "accuracy_low:Q:.2%", "accuracy_high:Q:.2%")
        base = data("standings").encode(y=y, color=look, tooltip=about)
        bars = base.mark_rule(strokeWidth=3).encode(x=x.field("accuracy_low"), x2="accuracy_high:Q")
        spots = base.mark_point(filled=True, size=110, opacity=1)
        spots = spots.encode(x=x.field("accuracy"), shape=figures.shape(names, "contestant", legend=False))
        return figures.figure(own, bars, spots, height=ROW * len(names) + 10)

    shown = {"standings": said.contestants.drop(columns="ensemble_loss")}
    wide = len(names) > 4
    return Chart("standings", tables.SCORES, caption, {"": draw}, shown, wide=wide, on_paper=False)


def _pairs(study: Study, said: Answer) -> Chart:
    """Differences of test accuracy: a row for each pair, with its interval, and a line at zero."""
    named = said.pairs["first"].astype(str) + " − " + said.pairs["second"].astype(str)
    outcome = said.pairs["outcome"].where(said.pairs["outcome"].isin(["tie", "open"]), "ahead")
    counts = outcome.value_counts()
    where = " on all tasks" if len(study.tasks) > 1 else ""
    words = [
        f"{counts.get(name, 0)} {text}"
        for name, text in (("ahead", "with one ahead"), ("tie", "tied"), ("open", "open"))
    ]
    level = estimates.percent(said.pairs["level"].min()) if len(named) else ""
    together = ", simultaneous over the pairs of a task" if len(named) > 1 else ""
    caption = f"Differences of mean test accuracy, with {level} CIs{together}. Pairs{where}: {', '.join(words)}."

    def draw(data: Data) -> Any:
        y = alt.Y("pair:N").scale(domain=list(dict.fromkeys(named))).title(None).axis(labelLimit=190)
        x = _axis(alt.X, "difference", "difference of test accuracy; right of zero the first is better", "+.1%")
        form = alt.Shape("outcome:N").scale(domain=["ahead", "tie", "open"], range=["circle", "square", "cross"])
        shown = tips("pair:N", "outcome:N", "difference:Q:+.2%", "low:Q:+.2%", "high:Q:+.2%", "improvement:Q:.1%")
        base = data("pairs").encode(y=y, tooltip=shown)
        bars = base.mark_rule(strokeWidth=3, style="ink").encode(x=x.field("low"), x2="high:Q")
        spots = base.mark_point(filled=True, size=90, opacity=1, style="ink").encode(x=x, shape=form.title(None))
        return figures.figure(figures.rule(x=0), bars, spots, height=ROW * named.nunique() + 10)

    shown = {"pairs": said.pairs.drop(columns="values").assign(pair=named, outcome=outcome)}
    variants = {"": draw} if len(named) else {}
    return Chart("pairs", "Pair by pair", caption, variants, shown, wide=len(named) > 6, on_paper=False)


def _rates(study: Study, said: Answer, names: Sequence[str]) -> Chart:
    """Dev accuracy over the learning rate: the whole range, and near the best."""
    keys, table = ["task", "contestant", "learning_rate"], said.sensitivity
    chosen = study.reporting.rename(columns={study.by: "contestant"})[keys].drop_duplicates()
    chosen = chosen.merge(table[[*keys, "accuracy"]], on=keys)
    each = table.empty or table.groupby(keys[:2])["learning_rate"].nunique().max() <= FEW_RATES
    line = "Lines: means over the runs; bands: 95% intervals."
    if not each:
        thirds = (np.log10(table["learning_rate"].clip(lower=1e-300)) * 3).round() / 3
        groups = table.assign(learning_rate=10**thirds).groupby(keys, sort=False)["accuracy"]
        quartiles = groups.quantile(np.array([0.5, 0.25, 0.75])).unstack()
        table = quartiles.set_axis(["accuracy", "low", "high"], axis=1).reset_index().sort_values(keys)
        line = "Lines: medians of the settings in a third of a decade; bands: their quartiles."
    widths = said.contestants.groupby("contestant", sort=False)["width_decades"].mean().dropna()
    within = ", ".join(f"{name} {width:.1f}" for name, width in widths.items())
    caption = (
        f"Dev accuracy of the tuning runs. {line} Crosses: diverged runs (at chance) and stopped ones (at their last "
        "accuracy). Rings: chosen rates." + (f" Range within 1% of the best, in decades: {within}." if within else "")
    )
    ceiling = float(table["accuracy"].max())

    def draw(domain: list[float] | None, data: Data) -> Any:
        x = _axis(alt.X, "learning_rate", "learning rate", "~g", _LOG, grid=False)
        y = _axis(alt.Y, "accuracy", "dev accuracy", scale={"zero": False, "domain": domain} if domain else None)
        look = figures.colour(names, "contestant")
        shown = tips("contestant:N", "learning_rate:Q:.3g", "accuracy:Q:.2%", "low:Q:.2%", "high:Q:.2%")
        marks = {"shape": figures.shape(names, "contestant")} if each else {}
        band, means, spots = banded(data("rates"), x, y, look, shown, **marks)
        own = data("runs").transform_filter("datum.phase == 'tuning'").transform_calculate(accuracy="datum.score")
        ended = "datum.status == 'finished'"
        own = own.mark_point(clip=True, size=26, strokeWidth=1).encode(
            x=x,
            y=y,
            color=look,
            shape=alt.condition(ended, alt.value("circle"), alt.value("cross")),
            opacity=alt.condition(ended, alt.value(0.45), alt.value(0.9)),
            tooltip=run_tips(),
        )
        rings = data("chosen").mark_point(size=260, strokeWidth=2, clip=True).encode(x=x, y=y, color=look)
        return figures.figure(band, means, own, spots, rings, height=HEIGHT)

    close = [max(ceiling - 0.06, 0.0), min(ceiling + 0.02, 1.0)]
    variants = {"whole range": partial(draw, None), "near the best": partial(draw, close)} if len(table) else {}
    title, shown = "Accuracy over the learning rate", {"rates": table, "chosen": chosen}
    return Chart("accuracy_over_learning_rate", title, caption, variants, shown, "range", wide=True)


def _learning_curves(study: Study, names: Sequence[str]) -> list[Chart]:
    """Dev accuracy and training loss over steps, examples and seconds: a line for each run, and their means."""
    lines, means = learning_curves(study)
    few = lines
    if len(lines) > MOST_POINTS:
        groups = [group["run"].unique() for _, group in lines.groupby(["task", "contestant"], sort=False)]
        most = max(int(max(map(len, groups)) * MOST_POINTS / len(lines)), 1)
        few = lines[lines["run"].isin(np.concatenate([group[:most] for group in groups]))]
    shown = f"{few['run'].nunique()} of {lines['run'].nunique()} runs" if len(few) < len(lines) else "the runs"

    def draw(curve: str, cost: str, title: str, form: str, data: Data) -> Any:
        share = curve == "dev_accuracy"
        x = _axis(alt.X, cost, title, form, {}, grid=False)
        y = _axis(alt.Y, "mean", "dev accuracy", scale={"zero": False})
        own, mean = data("curve_lines"), data("curve_means").transform_filter(f"datum.curve == '{curve}'")
        if not share:  # a logarithmic axis shows what is above zero
            y = _axis(alt.Y, "mean", "training loss (nats)", "~g", {"type": "log", "nice": False})
            own, mean = own.transform_filter(f"datum.{curve} > 0"), mean.transform_filter("datum.mean > 0")
        look = figures.colour(names, "contestant")
        own = own.encode(x=x, y=y.field(curve), color=look, detail="run:N")
        about = ("run:Q", "contestant:N", "seed:Q", "status:N", "step:Q", "examples:Q:,", "seconds:Q:.3g")
        thin = own.mark_line(strokeWidth=1, opacity=0.25)
        hover = own.mark_line(strokeWidth=8, opacity=0)  # a thin line is hard to hit
        hover = hover.encode(tooltip=tips(*about, f"{curve}:Q:{'.2%' if share else '.3g'}"))
        return figures.figure(thin, *banded(mean, x, y, look), hover, height=HEIGHT)

    costs = {"steps": ("step", "step", ",.0f"), "examples": ("examples", "examples seen", "~s")}
    costs |= {"seconds": ("seconds", "seconds", "~g")}
    failed = {"dev_accuracy": "is at chance", "training_loss": "has the loss of a blind guess"}
    return [
        Chart(
            curve,
            title,
            f"{title}, at the chosen settings. Thick lines: means; bands: 95% intervals; thin lines: {shown}. "
            f"After it has diverged a run {failed[curve]}.",
            {label: partial(draw, curve, *cost) for label, cost in costs.items()} if len(lines) else {},
            {"curve_lines": few, "curve_means": means},
            "over",
        )
        for curve, title in CURVES.items()
    ]


def learning_curves(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The curves of the runs that report, and their means with 95% intervals over seeds or blocks.

    After a run has diverged its accuracy counts as chance and its loss as that of a blind guess.
    """
    lines, means = [], []
    curves = study.curves.rename(columns={"train_loss": "training_loss"})
    for facts, name in itertools.product(study.tasks, study.contestants):
        about = {"task": facts.name, "contestant": str(name)}
        group = study.reporting
        group = group[(group["task"] == facts.name) & (group[study.by] == name)].set_index("run")
        costs = {"examples": group["batch_size"].replace(0, facts.num_train).astype(float)}
        costs |= {"seconds": group["seconds"] / group["num_steps"]}
        known = curves.loc[curves["run"].isin(group.index), ["run", "step", *CURVES]]
        steps = np.sort(known["step"].unique())
        if len(steps) > MOST_EVALUATIONS:
            steps = steps[np.linspace(0, len(steps) - 1, MOST_EVALUATIONS).round().astype(int)]
        known = known[known["step"].isin(steps)].dropna()
        lost = itertools.product(group.index[group["status"] == "diverged"], steps)
        blind = pd.DataFrame(lost, columns=["run", "step"]).assign(dev_accuracy=facts.chance)
        blind["training_loss"] = float(np.log(facts.num_classes))
        own = pd.concat([known, blind] if len(blind) else [known]).drop_duplicates(["run", "step"])
        own = own.sort_values(["run", "step"], kind="stable").join(group[[*{"seed", "status", study.unit}]], on="run")
        spent = {kind: own["step"] * own["run"].map(cost) for kind, cost in costs.items()}
        lines.append(own.assign(**spent, **about))
        for curve in CURVES:
            table = own.groupby(["step", study.unit])[curve].mean().unstack()
            kind = facts.test_share, estimates.kind_of(curve), facts.num_dev
            found = [selection.over_units(row.dropna(), *kind) for _, row in table.iterrows()]
            rows = [(step, one.value, one.low, one.high) for step, one in zip(table.index, found, strict=True)]
            mean = pd.DataFrame(rows, columns=["step", "mean", "low", "high"])
            spent = {kind: mean["step"] * cost.mean() for kind, cost in costs.items()}
            means.append(mean.assign(**spent, **about, curve=curve))
    return pd.concat(lines, ignore_index=True), pd.concat(means, ignore_index=True)


def _tuning(said: Answer, names: Sequence[str]) -> Chart:
    """The expected test accuracy over the number of trials."""

    def draw(data: Data) -> Any:
        budgets = sorted({int(number) for number in said.tuning["budget"]})
        x = _axis(alt.X, "budget", "trials (settings tried)", "~g", _LOG, grid=False, values=budgets)
        y = _axis(alt.Y, "accuracy", "expected test accuracy", scale={"zero": False})
        shown = tips("contestant:N", "budget:Q", "accuracy:Q:.2%", "low:Q:.2%", "high:Q:.2%")
        look, form = figures.colour(names, "contestant"), figures.shape(names, "contestant")
        return figures.figure(*banded(data("tuning"), x, y, look, shown, shape=form), height=HEIGHT)

    caption = (
        "Expected test accuracy of the setting that is best on dev among so many trials; bands: 95% intervals, where "
        "they can be given. A steep curve needs more tuning."
    )
    variants = {"": draw} if len(said.tuning) else {}
    return Chart("tuning_curves", "How much tuning it takes", caption, variants, {"tuning": said.tuning})


def _profiles(said: Answer, names: Sequence[str]) -> Chart:
    """The share of runs at or above each normalized score, from where the profiles begin to differ from 1."""
    least = said.profiles.groupby("threshold")["share"].min()
    begin = least.index[least == 1].max()
    table = said.profiles if np.isnan(begin) else said.profiles[said.profiles["threshold"] >= begin]

    def draw(data: Data) -> Any:
        x = _axis(alt.X, "threshold", "normalized score", "~g", {"zero": False, "nice": False}, grid=False)
        y = _axis(alt.Y, "share", "share of runs at least as good", scale={"domain": [0, 1]})
        shown = tips("contestant:N", "threshold:Q:.3f", "share:Q:.1%", "low:Q:.1%", "high:Q:.1%")
        return figures.figure(
            *banded(data("profiles"), x, y, figures.colour(names, "contestant"), shown), height=HEIGHT
        )

    caption = (
        "Share of the runs whose normalized score is at least the threshold; bands: 95% intervals. A score of 0 is "
        "chance, 1 is the mean of the best contestant. A higher curve is better; crossing curves mean that some runs "
        "failed."
    )
    return Chart("profiles", "Performance profiles", caption, {"": draw} if len(table) else {}, {"profiles": table})


def _ranks(said: Answer, names: Sequence[str]) -> Chart:
    """A critical-difference diagram: mean ranks, and bars over those that cannot be told apart."""
    table = said.ranks.sort_values("rank", kind="stable").astype({"contestant": str})
    table = table.assign(row=table["contestant"])
    by_name = table.set_index("contestant")["rank"]
    groups = [by_name[list(group)] for group in said.groups if len(group) > 1]
    label = "not separated {}" if len(groups) > 1 else "not separated"
    bars = pd.DataFrame(
        [(", ".join(one.index), one.min(), one.max(), label.format(number)) for number, one in enumerate(groups, 1)],
        columns=["members", "low", "high", "row"],
    )

    def draw(data: Data) -> Any:
        rows = [*table["row"], *bars["row"]]
        y = alt.Y("row:N").scale(domain=rows).title(None)
        x = _axis(alt.X, "rank", "mean rank (1 is best)", "~g", {"zero": False, "padding": 12}, tickMinStep=1)
        look = {"color": figures.colour(names, "contestant", legend=False)}
        look |= {"shape": figures.shape(names, "contestant", legend=False)}
        spots = data("ranks").mark_point(filled=True, size=110, opacity=1)
        spots = spots.encode(x=x, y=y, tooltip=tips("contestant:N", "rank:Q:.2f"), **look)
        spans = data("groups").mark_rule(strokeWidth=5, strokeCap="round")
        spans = spans.encode(x=x.field("low"), x2="high:Q", y=y, tooltip=tips("members:N"))
        return figures.figure(spans, spots, height=ROW * len(rows) + 10)

    caption = (
        "Mean ranks over tasks or blocks; 1 is best. A bar joins contestants that are not separated "
        f"(critical difference {said.critical_difference:.2f})."
    )
    shown = {"ranks": table, "groups": bars}
    return Chart("critical_difference", "Ranks", caption, {"": draw} if len(table) else {}, shown)


def _settings(study: Study, names: Sequence[str]) -> Chart:
    """The settings that were tried over two hyperparameters, of each contestant that was tuned in both."""
    tuning = runs(study.whole)
    tuning = tuning[tuning["phase"] == TUNING]
    tuned = [name for name in study.tuned if name in tuning and tuning[name].nunique() > 1]
    keys = [name for name in ["task", "contestant", "block", *study.tuned] if name in tuning]
    table = tuning.groupby(keys, sort=False, dropna=False).agg(accuracy=("score", "mean"), runs=("run", "size"))
    table = table.reset_index()
    few = table.iloc[:: -(-len(table) // MOST_SETTINGS) or 1]

    def draw(contestant: str, x: str, y: str, data: Data) -> Any:
        def axis(channel: Any, name: str) -> Any:
            values = tuning[name].dropna()
            if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
                return channel(f"{name}:N").title(_words(name))
            log = values.min() > 0 and values.max() >= 100 * values.min()
            return _axis(channel, name, _words(name), "~g", _LOG if log else None)

        heat = alt.Color("accuracy:Q").scale(scheme="cividis")
        heat = heat.legend(title="dev accuracy", format="~%", gradientLength=180, tickCount=3)
        own = data("settings").transform_filter(alt.FieldEqualPredicate(field="contestant", equal=contestant))
        shown = tips(f"{x}:N", f"{y}:N", "accuracy:Q:.2%", "runs:Q")
        spots = own.mark_point(filled=True, size=110, opacity=1).encode(x=axis(alt.X, x), y=axis(alt.Y, y), color=heat)
        return figures.figure(spots.encode(tooltip=shown), height=HEIGHT)

    variants = {
        f"{name}: {_words(x)} × {_words(y)}": partial(draw, name, x, y)
        for name, (x, y) in itertools.product(names, itertools.combinations(tuned, 2))
        if table.loc[table["contestant"] == name, [x, y]].nunique().min() > 1
    }
    part = f" Shown: {len(few):,} of {len(table):,} settings." if len(few) < len(table) else ""
    caption = f"A point for each setting that was tried, with its mean dev accuracy; failures count as chance.{part}"
    title = "Two hyperparameters at a time"
    return Chart("settings", title, caption, variants, {"settings": few}, "show", wide=True, on_paper=False)


def _words(name: str) -> str:
    return name.replace("_", " ")


# ---- the page ---------------------------------------------------------------------------------------------------


def data_sets(study: Study, shown: Sequence[Chart]) -> dict[str, pd.DataFrame]:
    """What the charts read, by name; of the runs those that report first, as many as the page has room for."""
    every = runs(study)
    if len(every) > MOST_RUNS:
        every = every.sort_values("reports", ascending=False, kind="stable").head(MOST_RUNS)
    found = {"runs": every} | {name: table for chart in shown for name, table in chart.tables.items()}
    return {
        name: table.astype({"contestant": str}) if "contestant" in table else table for name, table in found.items()
    }


def html(study: Study, said: Answer, *, command: str, environment: Mapping[str, Any]) -> str:
    """The page in one file, with its scripts and data."""
    shown = charts(study, said)
    data = data_sets(study, shown)
    with ThreadPoolExecutor(1) as pool:  # the scripts take as long as all else
        bundle = pool.submit(scripts)
        content = {
            "charts": [
                {"name": one.name, "variants": [*map(partial(_of_page, one), one.variants.values())]} for one in shown
            ],
            "data": {name: {"columns": list(table), "rows": figures.plain(table)} for name, table in data.items()},
            "themes": {"light": figures.theme(), "dark": figures.theme(dark=True)},
            "table": _columns(study, data["runs"]),
        }
    known = {name: value for name, value in environment.items() if name != "command" and value not in (None, [], {})}
    return pages.render(
        "study.html",
        title=_question(study),
        answer=said,
        protocol=tables.protocol(study),
        protocol_tables=tables.of_protocol(study),
        tables=tables.of_contestants(study, said),
        pairs=tables.pairs(said),
        several_tasks=len(study.tasks) > 1,
        tasks=[task.name for task in study.tasks],
        unit=study.unit,
        charts=shown,
        content=_json(content),
        num_runs=len(study.runs),
        num_shown=len(data["runs"]),
        command=command,
        environment=[(_words(name), _listed(value)) for name, value in known.items()],
        bundle=Markup(bundle.result()),
    )


def _of_page(chart: Chart, draw: Callable[[Data], Any]) -> dict[str, Any]:
    """A chart as Vega-Lite that reads data sets of the page, and is as wide as there is room for."""
    drawn = draw(lambda name: alt.Chart(alt.NamedData(name))).properties(width="container", description=chart.caption)
    content = drawn.to_dict(validate=False)
    unwanted = ("config", "$schema")  # the page has one configuration for all
    content = {name: value for name, value in content.items() if name not in unwanted}
    return content | {"autosize": {"type": "fit-x", "contains": "padding"}}


def _question(study: Study) -> str:
    """What the comparison asks."""
    names = [str(name) for name in study.contestants]
    where = study.tasks[0].name if len(study.tasks) == 1 else f"{len(study.tasks)} tasks"
    if len(names) < 2:
        return f"How good is the {_words(study.by)} {names[0] if names else ''} on {where}?"
    return f"Which {_words(study.by)} is better on {where}: {', '.join(names[:-1])} or {names[-1]}?"


def _columns(study: Study, every: pd.DataFrame) -> list[list[str]]:
    """The columns of the table of all runs: in the data, for the reader, and `number` or `text`."""
    hidden = {"score", "reports", *(["task"] if len(study.tasks) == 1 else [])}
    shown = [name for name in map(str, every) if name not in hidden]
    kinds = ["number" if pd.api.types.is_numeric_dtype(every[name]) else "text" for name in shown]
    labels = [_words(study.by if name == "contestant" else name) for name in shown]
    return [list(column) for column in zip(shown, labels, kinds, strict=True)]


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


def on_paper(study: Study, said: Answer) -> dict[str, Any]:
    """The figures for papers by name, with their data; a panel for each task where there are several."""
    shown, found = charts(study, said), {}
    data = data_sets(study, shown)
    for chart in (one for one in shown if one.on_paper):
        draw = next(iter(chart.variants.values()))
        if len(study.tasks) > 1 and any("task" in table for table in chart.tables.values()):
            panels = [draw(partial(_rows, data, task.name)).properties(title=task.name) for task in study.tasks]
            found[chart.name] = alt.concat(*panels, columns=3)
        else:
            found[chart.name] = draw(partial(_rows, data, None))
    return found


def _rows(data: Mapping[str, pd.DataFrame], task: str | None, name: str) -> Any:
    table = data[name]
    return figures.rows(table if task is None or "task" not in table else table[table["task"] == task])


def write(
    directory: Path, study: Study, said: Answer, command: str, environment: Mapping[str, Any], kinds: str = "png"
) -> list[Path]:
    """Writes the page into a run directory, and its figures as files of some kinds."""
    page = directory / PAGE
    if (directory / "figures").is_symlink():
        raise UserError(f"{directory / 'figures'}: it is a link, and the figures would be written elsewhere.")
    content = html(study, said, command=command, environment=environment)
    io.write(page, lambda temporary: Path(temporary).write_text(content, encoding="utf-8"))
    drawn = on_paper(study, said).items()
    return [
        page,
        *(path for name, one in drawn for path in figures.save(one, directory / "figures", name, kinds.split(","))),
    ]
