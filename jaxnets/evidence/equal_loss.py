"""Held-out losses at equal training loss: whether one method's ends are better than another's, and not just further."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxnets.stats import selection


def held_out(curves: pd.DataFrame, by: str, keys: Sequence[str]) -> pd.DataFrame:
    """The loss on dev of each method where it first has the training loss that all methods of its group reach.

    That training loss is the highest of those with which the methods end. Between two evaluations the logarithm of the
    one loss is a line over that of the other. `train_loss` is a mean since the evaluation before: at an evaluation the
    training loss is taken to be the geometric mean of those before and after it, so the last evaluation is left out.
    """
    rows = []
    for key, group in curves.groupby(list(keys), sort=False):
        paths = {method: _path(own) for method, own in group.groupby(by, sort=False) if len(own) > 1}
        level = max((train.min() for train, _ in paths.values()), default=np.nan)
        for method, (train, dev) in paths.items():
            rows.append((*key, method, np.exp(level), np.exp(_at(level, train, dev))))
    return pd.DataFrame(rows, columns=[*keys, by, "train_loss", "dev_loss"])


def _path(curve: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The logarithms of training loss and dev loss at the evaluations of a run, the last one left out."""
    ordered = curve.sort_values("step")
    train, dev = (np.log(np.maximum(ordered[name].to_numpy(np.float64), 1e-12)) for name in ("train_loss", "dev_loss"))
    return (train[:-1] + train[1:]) / 2, dev[:-1]


def _at(level: float, train: np.ndarray, dev: np.ndarray) -> float:
    """The dev loss where the training loss first comes down to a level, both as logarithms."""
    place = int(np.argmax(train <= level))
    if place == 0:
        return float(dev[0])
    below, above = train[place], train[place - 1]
    return float(dev[place] + (dev[place - 1] - dev[place]) * (level - below) / (above - below))


def gaps(levels: pd.DataFrame, by: str) -> pd.DataFrame:
    """By what factor the dev loss of the worst method lies above that of the best, as a table of effects.

    Which is which is decided by all other blocks (or seeds, if there is one block): so where methods do not differ, the
    mean effect is zero.
    """
    logs = levels.assign(log=np.log(levels["dev_loss"]))
    logs = logs.pivot_table(index=["block", "seed"], columns=by, values="log", sort=False).dropna()
    units = logs.index.get_level_values(selection.unit(logs.index.to_frame()))
    rows = []
    for unit in units.unique():
        others = logs[units != unit].mean()
        if others.notna().all() and len(others) > 1:
            rows.append(logs.loc[units == unit, others.idxmax()] - logs.loc[units == unit, others.idxmin()])
    effects = pd.concat(rows) if rows else pd.Series(index=logs.index[:0], dtype=float)
    return effects.rename("effect").reset_index()


def examples(runs: pd.DataFrame, curves: pd.DataFrame, by: str) -> pd.DataFrame:
    """The examples that each run sees until its training loss is that with which the worst run of its block ends."""
    known = runs.assign(block=runs.get("block", 0))
    paths = curves.merge(known[["run", by, "block", "seed", "batch_size"]], on="run")
    paths = paths.assign(examples=paths["step"] * paths["batch_size"])
    parts = [selection.to_worst_loss(of_block, by, ["examples"])[1] for _, of_block in paths.groupby("block")]
    if not parts:  # all runs diverged before their first evaluation
        return pd.DataFrame({name: [] for name in (by, "block", "seed", "examples")})
    reached = pd.concat(parts, ignore_index=True)
    most = paths.groupby(by)["examples"].max()
    return reached.assign(examples=reached["examples"].where(np.isfinite(reached["examples"]), reached[by].map(most)))
