import numpy as np
import pandas as pd
import pytest

from experiments import linear_collapse


def tables(error=1e-7, deep=0.96, left=0.2, relu=0.98, seeds=8):
    spread = np.linspace(-0.002, 0.002, seeds)
    nets = [
        ("identity", "0", 0.96, 1e-7, 0.0),
        ("relu", "0", 0.96, 1e-7, 0.0),
        ("identity", "8x8", deep, error, 0.0),
        ("relu", "8x8", relu, 1.0, left),
    ]
    parts = []
    for activation, units, accuracy, wrong, rest in nets:
        net = {"activation": activation, "hidden_units": units, "seed": range(seeds), "error": wrong}
        parts.append(
            pd.DataFrame(
                net | {"test_accuracy": accuracy + spread * (units != "0"), "unexplained": rest * (1 + spread)}
            )
        )
    return {"nets": pd.concat(parts, ignore_index=True), "logits": pd.DataFrame()}


OUTCOMES = [
    ({}, "supported"),
    ({"error": 1e-3}, "not supported"),
    ({"deep": 0.9}, "not supported"),
    ({"relu": 0.95}, "not supported"),
    ({"left": 0.01}, "not supported"),
    ({"seeds": 1}, "inconclusive"),
    ({"relu": 0.9605}, "inconclusive"),
    ({"error": np.nan}, "inconclusive"),  # a guest's layers cannot be multiplied out
    ({"seeds": 0}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert linear_collapse.verdict(tables(**changed)).outcome == outcome


def test_without_a_finished_run_there_is_nothing_to_draw():
    assert linear_collapse.pictures(tables(seeds=0)) == {}


def test_a_tiny_real_run(tiny):
    nets = {"hidden_units": (6, 6), "num_seeds": 2, "learning_rate": 0.01, "num_epochs": 2}
    finding, _, _ = tiny("linear_collapse", **nets)
    assert finding.verdict.parts[0].outcome == "supported"
    errors = finding.tables["Nets, each at its best learning rate"].set_index(["activation", "hidden_units"])
    assert errors.loc[("relu", "6x6"), "largest relative error"] > 0.01
    assert set(finding.pictures) == {"logits_identity", "logits_relu", "accuracy"}
