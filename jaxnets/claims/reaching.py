"""What it takes contestants to get to one loss, where they are at equal cost, and what the choice among them gains."""

import numpy as np
import pandas as pd

from jaxnets.claims import effects
from jaxnets.comparison.table import TUNING, Study
from jaxnets.stats import selection

GROUP = ["task", "block"]


def epochs_to_shared(study: Study, scored: pd.DataFrame, column: str = "train_loss") -> pd.DataFrame:
    """The passes over the data until each run has the loss at which the worst contestant of its block ends.

    All contestants get to that loss on average, so that it favours none of them. Between two evaluations the logarithm
    of the loss goes on a straight line. A run that never gets there, or diverges, counts as if it did at its end.
    """
    ends = scored.groupby([*GROUP, "contestant"], sort=False)[column].mean()
    targets = ends.groupby(level=GROUP, sort=False).max().rename("_target").reset_index()
    table = scored.merge(targets, on=GROUP, how="left")
    curves = dict(tuple(study.curves.groupby("run", sort=False)))
    ended = table["status"] == selection.FINISHED
    epochs = [
        _first(curves[run], column, target) if well else np.nan
        for run, target, well in zip(table["run"], table["_target"], ended, strict=True)
    ]
    longest = table["task"].map(table.groupby("task")["num_epochs"].max())
    return table.assign(epochs=pd.Series(epochs, table.index, dtype=float).fillna(longest)).drop(columns="_target")


def _first(curve: pd.DataFrame, column: str, target: float) -> float:
    """The epoch at which a curve first is at a target; its last one if it never is."""
    epochs, losses = curve["epoch"].to_numpy(float), curve[column].to_numpy(float)
    there = np.flatnonzero(losses <= target)
    if not len(there) or there[0] == 0:
        return float(epochs[0] if len(there) else epochs[-1])
    before, after = there[0] - 1, there[0]
    logs = np.log(np.maximum(losses[[before, after]], 1e-12))
    share = (logs[0] - np.log(max(target, 1e-12))) / (logs[0] - logs[1]) if logs[0] > logs[1] else 1.0
    return float(epochs[before] + share * (epochs[after] - epochs[before]))


def at_equal_seconds(study: Study, runs: pd.DataFrame, times: pd.DataFrame, column: str = "train_loss") -> pd.Series:
    """The loss of each run when the contestant with the fastest epochs ends; failures have that of chance."""
    curves = dict(tuple(study.curves.groupby("run", sort=False)))
    medians = times.groupby(["task", "contestant"])["seconds"].median().rename("_seconds").reset_index()
    timed = runs.merge(medians, on=["task", "contestant"], how="left").set_index(runs.index)
    whole = timed["_seconds"] * timed["num_steps"]
    shares = whole.groupby(timed["task"]).transform("min") / whole
    failed = (runs["status"] != selection.FINISHED) | ~runs["run"].isin(curves)
    values = [
        np.nan if lost else _at(curves[run], column, share)
        for run, share, lost in zip(runs["run"], shares, failed, strict=True)
    ]
    return pd.Series(values, runs.index, dtype=float).fillna(runs[column])


def _at(curve: pd.DataFrame, column: str, share: float) -> float:
    """The value of a curve after a share of its epochs; between two evaluations its logarithm goes straight."""
    epochs, losses = curve["epoch"].to_numpy(float), curve[column].to_numpy(float)
    return float(np.exp(np.interp(epochs[-1] * share, epochs, np.log(np.maximum(losses, 1e-12)))))


def tuned(study: Study, scored: pd.DataFrame) -> pd.DataFrame:
    """The runs that tuned, failures counted, of the setting that was chosen for each contestant of each block."""
    tried = study.phase(TUNING).rename(columns={study.by: "contestant"})
    tried = tried.assign(block=tried.get("block", 0))
    failed = {facts.name: float(np.log(facts.num_classes)) for facts in study.tasks}
    losses = {
        name: tried[name].where(tried["status"] == selection.FINISHED).fillna(tried["task"].map(failed))
        for name in effects.SCORES
        if name in tried and name.endswith("loss")
    }
    keys = [*GROUP, "contestant", "learning_rate"]
    return tried.assign(**losses).merge(scored[keys].drop_duplicates(), on=keys)


def best_against_worst(tuning: pd.DataFrame, scored: pd.DataFrame, column: str) -> pd.DataFrame:
    """What the contestant that was best in tuning gains over the one that was worst, on fresh seeds, as log ratios."""
    means = tuning.groupby([*GROUP, "contestant"], sort=False)[column].mean().unstack()
    chosen = pd.DataFrame({"best": means.idxmin(axis=1), "worst": means.idxmax(axis=1)}).reset_index()
    runs = scored.merge(chosen, on=GROUP)
    roles = [runs[runs["contestant"] == runs[role]].assign(contestant=role) for role in ("best", "worst")]
    return effects.contrast(pd.concat(roles, ignore_index=True), column, {"worst": 1, "best": -1}, log=True)
