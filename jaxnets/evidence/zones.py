"""The zones of the learning rate: where it is too low, good, too high, and where runs are lost."""

import numpy as np
import pandas as pd

from jaxnets.evidence.choosing import with_failures

ZONES = ("slow", "good", "unstable", "diverged")


def zones(runs: pd.DataFrame) -> pd.DataFrame:
    """The zone of each learning rate.

    *diverged*: over half of the runs left the finite numbers or end with 90% of the lowest rate's loss or more; *good*:
    the mean accuracy on dev is within 2 points of the best, where a run that did not finish counts as 0; *slow*: below
    the good ones; *unstable*: above them. Where no rate is good, all count as above.

    Returns:
      A row for each rate, ascending: `learning_rate`; `dev` and `accuracy`, the mean accuracies on dev and test;
      `lost`, the share of lost runs; and `zone`.
    """
    lowest = runs[runs["learning_rate"] == runs["learning_rate"].min()]["train_loss"].mean()
    runs = with_failures(runs.assign(lost=(runs["status"] == "diverged") | (runs["train_loss"] > 0.9 * lowest)))
    columns = {"dev": ("dev_accuracy", "mean"), "accuracy": ("test_accuracy", "mean"), "lost": ("lost", "mean")}
    table = runs.groupby("learning_rate").agg(**columns)
    good = table.index[(table["dev"] >= table["dev"].max() - 0.02) & (table["lost"] <= 0.5)]
    first, last = (good.min(), good.max()) if len(good) else (-np.inf, -np.inf)
    conditions = [table.index < first, (table.index > last) & (table["lost"] > 0.5), table.index > last]
    return table.assign(zone=np.select(conditions, ["slow", "diverged", "unstable"], "good")).reset_index()
