"""Effects relative to the best of several contestants: how much of its way the worst gets, what a default costs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxnets.comparison.table import TUNING, Study
from jaxnets.evidence import effects
from jaxnets.stats import selection

_BLOCK = ["task", "block"]


def share_of_the_way(scored: pd.DataFrame, column: str, contestants: Sequence[str], lowest: str) -> pd.DataFrame:
    """How far the worst of some contestants gets from the lowest to the best, as a share.

    Best and worst are told apart in each block by their means over seeds; the rows are the seeds of the worst.
    """
    rows = [_way(own, column, contestants, lowest) for _, own in scored.groupby(_BLOCK, sort=False)]
    return pd.concat([row for row in rows if row is not None] or [pd.DataFrame(columns=[*effects.KEYS, "effect"])])


def _way(scored: pd.DataFrame, column: str, contestants: Sequence[str], lowest: str) -> pd.DataFrame | None:
    means = scored.groupby("contestant", sort=False)[column].mean()
    known = means[[name for name in contestants if name in means]]
    if len(known) < 2 or lowest not in means:
        return None
    whole = max(float(known.max() - means[lowest]), 1e-9)  # none is above the lowest: then nothing is got
    worst = scored[scored["contestant"] == known.idxmin()]
    kept = [name for name in (*effects.KEYS, "edge", "test_share") if name in worst]
    return worst[kept].assign(effect=((worst[column] - means[lowest]) / whole).clip(-1, 1))


def tuned_losses(study: Study) -> pd.DataFrame:
    """The dev loss of each contestant at its best learning rate, by the seeds that tuned."""
    runs = selection.with_failures(study.phase(TUNING)).rename(columns={study.by: "contestant"})
    keys = [*_BLOCK, "contestant"]
    means = runs.assign(block=runs.get("block", 0)).groupby([*keys, "learning_rate"], sort=False)["dev_loss"].mean()
    return means.groupby(level=keys, sort=False).min().reset_index()


def against_chosen(
    scored: pd.DataFrame, tuned: pd.DataFrame, default: str, contestants: Sequence[str], column: str = "test_loss"
) -> pd.DataFrame:
    """By what factor the loss of a default is that of the best other contestant, as a logarithm.

    The other is chosen in each block by the loss of the seeds that tuned, and measured on fresh ones: the luck of being
    the best is not counted.
    """
    others = tuned[tuned["contestant"].isin(set(contestants) - {default})]
    best = others.loc[others.groupby(_BLOCK, sort=False)["dev_loss"].idxmin(), [*_BLOCK, "contestant"]]
    chosen = scored.merge(best, on=[*_BLOCK, "contestant"]).assign(contestant="chosen")
    both = pd.concat([scored[scored["contestant"] == default], chosen])
    return effects.contrast(both, column, {default: 1, "chosen": -1}, log=True)


def log_ratio(table: pd.DataFrame, column: str, one: str, other: str) -> pd.DataFrame:
    """The log ratio of two initializers' values by seed: a table of effects, empty if one is missing."""
    wide = np.log(table.pivot_table(index="seed", columns="initializer", values=column))
    both = wide[one] - wide[other] if {one, other} <= set(wide) else pd.Series([], name="seed", dtype=float)
    return pd.DataFrame({"seed": both.index, "effect": both.to_numpy()})
