import numpy as np
import pandas as pd
import pytest

from experiments import initialization

SPREAD = np.linspace(-0.004, 0.004, 8)


def tables(zeros=0.1, he=0.98, xavier=0.982, pytorch=0.981, rank=1, seeds=8, noise=1.0):
    accuracies = {"zeros": zeros, "he": he, "xavier": xavier, "pytorch": pytorch}
    parts = []
    for place, (name, accuracy) in enumerate(accuracies.items()):
        for rate, worse in ((0.1, 0.0), (1.0, 0.05)):
            net = {"initializer": name, "learning_rate": rate, "optimizer": "sgd", "seed": range(seeds)}
            dev = {"status": "finished", "dev_accuracy": accuracy - worse, "dev_loss": 1.0}
            test = accuracy - worse + (place % 2 * 2 - 1) * noise * SPREAD[:seeds]
            parts.append(pd.DataFrame(net | dev | {"test_accuracy": test}))
    runs = pd.concat(parts, ignore_index=True)
    runs.insert(0, "run", range(len(runs)))
    ranks = pd.DataFrame({"initializer": ["zeros", "zeros", "he"], "step": [0, 9, 0], "rank": [0, rank, 64]})
    return {"runs": runs, "ranks": ranks}


OUTCOMES = [
    ({}, "supported"),
    ({"zeros": 0.9}, "not supported"),
    ({"rank": 2}, "not supported"),
    ({"pytorch": 0.9}, "not supported"),
    ({"pytorch": 0.2}, "not supported"),
    ({"seeds": 1}, "inconclusive"),
    ({"he": 0.97, "pytorch": 0.972}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert initialization.verdict(tables(**changed)).outcome == outcome


def test_a_single_start_cannot_be_compared():
    alone = tables()
    alone["runs"] = alone["runs"][alone["runs"]["initializer"] == "he"]
    assert [part.outcome for part in initialization.verdict(alone).parts].count("inconclusive") == 3


def test_runs_that_all_diverged_support_nothing():
    lost = tables()
    lost["runs"] = lost["runs"].assign(status="diverged", test_accuracy=np.nan, dev_accuracy=np.nan)
    assert initialization.verdict(lost).outcome == "inconclusive"
    assert len(initialization.summary(lost)["Initializers"]) == 4


def test_a_tiny_real_run(tiny):
    net = {"hidden_units": 8, "activation": "sigmoid", "initializer": ["zeros", "he"], "learning_rate": 0.3}
    finding, results, _ = tiny("initialization", **net, num_seeds=2, num_epochs=2, layers=3)
    assert set(finding.pictures) == {"accuracy", "ranks", "activations", "gradients"}
    ranks = pd.read_parquet(results.directory / "ranks.parquet").groupby("initializer")["rank"]
    assert ranks.max()["zeros"] == 1  # all hidden units stay alike, but they do learn
    assert ranks.min()["he"] == 8
