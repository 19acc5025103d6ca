"""What it takes methods to get to one loss, where they are at equal cost, and what the choice among them gains."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxnets.claims import effects
from jaxnets.claims.verdicts import ERROR, Fact
from jaxnets.comparison.table import TUNING, Comparison
from jaxnets.stats import selection

GROUP = ["task", "repeat"]


def epochs_to_shared(comparison: Comparison, scored: pd.DataFrame, column: str = "train_loss") -> pd.DataFrame:
    """The passes over the data until each run has the loss at which the worst method of its repeat ends.

    All methods get to that loss on average, so that it favours none of them. Between two evaluations the logarithm
    of the loss goes on a straight line. A run that never gets there, or diverges, counts as if it did at its end.
    """
    ends = scored.groupby([*GROUP, "method"], sort=False)[column].mean()
    targets = ends.groupby(level=GROUP, sort=False).max().rename("_target").reset_index()
    table = scored.merge(targets, on=GROUP, how="left")
    curves = dict(tuple(comparison.curves.groupby("run", sort=False)))
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


def at_equal_seconds(
    comparison: Comparison, runs: pd.DataFrame, times: pd.DataFrame, column: str = "train_loss"
) -> pd.Series:
    """The loss of each run when the method with the fastest epochs ends; failures have that of chance."""
    curves = dict(tuple(comparison.curves.groupby("run", sort=False)))
    medians = times.groupby(["task", "method"])["seconds"].median().rename("_seconds").reset_index()
    timed = runs.merge(medians, on=["task", "method"], how="left").set_index(runs.index)
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


def tuned(comparison: Comparison, scored: pd.DataFrame) -> pd.DataFrame:
    """The runs that tuned, failures counted, of the setting that was chosen for each method of each repeat."""
    tried = comparison.phase(TUNING).rename(columns={comparison.by: "method"})
    tried = tried.assign(repeat=tried.get("repeat", 0))
    failed = {facts.name: float(np.log(facts.num_classes)) for facts in comparison.tasks}
    losses = {
        name: tried[name].where(tried["status"] == selection.FINISHED).fillna(tried["task"].map(failed))
        for name in effects.SCORES
        if name in tried and name.endswith("loss")
    }
    keys = [*GROUP, "method", "learning_rate"]
    return tried.assign(**losses).merge(scored[keys].drop_duplicates(), on=keys)


def best_against_worst(tuning: pd.DataFrame, scored: pd.DataFrame, column: str) -> pd.DataFrame:
    """What the method that was best in tuning gains over the one that was worst, on fresh seeds, as log ratios."""
    means = tuning.groupby([*GROUP, "method"], sort=False)[column].mean().unstack()
    chosen = pd.DataFrame({"best": means.idxmin(axis=1), "worst": means.idxmax(axis=1)}).reset_index()
    runs = scored.merge(chosen, on=GROUP)
    roles = [runs[runs["method"] == runs[role]].assign(method=role) for role in ("best", "worst")]
    return effects.contrast(pd.concat(roles, ignore_index=True), column, {"worst": 1, "best": -1}, log=True)


def by_seed(runs: pd.DataFrame) -> pd.DataFrame:
    """The share of each seed's runs that solve the problem, as a table of effects.

    >>> by_seed(pd.DataFrame({"seed": [0, 0, 1], "solved": [True, False, True]}))["effect"].tolist()
    [0.5, 1.0]
    """
    return runs.groupby("seed")["solved"].mean().astype(float).rename("effect").reset_index()


def gains_by_seed(runs: pd.DataFrame, by: str, least: str) -> pd.DataFrame:
    """By how much each seed's share grows from one value of a hyperparameter to the largest, as a table of effects.

    >>> runs = {"units": ["2", "8", "2", "8"], "seed": [0, 0, 1, 1], "solved": [False, True, True, True]}
    >>> gains_by_seed(pd.DataFrame(runs), "units", "2")["effect"].tolist()
    [1.0, 0.0]
    """
    numbers = pd.to_numeric(runs[by], errors="coerce")
    most = numbers.max()
    ends = [by_seed(runs[numbers == value]).set_index("seed")["effect"] for value in (most, float(least))]
    gains = (ends[0] - ends[1]).dropna() if most > float(least) else ends[0].iloc[:0]
    return gains.rename("effect").reset_index()


def none_does(runs: pd.DataFrame) -> Fact:
    """That none of some runs solves the problem; nothing if there are none."""
    return Fact(None if runs.empty else not runs["solved"].any(), _count(runs))


def some_does(runs: pd.DataFrame, rare: float) -> Fact:
    """That some run solves the problem; that none does is told only of enough seeds."""
    solves, enough = bool(runs["solved"].any()), math.ceil(math.log(ERROR) / math.log(1 - rare))
    if solves or runs["seed"].nunique() >= enough:
        return Fact(solves, _count(runs))
    return Fact(None, _count(runs), undecided=not runs.empty)


def _count(runs: pd.DataFrame) -> str:
    seeds = runs.groupby("seed")["solved"].any()
    runs_do, seeds_do = int(runs["solved"].sum()), int(seeds.sum())
    return f"{runs_do:,} of {len(runs):,} runs solve it, {seeds_do:,} of {len(seeds):,} seeds do"


def to_look_at(runs: pd.DataFrame, units: str) -> int | None:
    """The run of a width that is shown: one that solves the problem with tanh if there is one, of the least loss."""
    of_width = runs[runs["hidden_units"] == units].sort_values("train_loss")
    # a saturated layer is easier to see than one with large linear parts
    clear = of_width[of_width["solved"] & (of_width["activation"] == "tanh")]
    chosen = pd.concat([clear, of_width])["run"]
    return None if chosen.empty else int(chosen.iloc[0])


ZONES = ("slow", "good", "unstable", "lost")
GOOD, LOST = 1.5, 0.9


def losses(comparison: Comparison) -> pd.DataFrame:
    """The runs that tuned, with a loss for each: guessing's for those that failed, and never more."""
    runs, tables = comparison.phase(TUNING), []
    for facts in comparison.tasks:
        own, chance = runs[runs["task"] == facts.name], float(np.log(facts.num_classes))
        loss = selection.counted(own, "train_loss", chance).clip(upper=chance)
        own = own.assign(loss=loss, chance=chance, lost=loss >= LOST * chance, test_share=facts.test_share)
        tables.append(own.assign(repeat=own.get("repeat", 0)))
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

    The best rate of a seed is that with which the other seeds of its repeat have the lowest mean loss, so that no seed
    has a part in its own choice; with one seed it has. Several factors are averaged. A multiple is the rate of the grid
    that is closest in its logarithm, at most the step of a twentieth of a decade away.
    """
    columns = [*("task", "repeat", "seed", "effect", "edge", "test_share")]
    rows = []
    for (task, repeat), own in table.groupby(["task", "repeat"], sort=False):
        logs = own.pivot_table(index="seed", columns="learning_rate", values="loss").clip(lower=1e-12).transform(np.log)
        for seed in logs.index:
            others = logs.drop(index=seed) if len(logs) > 1 else logs
            best = float(logs.columns.to_numpy(np.float64)[others.to_numpy().mean(axis=0).argmin()])
            effect, edge = _beside(logs.loc[seed], best, factors)
            rows.append((task, repeat, seed, effect, edge, own["test_share"].iloc[0]))
    return pd.DataFrame(rows, columns=columns)


def _beside(logs: pd.Series, best: float, factors: Sequence[float]) -> tuple[float, bool]:
    """The mean effect of one seed at multiples of the best rate, and whether one of the rates is not there."""
    rates = logs.index.to_numpy(np.float64)
    places = [np.abs(np.log10(rates / (best * factor))) for factor in factors]
    there = [bool(distances.min() <= 0.05) for distances in places]
    effects = [float(logs.iloc[int(distances.argmin())] - logs.loc[best]) for distances in places]
    known = [effect for effect, on_grid in zip(effects, there, strict=True) if on_grid]
    return float(np.mean(known or [0.0])), selection.on_edge(rates, best) or not all(there)
