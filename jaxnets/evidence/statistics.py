"""Intervals, and the choice of the best configuration, over tables of runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

FINISHED = "finished"
REPETITIONS = ("seed", "fold")  # what tells repetitions of a configuration apart


def mean_interval(values: Sequence[float] | np.ndarray | pd.Series, level: float = 0.95) -> tuple[float, float]:
    """The mean and the half width of its confidence interval by Student's t.

    The half width is NaN for a single value: it tells nothing of the spread.

    >>> mean_interval([1.0, 1.0, 1.0])
    (1.0, 0.0)
    """
    from scipy import stats

    numbers = np.asarray(values, np.float64)
    if len(numbers) < 2:
        return (float(numbers.mean()) if len(numbers) else np.nan), np.nan
    error = numbers.std(ddof=1) / np.sqrt(len(numbers))
    return float(numbers.mean()), float(error * stats.t.ppf((1 + level) / 2, len(numbers) - 1))


def share_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float, float]:
    """A share, and the bounds of its confidence interval. Source: Wilson (1927).

    >>> share_interval(0, 10)[:2]
    (0.0, 0.0)
    """
    from scipy import stats

    interval = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    return successes / trials, float(interval.low), float(interval.high)


def hyperparameters(runs: pd.DataFrame) -> list[str]:
    """The columns of a table of runs that hold hyperparameters: those between `run` and `status`."""
    columns = list(runs.columns)
    return columns[columns.index("run") + 1 : columns.index("status")]


def varying(runs: pd.DataFrame) -> list[str]:
    """The hyperparameters, other than the seed and the fold, of which the table has several values."""
    names = [name for name in hyperparameters(runs) if name not in REPETITIONS]
    return [name for name in names if runs[name].nunique(dropna=False) > 1]


def configurations(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each configuration, that is for runs that differ in their seed and fold alone.

    Columns: the hyperparameters that vary; `learning_rate` and `optimizer` in any case; `num_seeds`; `dev_score`, the
    mean accuracy on dev, a run that did not finish counting as 0; `dev_loss` likewise, counting as infinite; mean and
    half width of the 95% interval of the accuracies on dev and test over the finished runs; `diverged_share`; and
    `members`, the numbers of the runs.
    """
    names = list(dict.fromkeys(["optimizer", "learning_rate", *varying(runs)]))
    rows = []
    for key, members in runs.groupby(names, dropna=False, sort=False):
        finished = members[members["status"] == FINISHED]
        rows.append(dict(zip(names, key, strict=True)) | _summary(members, finished))
    return pd.DataFrame(rows)


def _summary(members: pd.DataFrame, finished: pd.DataFrame) -> dict:
    dev, dev_half_width = mean_interval(finished["dev_accuracy"])
    test, test_half_width = mean_interval(finished["test_accuracy"])
    all_finished = len(finished) == len(members)
    return {
        "num_seeds": len(members),
        "dev_score": finished["dev_accuracy"].sum() / len(members),
        "dev_loss": float(finished["dev_loss"].mean()) if all_finished else np.inf,
        "dev_accuracy": dev,
        "dev_half_width": dev_half_width,
        "test_accuracy": test,
        "test_half_width": test_half_width,
        "diverged_share": float((members["status"] == "diverged").mean()),
        "members": list(members["run"]),
    }


def best_configurations(runs: pd.DataFrame, by: Sequence[str] = ("optimizer",)) -> pd.DataFrame:
    """For each group the configuration with the best mean accuracy on dev; the test examples have no say.

    Ties go to the smaller loss on dev, then to the smaller learning rate. The columns are those of `configurations`,
    with `diverged_share` and `num_runs` those of the whole group.
    """
    best = []
    # what some plug-ins lack and all others have alike tells nothing, and comes last
    several = [name for name in varying(runs) if runs[name].nunique() > 1]
    names = dict.fromkeys(["optimizer", "learning_rate", *several])
    for _, group in runs.groupby(list(by), dropna=False, sort=False):
        ranked = configurations(group).sort_values(
            ["dev_score", "dev_loss", "learning_rate"], ascending=[False, True, True], kind="stable"
        )
        row = ranked.iloc[0].to_dict()
        row = {name: row.get(name, group[name].iloc[0]) for name in names} | row
        row |= {name: group[name].iloc[0] for name in (*by, *varying(runs)) if name not in row}
        best.append(row | {"diverged_share": float((group["status"] == "diverged").mean()), "num_runs": len(group)})
    return pd.DataFrame(best)


def at_best(runs: pd.DataFrame, by: Sequence[str] = ("optimizer",)) -> pd.DataFrame:
    """The runs of the best configuration of each group; see `best_configurations`."""
    best = best_configurations(runs, by)
    return runs[runs["run"].isin([run for members in best["members"] for run in members])]


def repetitions(runs: pd.DataFrame) -> list[str]:
    """The columns that tell repetitions of a configuration apart: the seed, and the fold if there is one."""
    return [name for name in REPETITIONS if name in runs]


def finished(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that ended and did not diverge."""
    return runs[runs["status"] == FINISHED]


def first_fold(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of the first fold; all runs if there are no folds.

    >>> len(first_fold(pd.DataFrame({"fold": [0, 1]}))), len(first_fold(pd.DataFrame({"seed": [0, 1]})))
    (1, 2)
    """
    return runs[runs["fold"] == 0] if "fold" in runs else runs


def confirmed(runs: pd.DataFrame, by: Sequence[str], score: str = "dev_accuracy") -> pd.DataFrame:
    """The runs of each group at its best learning rate, on seeds that had no part in the choice.

    The first half of the seeds choose, by the mean of `score` (a loss is best when small); a rate whose run did not
    finish comes after all others. With a single seed it both chooses and confirms.
    """
    seeds = sorted(runs["seed"].unique())
    tuning, fresh = seeds[: len(seeds) // 2] or seeds, seeds[len(seeds) // 2 :]
    sign = -1.0 if score.endswith("loss") else 1.0
    scores = (sign * runs[score]).where(runs["status"] == FINISHED, -np.inf).fillna(-np.inf)
    keys = [*by, "learning_rate"]
    means = (
        runs.assign(_score=scores)[runs["seed"].isin(tuning)].groupby(keys, sort=False)["_score"].mean().reset_index()
    )
    ranked = means.sort_values(["_score", "learning_rate"], ascending=[False, True], kind="stable")
    best = ranked.drop_duplicates(list(by))[keys]
    return runs[runs["seed"].isin(fresh)].merge(best, on=keys)


def to_worst_loss(curves: pd.DataFrame, by: str, costs: Sequence[str]) -> tuple[float, pd.DataFrame]:
    """What each run takes until its training loss is that with which the worst run ends.

    A lower target would leave out the runs that do not reach it, and so flatter the group that they belong to.

    Args:
      curves: a row for each run and evaluation; all runs of a group end at the same step.
      by: column of the groups.
      costs: columns of what a run has spent so far, such as `step`.

    Returns:
      The loss, and for each group and repetition what it had spent when it first reached it.
    """
    last = curves[curves["step"] == curves.groupby(by)["step"].transform("max")]
    target = float(last["train_loss"].max())
    reached = curves[curves["train_loss"] <= target].groupby([by, *repetitions(curves)])
    return target, reached[list(costs)].min().reset_index()


def best_within(curves: pd.DataFrame, by: str, cost: str, count: int) -> pd.DataFrame:
    """Which group has the lowest training loss, mean over its runs, by the time that some budgets are spent.

    Args:
      curves: a row for each run and evaluation.
      by: column of the groups.
      cost: column of what a run has spent so far.
      count: how many budgets, evenly spaced in their logarithms from the first evaluation of any group to the last.

    Returns:
      A row for each budget, in the columns `cost`, `by` and `train_loss`; none if no run was evaluated.
    """
    means = curves.groupby([by, cost])["train_loss"].mean().reset_index()
    if means.empty:
        return means[[cost, by, "train_loss"]]
    rows = []
    for budget in np.geomspace(means[cost].min(), means[cost].max(), count):
        within = means[means[cost] <= budget * 1.001]  # what rounding may take away
        best = within.loc[within["train_loss"].idxmin()]
        rows.append({cost: budget, by: best[by], "train_loss": best["train_loss"]})
    return pd.DataFrame(rows, columns=[cost, by, "train_loss"]).astype({by: curves[by].dtype})


def spread(runs: pd.DataFrame, name: str, score: str = "test_accuracy") -> pd.Series:
    """For each seed the standard deviation, between the values of a hyperparameter, of their mean scores.

    >>> runs = pd.DataFrame({"seed": [0, 0, 1], "learning_rate": [0.1, 1.0, 0.1], "test_accuracy": [0.5, 0.9, 0.5]})
    >>> spread(runs, "learning_rate").round(3).tolist()
    [0.283, nan]
    """
    return runs.groupby(["seed", name])[score].mean().unstack().std(axis=1)


@dataclass(frozen=True)
class Estimate:
    """An effect, with the bounds of its 95% interval; NaN bounds where the data tell nothing of the spread."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} (95% interval {self.low:.3g} to {self.high:.3g})"

    def clipped(self, least: float, most: float) -> "Estimate":
        """The estimate with bounds that keep to what is possible, as that of a share to 0 and 1.

        >>> Estimate(0.9, 0.75, 1.05).clipped(0, 1)
        Estimate(value=0.9, low=0.75, high=1)
        """
        return Estimate(self.value, max(self.low, least), min(self.high, most))


UNKNOWN = Estimate(np.nan, np.nan, np.nan)


def mean(values: ArrayLike) -> Estimate:
    """The mean of values, with Student's t interval.

    >>> mean([1.0, 1.0, 1.0])
    Estimate(value=1.0, low=1.0, high=1.0)
    """
    middle, half_width = mean_interval(np.asarray(values, np.float64).ravel())
    return Estimate(middle, middle - half_width, middle + half_width)


def paired_difference(a: ArrayLike, b: ArrayLike) -> Estimate:
    """The mean of a - b over pairs, such as the same seeds or folds.

    Raises:
      ValueError: if they are not as many.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"pairs need as many values on both sides, not {first.shape} and {second.shape}")
    return mean(first - second)


def gain(pairs: pd.DataFrame, better: Any, worse: Any) -> Estimate:
    """The mean of one column less another over the rows that have both; unknown if a column is not there.

    >>> gain(pd.DataFrame({"a": [3.0, 4.0], "b": [1.0, 2.0]}), "a", "b").value
    2.0
    """
    if better not in pairs or worse not in pairs:
        return UNKNOWN
    return mean((pairs[better] - pairs[worse]).dropna())


def difference(a: ArrayLike, b: ArrayLike) -> Estimate:
    """The difference of the means of two independent samples, a - b. Source: Welch (1947).

    The bounds are NaN where a sample has fewer than two values.
    """
    from scipy import stats

    first, second = np.asarray(a, np.float64).ravel(), np.asarray(b, np.float64).ravel()
    value = float(first.mean() - second.mean()) if len(first) and len(second) else np.nan
    if len(first) < 2 or len(second) < 2:
        return Estimate(value, np.nan, np.nan)
    if first.std() == 0 and second.std() == 0:  # Welch's degrees of freedom would be 0 / 0
        return Estimate(value, value, value)
    interval = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    return Estimate(value, float(interval.low), float(interval.high))


def ratio(a: ArrayLike, b: ArrayLike, *, paired: bool = False) -> Estimate:
    """The ratio of the geometric means of two samples of positive numbers, a / b.

    >>> ratio([2.0, 2.0], [1.0, 1.0]).value
    2.0
    """
    first, second = np.log(np.asarray(a, np.float64)), np.log(np.asarray(b, np.float64))
    logarithm = paired_difference(first, second) if paired else difference(first, second)
    return Estimate(*(float(np.exp(number)) for number in (logarithm.value, logarithm.low, logarithm.high)))


def paired_ratio(pairs: pd.DataFrame, numerator: Any, denominator: Any) -> Estimate:
    """The geometric mean of one column over another, of the rows that have both; unknown if a column is not there.

    >>> paired_ratio(pd.DataFrame({"a": [1.0, 3.0], "b": [1.0, 3.0]}), "a", "b").value
    1.0
    """
    if numerator not in pairs or denominator not in pairs:
        return UNKNOWN
    both = pairs[[numerator, denominator]].dropna()
    return ratio(both[numerator], both[denominator], paired=True)


def share(successes: int, trials: int) -> Estimate:
    """A share of trials, with Wilson's interval; unknown if there were none."""
    if trials == 0:
        return UNKNOWN
    return Estimate(*share_interval(successes, trials))


def largest_share(table: pd.DataFrame, by: str, column: str, none: str = "none") -> tuple[str, Estimate]:
    """The group with the largest share of true values, and that share; `none` and unknown for an empty table.

    >>> largest_share(pd.DataFrame({"width": ["2", "4", "4"], "solved": [False, True, True]}), "width", "solved")[0]
    '4'
    """
    if table.empty:
        return none, UNKNOWN
    best = str(table.groupby(by, sort=False)[column].mean().idxmax())
    members = table[table[by] == best][column]
    return best, share(int(members.sum()), len(members))


def slope(x: ArrayLike, y: ArrayLike) -> Estimate:
    """The slope of the least-squares line of y over x, with Student's t interval; NaN bounds for two points.

    It is unknown where x has fewer than two values.

    >>> slope([0, 1, 2], [1, 3, 5]).value
    2.0
    """
    from scipy import stats

    xs, ys = np.asarray(x, np.float64).ravel(), np.asarray(y, np.float64).ravel()
    if len(np.unique(xs)) < 2:
        return UNKNOWN
    fit = stats.linregress(xs, ys)
    half_width = fit.stderr * stats.t.ppf(0.975, len(xs) - 2) if len(xs) > 2 else np.nan
    return Estimate(float(fit.slope), float(fit.slope - half_width), float(fit.slope + half_width))
