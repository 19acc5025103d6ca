"""The zones of the learning rate: where it is too low, good, too high, and where runs are lost."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxnets.claims.verdicts import Fact
from jaxnets.comparison.table import TUNING, Study
from jaxnets.stats import selection

ZONES = ("slow", "good", "unstable", "lost")
GOOD, LOST = 1.5, 0.9


def losses(study: Study) -> pd.DataFrame:
    """The runs that tuned, with a loss for each: guessing's for those that failed, and never more."""
    runs, tables = study.phase(TUNING), []
    for facts in study.tasks:
        own, chance = runs[runs["task"] == facts.name], float(np.log(facts.num_classes))
        loss = selection.counted(own, "train_loss", chance).clip(upper=chance)
        own = own.assign(loss=loss, chance=chance, lost=loss >= LOST * chance, test_share=facts.test_share)
        tables.append(own.assign(block=own.get("block", 0)))
    return pd.concat(tables, ignore_index=True)


def zones(table: pd.DataFrame) -> pd.DataFrame:
    """The zone of each learning rate, on each task.

    *lost*: over half of the runs are, above the good rates; *good*: the loss, geometric mean over runs, is within a
    factor of 1.5 of the lowest, and at most half of the runs are lost; *slow*: below the good ones; *unstable*: above
    them, or between. Where no rate is good, all count as above.
    """
    return pd.concat([_of_task(own).assign(task=task) for task, own in table.groupby("task", sort=False)])[
        ["task", "learning_rate", "loss", "lost", "zone"]
    ].reset_index(drop=True)


def _of_task(table: pd.DataFrame) -> pd.DataFrame:
    logs = table.assign(loss=np.log(np.maximum(table["loss"], 1e-12)))
    rates = logs.groupby("learning_rate")[["loss", "lost"]].mean()
    rates["loss"] = np.exp(rates["loss"])
    good = (rates["loss"] <= GOOD * rates["loss"].min()) & (rates["lost"] <= 0.5)
    lowest = rates.index[good].min() if good.any() else -np.inf
    conditions = [good, rates.index < lowest, rates["lost"] > 0.5]
    return rates.assign(zone=np.select(conditions, ["good", "slow", "lost"], "unstable")).reset_index()


def complete(table: pd.DataFrame) -> Fact:
    """Whether most tasks have slow rates below the good ones, and above them rates at which runs are lost.

    Nothing is known where no task has three rates, one of them good.

    >>> found = complete(pd.DataFrame({"task": "xor", "zone": ["slow", "good", "lost"]}))
    >>> found.holds, found.text
    (True, 'on 1 of 1 tasks')
    """
    found = table.groupby("task", sort=False)["zone"]
    if not found.agg(lambda zones: len(zones) >= 3 and "good" in set(zones)).any():
        return Fact(None, "no task has three rates of which one is good", undecided=len(table) > 0)
    whole = found.agg(lambda zones: {"slow", "good", "lost"} <= set(zones))
    lacking = f"; not on {', '.join(map(str, whole.index[~whole]))}" if not whole.all() else ""
    return Fact(bool(whole.mean() > 0.5), f"on {whole.sum()} of {len(whole)} tasks{lacking}")


def spans(table: pd.DataFrame) -> pd.DataFrame:
    """Where the zones of each task begin and end, as texts: a row for each task, a column for each zone there is.

    >>> table = pd.DataFrame({"task": "xor", "zone": ["slow", "slow", "good"], "learning_rate": [0.01, 0.1, 1.0]})
    >>> spans(table).to_dict("records")
    [{'task': 'xor', 'slow': '0.01 to 0.1', 'good': '1'}]
    """
    rates = table.groupby(["task", "zone"], sort=False)["learning_rate"].agg(["min", "max"])
    texts = [f"{low:.3g} to {high:.3g}" if low < high else f"{low:.3g}" for low, high in rates.to_numpy()]
    shown = pd.Series(texts, rates.index).unstack(fill_value="none", sort=False)
    return shown[[zone for zone in ZONES if zone in shown]].rename_axis(columns=None).reset_index()


def beside_best(table: pd.DataFrame, factors: Sequence[float]) -> pd.DataFrame:
    """What is lost beside the best learning rate: the loss at a multiple of it over the loss there.

    The best rate of a seed is that with which the other seeds of its block have the lowest mean loss, so that no seed
    has a part in its own choice; with one seed it has. Several factors are averaged. A multiple is the rate of the grid
    that is closest in its logarithm, at most the step of a twentieth of a decade away.
    """
    columns = [*("task", "block", "seed", "effect", "edge", "test_share")]
    rows = []
    for (task, block), own in table.groupby(["task", "block"], sort=False):
        logs = own.pivot_table(index="seed", columns="learning_rate", values="loss").clip(lower=1e-12).transform(np.log)
        for seed in logs.index:
            others = logs.drop(index=seed) if len(logs) > 1 else logs
            best = float(logs.columns.to_numpy(np.float64)[others.to_numpy().mean(axis=0).argmin()])
            effect, edge = _beside(logs.loc[seed], best, factors)
            rows.append((task, block, seed, effect, edge, own["test_share"].iloc[0]))
    return pd.DataFrame(rows, columns=columns)


def _beside(logs: pd.Series, best: float, factors: Sequence[float]) -> tuple[float, bool]:
    """The mean effect of one seed at multiples of the best rate, and whether one of the rates is not there."""
    rates = logs.index.to_numpy(np.float64)
    places = [np.abs(np.log10(rates / (best * factor))) for factor in factors]
    there = [bool(distances.min() <= 0.05) for distances in places]
    effects = [float(logs.iloc[int(distances.argmin())] - logs.loc[best]) for distances in places]
    known = [effect for effect, on_grid in zip(effects, there, strict=True) if on_grid]
    return float(np.mean(known or [0.0])), selection.on_edge(rates, best) or not all(there)
