"""Nets of several depths in one study: the depth stands in the contestant's name, and makes a task of its own later."""

from collections.abc import Mapping

import pandas as pd

_BESIDE = " | "


def with_layers(contestants: pd.Series, hidden_units: pd.Series) -> pd.Series:
    """The names of contestants, each with its number of hidden layers.

    >>> with_layers(pd.Series(["he"]), pd.Series(["8x8"])).tolist()
    ['he | 2']
    """
    return contestants + [_BESIDE + str(_layers(str(units))) for units in hidden_units]


def _layers(units: str) -> int:
    return 0 if units == "0" else units.count("x") + 1


def as_tasks(scored: pd.DataFrame) -> pd.DataFrame:
    """The scores of a study; a task with nets of several depths becomes one for each: `digits, 4 layers`."""
    parts = scored["contestant"].str.rsplit(_BESIDE, n=1, expand=True)
    layers = parts[1].astype(int)
    of_task = layers.groupby(scored["task"])
    flattest = layers == of_task.transform("min")
    ending = [f", {count} layer{'' if count == 1 else 's'}" for count in layers]
    named = scored["task"].where(of_task.transform("nunique") == 1, scored["task"] + ending)
    return scored.assign(task=named, contestant=parts[0], layers=layers, flattest=flattest)


def means(scored: pd.DataFrame) -> pd.DataFrame:
    """Mean test loss and accuracy of each contestant on each task, with its median learning rate."""
    shown = {
        "test loss": ("test_loss", "mean"),
        "test accuracy": ("test_accuracy", "mean"),
        "learning rate (median)": ("learning_rate", "median"),
    }
    return scored.groupby(["task", "contestant"], sort=False).agg(**shown).reset_index()


def deepest_against_flattest(scored: pd.DataFrame, weights: Mapping[str, float]) -> dict[str, float]:
    """The weights of a contrast that says by how much another is larger in the deepest nets than in the flattest."""
    layers = as_tasks(scored)["layers"]
    several = layers[layers.groupby(scored["task"]).transform("nunique") > 1]
    if several.empty:
        return dict(weights)
    ends = {int(several.max()): 1, int(several.min()): -1}
    return {f"{name}{_BESIDE}{end}": sign * weight for name, weight in weights.items() for end, sign in ends.items()}
