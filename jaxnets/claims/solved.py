"""Shares of runs that solve a problem, where runs of one seed share its draws: the seed is what counts."""

import math

import pandas as pd

from jaxnets.claims.verdicts import ERROR, Fact


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
