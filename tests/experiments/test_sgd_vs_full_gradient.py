import numpy as np
import pandas as pd
import pytest

from experiments import sgd_vs_full_gradient as experiment

SGD, FULL = "SGD", "full gradient"


def tables(accuracy=0.98, step=1e-5, epochs=2, seeds=6, final=(0.01, 0.01)):
    """Both methods: the full gradient is 98% right, takes 100 µs a step, and 50 passes to a loss of 0.1."""
    rng = np.random.default_rng(0)
    both, paths = [], []
    for method, right, passes, last in ((SGD, accuracy, epochs, final[0]), (FULL, 0.98, 50, final[1])):
        for seed in range(seeds):
            loss = last * rng.uniform(0.9, 1.1)
            both.append({"run": seed, "method": method, "seed": seed, "learning_rate": 0.1, "num_steps": 100,
                         "dev_accuracy": 0.98, "dev_loss": 0.1, "train_loss": loss, "test_loss": 0.1,
                         "test_accuracy": right + rng.normal(scale=0.001)})  # fmt: skip
            for number, value in ((1, 1.0), (2, 0.1), (3, loss)):
                paths.append({"run": seed, "method": method, "seed": seed, "learning_rate": 0.1, "whole": 1000,
                              "step": number * 10, "epoch": float(number * passes), "train_loss": value})  # fmt: skip
    times = pd.DataFrame({SGD: step * rng.uniform(0.95, 1.05, 10), FULL: 1e-4 * rng.uniform(0.95, 1.05, 10)})
    return {"both": pd.DataFrame(both), "paths": pd.DataFrame(paths), "times": times}


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [({}, "supported"), ({"accuracy": 0.9}, "not supported"), ({"step": 5e-5}, "not supported"),
     ({"epochs": 80}, "not supported"), ({"seeds": 1}, "inconclusive"), ({"accuracy": 0.9695}, "inconclusive")],
)  # fmt: skip
def test_the_verdict_follows_its_rule(changed, outcome):
    assert experiment.verdict(tables(**changed)).outcome == outcome


@pytest.mark.parametrize("final", [(0.01, 0.03), (0.03, 0.01)])
def test_every_run_reaches_the_loss_that_is_compared(final):
    _, paths = experiment.best(tables(final=final))
    _, reached = experiment.to_loss(paths)
    assert reached.groupby("method")["seed"].nunique().to_dict() == {SGD: 6, FULL: 6}


def test_a_tiny_real_run(tiny):
    finding, results, text = tiny("sgd_vs_full_gradient", num_seeds="2", num_epochs="1", hidden_units="8",
                                  learning_rate="0.1", full_steps="40", rounds="2")  # fmt: skip
    assert set(finding.pictures) == {"step", "examples", "seconds"}
    at_the_end = finding.tables["At the end"].set_index("method")
    assert float(at_the_end.loc[SGD, "steps"]) == 45  # 1,437 examples in batches of 32
    assert float(at_the_end.loc[FULL, "steps"]) == 40
    assert f"Verdict: {finding.verdict.outcome}" in text
    assert results.num_runs == 4
