"""Choosing a setting on dev: what counts, what is best, what luck and trials buy, which hyperparameters matter."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxnets import metrics
from jaxnets.metrics import SCORE, Kind
from jaxnets.stats import estimates
from jaxnets.stats.estimates import LEVEL, NUMBER, UNKNOWN, Estimate, bounded, corrected_difference, kind_of, mean
from jaxnets.statuses import FINISHED as FINISHED
from jaxnets.statuses import STOPPED as STOPPED
from jaxnets.statuses import finished_names

REPETITIONS = ("seed", "fold", "repeat")  # what tells repetitions of a configuration apart


def hyperparameters(runs: pd.DataFrame) -> list[str]:
    """The columns of a table of runs that hold hyperparameters: those between `run` and `status`."""
    columns = list(runs.columns)
    return columns[columns.index("run") + 1 : columns.index("status")]


def varying(runs: pd.DataFrame) -> list[str]:
    """The hyperparameters, other than the seed, the fold and the repeat, of which the table has several values."""
    names = [name for name in hyperparameters(runs) if name not in REPETITIONS]
    return [name for name in names if runs[name].nunique(dropna=False) > 1]


def repetitions(runs: pd.DataFrame) -> list[str]:
    """The columns that tell repetitions of a configuration apart: the seed, fold and repeat if there are any."""
    return [name for name in REPETITIONS if name in runs]


def distinct(runs: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """The runs without those that are equal to an earlier one in all their hyperparameters, their seed, and `by`.

    >>> len(distinct(pd.DataFrame({"run": [0, 1], "seed": [3, 3], "status": "finished"})))
    1
    """
    known = {"run", "status"} <= set(runs) and len(runs) > 0
    return runs.drop_duplicates(list(dict.fromkeys([*hyperparameters(runs), *by]))) if known else runs


def finished(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that ended and did not diverge."""
    return runs[runs["status"].isin(finished_names())]


def counted(runs: pd.DataFrame, column: str, failed: float | None = None) -> pd.Series:
    """The values of a column, with runs that did not finish counted as failures, never left out.

    A failure counts as the worst possible value, or as the worst that was met where there is none.
    """
    good = runs["status"].isin(finished_names()) & runs[column].notna()
    values = runs[column].astype(np.float64)
    if failed is None:
        failed = _worst(column) if np.isfinite(_worst(column)) else float(values[good].max())
    return values.where(good, failed)


def _worst(column: str) -> float:
    metric = metrics.of_column(column)
    return metric.worst if metric else 0.0


def _ranked(runs: pd.DataFrame, score: str) -> pd.Series:
    """A score of each run that is better the larger it is; a run that did not finish has the worst."""
    sign = 1.0 if _is_better_if_higher(score) else -1.0
    return sign * counted(runs, score, _worst(score))


def _is_better_if_higher(column: str) -> bool:
    metric = metrics.of_column(column)
    return metric is None or metric.higher


def with_failures(runs: pd.DataFrame, chance: float | None = None) -> pd.DataFrame:
    """The runs with all their accuracies and losses counted; see `counted`."""
    scores = [name for name in metrics.columns() if name in runs]
    failed = {name: chance if _is_better_if_higher(name) else None for name in scores}
    return runs.assign(**{name: counted(runs, name, value) for name, value in failed.items()})


def unit(runs: pd.DataFrame) -> str:
    """What is independent in a table of runs: its repeats or folds if there are several, else its seeds."""
    several = (name for name in ("repeat", "fold") if name in runs and runs[name].nunique() > 1)
    return next(several, "seed")


def correction(of_unit: Hashable, test_share: float) -> float:
    """What the correlation of units adds to 1/n in the variance of their mean.

    Folds and repeats share examples, seeds and tasks do not. Source: Nadeau & Bengio (2003).
    """
    return test_share if of_unit in ("repeat", "fold") else 0.0


def over_units(
    values: pd.Series, test_share: float, kind: Kind = NUMBER, examples: int | None = None, level: float = LEVEL
) -> Estimate:
    """The mean of what was found for each unit, which the name of the index tells.

    Folds and repeats share examples: the variance is corrected for it, see `correction`. Of equal units there is an
    interval where it is known over how many `examples` each is counted, see `mean`: seeds share them, and of units that
    share none all count.

    >>> over_units(pd.Series([1.0, 3.0], pd.Index([0, 1], name="fold")), test_share=1 / 8).value
    2.0
    """
    added = correction(values.index.name, test_share)
    if added == 0:
        of_their_own = values.index.name != "seed"
        return mean(values, kind, examples * len(values) if examples and of_their_own else examples, level)
    return corrected_difference(values, added, kind=kind, examples=examples, level=level)


def mean_score(runs: pd.DataFrame, column: str, test_share: float, level: float = LEVEL) -> Estimate:
    """The mean of a score over the units of a table of runs, first over the seeds within each; failures count."""
    if runs.empty:
        return UNKNOWN
    means = counted(runs, column).groupby(runs[unit(runs)]).mean()
    return over_units(means, test_share, kind_of(column), level=level)


def paired(runs: pd.DataFrame, by: str | Sequence[str], column: str, failed: float | None = None) -> pd.DataFrame:
    """The mean score of each method (column) in each unit (row); failures count, equal runs count once."""
    names = [by] if isinstance(by, str) else list(by)
    runs = distinct(runs, names)
    scored = runs.assign(_score=counted(runs, column, failed))
    return scored.pivot_table(index=unit(runs), columns=names if len(names) > 1 else names[0], values="_score")


def configurations(runs: pd.DataFrame, test_share: float = np.nan, level: float = LEVEL) -> pd.DataFrame:
    """A row for each configuration, that is for runs that differ in their seed, fold and repeat alone.

    Runs that did not finish count: 0 for an accuracy, infinite for a loss. Equal runs count once. Columns: the
    hyperparameters that vary; `learning_rate` and `optimizer` in any case; `num_seeds`, the repetitions; `dev_score`,
    the mean accuracy on dev; `dev_loss`; `dev_accuracy` and `test_accuracy`, means over folds or repeats if there are
    several, else over seeds, with the bounds of their intervals (`_low`, `_high`) and why there are none (`_note`);
    `diverged_share`; and `members`, the numbers of the runs. Where no run finished, the accuracies are NaN.
    """
    runs = distinct(runs)
    names = _of_configuration(runs)
    groups = runs.groupby(names, dropna=False, sort=False)
    rows = [dict(zip(names, key, strict=True)) | _summary(members, test_share, level) for key, members in groups]
    return pd.DataFrame(rows)


def _of_configuration(runs: pd.DataFrame) -> list[str]:
    """The columns that tell the configurations of a table apart."""
    return list(dict.fromkeys(["optimizer", "learning_rate", *varying(runs)]))


def _summary(members: pd.DataFrame, test_share: float, level: float) -> dict[str, Any]:
    ended, scores = finished(members), {"dev_accuracy": UNKNOWN, "test_accuracy": UNKNOWN}
    if len(ended):
        scores = {column: mean_score(members, column, test_share, level=level) for column in scores}
    return {
        "num_seeds": len(members),
        "dev_score": scores["dev_accuracy"].value if len(ended) else 0.0,
        "dev_loss": float(ended["dev_loss"].mean()) if len(ended) == len(members) else np.inf,
        **bounded("dev_accuracy", scores["dev_accuracy"]),
        **bounded("test_accuracy", scores["test_accuracy"]),
        "diverged_share": float((members["status"] == "diverged").mean()),
        "members": list(members["run"]),
    }


def best_configurations(
    runs: pd.DataFrame,
    by: Sequence[str] = ("optimizer",),
    score: str = SCORE,
    test_share: float = np.nan,
    level: float = LEVEL,
) -> pd.DataFrame:
    """For each group the configuration with the best mean score; the test examples have no say.

    Ties go to the smaller loss on dev, then to the smaller learning rate. The columns are those of `configurations`,
    with `diverged_share` and `num_runs` those of the whole group.
    """
    runs, best = distinct(runs, by), []
    # what some plug-ins lack and all others have alike tells nothing, and comes last
    several = [name for name in varying(runs) if runs[name].nunique() > 1]
    first = dict.fromkeys(["optimizer", "learning_rate", *several])
    last = [name for name in dict.fromkeys([*by, *varying(runs)]) if name not in first]
    for _, group in runs.groupby(list(by), dropna=False, sort=False):
        keys = group.groupby(_of_configuration(group), dropna=False, sort=False).ngroup().rename("key")
        per_unit = _ranked(group, score).groupby([keys, group[unit(group)]]).mean()
        ranked = pd.DataFrame(
            {
                "score": per_unit.groupby("key").mean().round(12),  # so that rounding decides no tie
                "loss": counted(group, "dev_loss", np.inf).groupby(keys).mean(),
                "rate": group["learning_rate"].groupby(keys).first(),
            }
        ).sort_values(["score", "loss", "rate"], ascending=[False, True, True], kind="stable")
        members = group[keys == ranked.index[0]]
        row = {name: members[name].iloc[0] for name in first} | _summary(members, test_share, level)
        row |= {name: members[name].iloc[0] for name in last}
        best.append(row | {"diverged_share": float((group["status"] == "diverged").mean()), "num_runs": len(group)})
    return pd.DataFrame(best)


def at_best(runs: pd.DataFrame, by: Sequence[str] = ("optimizer",), score: str = SCORE) -> pd.DataFrame:
    """The runs of the best configuration of each group; see `best_configurations`."""
    best = best_configurations(runs, by, score)
    return runs[runs["run"].isin([run for members in best["members"] for run in members])]


def confirmed(runs: pd.DataFrame, by: Sequence[str], score: str = SCORE) -> pd.DataFrame:
    """The runs of each group at its best learning rate, on seeds that had no part in the choice.

    The first half of the seeds choose, by the mean of `score` (a loss is best when small). A run that did not finish
    counts as an accuracy of 0, or as an infinite loss. With a single seed it both chooses and confirms. Equal runs
    count once.
    """
    runs = distinct(runs, by)
    seeds = sorted(runs["seed"].unique())
    tuning, fresh = seeds[: len(seeds) // 2] or seeds, seeds[len(seeds) // 2 :]
    keys = [*by, "learning_rate"]
    scored = runs.assign(_score=_ranked(runs, score))[runs["seed"].isin(tuning)]
    means = scored.groupby(keys, sort=False)["_score"].mean().reset_index()
    ranked = means.sort_values(["_score", "learning_rate"], ascending=[False, True], kind="stable")
    return runs[runs["seed"].isin(fresh)].merge(ranked.drop_duplicates(list(by))[keys], on=keys)


RETUNINGS = 1000
_NEAR = 2.0  # standard errors of a difference, within which a setting may truly be the best
_LEAST = 4  # settings that other draws might give as the best


def choice_variance(
    dev: Float[np.ndarray, "settings seeds"],
    test: Float[np.ndarray, "settings seeds"],
    seed_variance: float,
    *,
    drawn: bool,
) -> float:
    """The variance of the chosen setting's true test score, if the tuning were done again.

    The tuning is repeated by a parametric bootstrap: settings with estimated true scores get new noise on dev, and the
    best is taken. The scores that were seen vary more than the true ones, by the noise of their seeds: those near the
    best are shrunk until their covariance on dev and test is what is left without it.
    """
    size, noise = len(dev), seed_variance / dev.shape[1]
    scores = np.stack([dev.mean(axis=1), test.mean(axis=1)], axis=1)
    near = scores[:, 0] >= scores[:, 0].max() - _NEAR * np.sqrt(2 * noise)
    if drawn:
        near[np.argsort(-scores[:, 0], kind="stable")[:_LEAST]] = True
    if near.sum() > 2:
        scores[near] = _without_noise(scores[near], noise)
    generator = np.random.default_rng(0)
    on_dev = np.sqrt(noise) * generator.normal(size=(RETUNINGS, size))
    settings = generator.integers(size, size=(RETUNINGS, size)) if drawn else np.arange(size)[None]
    best = (scores[settings, 0] + on_dev).argmax(axis=1)
    chosen = np.take_along_axis(np.broadcast_to(settings, on_dev.shape), best[:, None], axis=1)
    return float(scores[chosen[:, 0], 1].var())


def _without_noise(scores: Float[np.ndarray, "settings 2"], noise: float) -> Float[np.ndarray, "settings 2"]:
    """Scores about their mean, with the covariance that they have less that of the noise."""
    centre, seen = scores.mean(axis=0), np.cov(scores.T)
    return centre + (scores - centre) @ _matrix_power(seen, -0.5) @ _matrix_power(seen - noise * np.eye(2), 0.5)


def _matrix_power(matrix: Float[np.ndarray, "2 2"], power: float) -> Float[np.ndarray, "2 2"]:
    """A power of a symmetric matrix; directions without variance have none."""
    values, directions = np.linalg.eigh(matrix)
    positive = values > 1e-18
    return (directions * np.where(positive, np.where(positive, values, 1.0) ** power, 0.0)) @ directions.T


def expected_best(dev: ArrayLike, scores: ArrayLike, budgets: Sequence[int], level: float = LEVEL) -> pd.DataFrame:
    """The expected score, on test, of the trial that is best on dev among so many random trials.

    The mean over all sets of as many trials, in closed form. Sources: Dodge et al. (2019); Tang et al. (2020) for the
    estimator without bias. The bounds are those of a percentile bootstrap over the trials, with the quantiles of
    Student's t for as many independent sets as the trials can be cut into; NaN for budgets over a third of the trials.
    """
    from scipy import stats

    by, values = np.asarray(dev, np.float64).ravel(), np.asarray(scores, np.float64).ravel()
    size = len(values)
    if not size:
        return pd.DataFrame({"budget": [], "value": [], "low": [], "high": []})
    shared = pd.Series(values).groupby(by).transform("mean").to_numpy()[np.argsort(by, kind="stable")]
    weights = np.stack([_chances_of_best(size, budget) for budget in budgets])
    # in a resample the copies of a trial stand side by side
    ends = np.cumsum(estimates.resamples((size,)), axis=1).astype(int)
    sums = np.concatenate([np.zeros((len(budgets), 1)), np.cumsum(weights, axis=1)], axis=1)
    rows = []
    for budget, of_budget, value in zip(budgets, sums, weights @ shared, strict=True):
        low = high = np.nan
        if (sets := size / budget) >= 3:
            tail = stats.norm.cdf(stats.t.ppf((1 - level) / 2, sets - 1))
            low, high = np.quantile(np.diff(of_budget[ends], axis=1, prepend=0.0) @ shared, [tail, 1 - tail])
        rows.append((budget, value, low, high))
    return pd.DataFrame(rows, columns=["budget", "value", "low", "high"])


def _chances_of_best(size: int, budget: int) -> Float[np.ndarray, "trials"]:
    """How probable it is for each trial, from worst to best on dev, to be the best of so many drawn from all."""
    from scipy import special

    if not 1 <= budget <= size:
        raise ValueError(f"budgets: {budget} is not from 1 to {size} trials")
    below = np.arange(size)
    logs = special.gammaln(below + 1) - special.gammaln(budget) - special.gammaln(np.maximum(below - budget + 2, 1))
    logs -= special.gammaln(size + 1) - special.gammaln(budget + 1) - special.gammaln(size - budget + 1)
    return np.where(below >= budget - 1, np.exp(logs), 0.0)


def good_width(rates: ArrayLike, scores: ArrayLike, tolerance: float = 0.01) -> float:
    """How many decades of the learning rate score within a tolerance of the best, between rates by interpolation."""
    table = pd.Series(np.nan_to_num(np.asarray(scores, np.float64).ravel())).groupby(np.asarray(rates).ravel()).max()
    if len(table) < 2:
        return np.nan
    places, above = np.log10(table.index.to_numpy(np.float64)), table.to_numpy() - (table.max() - tolerance)
    left, right = above[:-1], above[1:]
    ends = np.maximum(left, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.where(np.minimum(left, right) >= 0, 1.0, ends / np.abs(left - right))
    return round(float((np.diff(places) * np.where(ends >= 0, crossing, 0.0)).sum()), 12)


def widths(losses: pd.DataFrame, by: str, part: float = 0.1) -> pd.DataFrame:
    """How many decades of the learning rate are good for each method, on each task and in each repeat.

    Good is what loses at most a part of what the best rate gains over guessing, in training loss.
    """
    rows = []
    for (task, repeat, name), own in losses.groupby(["task", "repeat", by], sort=False):
        gained = 1 - own.groupby("learning_rate")["loss"].mean() / own["chance"].iloc[0]
        width = good_width(gained.index, gained, part * gained.max()) if gained.max() > 0 else 0.0
        rows.append((task, repeat, name, width, own["test_share"].iloc[0]))
    table = pd.DataFrame(rows, columns=["task", "repeat", "method", "width", "test_share"])
    return table.assign(number=0, edge=False)


def on_edge(rates: ArrayLike, best: float) -> bool:
    """Whether the best learning rate lies at an end of those tried: within a twentieth of their span in decades."""
    places = np.log10(np.asarray(rates, np.float64))
    span = float(np.ptp(places)) if places.size else 0.0
    if span == 0:
        return False
    return bool(min(np.log10(best) - places.min(), places.max() - np.log10(best)) <= span / 20 + 1e-9)


def to_target(
    curves: pd.DataFrame,
    target: float,
    costs: Sequence[str],
    *,
    score: str = SCORE,
    runs: Sequence[int] | pd.Series | None = None,
) -> pd.DataFrame:
    """What each run had spent when its score first reached a target; infinite for a run that never does."""
    numbers = pd.Index(curves["run"].unique() if runs is None else runs, name="run")
    there = curves[score] >= target if _is_better_if_higher(score) else curves[score] <= target
    first = curves[there].sort_values("step").groupby("run")[list(costs)].first()
    return first.reindex(numbers).astype(np.float64).fillna(np.inf).reset_index()


def to_worst_loss(curves: pd.DataFrame, by: str, costs: Sequence[str]) -> tuple[float, pd.DataFrame]:
    """What each run takes until its training loss is that with which the worst run ends.

    A lower target would leave out the runs that do not reach it, and so flatter the group that they belong to.
    """
    last = curves[curves["step"] == curves.groupby(by)["step"].transform("max")]
    target = float(last["train_loss"].max())
    keys = [by, *repetitions(curves)]
    all_runs = curves.groupby(keys)[list(costs)].min().index
    reached = curves[curves["train_loss"] <= target].groupby(keys)[list(costs)].min()
    return target, reached.reindex(all_runs).astype(np.float64).fillna(np.inf).reset_index()


NUM_TREES = 16
NUM_GROUPS = 4
_DEALT = ["task", "repeat", "seed", "test_share"]


def main_effects(
    places: Float[np.ndarray, "draws names"], scores: ArrayLike, seed: int = 0
) -> Float[np.ndarray, "names"]:
    """The share of a score's variance that is the main effect of each hyperparameter.

    A random forest learns the score. In each tree the function that is left of it when all hyperparameters but one are
    averaged out is known exactly, and so is its variance over that of the whole. Source: Hutter, Hoos and Leyton-Brown
    (2014), algorithm 2. What no single hyperparameter explains belongs to their interactions.
    """
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(NUM_TREES, random_state=seed).fit(places, np.asarray(scores, np.float64))
    return np.mean([effects_of_tree(one.tree_, places.shape[1]) for one in forest.estimators_], axis=0)


def effects_of_tree(tree: Any, num_names: int) -> Float[np.ndarray, "names"]:
    """The shares of one tree of scikit-learn's over the unit cube; see `main_effects`."""
    low, high, values = _leaves(tree, num_names)
    widths = high - low
    volumes = widths.prod(axis=1)
    mean = volumes @ values
    variance = volumes @ (values - mean) ** 2
    if variance <= 1e-12 * max(mean**2, 1e-300):
        return np.zeros(num_names)
    of_names = [
        _variance_of_mean(low[:, name], high[:, name], volumes / widths[:, name] * (values - mean))
        for name in range(num_names)
    ]
    return np.array(of_names) / variance


def _leaves(tree: Any, num_names: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The boxes of a tree's leaves, their lower and upper corners, `float64[leaves, names]`, and what each predicts."""
    boxes, found = {0: (np.zeros(num_names), np.ones(num_names))}, []
    for node in range(tree.node_count):  # a child's number is larger than its parent's
        low, high = boxes[node]
        left, right = tree.children_left[node], tree.children_right[node]
        if left < 0:
            found.append((low, high, tree.value[node].item()))
            continue
        cut = np.arange(num_names) == tree.feature[node]
        boxes[left] = low, np.where(cut, tree.threshold[node], high)
        boxes[right] = np.where(cut, tree.threshold[node], low), high
    lows, highs, values = zip(*found, strict=True)
    return np.array(lows), np.array(highs), np.array(values)


def _variance_of_mean(low: np.ndarray, high: np.ndarray, parts: np.ndarray) -> float:
    """The variance, along one axis, of what the leaves that lie over each point of it add up to."""
    cuts = np.unique(np.concatenate([low, high]))
    middles = (cuts[1:] + cuts[:-1]) / 2
    over = (low[:, None] <= middles) & (middles < high[:, None])
    return float(np.diff(cuts) @ (parts @ over) ** 2)


def placed(draws: pd.DataFrame, names: Sequence[str]) -> Float[np.ndarray, "draws names"]:
    """Where each draw lies in the distribution of each hyperparameter, from 0 to 1; equal values lie in the middle."""
    ranks = draws[list(names)].rank(method="average")
    return ((ranks - 0.5) / len(draws)).to_numpy(np.float64)


def importances(draws: pd.DataFrame, names: Sequence[str], loss: str, groups: int = NUM_GROUPS) -> pd.DataFrame:
    """The main effects of hyperparameters on the logarithm of a loss, for each task and repeat.

    The draws of a repeat are dealt out to groups, of which each has its own forest: what they say of a repeat differs
    by chance alone.
    """
    rows = []
    for (task, repeat), own in draws.groupby(["task", "repeat"], sort=False):
        for group in range(groups):
            part = own.iloc[group::groups]
            found = main_effects(placed(part, names), np.log(np.maximum(part[loss], 1e-12)), seed=group)
            key = (task, repeat, group, own["test_share"].iloc[0])
            rows += [(*key, name, share) for name, share in zip(names, found, strict=True)]
    return pd.DataFrame(rows, columns=[*_DEALT, "name", "share"])


def importance_lead(table: pd.DataFrame, name: Hashable, over: str = "mean") -> pd.DataFrame:
    """How much more of the variance one hyperparameter explains than others, as a table of effects."""
    wide = table.pivot_table(index=_DEALT, columns="name", values="share", sort=False)
    if name not in wide or wide.shape[1] < 2:
        return pd.DataFrame(columns=[*_DEALT, "effect"])
    others = wide.drop(columns=name).agg(over, axis=1)
    return (wide[name] - others).rename("effect").reset_index()
