"""The page of a comparison: one HTML file that opens without a network, and its figures as charts of their own."""

import functools
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from jaxnets.comparison.answer import Answer
from jaxnets.comparison.table import Study
from jaxnets.errors import printable
from jaxnets.report import comparison_charts, figures, pages, study_rows, study_tables
from jaxnets.report.comparison_charts import Chart
from jaxnets.stats import estimates

MOST_RUNS, MOST_SETTINGS = 12_000, 8_000  # more would make the page too large


class Gallery:
    """The charts of a study, and by name the data sets that they read."""

    def __init__(self, study: Study, answer: Answer) -> None:
        self._study, self._answer = study, answer
        self._names = study_tables.contestants(study)
        self.data_sets: dict[str, pd.DataFrame] = {"runs": kept_runs(study_tables.runs(study))}
        self.charts = [chart for chart in self._charts() if chart.variants]
        for name, table in self.data_sets.items():
            if "contestant" in table:
                self.data_sets[name] = table.astype({"contestant": str})

    def _charts(self) -> Iterator[Chart]:
        yield self._standings()
        yield self._pairs()
        yield self._rates()
        yield from self._curves()
        yield self._tuning()
        yield self._profiles()
        yield self._ranks()
        yield from self._settings()

    def _standings(self) -> Chart:
        self.data_sets["standings"] = self._answer.contestants
        caption = (
            f"Test accuracy at the chosen settings: a tick for each run, a dot for the mean, a bar for its 95% "
            f"interval. {_best(self._answer.contestants)} No bar: nothing can be said of the spread."
        )
        variants = comparison_charts.standings(self._names)
        return Chart("standings", "At the chosen settings", caption, variants, wide=self._many_pairs())

    def _pairs(self) -> Chart:
        table = self._answer.pairs
        named = table["first"].astype(str) + " − " + table["second"].astype(str)
        outcome = table["outcome"].where(table["outcome"].isin(["tie", "open"]), "ahead")
        self.data_sets["pairs"] = table.assign(pair=named, outcome=outcome)
        counts = outcome.value_counts()
        where = " on all tasks" if len(self._study.tasks) > 1 else ""
        words = [f"{counts.get(name, 0)} {text}" for name, text in _OUTCOMES.items()]
        level = estimates.percent(table["level"].min()) if len(table) else "95%"
        together = ", simultaneous over the pairs of a task" if len(table) > 1 else ""
        caption = f"Differences of mean test accuracy, with {level} CIs{together}. Pairs{where}: {', '.join(words)}."
        names = list(dict.fromkeys(named))
        variants = comparison_charts.pairs(names) if names else {}
        return Chart("pairs", "Pair by pair", caption, variants, wide=self._many_pairs())

    def _many_pairs(self) -> bool:
        """Whether there are too many pairs for a figure that stands beside another."""
        return len(self._names) > 4

    def _rates(self) -> Chart:
        table, each = study_tables.rates(self._answer)
        self.data_sets |= {"rates": table, "chosen": study_tables.chosen(self._study, self._answer)}
        line = (
            "Lines: means over the runs; bands: 95% intervals."
            if each
            else "Lines: medians of the settings in a third of a decade; bands: their quartiles."
        )
        caption = (
            f"Dev accuracy of the runs that tuned, over the learning rate. {line} Circles: runs; crosses: runs that "
            "diverged, at chance, or were stopped, at their last accuracy. Rings: chosen rates. "
            f"{_widths(self._answer)}"
        )
        if table.empty:
            return Chart("rates", "", "", {})
        ceiling = float(self._answer.sensitivity["accuracy"].max())
        variants = comparison_charts.accuracy_over_learning_rate(self._names, each, ceiling)
        return Chart("rates", "Accuracy over the learning rate", caption, variants, "range", wide=True)

    def _curves(self) -> Iterator[Chart]:
        lines, means = study_tables.learning_curves(self._study)
        few = study_tables.few_lines(lines)
        self.data_sets |= {"curve_lines": few, "curve_means": means}
        shown = f"{few['run'].nunique()} of {lines['run'].nunique()} runs" if len(few) < len(lines) else "the runs"
        for curve, title in (("dev_accuracy", "Dev accuracy while training"), ("train_loss", "Training loss")):
            caption = (
                f"{title}, at the chosen settings. Thick lines: means; bands: 95% intervals; thin lines: {shown}. "
                f"A run counts as {_FAILED[curve]} after it has diverged."
            )
            variants = comparison_charts.learning_curves(self._names, curve) if len(lines) else {}
            yield Chart(curve, title, caption, variants, "over")

    def _tuning(self) -> Chart:
        table = self._answer.tuning
        self.data_sets["tuning"] = table
        caption = (
            "Expected test accuracy of the setting that is best on dev among so many trials; bands: 95% intervals, "
            "where they can be given. A steep curve needs more tuning."
        )
        budgets = sorted({int(number) for number in table["budget"]})
        variants = comparison_charts.tuning_curves(self._names, budgets) if budgets else {}
        return Chart("tuning", "How much tuning it takes", caption, variants)

    def _profiles(self) -> Chart:
        table = study_tables.profiles(self._answer)
        self.data_sets["profiles"] = table
        caption = (
            "Share of the runs whose normalized score is at least the threshold; bands: 95% intervals. A score of 0 is "
            "chance, 1 is the mean of the best contestant. A higher curve is better; curves that cross tell of runs "
            "that fail."
        )
        return Chart(
            "profiles", "Performance profiles", caption, comparison_charts.profiles(self._names) if len(table) else {}
        )

    def _settings(self) -> Iterator[Chart]:
        table = study_tables.settings(self._study)
        names = study_tables.axes(self._study, table)
        table, orders = comparison_charts.cells(table, names)
        table, scales = comparison_charts.parallel(table, names)
        few = table.iloc[:: max(-(-len(table) // MOST_SETTINGS), 1)]
        self.data_sets |= {"settings": few, "scales": scales}
        shown = f" Shown: {len(few):,} of {len(table):,} settings." if len(few) < len(table) else ""
        caption = (
            "Mean dev accuracy of the settings in each cell, failures counting as chance. Empty: nothing was tried."
            f"{shown}"
        )
        maps = comparison_charts.heat_maps(table, self._names, orders, self._study.by)
        yield Chart("heat_map", "Two hyperparameters at a time", caption, maps, "show", wide=self._answer.ranks.empty)
        caption = (
            "A line for each setting that was tried, through its hyperparameters to its mean dev accuracy; those near "
            f"the best are drawn stronger. Axes that span two decades are logarithmic.{shown}"
        )
        lines = comparison_charts.parallel_coordinates(self._names, names)
        yield Chart("parallel", "All hyperparameters at once", caption, lines, "show", wide=True)

    def _ranks(self) -> Chart:
        ranks, bars = study_tables.ranks(self._answer)
        self.data_sets |= {"ranks": ranks, "groups": bars}
        caption = (
            "Mean ranks over tasks and blocks; 1 is best. A bar joins contestants that cannot be told apart "
            f"(critical difference {self._answer.critical_difference:.2f})."
        )
        rows = [*ranks["row"], *bars["row"]]
        variants = comparison_charts.ranks(rows, self._names) if len(ranks) else {}
        return Chart("ranks", "Ranks", caption, variants)

    def figures(self) -> dict[str, Any]:
        """The figures for papers by name, with their data; a panel for each task where there are several."""
        from jaxnets.report.figures import alt

        data = {name: table.astype(object).where(table.notna(), None) for name, table in self.data_sets.items()}
        found = {}
        for chart in self.charts:
            if chart.name not in FILES:
                continue
            content = {**next(iter(chart.variants.values())), "width": figures.WIDTH}
            content.pop("autosize", None)
            names = [task.name for task in self._study.tasks]
            if len(names) > 1 and chart.name not in ("profiles", "ranks"):
                panels = [{**_of_task(content, name), "title": name} for name in names]
                content = {"concat": panels, "columns": 3}
            named = json.dumps(content)
            rows = {name: figures.rows(table).data for name, table in data.items() if f'"name": "{name}"' in named}
            datasets = {name: values.to_dict()["values"] for name, values in rows.items()}
            whole = content | {"datasets": datasets}  # panels are left a specification: Altair cannot read them back
            several = "concat" in content
            found[FILES[chart.name]] = whole if several else alt.LayerChart.from_dict(whole, validate=False)
        return found


FILES = {  # the figures that are written as files of their own
    "rates": "accuracy_over_learning_rate",
    "dev_accuracy": "dev_accuracy",
    "train_loss": "training_loss",
    "tuning": "tuning_curves",
    "profiles": "profiles",
    "ranks": "critical_difference",
}


def _of_task(content: Any, task: str) -> Any:
    """A specification in which each data set is that of a task."""
    if isinstance(content, list):
        return [_of_task(one, task) for one in content]
    if not isinstance(content, dict):
        return content
    found = {name: _of_task(one, task) for name, one in content.items() if name != "data"}
    if "name" in content.get("data", {}):
        only = {"filter": f"!isValid(datum.task) || datum.task === {json.dumps(task)}"}
        found |= {"data": content["data"], "transform": [only, *found.get("transform", [])]}
    return found | ({"data": content["data"]} if "data" in content else {})


_OUTCOMES = {"ahead": "with one ahead", "tie": "tied", "open": "open"}
_FAILED = {"dev_accuracy": "chance", "train_loss": "a blind guess"}


def kept_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """As many runs as the page has room for, those that report first."""
    if len(runs) <= MOST_RUNS:
        return runs
    return runs.sort_values("reports", ascending=False, kind="stable").head(MOST_RUNS)


def _best(contestants: pd.DataFrame) -> str:
    """Who has the best mean on each task, in a sentence."""
    if contestants["accuracy"].notna().sum() == 0:
        return ""
    means = contestants.groupby("contestant", sort=False)["accuracy"].mean()
    over = " over the tasks" if contestants["task"].nunique() > 1 else ""
    highest, lowest = (f"{name}, {means[name]:.1%}" for name in (str(means.idxmax()), str(means.idxmin())))
    return f"The highest mean{over} is that of {highest}; the lowest that of {lowest}."


def _widths(answer: Answer) -> str:
    widths = answer.contestants.groupby("contestant", sort=False)["width_decades"].mean().dropna()
    if widths.empty or not np.isfinite(widths).all():
        return ""
    words = ", ".join(f"{name} {width:.1f}" for name, width in widths.items())
    return f"Width in decades of the rates within 1% of the best: {words}."


def as_json(gallery: Gallery) -> dict[str, Any]:
    """Charts and data sets as lists and dictionaries."""
    charts: list[Mapping[str, Any]] = [
        {"name": chart.name, "variants": [[label, one] for label, one in chart.variants.items()]}
        for chart in gallery.charts
    ]
    return {
        "charts": charts,
        "data": {name: study_tables.columns(table) for name, table in gallery.data_sets.items()},
        "themes": {"light": figures.theme(), "dark": figures.theme(dark=True)},
    }


def html(
    study: Study, answer: Answer, gallery: Gallery | None = None, *, command: str, environment: Mapping[str, Any]
) -> str:
    """The page in one file, with its scripts and data."""
    gallery = gallery or Gallery(study, answer)
    with ThreadPoolExecutor(1) as pool:  # the scripts take as long as all else
        bundle = pool.submit(scripts)
        content = _json(as_json(gallery) | {"table": _columns(study, gallery)})
    return pages.render(
        "study.html",
        title=_question(study),
        answer=answer,
        protocol=[*study_rows.protocol(study), *study_rows.alike(study)],
        protocol_tables=[study_rows.tasks(study), study_rows.spaces(study)],
        tables=[one for one in _tables(study, answer) if one is not None],
        pairs=study_rows.pairs(answer),
        several_tasks=len(study.tasks) > 1,
        tasks=[task.name for task in study.tasks],
        unit=study.unit,
        charts=gallery.charts,
        content=content,
        num_runs=len(study.runs),
        num_shown=len(gallery.data_sets["runs"]),
        command=command,
        environment=_lines(environment),
        bundle=Markup(bundle.result()),
    )


def _question(study: Study) -> str:
    """What the comparison asks."""
    names = [str(name) for name in study.contestants]
    where = study.tasks[0].name if len(study.tasks) == 1 else f"{len(study.tasks)} tasks"
    if len(names) < 2:
        return f"How good is the {study.by.replace('_', ' ')} {names[0] if names else ''} on {where}?"
    listed = f"{', '.join(names[:-1])} or {names[-1]}"
    return f"Which {study.by.replace('_', ' ')} is better on {where}: {listed}?"


def _tables(study: Study, answer: Answer) -> list[study_rows.Table | None]:
    return [
        study_rows.standings(study, answer),
        study_rows.tuning(study, answer),
        study_rows.ensembles(study, answer),
    ]


def _columns(study: Study, gallery: Gallery) -> list[list[str]]:
    """The columns of the table of all runs: in the data, for the reader, and `number` or `text`."""
    runs = gallery.data_sets["runs"]
    hidden = {"score", "reports", *(["task"] if len(study.tasks) == 1 else [])}
    names = [str(name) for name in runs if name not in hidden]
    kinds = ["number" if pd.api.types.is_numeric_dtype(runs[name]) else "text" for name in names]
    labels = [(study.by if name == "contestant" else name).replace("_", " ") for name in names]
    return [list(column) for column in zip(names, labels, kinds, strict=True)]


def _json(content: Mapping[str, Any]) -> Markup:
    """JSON that may stand in an element `script`: nothing in it can end that element."""
    text = printable(json.dumps(content, allow_nan=False, separators=(",", ":"), ensure_ascii=False))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _lines(environment: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The environment as names and texts; the command stands elsewhere."""
    known = {name: value for name, value in environment.items() if name != "command" and value not in (None, [], {})}
    return [(name.replace("_", " "), _in_words(value)) for name, value in known.items()]


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_in_words(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_in_words, value))
    return str(value)


@functools.cache
def scripts() -> str:
    """The scripts of Vega, Vega-Lite and Vega-Embed; one copy serves all charts."""
    import vl_convert

    text = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return text.replace("</script", "<\\/script")
