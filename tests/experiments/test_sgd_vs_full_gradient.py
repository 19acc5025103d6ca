import numpy as np
import pandas as pd
import pytest

from experiments import sgd_vs_full_gradient as experiment
from experiments.sgd_vs_full_gradient import FULL, SGD


def tables(accuracy=0.98, step=1e-5, epochs=2, seeds=6):
    """Both methods: the full gradient is 98% right, takes 100 µs a step, and 50 passes to a loss of 0.1."""
    rng = np.random.default_rng(0)
    both, paths = [], []
    for method, right, passes in ((SGD, accuracy, epochs), (FULL, 0.98, 50)):
        for seed in range(seeds):
            loss = 0.01 * rng.uniform(0.9, 1.1)
            run = {"run": seed, "optimizer": "sgd", "learning_rate": 0.1, "num_steps": 100, "seed": seed}
            metrics = {"dev_accuracy": 0.98, "dev_loss": 0.1, "train_loss": loss, "test_loss": 0.1}
            test_accuracy = right + rng.normal(scale=0.001)
            both.append(run | {"status": "finished", "test_accuracy": test_accuracy, "method": method} | metrics)
            for number, value in ((1, 1.0), (2, 0.1), (3, loss)):
                epoch = number * passes * (1 + 0.01 * seed * (method == SGD))
                place = {"run": seed, "seed": seed, "step": number * 10, "epoch": epoch}
                paths.append(place | {"method": method, "whole": 1000, "train_loss": value})
    times = pd.DataFrame({SGD: step * rng.uniform(0.95, 1.05, 10), FULL: 1e-4 * rng.uniform(0.95, 1.05, 10)})
    return {"both": pd.DataFrame(both), "paths": pd.DataFrame(paths), "times": times}


OUTCOMES = [
    ({}, "supported"),
    ({"accuracy": 0.9}, "not supported"),
    ({"step": 5e-5}, "not supported"),
    ({"epochs": 80}, "not supported"),
    ({"seeds": 1}, "inconclusive"),
    ({"accuracy": 0.9695}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert experiment.verdict(tables(**changed)).outcome == outcome


def test_a_tiny_real_run(tiny):
    nets = {"num_seeds": 2, "num_epochs": 1, "hidden_units": 8, "learning_rate": 0.1}
    finding, results, text = tiny("sgd_vs_full_gradient", **nets, batch_size=[32, 0], full_steps=40, rounds=2)
    assert set(finding.pictures) == {"step", "examples", "seconds"}
    at_the_end = finding.tables["At the end"].set_index("method")
    assert float(at_the_end.loc[SGD, "steps"]) == 45  # 1,437 examples in batches of 32
    assert float(at_the_end.loc[FULL, "steps"]) == 40
    assert f"Verdict: {finding.verdict.outcome}" in text
    assert results.num_runs == 4
