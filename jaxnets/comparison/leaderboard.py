"""Scores by method: each at its chosen setting, pairs, profiles, ranks, and how each was tuned."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from jaxnets import metrics
from jaxnets.comparison.table import TUNING, Comparison, TaskFacts
from jaxnets.stats import estimates, hypothesis, selection
from jaxnets.stats.ensembles import ensemble
from jaxnets.stats.estimates import DIFFERENCE, SHARE, Estimate, bounded

FIRST, SECOND = "first", "second"
MOST_THRESHOLDS = 60


def _of(comparison: Comparison, runs: pd.DataFrame, facts: TaskFacts, name: str) -> pd.DataFrame:
    return runs[(runs["task"] == facts.name) & (runs[comparison.by] == name)]


def failed(facts: TaskFacts, column: str) -> float:
    """What a run without a result counts as on a task: chance, or the loss of a blind guess."""
    metric = metrics.of_column(column)
    assert metric is not None  # scores are metrics
    return metric.failed(facts.chance, facts.num_classes)


def _counted(comparison: Comparison, facts: TaskFacts, column: str) -> pd.DataFrame:
    """The runs that report on a task, with their scores as `_score`; failures count as chance."""
    own = comparison.reporting[comparison.reporting["task"] == facts.name]
    return own.assign(_score=selection.counted(own, column, failed(facts, column)))


def scores(comparison: Comparison, facts: TaskFacts, column: str = "test_accuracy") -> pd.DataFrame:
    """The score of each method (column) in each repeat or seed (row) of a task; failures count as chance."""
    return (
        _counted(comparison, facts, column)
        .groupby([comparison.unit, comparison.by], sort=False)["_score"]
        .mean()
        .unstack()
    )


def _mean(
    comparison: Comparison, values: pd.Series, facts: TaskFacts, column: str, examples: int | None = None
) -> Estimate:
    """The mean of a metric over the units of a comparison; that of shares knows over how many examples each counts."""
    kind = estimates.kind_of(column)
    return selection.over_units(values, facts.test_share, kind, examples if kind == SHARE else None, comparison.level)


# ---- each at its chosen setting ---------------------------------------------------------------------------------


def methods(comparison: Comparison) -> pd.DataFrame:
    """A row for each task and method, at its chosen settings."""
    rows = []
    for facts in comparison.tasks:
        # what was measured, the accuracy first
        measured = [name for name in reversed(metrics.METRICS) if f"test_{name}" in comparison.runs]
        tables = {name: scores(comparison, facts, f"test_{name}") for name in measured}
        accuracy, target = tables["accuracy"], facts.target
        if np.isnan(target):  # runs are timed to what the worst method reaches on dev
            ends = _counted(comparison, facts, metrics.SCORE).groupby(comparison.by)["_score"].mean()
            target = float(ends.min()) if len(ends) else np.nan
        for name in (name for name in comparison.methods if name in accuracy):
            own = _of(comparison, comparison.reporting, facts, name)
            row: dict[str, Any] = {"task": facts.name, "method": name, "setting": _setting(comparison, own)}
            row |= {"num_repeats": own["repeat"].nunique() if "repeat" in own else 1, "num_runs": len(own)}
            row |= {"diverged_share": float((own["status"] == "diverged").mean())}
            for metric, table in tables.items():
                row |= bounded(metric, _mean(comparison, table[name], facts, metric, facts.num_test))
                if metric == "accuracy":
                    row |= bounded("median", estimates.median(table[name], comparison.level))
                    row |= bounded("iqm", estimates.interquartile_mean(table[name], level=comparison.level))
            rows.append(
                row
                | _choice(comparison, facts, name)
                | _to_target(comparison, own, target)
                | _averaged(comparison, own)
            )
    return pd.DataFrame(rows)


def _setting(comparison: Comparison, own: pd.DataFrame) -> str:
    """The chosen setting in words; a range of values where repeats differ."""

    def words(values: pd.Series) -> str:
        distinct = list(dict.fromkeys(values))
        if len(distinct) > 1:
            numeric = pd.api.types.is_numeric_dtype(values)
            return f"{values.min():.3g} to {values.max():.3g}" if numeric else " or ".join(map(str, distinct))
        return f"{distinct[0]:.3g}" if isinstance(distinct[0], float) else str(distinct[0])

    return ", ".join(
        f"{name} {words(own[name])}" for name in comparison.tuned if name in own and own[name].notna().any()
    )


def _to_target(comparison: Comparison, own: pd.DataFrame, target: float) -> dict[str, float]:
    """The median run's way to the target: `inf` if over half of the runs do not arrive."""
    curves = comparison.curves[comparison.curves["run"].isin(own["run"])]
    first = selection.to_target(curves, target, ["step"], runs=own["run"])["step"].to_numpy()
    costs = {
        "steps": first,
        "examples": first * own["batch_size"].to_numpy() if len(first) else first,
        "seconds": first * (own["seconds"] / own["num_steps"]).to_numpy(),
    }
    reached = float(np.isfinite(first).mean()) if len(first) else np.nan
    medians = {f"{name}_to_target": float(np.median(cost)) if len(cost) else np.nan for name, cost in costs.items()}
    return {"target": target, "reached_share": reached, **medians}


def _averaged(comparison: Comparison, own: pd.DataFrame) -> dict[str, float]:
    """What the average of the seeds' probabilities would say; mean over the repeats."""
    own = selection.finished(own)
    repeats = [group["run"] for _, group in own.groupby("repeat")] if "repeat" in own else [own["run"]]
    kept = not comparison.predictions.empty and not own.empty
    found = (
        [ensemble(comparison.predictions, list(runs)) for runs in repeats] if kept else [ensemble(pd.DataFrame(), [])]
    )
    row = {
        f"{kind}_{name}": float(np.mean([getattr(one, f"{prefix}{name}") for one in found]))
        for kind, prefix in (("single", "single_"), ("ensemble", ""))
        for name in ("accuracy", "loss", "calibration")
    }
    return row | {"members": min(one.members for one in found) if kept else np.nan}


def _choice(comparison: Comparison, facts: TaskFacts, name: str) -> dict[str, Any]:
    """How a method was tuned: how wide the good learning rates are, and whether the best lies on the edge."""
    own = _of(comparison, comparison.phase(TUNING), facts, name)
    if own.empty:
        return {"width_decades": np.nan, "edge": False, "tuning_runs": 0, "tuning_diverged_share": np.nan}
    scored = own.assign(_score=_on_dev(own, facts), repeat=own.get("repeat", 0))
    settings = scored.groupby(["repeat", *_tuned(comparison, own)], sort=False, dropna=False)["_score"].mean()
    best = settings.groupby(["repeat", "learning_rate"]).max().reset_index()
    chosen, rates = selection.best_configurations(own, comparison.groups), sorted(own["learning_rate"].unique())
    widths = [selection.good_width(group["learning_rate"], group["_score"]) for _, group in best.groupby("repeat")]
    return {
        "width_decades": float(np.mean(widths)),
        "edge": any(selection.on_edge(rates, rate) for rate in chosen["learning_rate"]),
        "tuning_runs": len(own),
        "tuning_diverged_share": float((own["status"] == "diverged").mean()),
    }


def _tuned(comparison: Comparison, own: pd.DataFrame) -> list[str]:
    return [name for name in comparison.tuned if name in own]


def _on_dev(own: pd.DataFrame, facts: TaskFacts) -> pd.Series:
    """The accuracy of runs on dev; of those that a search dropped, the best that they had reached."""
    counted = selection.counted(own, "dev_accuracy", facts.chance)
    return counted.where(own["status"] != selection.STOPPED, own.get("best_dev_accuracy", counted)).astype(np.float64)


# ---- pairs ------------------------------------------------------------------------------------------------------


PAIR = [
    *("task", "first", "second", "difference", "low", "high", "level", "bound_low", "bound_high", "bound_level"),
    *("of_seeds", "of_choice", "of_examples", "improvement", "improvement_low", "improvement_high"),
    *("improvement_note", "unit", "note", "values", "outcome"),
]


def pairs(comparison: Comparison, margin: float, over_examples: bool = False) -> pd.DataFrame:
    """A row for each task and pair of methods, in their order.

    Paired t intervals (`difference`, `low`, `high`) hold together for the pairs of a task, each at its `level`, and
    `outcome` is read off them: `first` or `second` is ahead, a `tie` lies within the margin, all else is `open`. A
    method is not the best where a bound on its lead (`bound_low` on that of the first, `bound_high`) is below 0:
    they are one-sided for its pairs together, each at `bound_level`; of a single pair they are its interval. Over seeds
    `of_seeds`, `of_choice` and `of_examples` are the shares of the variance.
    """
    rows = []
    for facts in comparison.tasks:
        table, own = scores(comparison, facts), _counted(comparison, facts, "test_accuracy")
        names = [name for name in comparison.methods if name in table]
        chosen, of_unit = (
            list(itertools.combinations(names, 2)),
            selection.correction(comparison.unit, facts.test_share),
        )
        repeat = own[comparison.unit] if comparison.unit != "seed" else pd.Series(0, own.index, name="repeat")
        runs = own.groupby([repeat, own[comparison.by]], sort=False)["_score"].agg(list).unstack()
        for one, other in chosen:
            both, differences = table[[one, other]].dropna(), (table[one] - table[other]).dropna()
            sources = _sources(comparison, facts, both, over_examples)
            total = sum(sources.values())
            unseen = total - sources.get("seeds", 0)
            found = estimates.corrected_difference(differences, of_unit, unseen, DIFFERENCE, level=comparison.level)
            together = found.at((1 - comparison.level) / len(chosen), len(both) - 1)
            each = 2 * (1 - comparison.level) / (len(names) - 1)  # two-sided, so that either bound alone has half of it
            bounds = found.at(each, len(both) - 1) if len(names) > 2 else together
            first, second = (runs[[one, other]].dropna()[name].tolist() for name in (one, other))
            better = hypothesis.probability_of_improvement(first, second, of_unit, comparison.level)
            rows.append(
                {
                    "task": facts.name,
                    "first": one,
                    "second": other,
                    "difference": together.value,
                    "low": together.low,
                    "high": together.high,
                    "level": together.level,
                    "bound_low": bounds.low,
                    "bound_high": bounds.high,
                    "bound_level": 1 - each / 2 if len(names) > 2 else together.level,
                    **{f"of_{name}": variance / (total or np.nan) for name, variance in sources.items()},
                    **bounded("improvement", better),
                    "unit": comparison.unit,
                    "note": together.note,
                    "values": together.values,
                    "outcome": hypothesis.outcome(together, margin, FIRST, SECOND),
                }
            )
    return pd.DataFrame(rows).reindex(columns=PAIR)


def turned(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs with their methods exchanged."""
    ends = (("low", "high", 0), ("bound_low", "bound_high", 0), ("improvement_low", "improvement_high", 1))
    exchanged = {one: end - pairs[other] for low, high, end in ends for one, other in ((low, high), (high, low))}
    return pairs.assign(
        first=pairs["second"],
        second=pairs["first"],
        outcome=pairs["outcome"].replace({FIRST: SECOND, SECOND: FIRST}),
        difference=-pairs["difference"],
        improvement=1 - pairs["improvement"],
        values=pairs["values"].map(lambda values: tuple(-value for value in values)),
        **exchanged,
    )


def seen_from(pairs: pd.DataFrame, name: str) -> pd.DataFrame:
    """The pairs of a method, with it as the first of each."""
    return pd.concat([pairs[pairs["first"] == name], turned(pairs[pairs["second"] == name])])


def best_first(pairs: pd.DataFrame, methods: pd.DataFrame) -> pd.DataFrame:
    """The pairs, the better of each first, in the order of a table of methods."""
    if pairs.empty:
        return pairs
    order = {(row.task, row.method): place for place, row in enumerate(methods.itertuples())}

    def places(column: str) -> np.ndarray:
        return np.array([order[key] for key in zip(pairs["task"], pairs[column], strict=True)])

    one, other = places("first"), places("second")
    both = pd.concat([pairs[one < other], turned(pairs[one > other])]).sort_index()
    return both.iloc[np.lexsort([np.maximum(one, other), np.minimum(one, other)])].reset_index(drop=True)


def _sources(comparison: Comparison, facts: TaskFacts, both: pd.DataFrame, over_examples: bool) -> dict[str, float]:
    """What adds to the variance of the difference of two methods, over seeds; repeats and folds show all of it."""
    if comparison.unit != "seed" or len(both) < 2:
        return {}
    names = list(both.columns)
    found = {"seeds": float((both[names[0]] - both[names[1]]).var()) / len(both)}
    found["choice"] = sum(_choice_variance(comparison, facts, name, float(both[name].var())) for name in names)
    if over_examples and len(comparison.predictions):
        first, second = (_correct(comparison, facts, name) for name in names)
        seeds = first.index.intersection(second.index)
        differences = (first.loc[seeds] - second.loc[seeds]).to_numpy()
        found["examples"] = estimates.variance_of_examples(differences) if min(differences.shape) > 1 else 0.0
    return found


def _correct(comparison: Comparison, facts: TaskFacts, name: str) -> pd.DataFrame:
    """`float[seeds, examples]`, whether the run of a seed that finished is right on a test example."""
    runs = _of(comparison, selection.finished(comparison.reporting), facts, name)
    own = comparison.predictions.merge(runs[["run", "seed"]], on="run")
    own = own.assign(right=(own["prediction"] == own["label"]).astype(float))
    return own.pivot(index="seed", columns="example", values="right")


def _choice_variance(comparison: Comparison, facts: TaskFacts, name: str, seed_variance: float) -> float:
    """What the luck of the tuning adds to the variance of a method's score; see `selection.choice_variance`."""
    own = _of(comparison, comparison.phase(TUNING), facts, name)
    if own.empty:
        return 0.0
    own = own.assign(_setting=own.groupby(_tuned(comparison, own), sort=False, dropna=False).ngroup())
    matrices, dropped = [], own["status"] == selection.STOPPED
    for column in ("dev_accuracy", "test_accuracy"):
        score = selection.counted(own, column, failed(facts, column))
        # a dropped run is as good as the worst that was kept, or as chance where none was
        own["_score"] = score.where(~dropped, score[~dropped].min()).fillna(failed(facts, column))
        matrices.append(own.pivot_table(index="_setting", columns="seed", values="_score").to_numpy(np.float64))
    dev, test = matrices
    return selection.choice_variance(dev, test, seed_variance, drawn=comparison.protocol.search != "grid")


# ---- over tasks and repeats --------------------------------------------------------------------------------------


def profiles(comparison: Comparison) -> pd.DataFrame:
    """The share of runs at or above each normalized score: 0 at chance, 1 at the mean of the task's best method.

    The bands are over the runs; where there are several repeats, over these, else over the tasks if there are several.
    """
    parts = []
    for facts in comparison.tasks:
        own = _counted(comparison, facts, "test_accuracy")
        best = own.groupby(comparison.by)["_score"].mean().max()
        parts.append(own.assign(normalized=(own["_score"] - facts.chance) / max(best - facts.chance, 1e-9)))
    runs = pd.concat(parts)
    thresholds = np.unique(np.round(np.quantile(runs["normalized"], np.linspace(0, 1, MOST_THRESHOLDS)), 4))
    of_unit = comparison.unit if comparison.unit != "seed" else "task"
    test_share = max(facts.test_share for facts in comparison.tasks)
    tables = []
    for name in comparison.methods:
        own = runs[runs[comparison.by] == name]
        table = hypothesis.profile(own["normalized"], thresholds, comparison.level)
        if own[of_unit].nunique() > 1:
            keys = [own[key] for key in dict.fromkeys([of_unit, "task"])]
            reached = pd.DataFrame(own["normalized"].to_numpy()[:, None] >= thresholds, own.index)
            means = reached.groupby(keys).mean().groupby(of_unit).mean()
            examples = len(own) // len(means)
            found = [selection.over_units(means[at], test_share, SHARE, examples, comparison.level) for at in means]
            table = pd.DataFrame({"threshold": thresholds, **_columns("share", found)})
        tables.append(table.assign(method=name))
    return pd.concat(tables, ignore_index=True)[["method", "threshold", "share", "low", "high"]]


def _columns(name: str, found: list[Estimate]) -> dict[str, list[float]]:
    return {name: [one.value for one in found], "low": [one.low for one in found], "high": [one.high for one in found]}


def ranks(comparison: Comparison) -> tuple[pd.DataFrame, float, tuple[tuple[str, ...], ...]]:
    """Mean ranks, their critical difference, and the groups that cannot be told apart: over tasks, or of one task over
    repeats.
    """
    tables = {facts.name: scores(comparison, facts) for facts in comparison.tasks}
    table = pd.DataFrame({name: own.mean() for name, own in tables.items()}).T.dropna(axis=1)
    if len(tables) == 1 and comparison.unit != "seed":
        (table,) = tables.values()
    if len(table) < 2 or table.shape[1] < 2:
        return pd.DataFrame({"method": [], "rank": []}), np.nan, ()
    mean_ranks = hypothesis.average_ranks(table.to_numpy())
    found = pd.DataFrame({"method": list(table.columns), "rank": mean_ranks}).sort_values("rank")
    difference = hypothesis.critical_difference(table.shape[1], len(table), comparison.level)
    groups = hypothesis.indistinct(table.to_numpy(), list(table.columns), comparison.level)
    return found.reset_index(drop=True), difference, groups


# ---- the runs that tuned ----------------------------------------------------------------------------------------


def _by_method(comparison: Comparison) -> Iterator[tuple[TaskFacts, str, pd.DataFrame]]:
    """The runs that tuned each method on each task."""
    for facts, name in itertools.product(comparison.tasks, comparison.methods):
        if len(own := _of(comparison, comparison.phase(TUNING), facts, name)):
            yield facts, name, own


def sensitivity(comparison: Comparison) -> pd.DataFrame:
    """Dev accuracy over the learning rate."""
    columns = ["task", "method", "learning_rate", "accuracy", "low", "high", "diverged_share", "num_runs"]
    rows = []
    for facts, name, own in _by_method(comparison):
        scores = _on_dev(own, facts).groupby([own["learning_rate"], own[comparison.unit]]).mean()
        for rate, values in scores.groupby(level=0):
            found = _mean(comparison, values.droplevel(0), facts, "accuracy", facts.num_dev)
            statuses = own.loc[own["learning_rate"] == rate, "status"]
            counts = float((statuses == "diverged").mean()), len(statuses)
            rows.append((facts.name, name, rate, found.value, found.low, found.high, *counts))
    return pd.DataFrame(rows, columns=columns)


def tuning_curves(comparison: Comparison) -> pd.DataFrame:
    """The expected test accuracy of the best of so many trials.

    It holds for trials that are drawn at random: there is none of a grid, nor where a list is crossed with draws, nor
    of trials of which a search dropped some.
    """
    columns = ["task", "method", "budget", "accuracy", "low", "high"]
    tables = []
    for facts, name, own in _by_method(comparison):
        tuned = _tuned(comparison, own)
        scored = own.assign(repeat=own.get("repeat", 0)).assign(
            _dev=selection.counted(own, "dev_accuracy", facts.chance),
            _test=selection.counted(own, "test_accuracy", facts.chance),
        )
        curves, drawn = {}, comparison.protocol.search != "grid" and not (own["status"] == selection.STOPPED).any()
        for repeat, group in scored.groupby("repeat"):
            trials = group.groupby(tuned, sort=False, dropna=False)[["_dev", "_test"]].mean()
            drawn = drawn and group[tuned].drop_duplicates().nunique().max() == len(trials)
            curves[repeat] = trials
        if not drawn:
            continue
        curves = {
            repeat: selection.expected_best(one["_dev"], one["_test"], budgets(len(one)), comparison.level).set_index(
                "budget"
            )
            for repeat, one in curves.items()
        }
        curve = next(iter(curves.values())).rename(columns={"value": "accuracy"}).reset_index()
        if len(curves) > 1:
            values = pd.DataFrame({repeat: one["value"] for repeat, one in curves.items()}).rename_axis(
                columns="repeat"
            )
            found = [_mean(comparison, row.dropna(), facts, "accuracy", facts.num_test) for _, row in values.iterrows()]
            curve = pd.DataFrame({"budget": values.index, **_columns("accuracy", found)})
        tables.append(curve.assign(task=facts.name, method=name))
    if not tables:
        return pd.DataFrame(columns=columns).astype(dict.fromkeys(columns[2:], float))
    return pd.concat(tables, ignore_index=True)[columns]


def budgets(num_trials: int) -> list[int]:
    """Numbers of trials, evenly spaced in their logarithms.

    >>> budgets(9)
    [1, 2, 3, 4, 5, 7, 9]
    """
    return sorted({round(number) for number in np.geomspace(1, num_trials, min(num_trials, 12))})
