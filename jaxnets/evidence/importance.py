"""The importance of hyperparameters: functional analysis of variance over a random search."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike

NUM_TREES = 16
NUM_GROUPS = 4
_GROUP = ["task", "block", "seed", "test_share"]


def main_effects(
    places: Float[np.ndarray, "draws names"], scores: ArrayLike, seed: int = 0
) -> Float[np.ndarray, "names"]:
    """The share of a score's variance that is the main effect of each hyperparameter.

    A random forest learns the score. In each tree the function that is left of it when all hyperparameters but one are
    averaged out is known exactly, and so is its variance over that of the whole. Source: Hutter, Hoos and Leyton-Brown
    (2014), algorithm 2. What no single hyperparameter explains belongs to their interactions.
    """
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(NUM_TREES, random_state=seed).fit(places, np.asarray(scores, np.float64))
    return np.mean([of_tree(one.tree_, places.shape[1]) for one in forest.estimators_], axis=0)


def of_tree(tree: Any, num_names: int) -> Float[np.ndarray, "names"]:
    """The shares of one tree of scikit-learn's over the unit cube; see `main_effects`."""
    low, high, values = _leaves(tree, num_names)
    widths = high - low
    volumes = widths.prod(axis=1)
    mean = volumes @ values
    variance = volumes @ (values - mean) ** 2
    if variance <= 1e-12 * max(mean**2, 1e-300):
        return np.zeros(num_names)
    of_names = [
        _variance_of_mean(low[:, name], high[:, name], volumes / widths[:, name] * (values - mean))
        for name in range(num_names)
    ]
    return np.array(of_names) / variance


def _leaves(tree: Any, num_names: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The boxes of a tree's leaves, their lower and upper corners, `float64[leaves, names]`, and what each predicts."""
    boxes, found = {0: (np.zeros(num_names), np.ones(num_names))}, []
    for node in range(tree.node_count):  # a child's number is larger than its parent's
        low, high = boxes[node]
        left, right = tree.children_left[node], tree.children_right[node]
        if left < 0:
            found.append((low, high, tree.value[node].item()))
            continue
        cut = np.arange(num_names) == tree.feature[node]
        boxes[left] = low, np.where(cut, tree.threshold[node], high)
        boxes[right] = np.where(cut, tree.threshold[node], low), high
    lows, highs, values = zip(*found, strict=True)
    return np.array(lows), np.array(highs), np.array(values)


def _variance_of_mean(low: np.ndarray, high: np.ndarray, parts: np.ndarray) -> float:
    """The variance, along one axis, of what the leaves that lie over each point of it add up to."""
    cuts = np.unique(np.concatenate([low, high]))
    middles = (cuts[1:] + cuts[:-1]) / 2
    over = (low[:, None] <= middles) & (middles < high[:, None])
    return float(np.diff(cuts) @ (parts @ over) ** 2)


def placed(draws: pd.DataFrame, names: Sequence[str]) -> Float[np.ndarray, "draws names"]:
    """Where each draw lies in the distribution of each hyperparameter, from 0 to 1; equal values lie in the middle.

    >>> placed(pd.DataFrame({"rate": [0.1, 10.0, 1.0], "size": [8, 64, 8]}), ["rate", "size"]).round(2).tolist()
    [[0.17, 0.33], [0.83, 0.83], [0.5, 0.33]]
    """
    ranks = draws[list(names)].rank(method="average")
    return ((ranks - 0.5) / len(draws)).to_numpy(np.float64)


def shares(draws: pd.DataFrame, names: Sequence[str], loss: str, groups: int = NUM_GROUPS) -> pd.DataFrame:
    """The main effects of hyperparameters on the logarithm of a loss, for each task and block.

    The draws of a block are dealt out to groups, of which each has its own forest: what they say of a block differs by
    chance alone.
    """
    rows = []
    for (task, block), own in draws.groupby(["task", "block"], sort=False):
        for group in range(groups):
            part = own.iloc[group::groups]
            found = main_effects(placed(part, names), np.log(np.maximum(part[loss], 1e-12)), seed=group)
            key = (task, block, group, own["test_share"].iloc[0])
            rows += [(*key, name, share) for name, share in zip(names, found, strict=True)]
    return pd.DataFrame(rows, columns=[*_GROUP, "name", "share"])


def lead(table: pd.DataFrame, name: Hashable, over: str = "mean") -> pd.DataFrame:
    """How much more of the variance one hyperparameter explains than others, as a table of effects.

    >>> rows = {"task": "xor", "block": 0, "seed": 0, "test_share": 0.0, "name": list("abc"), "share": [0.5, 0.2, 0.0]}
    >>> lead(pd.DataFrame(rows), "a")["effect"].tolist(), lead(pd.DataFrame(rows), "a", "max")["effect"].tolist()
    ([0.4], [0.3])
    """
    wide = table.pivot_table(index=_GROUP, columns="name", values="share", sort=False)
    if name not in wide or wide.shape[1] < 2:
        return pd.DataFrame(columns=[*_GROUP, "effect"])
    others = wide.drop(columns=name).agg(over, axis=1)
    return (wide[name] - others).rename("effect").reset_index()
