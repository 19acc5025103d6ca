import numpy as np
import pandas as pd
import pytest

from experiments import activations

SPREAD = np.linspace(-0.004, 0.004, 8)
DEPTHS = pd.DataFrame({"hidden_units": ["8x8"], "depth": [2]})


def tables(sigmoid=0.90, tanh=0.98, relu=0.98, centred=0.97, relu_time=0.5, seeds=8):
    accuracies = {"sigmoid": sigmoid, "tanh": tanh, "relu": relu, activations.CENTRED: centred}
    parts = []
    for place, (name, accuracy) in enumerate(accuracies.items()):
        for rate, worse in ((0.1, 0.0), (1.0, 0.3)):
            net = {"hidden_units": "8x8", "activation": name, "learning_rate": rate, "seed": range(seeds)}
            dev = {"optimizer": "sgd", "status": "finished", "dev_accuracy": accuracy - worse, "dev_loss": 1.0}
            test = accuracy - worse + (place - 1.5) * SPREAD[:seeds]
            parts.append(pd.DataFrame(net | dev | {"test_accuracy": test}))
    runs = pd.concat(parts, ignore_index=True)
    runs.insert(0, "run", range(len(runs)))
    noise = 1 + np.linspace(-0.02, 0.02, 6)
    times = {"tanh": noise, "relu": relu_time * noise[::-1], "sigmoid": noise, "centred sigmoid": noise}
    chance = pd.DataFrame({"accuracy": [0.1]})
    return {"runs": runs, "times": pd.DataFrame(times), "chance": chance, "depths": DEPTHS, "signals": pd.DataFrame()}


OUTCOMES = [
    ({}, "supported"),
    ({"tanh": 0.8}, "not supported"),
    ({"relu": 0.8}, "not supported"),
    ({"centred": 0.91}, "not supported"),
    ({"relu_time": 2.0}, "not supported"),
    ({"seeds": 1}, "inconclusive"),
    ({"centred": 0.9405}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert activations.verdict(tables(**changed)).outcome == outcome


def test_rates_are_chosen_by_dev():
    assert set(activations.best(tables())["learning_rate"]) == {0.1}


def test_runs_that_diverged_are_guessing():
    lost = tables()
    lost["runs"] = lost["runs"].assign(status="diverged", test_accuracy=np.nan, dev_accuracy=np.nan, dev_loss=np.nan)
    assert set(activations.best(lost)["test_accuracy"]) == {0.1}
    assert activations.verdict(lost).outcome == "inconclusive"
    assert activations.summary(lost)


def test_without_an_mlp_there_are_no_gradients_by_layer():
    assert set(activations.pictures(tables())) == {"accuracy", "times"}


def test_a_tiny_real_run(tiny):
    nets = {"hidden_units": (8, 8, 8), "activation": ["sigmoid", "tanh"], "num_seeds": 2, "learning_rate": 0.3}
    finding, results, _ = tiny("activations", **nets, num_epochs=1, repetitions=3, size=1024)
    assert set(finding.pictures) == {"accuracy", "gradients", "times"}
    signals = pd.read_parquet(results.directory / "signals.parquet")
    gradients = signals.pivot_table(index="layer", columns="kind", values="gradient")
    ratios = gradients.loc[1] / gradients.loc[3]
    assert ratios["sigmoid"] < 0.2 < ratios["tanh"]
