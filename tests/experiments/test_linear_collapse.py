import numpy as np
import pandas as pd
import pytest

from experiments import linear_collapse


def tables(error=1e-7, deep=0.96, left=0.2, relu=0.98, seeds=8):
    spread = np.linspace(-0.002, 0.002, seeds)
    rows = [("identity", "0", 0.96, 1e-7, 0.0), ("relu", "0", 0.96, 1e-7, 0.0), ("identity", "8x8", deep, error, 0.0),
            ("relu", "8x8", relu, 1.0, left)]  # fmt: skip
    parts = [
        pd.DataFrame({"activation": activation, "hidden_units": units, "seed": range(seeds),
                      "test_accuracy": accuracy + (spread if units != "0" else 0), "error": wrong, "unexplained": rest})
        for activation, units, accuracy, wrong, rest in rows
    ]  # fmt: skip
    return {"nets": pd.concat(parts, ignore_index=True)}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [({}, "supported"), ({"error": 1e-3}, "not supported"), ({"deep": 0.9}, "not supported"),
     ({"relu": 0.95}, "not supported"), ({"left": 0.01}, "not supported"), ({"seeds": 1}, "inconclusive"),
     ({"relu": 0.9605}, "inconclusive")],
)  # fmt: skip
def test_the_verdict_follows_its_rule(found, outcome):
    assert linear_collapse.verdict(tables(**found)).outcome == outcome


def test_a_tiny_real_run(tiny):
    finding, _, _ = tiny("linear_collapse", hidden_units="0,6x6", num_seeds="2", learning_rate="0.01", num_epochs="2")
    assert finding.verdict.parts[0].outcome == "supported"
    errors = finding.tables["Nets, each at its best learning rate"].set_index(["activation", "hidden_units"])
    assert errors.loc[("relu", "6x6"), "largest relative error"] > 0.01
