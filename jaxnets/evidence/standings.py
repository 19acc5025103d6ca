"""The tables of a comparison's answer: each contestant at its chosen settings, pairs of them, and their ranks."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.evidence import choosing, comparing, intervals, tuned, tuning
from jaxnets.evidence.ensembles import ensemble
from jaxnets.evidence.intervals import UNKNOWN, Estimate
from jaxnets.evidence.study import Study, TaskFacts
from jaxnets.evidence.tuned import bounded

FIRST, SECOND = "first", "second"
MOST_THRESHOLDS = 60


def scores(study: Study, facts: TaskFacts, column: str = "test_accuracy") -> pd.DataFrame:
    """The score of each contestant (column) in each block or seed (row) of a task; failures count as chance.

    Args:
      study: what was found.
      facts: of the task.
      column: `test_accuracy` or `test_loss`.
    """
    own = study.reporting[study.reporting["task"] == facts.name]
    failed = float(np.log(facts.num_classes)) if column.endswith("loss") else facts.chance
    counted = own.assign(_score=choosing.counted(own, column, failed))
    return counted.groupby([study.unit, study.by], sort=False)["_score"].mean().unstack()


def contestants(study: Study) -> pd.DataFrame:
    """A row for each task and contestant, at its chosen settings; see `jaxnets.evidence.answer.Answer`."""
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
                | bounded("accuracy", _mean(study, accuracy[name], facts, facts.num_test))
                | bounded("median", intervals.median(accuracy[name]))
                | bounded("iqm", intervals.interquartile_mean(accuracy[name]))
                | bounded("loss", _mean(study, loss[name], facts))
                | tuned.choice(study, facts, name)
                | _to_target(study, own, target)
                | _averaged(study, own)
            )
    return pd.DataFrame(rows)


def _mean(study: Study, values: pd.Series, facts: TaskFacts, examples: int | None = None) -> Estimate:
    """The mean over the units; blocks share examples, so their mean is less certain than its spread tells."""
    if study.unit == "seed":
        return intervals.mean(values, examples)
    return intervals.corrected_difference(values, facts.num_test / facts.num_train)


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
    ends = choosing.counted(own, "dev_accuracy", facts.chance).groupby(own[study.by]).mean()
    return float(ends.min()) if len(ends) else np.nan


def _to_target(study: Study, own: pd.DataFrame, target: float) -> dict[str, float]:
    """The median run's way to the target: `inf` if over half of the runs do not arrive."""
    curves = study.curves[study.curves["run"].isin(own["run"])]
    first = tuning.to_target(curves, target, ["step"], runs=own["run"])["step"].to_numpy()
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


def pairs(study: Study, margin: float) -> pd.DataFrame:
    """A row for each task and pair of contestants; see `jaxnets.evidence.answer.Answer`.

    `first` and `second` are ahead where the p value, corrected over the pairs of the task by Holm (1979), is below
    0.05; a `tie` is an interval within the margin; all else is `open`.

    Args:
      study: what was found.
      margin: the difference of accuracies below which nobody cares.
    """
    tables = [_pairs_of_task(study, facts, margin) for facts in study.tasks]
    return pd.concat(tables, ignore_index=True)


def _pairs_of_task(study: Study, facts: TaskFacts, margin: float) -> pd.DataFrame:
    table = scores(study, facts)
    names = [name for name in study.contestants if name in table]
    rows = [_pair(study, table[[one, other]].dropna(), facts) for one, other in itertools.combinations(names, 2)]
    found = pd.DataFrame(rows, columns=_PAIR)
    found["p_holm"] = comparing.holm(found["p_value"])
    found["outcome"] = [comparing.outcome(row, margin, FIRST, SECOND) for row in found.to_dict("records")]
    return found


_PAIR = [
    *("task", "first", "second", "difference", "low", "high", "p_value"),
    *("improvement", "improvement_low", "improvement_high", "unit", "note"),
]


def _pair(study: Study, both: pd.DataFrame, facts: TaskFacts) -> dict[str, Any]:
    """Two contestants on the same seeds or blocks."""
    one, other = both.columns
    share, variance = facts.num_test / facts.num_train, 0.0
    if study.unit == "seed":
        share, variance = 0.0, sum(tuned.choice_variance(study, facts, name, both[name].var()) for name in both.columns)
    estimate, p_value = comparing.effect(both[one] - both[other], share, variance)
    better = comparing.probability_of_improvement(both[one], both[other])
    return {
        "task": facts.name,
        "first": one,
        "second": other,
        **{name: getattr(estimate, place) for name, place in _ESTIMATE.items()},
        "p_value": p_value,
        **bounded("improvement", better),
        "unit": study.unit,
        "note": estimate.note,
    }


_ESTIMATE = {"difference": "value", "low": "low", "high": "high"}


def normalized(study: Study) -> pd.DataFrame:
    """The confirming runs with `normalized`: 0 at chance, 1 at the mean of the task's best contestant."""
    runs = study.reporting
    parts = []
    for facts in study.tasks:
        own = runs[runs["task"] == facts.name]
        values = choosing.counted(own, "test_accuracy", facts.chance)
        best = values.groupby(own[study.by]).mean().max()
        parts.append(own.assign(normalized=(values - facts.chance) / max(best - facts.chance, 1e-9)))
    return pd.concat(parts) if parts else runs.assign(normalized=np.nan)


def profiles(study: Study) -> pd.DataFrame:
    """The share of runs at or above each normalized score; see `jaxnets.evidence.answer.Answer`.

    The bands are over the runs; where there are several blocks or tasks, over these.
    """
    runs = normalized(study)
    thresholds = np.unique(np.round(np.quantile(runs["normalized"], np.linspace(0, 1, MOST_THRESHOLDS)), 4))
    keys = [name for name in ("task", study.unit) if name != "seed" and runs[name].nunique() > 1]
    tables = []
    for name in study.contestants:
        own = runs[runs[study.by] == name]
        groups = [group["normalized"] for _, group in own.groupby(keys)] if keys else [own["normalized"]]
        tables.append(_profile(groups, thresholds).assign(contestant=name))
    columns = ["contestant", "threshold", "share", "low", "high"]
    return pd.concat(tables, ignore_index=True)[columns]


def _profile(groups: Sequence[pd.Series], thresholds: np.ndarray) -> pd.DataFrame:
    if len(groups) == 1:
        return comparing.profile(groups[0], thresholds)
    shares = np.stack([comparing.profile(values, thresholds)["share"] for values in groups])
    found = [intervals.mean(of_threshold).clipped(0, 1) for of_threshold in shares.T]
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
    mean_ranks = comparing.average_ranks(table.to_numpy())
    found = pd.DataFrame({"contestant": list(table.columns), "rank": mean_ranks}).sort_values("rank")
    difference = comparing.critical_difference(table.shape[1], len(table))
    groups = comparing.indistinct(table.to_numpy(), list(table.columns))
    return found.reset_index(drop=True), difference, tuple(tuple(group) for group in groups)


def crossed(study: Study, facts: TaskFacts, first: str, second: str) -> Estimate:
    """The difference of two contestants over seeds and test examples together; unknown without predictions."""
    runs = study.reporting
    runs = runs[(runs["task"] == facts.name) & (runs["status"] == "finished")]
    if study.predictions.empty or study.unit == "block":
        return UNKNOWN
    matrices = [_correct(study, runs[runs[study.by] == name]) for name in (first, second)]
    if min(len(matrix) for matrix in matrices) < 2 or len({matrix.shape for matrix in matrices}) > 1:
        return UNKNOWN
    return intervals.crossed_difference(*matrices)


def _correct(study: Study, runs: pd.DataFrame) -> np.ndarray:
    """`bool[seeds, examples]`, whether the run of a seed is right on a test example; those of all folds together."""
    own = study.predictions.merge(runs[["run", "seed"]], on="run")
    right = own.assign(right=own["prediction"] == own["label"])
    return right.pivot(index="seed", columns=["fold", "example"], values="right").dropna().to_numpy(bool)
