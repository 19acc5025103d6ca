"""Heights of barriers between solutions, from tables of pairs: by kind of pair, and by the width of nets."""

from collections.abc import Sequence

import pandas as pd


def heights(pairs: pd.DataFrame, keys: Sequence[str], kinds: Sequence[str]) -> pd.DataFrame:
    """The mean barrier of each kind of pair, first over the pairs of each start.

    >>> pairs = pd.DataFrame({"seed": 0, "kind": ["a", "a", "a"], "share": [0, 0, 1], "barrier": [0.2, 7.0, 7.0]})
    >>> heights(pairs, ["seed"], ["a"])["a"].tolist()
    [0.6]
    """
    ends = pairs[pairs["share"] == 0]
    ends = ends.assign(barrier=ends["barrier"].clip(-1.0, 1.0))
    table = ends.pivot_table(index=list(keys), columns="kind", values="barrier", sort=False)
    return table.reindex(columns=list(kinds)).rename_axis(columns=None).reset_index()


def by_width(high: pd.DataFrame, kind: str, keys: Sequence[str]) -> pd.DataFrame:
    """By how much barriers are higher in the narrowest nets than in the widest of as many layers."""
    width = high["net"].str.split("x").str[0].replace("", "0").astype(int)
    depth = (high["net"].str.count("x") + 1).astype(str)
    table = high.assign(task=high["dataset"] + ", hidden layers: " + depth, width=width)
    widths = table.groupby("task")["width"]
    least, most = widths.transform("min"), widths.transform("max")
    columns = ["task", *keys]
    narrow, wide = (table[(table["width"] == end) & (least < most)].set_index(columns)[kind] for end in (least, most))
    return (narrow - wide).dropna().rename("effect").reset_index()
