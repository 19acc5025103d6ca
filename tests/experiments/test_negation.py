import numpy as np
import pandas as pd
import pytest

from experiments import negation
from jaxnets.evidence.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED

SEEDS = 8


def tables(linear_solves=0, hidden_solve=0.9, linear=0.2, dan=0.9, spread=0.01, systems=("linear", "DAN")):
    """Patterns and sentences of nets with these shares of right ones."""
    patterns = [
        {"hidden_units": units, "train_accuracy": 1.0 if seed < round(share * 100) else 0.75}
        for units, share in (("0", linear_solves), ("8", hidden_solve))
        for seed in range(100)
    ]
    layers = {"linear": "0", "DAN": "32"}
    metrics = {"dev_loss": 0.1, "status": "finished", "train_accuracy": 1.0, "dev_accuracy": 1.0}
    runs = [
        {"run": 2 * seed + place, "seed": seed, "model": "dan", "hidden_units": layers[system], "learning_rate": 0.1}
        for seed in range(SEEDS)
        for place, system in enumerate(systems)
    ]
    runs = pd.DataFrame(runs).assign(**metrics)
    right = np.where(runs["hidden_units"] == "0", linear, dan) + spread * (-1.0) ** (runs["seed"] // 2 + runs["run"])
    negated = pd.DataFrame({"run": runs["run"], "right": right, "examples": 50, "largest": 0.5})
    return {"patterns": pd.DataFrame(patterns), "runs": runs, "negated": negated, "words": pd.DataFrame()}


OUTCOMES = [
    ({}, SUPPORTED),
    ({"linear_solves": 0.01}, NOT_SUPPORTED),
    ({"hidden_solve": 0.2}, NOT_SUPPORTED),
    ({"dan": 0.1}, NOT_SUPPORTED),
    ({"linear": 0.3, "dan": 0.4}, NOT_SUPPORTED),
    ({"spread": 1.0}, INCONCLUSIVE),
    ({"systems": ("linear",)}, INCONCLUSIVE),
    ({"systems": ("DAN",)}, INCONCLUSIVE),
]


@pytest.mark.parametrize(("changes", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changes, outcome):
    assert negation.verdict(tables(**changes)).outcome == outcome


def test_other_models_are_systems_of_their_own():
    changed = tables()
    changed["runs"]["model"] = np.where(changed["runs"]["hidden_units"] == "0", "text_cnn", "my_lab.nets:Net")
    assert set(negation.judged(changed)["system"]) == {"text CNN", "my_lab.nets:Net"}
    assert negation.verdict(changed).outcome == INCONCLUSIVE


def test_a_tiny_real_run(tiny):
    sentences = {"num_sentences": 600, "hidden_units": [0, 16], "learning_rate": 0.03, "model": "dan"}
    sizes = {"num_steps": 300, "evaluate_every": 300, "num_seeds": 1, "pattern_seeds": 8, "pattern_units": 0}
    finding, results, text = tiny("negation", **sentences, **sizes)
    accuracy = finding.tables["Accuracy on sentences"].set_index("system")
    assert accuracy.loc["linear", "test, negated"] < 0.1  # it takes each word for what it is without "not"
    assert accuracy.loc["DAN 16", "dev"] > 0.8 > accuracy.loc["linear", "dev"]
    assert finding.verdict.parts[0].outcome == SUPPORTED
    words = pd.read_parquet(results.directory / "words.parquet")
    assert set(words["seen"]) == {"stood behind 'not' in training", "never did"}
    plain, negated = (words.groupby("kind")[name].mean() for name in ("plain", "negated"))
    assert plain["good"] > plain["bad"]
    assert negated["good"] < negated["bad"]
    assert set(finding.pictures) == {"patterns", "sentences", "words"}
    assert "Figure: " in text
