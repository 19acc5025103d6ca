"""What tuning gives and costs: expected best scores, sensitivity to the learning rate, what it takes to a target."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxnets.evidence import resampling
from jaxnets.evidence.choosing import repetitions


def expected_best(dev: ArrayLike, scores: ArrayLike, budgets: Sequence[int]) -> pd.DataFrame:
    """The expected score, on test, of the trial that is best on dev among so many random trials.

    The mean over all sets of as many trials, in closed form. Sources: Dodge et al. (2019); Tang et al. (2020) for the
    estimator without bias. The bounds are those of a percentile bootstrap over the trials, with the quantiles of
    Student's t for as many independent sets as the trials can be cut into; NaN for budgets over a third of the trials.

    >>> expected_best([0.1, 0.2, 0.3], [1.0, 2.0, 3.0], [1, 3])["value"].tolist()
    [2.0, 3.0]
    """
    by, values = np.asarray(dev, np.float64).ravel(), np.asarray(scores, np.float64).ravel()
    size = len(values)
    if not size:
        return pd.DataFrame({"budget": [], "value": [], "low": [], "high": []})
    shared = pd.Series(values).groupby(by).transform("mean").to_numpy()[np.argsort(by, kind="stable")]
    weights = np.stack([_chosen(size, budget) for budget in budgets])
    # in a resample the copies of a trial stand side by side
    ends = np.cumsum(resampling.draws((size,)), axis=1).astype(int)
    sums = np.concatenate([np.zeros((len(budgets), 1)), np.cumsum(weights, axis=1)], axis=1)
    drawn = np.stack([np.diff(of_budget[ends], axis=1, prepend=0.0) @ shared for of_budget in sums])
    bounds = [_bounds(of_budget, size / budget) for of_budget, budget in zip(drawn, budgets, strict=True)]
    table = pd.DataFrame(bounds, columns=["low", "high"])
    return table.assign(budget=list(budgets), value=weights @ shared)[["budget", "value", "low", "high"]]


def _bounds(drawn: np.ndarray, sets: float) -> tuple[float, float]:
    from scipy import stats

    if sets < 3:
        return np.nan, np.nan
    tail = stats.norm.cdf(stats.t.ppf((1 - resampling.LEVEL) / 2, sets - 1))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _chosen(size: int, budget: int) -> Float[np.ndarray, "trials"]:
    """How probable it is for each trial, from worst to best on dev, to be the best of so many drawn from all."""
    from scipy import special

    if not 1 <= budget <= size:
        raise ValueError(f"budgets: {budget} is not from 1 to {size} trials")
    below = np.arange(size)
    logs = special.gammaln(below + 1) - special.gammaln(budget) - special.gammaln(np.maximum(below - budget + 2, 1))
    logs -= special.gammaln(size + 1) - special.gammaln(budget + 1) - special.gammaln(size - budget + 1)
    return np.where(below >= budget - 1, np.exp(logs), 0.0)


def good_width(rates: ArrayLike, scores: ArrayLike, tolerance: float = 0.01) -> float:
    """How many decades of the learning rate score within a tolerance of the best, between rates by interpolation.

    >>> good_width([0.01, 0.1, 1.0], [0.8, 0.9, 0.9])
    1.1
    """
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
    """How many decades of the learning rate are good for each contestant, on each task and in each block.

    Good is what loses at most a part of what the best rate gains over guessing, in training loss.
    """
    rows = []
    for (task, block, name), own in losses.groupby(["task", "block", by], sort=False):
        gained = 1 - own.groupby("learning_rate")["loss"].mean() / own["chance"].iloc[0]
        width = good_width(gained.index, gained, part * gained.max()) if gained.max() > 0 else 0.0
        rows.append((task, block, name, width, own["test_share"].iloc[0]))
    table = pd.DataFrame(rows, columns=["task", "block", "contestant", "width", "test_share"])
    return table.assign(number=0, edge=False)


def on_edge(rates: ArrayLike, best: float) -> bool:
    """Whether the best learning rate lies at an end of those tried: within a twentieth of their span in decades.

    >>> on_edge([0.01, 0.1, 1.0], 1.0), on_edge([0.01, 0.1, 1.0], 0.1)
    (True, False)
    """
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
    score: str = "dev_accuracy",
    runs: Sequence[int] | pd.Series | None = None,
) -> pd.DataFrame:
    """What each run had spent when its score first reached a target; infinite for a run that never does."""
    numbers = pd.Index(curves["run"].unique() if runs is None else runs, name="run")
    there = curves[score] <= target if score.endswith("loss") else curves[score] >= target
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
