import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jaxnets.evidence import trends


def test_slopes_are_those_of_a_regression_on_the_logarithm():
    rng = np.random.default_rng(0)
    runs = pd.DataFrame({"block": np.repeat([3, 5], 4), "rate": np.tile([0.01, 0.1, 1.0, 10.0], 2), "test_share": 0.25})
    runs["score"] = rng.normal(size=8)
    table = trends.slopes(runs, "rate", "score").set_index("block")
    found, shares = table["effect"], table["test_share"]
    assert (shares == 0.25).all()
    for block, own in runs.groupby("block"):
        assert found[block] == pytest.approx(stats.linregress(np.log10(own["rate"]), own["score"]).slope)


def test_two_values_are_no_trend():
    runs = pd.DataFrame({"block": [0, 0, 0], "rate": [0.1, 1.0, 1.0], "score": [0.0, 1.0, 1.0], "test_share": 0.0})
    assert trends.slopes(runs, "rate", "score").empty
    assert list(trends.slopes(runs[:0], "rate", "score")) == ["block", "effect", "test_share"]
