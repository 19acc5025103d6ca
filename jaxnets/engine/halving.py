"""Successive halving: the worst settings are dropped on the way, so that the steps go to the better ones.

Source: Jamieson & Talwalkar (2016), with a third instead of a half, as in Li et al. (2018), Hyperband.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

REDUCTION = 3
"""One of so many settings goes on."""

_SHARES = (1 / 9, 1 / 3)


def rungs(num_steps: int, evaluate_every: int) -> tuple[int, ...]:
    """The evaluations after which settings are dropped: those nearest to 1/9 and 1/3 of the steps.

    >>> rungs(num_steps=300, evaluate_every=10)
    (30, 100)
    """
    evaluations = range(evaluate_every, num_steps, evaluate_every)
    if not evaluations:
        return ()
    nearest = [min(evaluations, key=lambda step: abs(step - share * num_steps)) for share in _SHARES]
    return tuple(dict.fromkeys(nearest))


def survivors(
    settings: Int[np.ndarray, "runs"],
    blocks: Int[np.ndarray, "runs"],
    accuracy: Float[np.ndarray, "runs"],
    loss: Float[np.ndarray, "runs"],
) -> Bool[np.ndarray, "runs"]:
    """The runs of the best third of the settings of each block, rounded up.

    Settings are ranked by their mean accuracy over the runs, ties by the lower mean loss.

    Args:
      settings: equal for runs of one setting.
      blocks: each has a ranking of its own.
      accuracy: on dev; 0 for a run that diverged.
      loss: on dev; infinite for a run that diverged.
    """
    runs = pd.DataFrame({"block": blocks, "setting": settings, "accuracy": accuracy, "loss": loss}).astype(float)
    means = runs.groupby(["block", "setting"], as_index=False).mean()
    ranked = means.sort_values(["block", "accuracy", "loss"], ascending=[True, False, True], kind="stable")
    of_block = ranked.groupby("block")["setting"]
    best = ranked[of_block.cumcount() < np.ceil(of_block.transform("size") / REDUCTION)]
    return pd.MultiIndex.from_frame(runs[["block", "setting"]]).isin(
        pd.MultiIndex.from_frame(best[["block", "setting"]])
    )
