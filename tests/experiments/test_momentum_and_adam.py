import numpy as np
import pandas as pd
import pytest

from experiments import momentum_and_adam


def tables(adam=0.08, steps=50, noise=0.002, seeds=16):
    rng = np.random.default_rng(0)
    rows = []
    for name, loss in (("sgd", 0.1), ("adam", adam)):
        for seed in range(seeds):
            value = loss + noise * rng.normal()
            losses = {"dev_loss": value, "test_loss": value}
            rows.append(
                {"run": len(rows), "optimizer": name, "learning_rate": 0.1, "seed": seed, "status": "finished"} | losses
            )
    arrivals = {"ravine": (100, steps), "saddle": (100, steps), "plateau": (100, np.inf)}
    paths = [
        {"landscape": place, "optimizer": name, "arrival": value}
        for place, both in arrivals.items()
        for name, value in zip(("sgd", "adam"), both, strict=True)
    ]
    return {"runs": pd.DataFrame(rows), "paths": pd.DataFrame(paths)}


OUTCOMES = [
    ({}, "supported"),
    ({"adam": 0.2}, "not supported"),
    ({"steps": 200}, "not supported"),
    ({"noise": 0.2}, "inconclusive"),
    ({"seeds": 1}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert momentum_and_adam.verdict(tables(**changed)).outcome == outcome


def test_sgd_alone_decides_nothing():
    only = tables()
    only["runs"] = only["runs"][only["runs"]["optimizer"] == "sgd"]
    assert momentum_and_adam.verdict(only).outcome == "inconclusive"


def test_an_optimizer_of_which_all_runs_diverged_is_judged_all_the_same():
    lost = tables()
    lost["runs"].loc[lost["runs"]["optimizer"] == "adam", ["status", "dev_loss", "test_loss"]] = "diverged", None, None
    assert [part.outcome for part in momentum_and_adam.verdict(lost).parts] == ["not supported", "supported"]


def test_a_tiny_real_run(tiny):
    nets = {"optimizer": ["sgd", "adam"], "hidden_units": 5, "num_seeds": 2, "num_epochs": 1}
    finding, _, _ = tiny("momentum_and_adam", **nets, learning_rate=[0.01, 0.1], rates=6, steps=200)
    assert set(finding.pictures) == {"rates", "ravine", "saddle", "plateau"}
    assert len(finding.verdict.parts) == 2
