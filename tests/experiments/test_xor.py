import pandas as pd
import pytest

from experiments import xor
from jaxnets.report import findings


def runs(units, solved, num_runs):
    accuracy = [1.0] * solved + [0.75] * (num_runs - solved)
    return pd.DataFrame({"hidden_units": units, "activation": "tanh", "initializer": "he", "train_accuracy": accuracy})


@pytest.mark.parametrize(
    ("linear", "hidden", "outcome"),
    [
        ((0, 100), (90, 100), "supported"),
        ((1, 100), (90, 100), "not supported"),
        ((0, 100), (20, 100), "not supported"),
        ((0, 100), (5, 9), "inconclusive"),
        ((0, 0), (90, 100), "inconclusive"),
        ((0, 100), (0, 0), "inconclusive"),
    ],
)
def test_the_verdict_follows_its_rule(linear, hidden, outcome):
    table = pd.concat([runs("0", *linear), runs("4", *hidden)], ignore_index=True)
    assert xor.verdict({"runs": table}).outcome == outcome


def test_a_tiny_real_run(tiny):
    finding, results, text = tiny("xor", num_seeds=8, hidden_units=[0, 2, 8], activation="tanh", initializer="xavier")
    assert finding.verdict.parts[0].outcome == "supported"
    assert set(finding.pictures) == {"solved", "plane_0", "plane_2", "hidden"}
    assert len(results.runs) == 24
    assert f"Verdict: {finding.verdict.outcome}" in text
    again = findings.read(results.directory)
    assert again.as_json() == finding.as_json()
    assert "--num_seeds=8" in finding.command
