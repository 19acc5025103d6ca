import numpy as np
import pandas as pd
import pytest

from experiments import activations

SPREAD = np.linspace(-0.004, 0.004, 8)


def tables(sigmoid=0.90, tanh=0.98, relu=0.98, centred=0.97, relu_time=0.5, seeds=8):
    accuracies = {"sigmoid": sigmoid, "tanh": tanh, "relu": relu, activations.CENTRED: centred}
    parts = [
        pd.DataFrame({"hidden_units": "8x8", "activation": name, "learning_rate": rate, "seed": range(seeds),
                      "dev_accuracy": accuracy - worse, "dev_loss": 1.0, "optimizer": "sgd",
                      "test_accuracy": accuracy - worse + (place % 2 * 2 - 1) * SPREAD[:seeds]})
        for place, (name, accuracy) in enumerate(accuracies.items())
        for rate, worse in ((0.1, 0.0), (1.0, 0.3))
    ]  # fmt: skip
    runs = pd.concat(parts, ignore_index=True)
    runs.insert(0, "run", range(len(runs)))
    order = ["run", "hidden_units", "activation", "learning_rate", "seed", "optimizer"]
    runs = runs[order].assign(status="finished").join(runs[["dev_accuracy", "dev_loss", "test_accuracy"]])
    noise = 1 + np.linspace(-0.02, 0.02, 6)
    times = {"tanh": noise, "relu": relu_time * noise[::-1], "sigmoid": noise, "centred sigmoid": noise}
    return {"runs": runs, "times": pd.DataFrame(times), "chance": pd.DataFrame({"accuracy": [0.1]})}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [({}, "supported"), ({"tanh": 0.8}, "not supported"), ({"relu": 0.8}, "not supported"),
     ({"centred": 0.91}, "not supported"), ({"relu_time": 2.0}, "not supported"), ({"seeds": 1}, "inconclusive"),
     ({"centred": 0.9405}, "inconclusive")],
)  # fmt: skip
def test_the_verdict_follows_its_rule(found, outcome):
    assert activations.verdict(tables(**found)).outcome == outcome


def test_rates_are_chosen_by_dev():
    assert set(activations.best(tables())["learning_rate"]) == {0.1}


def test_a_tiny_real_run(tiny):
    finding, results, _ = tiny("activations", hidden_units="8x8x8", activation="sigmoid,tanh", num_seeds="2",
                               learning_rate="0.3", num_epochs="1", repetitions="3", size="1024")  # fmt: skip
    assert set(finding.pictures) == {"accuracy", "gradients", "times"}
    signals = pd.read_parquet(results.directory / "signals.parquet")
    gradients = signals.pivot_table(index="layer", columns="kind", values="gradient")
    ratios = gradients.loc[1] / gradients.loc[3]
    assert ratios["sigmoid"] < 0.2 < ratios["tanh"]
