"""The figures of a comparison's page: which there are, what their captions say, and the data sets that they read."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.comparison.answer import Answer
from jaxnets.comparison.table import Study
from jaxnets.report import study_charts, study_setting_charts, study_standing_charts, study_tables
from jaxnets.report.study_charts import Chart
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
        variants = study_standing_charts.standings(self._names)
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
        variants = study_standing_charts.pairs(names) if names else {}
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
        variants = study_charts.accuracy_over_learning_rate(self._names, each, ceiling)
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
            variants = study_charts.learning_curves(self._names, curve) if len(lines) else {}
            yield Chart(curve, title, caption, variants, "over")

    def _tuning(self) -> Chart:
        table = self._answer.tuning
        self.data_sets["tuning"] = table
        caption = (
            "Expected test accuracy of the setting that is best on dev among so many trials; bands: 95% intervals, "
            "where they can be given. A steep curve needs more tuning."
        )
        budgets = sorted({int(number) for number in table["budget"]})
        variants = study_charts.tuning_curves(self._names, budgets) if budgets else {}
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
            "profiles", "Performance profiles", caption, study_charts.profiles(self._names) if len(table) else {}
        )

    def _settings(self) -> Iterator[Chart]:
        table = study_tables.settings(self._study)
        names = study_tables.axes(self._study, table)
        table, orders = study_setting_charts.cells(table, names)
        table, scales = study_setting_charts.parallel(table, names)
        few = table.iloc[:: max(-(-len(table) // MOST_SETTINGS), 1)]
        self.data_sets |= {"settings": few, "scales": scales}
        shown = f" Shown: {len(few):,} of {len(table):,} settings." if len(few) < len(table) else ""
        caption = (
            "Mean dev accuracy of the settings in each cell, failures counting as chance. Empty: nothing was tried."
            f"{shown}"
        )
        maps = study_setting_charts.heat_maps(table, self._names, orders, self._study.by)
        yield Chart("heat_map", "Two hyperparameters at a time", caption, maps, "show", wide=self._answer.ranks.empty)
        caption = (
            "A line for each setting that was tried, through its hyperparameters to its mean dev accuracy; those near "
            f"the best are drawn stronger. Axes that span two decades are logarithmic.{shown}"
        )
        lines = study_setting_charts.parallel_coordinates(self._names, names)
        yield Chart("parallel", "All hyperparameters at once", caption, lines, "show", wide=True)

    def _ranks(self) -> Chart:
        ranks, bars = study_tables.ranks(self._answer)
        self.data_sets |= {"ranks": ranks, "groups": bars}
        caption = (
            "Mean ranks over tasks and blocks; 1 is best. A bar joins contestants that cannot be told apart "
            f"(critical difference {self._answer.critical_difference:.2f})."
        )
        rows = [*ranks["row"], *bars["row"]]
        variants = study_standing_charts.ranks(rows, self._names) if len(ranks) else {}
        return Chart("ranks", "Ranks", caption, variants)


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
        "themes": {"light": study_charts.theme(False), "dark": study_charts.theme(True)},
    }
