"""Scores by method: each at its chosen setting, pairs, profiles, ranks, and how each was tuned."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.comparison.table import TUNING, Study, TaskFacts
from jaxnets.stats import estimates, hypothesis, selection
from jaxnets.stats.ensembles import ensemble
from jaxnets.stats.estimates import DIFFERENCE, POSITIVE, SHARE, bounded

FIRST, SECOND = "first", "second"
MOST_THRESHOLDS = 60


def scores(study: Study, facts: TaskFacts, column: str = "test_accuracy") -> pd.DataFrame:
    """The score of each contestant (column) in each block or seed (row) of a task; failures count as chance."""
    return _counted(study, facts, column).groupby([study.unit, study.by], sort=False)["_score"].mean().unstack()


def _counted(study: Study, facts: TaskFacts, column: str) -> pd.DataFrame:
    """The runs that report on a task, with their scores as `_score`; failures count as chance."""
    own = study.reporting[study.reporting["task"] == facts.name]
    failed = float(np.log(facts.num_classes)) if column.endswith("loss") else facts.chance
    return own.assign(_score=selection.counted(own, column, failed))


def contestants(study: Study) -> pd.DataFrame:
    """A row for each task and contestant, at its chosen settings; see `jaxnets.comparison.answer.Answer`."""
    runs = study.reporting
    rows = []
    for facts in study.tasks:
        accuracy, loss = (scores(study, facts, column) for column in ("test_accuracy", "test_loss"))
        target = _target(study, runs, facts)
        for name in (name for name in study.contestants if name in accuracy):
            own = runs[(runs["task"] == facts.name) & (runs[study.by] == name)]
            rows.append(
                {"task": facts.name, "contestant": name}
                | _runs(study, own)
                | bounded("accuracy", selection.over_units(accuracy[name], facts.test_share, SHARE, facts.num_test))
                | bounded("median", estimates.median(accuracy[name]))
                | bounded("iqm", estimates.interquartile_mean(accuracy[name]))
                | bounded("loss", selection.over_units(loss[name], facts.test_share, POSITIVE))
                | choice(study, facts, name)
                | _to_target(study, own, target)
                | _averaged(study, own)
            )
    return pd.DataFrame(rows)


def _runs(study: Study, own: pd.DataFrame) -> dict[str, Any]:
    return {
        "setting": _setting(study, own),
        "num_blocks": own["block"].nunique() if "block" in own else 1,
        "num_runs": len(own),
        "diverged_share": float((own["status"] == "diverged").mean()),
    }


def _setting(study: Study, own: pd.DataFrame) -> str:
    """The chosen setting in words; a range of values where blocks differ."""
    names = [name for name in study.tuned if name in own]
    return ", ".join(f"{name} {_span(own[name])}" for name in names if own[name].notna().any())


def _span(values: pd.Series) -> str:
    distinct = list(dict.fromkeys(values))
    if len(distinct) == 1:
        return f"{distinct[0]:.3g}" if isinstance(distinct[0], float) else str(distinct[0])
    if pd.api.types.is_numeric_dtype(values):
        return f"{values.min():.3g} to {values.max():.3g}"
    return " or ".join(map(str, distinct))


def _target(study: Study, runs: pd.DataFrame, facts: TaskFacts) -> float:
    """The accuracy that runs are timed to: the task's, or that which the worst contestant reaches on dev."""
    if not np.isnan(facts.target):
        return facts.target
    own = runs[runs["task"] == facts.name]
    ends = selection.counted(own, "dev_accuracy", facts.chance).groupby(own[study.by]).mean()
    return float(ends.min()) if len(ends) else np.nan


def _to_target(study: Study, own: pd.DataFrame, target: float) -> dict[str, float]:
    """The median run's way to the target: `inf` if over half of the runs do not arrive."""
    curves = study.curves[study.curves["run"].isin(own["run"])]
    first = selection.to_target(curves, target, ["step"], runs=own["run"])["step"].to_numpy()
    seconds = first * (own["seconds"] / own["num_steps"]).to_numpy()
    middle = float(np.median(first)) if len(first) else np.nan
    return {
        "target": target,
        "reached_share": float(np.isfinite(first).mean()) if len(first) else np.nan,
        "steps_to_target": middle,
        "examples_to_target": float(np.median(first * own["batch_size"].to_numpy())) if len(first) else np.nan,
        "seconds_to_target": float(np.median(seconds)) if len(first) else np.nan,
    }


_AVERAGED = ("accuracy", "loss", "calibration")


def _averaged(study: Study, own: pd.DataFrame) -> dict[str, float]:
    """What the average of the seeds' probabilities would say; mean over the blocks."""
    names = [f"{kind}_{name}" for kind in ("single", "ensemble") for name in _AVERAGED]
    own = own[own["status"] == "finished"]
    if study.predictions.empty or own.empty:
        return dict.fromkeys([*names, "members"], np.nan)
    blocks = [group["run"] for _, group in own.groupby("block")] if "block" in own else [own["run"]]
    found = [ensemble(study.predictions, list(runs)) for runs in blocks]
    values = {f"single_{name}": np.mean([getattr(one, f"single_{name}") for one in found]) for name in _AVERAGED}
    values |= {f"ensemble_{name}": np.mean([getattr(one, name) for one in found]) for name in _AVERAGED}
    return {name: float(value) for name, value in values.items()} | {"members": min(one.members for one in found)}


def pairs(study: Study, margin: float, over_examples: bool = False) -> pd.DataFrame:
    """A row for each task and pair of contestants; see `jaxnets.comparison.answer.Answer`.

    Paired t intervals (`difference`, `low`, `high`) hold together for the pairs of a task, each at its `level`, and
    `outcome` is read off them: `first` or `second` is ahead, a `tie` lies within the margin, all else is `open`. A
    contestant is not the best where a bound on its lead (`bound_low` on that of the first, `bound_high`) is below 0:
    they are one-sided for its pairs together, each at `bound_level`; of a single pair they are its interval. Over seeds
    `of_seeds`, `of_choice` and `of_examples` are the shares of the variance.
    """
    tables = [_pairs_of_task(study, facts, margin, over_examples) for facts in study.tasks]
    return pd.concat(tables, ignore_index=True)


def _pairs_of_task(study: Study, facts: TaskFacts, margin: float, over_examples: bool) -> pd.DataFrame:
    table = scores(study, facts)
    names = [name for name in study.contestants if name in table]
    chosen, runs = list(itertools.combinations(names, 2)), _by_repeat(study, facts)
    rows = []
    for one, other in chosen:
        both = table[[one, other]].dropna()
        differences = both[one] - both[other]
        sources = _sources(study, facts, both, over_examples)
        total = sum(sources.values()) or np.nan
        of_unit = selection.correction(study.unit, facts.test_share)
        unseen = sum(sources.values()) - sources.get("seeds", 0)
        found = estimates.corrected_difference(differences, of_unit, unseen, DIFFERENCE)
        together = found.at(hypothesis.ERROR / len(chosen), len(both) - 1)
        each = 2 * hypothesis.ERROR / (len(names) - 1)  # two-sided, so that either bound alone has half of it
        bounds = found.at(each, len(both) - 1) if len(names) > 2 else together
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
                **{f"of_{name}": variance / total for name, variance in sources.items()},
                **bounded("improvement", _improvement(runs[[one, other]].dropna(), of_unit)),
                "unit": study.unit,
                "note": together.note,
                "values": together.values,
                "outcome": hypothesis.outcome(together, margin, FIRST, SECOND),
            }
        )
    return pd.DataFrame(rows).reindex(columns=PAIR)


PAIR = [
    *("task", "first", "second", "difference", "low", "high", "level", "bound_low", "bound_high", "bound_level"),
    *("of_seeds", "of_choice", "of_examples", "improvement", "improvement_low", "improvement_high"),
    *("improvement_note", "unit", "note", "values", "outcome"),
]


def _by_repeat(study: Study, facts: TaskFacts) -> pd.DataFrame:
    """The test accuracies of the runs of each contestant (column) in each repeat (row); seeds alone are one repeat."""
    own = _counted(study, facts, "test_accuracy")
    repeat = own[study.unit] if study.unit != "seed" else pd.Series(0, own.index, name="repeat")
    return own.groupby([repeat, own[study.by]], sort=False)["_score"].agg(list).unstack()


def _improvement(runs: pd.DataFrame, test_share: float) -> estimates.Estimate:
    """The probability that a run of the first contestant is better than one of the second in the same repeat."""
    first, second = (runs[name].tolist() for name in runs)
    return hypothesis.probability_of_improvement(first, second, test_share)


def _sources(study: Study, facts: TaskFacts, both: pd.DataFrame, over_examples: bool) -> dict[str, float]:
    """What adds to the variance of the difference of two contestants, over seeds; blocks and folds show all of it."""
    if study.unit != "seed" or len(both) < 2:
        return {}
    names = list(both.columns)
    found = {"seeds": float((both[names[0]] - both[names[1]]).var()) / len(both)}
    found["choice"] = sum(choice_variance(study, facts, name, float(both[name].var())) for name in names)
    matrices = [_correct(study, facts, name) for name in names] if over_examples and len(study.predictions) else []
    if len(matrices) == 2:
        seeds = matrices[0].index.intersection(matrices[1].index)
        differences = (matrices[0].loc[seeds] - matrices[1].loc[seeds]).to_numpy()
        found["examples"] = estimates.variance_of_examples(differences) if min(differences.shape) > 1 else 0.0
    return found


def _correct(study: Study, facts: TaskFacts, name: str) -> pd.DataFrame:
    """`float[seeds, examples]`, whether the run of a seed that finished is right on a test example."""
    runs = selection.finished(study.reporting)
    runs = runs[(runs["task"] == facts.name) & (runs[study.by] == name)]
    own = study.predictions.merge(runs[["run", "seed"]], on="run")
    own = own.assign(right=(own["prediction"] == own["label"]).astype(float))
    return own.pivot(index="seed", columns="example", values="right")


def normalized(study: Study) -> pd.DataFrame:
    """The confirming runs with `normalized`: 0 at chance, 1 at the mean of the task's best contestant."""
    runs = study.reporting
    parts = []
    for facts in study.tasks:
        own = runs[runs["task"] == facts.name]
        values = selection.counted(own, "test_accuracy", facts.chance)
        best = values.groupby(own[study.by]).mean().max()
        parts.append(own.assign(normalized=(values - facts.chance) / max(best - facts.chance, 1e-9)))
    return pd.concat(parts) if parts else runs.assign(normalized=np.nan)


def profiles(study: Study) -> pd.DataFrame:
    """The share of runs at or above each normalized score; see `jaxnets.comparison.answer.Answer`.

    The bands are over the runs; where there are several blocks, over these, else over the tasks if there are several.
    """
    runs = normalized(study)
    thresholds = np.unique(np.round(np.quantile(runs["normalized"], np.linspace(0, 1, MOST_THRESHOLDS)), 4))
    of_unit = study.unit if study.unit != "seed" else "task"
    test_share = max((facts.test_share for facts in study.tasks), default=np.nan)
    tables = []
    for name in study.contestants:
        own = runs[runs[study.by] == name]
        if own[of_unit].nunique() > 1:
            table = _profile(own, of_unit, thresholds, test_share)
        else:
            table = hypothesis.profile(own["normalized"], thresholds)
        tables.append(table.assign(contestant=name))
    columns = ["contestant", "threshold", "share", "low", "high"]
    return pd.concat(tables, ignore_index=True)[columns]


def _profile(runs: pd.DataFrame, of_unit: str, thresholds: np.ndarray, test_share: float) -> pd.DataFrame:
    """The profile over units, each the mean of its tasks."""
    reached = runs["normalized"].to_numpy()[:, None] >= thresholds
    keys = list(dict.fromkeys([of_unit, "task"]))
    shares = pd.DataFrame(reached, runs.index).groupby([runs[key] for key in keys]).mean().groupby(of_unit).mean()
    found = [selection.over_units(shares[place], test_share, SHARE, len(runs) // len(shares)) for place in shares]
    bounds = {
        "share": [one.value for one in found],
        "low": [one.low for one in found],
        "high": [one.high for one in found],
    }
    return pd.DataFrame({"threshold": thresholds, **bounds})


def task_scores(study: Study) -> pd.DataFrame:
    """Mean test accuracies: a row for each task, or for each block where there is but one task."""
    tables = {facts.name: scores(study, facts) for facts in study.tasks}
    if len(tables) == 1:
        (only,) = tables.values()
        return only.iloc[:0] if study.unit == "seed" else only
    return pd.DataFrame({name: table.mean() for name, table in tables.items()}).T.dropna(axis=1)


def ranks(study: Study) -> tuple[pd.DataFrame, float, tuple[tuple[str, ...], ...]]:
    """Mean ranks, their critical difference, and the groups that cannot be told apart."""
    table = task_scores(study)
    if len(table) < 2 or table.shape[1] < 2:
        return pd.DataFrame({"contestant": [], "rank": []}), np.nan, ()
    mean_ranks = hypothesis.average_ranks(table.to_numpy())
    found = pd.DataFrame({"contestant": list(table.columns), "rank": mean_ranks}).sort_values("rank")
    difference = hypothesis.critical_difference(table.shape[1], len(table))
    groups = hypothesis.indistinct(table.to_numpy(), list(table.columns))
    return found.reset_index(drop=True), difference, tuple(tuple(group) for group in groups)


def choice(study: Study, facts: TaskFacts, name: str) -> dict[str, Any]:
    """How a contestant was tuned: how wide the good learning rates are, and whether the best lies on the edge."""
    points = rate_scores(study, facts, name)
    own = study.phase(TUNING)
    own = own[(own["task"] == facts.name) & (own[study.by] == name)]
    widths = [selection.good_width(group["learning_rate"], group["accuracy"]) for _, group in points.groupby("block")]
    best = selection.best_configurations(own, study.groups) if len(own) else pd.DataFrame({"learning_rate": []})
    rates = sorted(own["learning_rate"].unique())
    return {
        "width_decades": float(np.mean(widths)) if widths else np.nan,
        "edge": any(selection.on_edge(rates, rate) for rate in best["learning_rate"]),
        "tuning_runs": len(own),
        "tuning_diverged_share": float((own["status"] == "diverged").mean()) if len(own) else np.nan,
    }


def choice_variance(study: Study, facts: TaskFacts, name: str, seed_variance: float) -> float:
    """What the luck of the tuning adds to the variance of a contestant's score; see `selection.choice_variance`."""
    runs = study.phase(TUNING)
    own = runs[(runs["task"] == facts.name) & (runs[study.by] == name)]
    if own.empty:
        return 0.0
    keys = [column for column in study.tuned if column in own]
    own = own.assign(_setting=own.groupby(keys, sort=False, dropna=False).ngroup())
    dev, test = (_matrix(own, column, facts.chance) for column in ("dev_accuracy", "test_accuracy"))
    return selection.choice_variance(dev, test, seed_variance, drawn=study.protocol.search != "grid")


def _matrix(own: pd.DataFrame, column: str, chance: float) -> np.ndarray:
    """A column of runs as `float[settings, seeds]`; one that a search dropped is as good as the worst that it kept,
    or as chance where it kept none.
    """
    scored = own.assign(_score=selection.counted(own, column, chance))
    dropped = scored["status"] == selection.STOPPED
    scored["_score"] = scored["_score"].where(~dropped, scored["_score"][~dropped].min()).fillna(chance)
    return scored.pivot_table(index="_setting", columns="seed", values="_score").to_numpy(np.float64)


def rate_scores(study: Study, facts: TaskFacts, name: str) -> pd.DataFrame:
    """The best mean dev accuracy at each learning rate, of a contestant in each block: `block`, `learning_rate`,
    `accuracy`.
    """
    own = study.phase(TUNING)
    own = own[(own["task"] == facts.name) & (own[study.by] == name)]
    own = own.assign(_score=_on_dev(own, facts), block=own.get("block", 0))
    keys = ["block", *(column for column in study.tuned if column in own)]
    settings = own.groupby(keys, sort=False, dropna=False)["_score"].mean().reset_index()
    best = settings.groupby(["block", "learning_rate"])["_score"].max().rename("accuracy")
    return best.reset_index()


def _on_dev(own: pd.DataFrame, facts: TaskFacts) -> pd.Series:
    """The accuracy of runs on dev; of those that a search dropped, the best that they had reached."""
    counted = selection.counted(own, "dev_accuracy", facts.chance)
    return counted.where(own["status"] != selection.STOPPED, own.get("best_dev_accuracy", counted)).astype(np.float64)


def sensitivity(study: Study) -> pd.DataFrame:
    """Dev accuracy over the learning rate, of the runs that tuned; see `jaxnets.comparison.answer.Answer`."""
    rows = []
    for facts, name, own in _by_contestant(study):
        scores = _on_dev(own, facts).groupby([own["learning_rate"], own[study.unit]]).mean()
        rates = own.groupby("learning_rate")["status"]
        diverged, counts = rates.agg(lambda statuses: (statuses == "diverged").mean()), rates.size()
        for rate, values in scores.groupby(level=0):
            rows.append(
                {"task": facts.name, "contestant": name, "learning_rate": rate}
                | bounded("accuracy", selection.over_units(values.droplevel(0), facts.test_share, SHARE, facts.num_dev))
                | {"diverged_share": float(diverged[rate]), "num_runs": int(counts[rate])}
            )
    table = pd.DataFrame(rows, columns=[*_SENSITIVITY])
    return table.rename(columns={"accuracy_low": "low", "accuracy_high": "high"})


_SENSITIVITY = (
    *("task", "contestant", "learning_rate", "accuracy", "accuracy_low", "accuracy_high"),
    *("diverged_share", "num_runs"),
)


def _by_contestant(study: Study) -> Iterator[tuple[TaskFacts, str, pd.DataFrame]]:
    """The runs that tuned each contestant on each task."""
    runs = study.phase(TUNING)
    for facts in study.tasks:
        of_task = runs[runs["task"] == facts.name]
        for name in study.contestants:
            own = of_task[of_task[study.by] == name]
            if len(own):
                yield facts, name, own


def tuning_curves(study: Study) -> pd.DataFrame:
    """The expected test accuracy of the best of so many trials; see `jaxnets.comparison.answer.Answer`.

    It holds for trials that are drawn at random: there is none of a grid, nor of trials of which a search dropped some.
    """
    tables = []
    for facts, name, own in _by_contestant(study):
        blocks: Iterable[tuple[Any, pd.DataFrame]] = own.groupby("block") if "block" in own else [(0, own)]
        if (own["status"] == selection.STOPPED).any() or not all(_are_drawn(study, group) for _, group in blocks):
            continue
        curves = {block: _tuning_curve(study, facts, group) for block, group in blocks}
        tables.append(_over_blocks(curves, facts).assign(task=facts.name, contestant=name))
    numbers = ["budget", "accuracy", "low", "high"]
    nothing = pd.DataFrame(columns=["task", "contestant", *numbers]).astype(dict.fromkeys(numbers, float))
    return pd.concat(tables, ignore_index=True)[list(nothing.columns)] if tables else nothing


def _are_drawn(study: Study, own: pd.DataFrame) -> bool:
    """Whether the settings of one contestant in one block are draws of their own.

    Where a list is crossed with them, each draw comes back at every value of the list.
    """
    settings = own[[name for name in study.tuned if name in own]].drop_duplicates()
    return study.protocol.search != "grid" and bool(settings.nunique().max() == len(settings))


def _tuning_curve(study: Study, facts: TaskFacts, own: pd.DataFrame) -> pd.DataFrame:
    """Over the settings of one contestant in one block: means over the seeds."""
    scored = own.assign(
        _dev=selection.counted(own, "dev_accuracy", facts.chance),
        _test=selection.counted(own, "test_accuracy", facts.chance),
    )
    keys = [name for name in study.tuned if name in own]
    settings = scored.groupby(keys, sort=False, dropna=False)[["_dev", "_test"]].mean()
    return selection.expected_best(settings["_dev"], settings["_test"], budgets(len(settings)))


def budgets(num_trials: int) -> list[int]:
    """Numbers of trials, evenly spaced in their logarithms.

    >>> budgets(9)
    [1, 2, 3, 4, 5, 7, 9]
    """
    return sorted({round(number) for number in np.geomspace(1, num_trials, min(num_trials, 12))})


def _over_blocks(curves: Mapping[Any, pd.DataFrame], facts: TaskFacts) -> pd.DataFrame:
    """One curve: its own interval for one block, else that over the blocks."""
    if len(curves) == 1:
        return next(iter(curves.values())).rename(columns={"value": "accuracy"})
    values = pd.DataFrame({block: curve.set_index("budget")["value"] for block, curve in curves.items()})
    rows = [row.dropna() for _, row in values.rename_axis(columns="block").iterrows()]
    found = [selection.over_units(row, facts.test_share, SHARE, facts.num_test) for row in rows]
    return pd.DataFrame(
        {
            "budget": values.index,
            "accuracy": [estimate.value for estimate in found],
            "low": [estimate.low for estimate in found],
            "high": [estimate.high for estimate in found],
        }
    )
