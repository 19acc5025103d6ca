"""How a score changes with a hyperparameter, in each block."""

import numpy as np
import pandas as pd


def slopes(runs: pd.DataFrame, x: str, y: str, *, by: str = "block") -> pd.DataFrame:
    """The slope of a score over the logarithm of a hyperparameter, by least squares, as a table of effects.

    >>> runs = pd.DataFrame({"block": 0, "rate": [0.1, 1.0, 10.0], "score": [0.2, 0.4, 0.6], "test_share": 0.0})
    >>> slopes(runs, "rate", "score")["effect"].round(3).tolist()
    [0.2]
    """
    rows = [
        (repetition, np.polyfit(np.log10(own[x].astype(float)), own[y].astype(float), 1)[0])
        for repetition, own in runs.groupby(by, sort=False)
        if own[x].nunique() > 2
    ]
    return pd.DataFrame(rows, columns=[by, "effect"]).assign(test_share=runs["test_share"].max())
