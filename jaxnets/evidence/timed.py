"""What is made of times that were taken in turns: how many times as long one thing takes as another, by size."""

import numpy as np
import pandas as pd

ROUND = ["block", "round"]


def ratios(times: pd.DataFrame, column: str, over: str) -> pd.DataFrame:
    """How many times as long one thing takes as another in the same round, as a table of effects."""
    return times.assign(effect=np.log(times[column] / times[over]), test_share=0.0)


def largest(effects: pd.DataFrame, size: str) -> pd.DataFrame:
    """The rows of that size at which the mean effect is largest: a bound on it holds for every size."""
    return effects[effects[size] == effects.groupby(size)["effect"].mean().idxmax()]


def growth(effects: pd.DataFrame, size: str) -> pd.DataFrame:
    """The power of the size with which ratios grow, by least squares in each round, as a table of effects."""
    if effects[size].nunique() < 3:
        return effects.iloc[:0]
    rounds = effects.groupby(ROUND)
    powers = [(*at, np.polyfit(np.log(own[size]), own["effect"], 1)[0]) for at, own in rounds]
    return pd.DataFrame(powers, columns=[*ROUND, "effect"]).assign(test_share=0.0)
