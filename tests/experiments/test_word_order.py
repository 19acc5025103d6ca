import pandas as pd
import pytest

from experiments import word_order
from jaxnets.evidence.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED

BOTH = ("DAN", "CNN, width 2")


def tables(dan=0.5, cnn=0.9, shuffled=0.5, change=1e-7, ceiling=0.5, spread=0.005, systems=BOTH):
    rows = []
    for system in systems:
        of_dan = system == "DAN"
        row = {"system": system, "fold": 0, "ceiling": ceiling, "change": change if of_dan else 0.9, "examples": 200}
        row["shuffled"] = dan if of_dan else shuffled
        right = dan if of_dan else cnn
        sign = -1 if of_dan else 1
        rows += [row | {"seed": seed, "right": right + sign * spread * (-1) ** seed} for seed in range(6)]
    return {"orders": pd.DataFrame(rows, columns=word_order.COLUMNS)}


OUTCOMES = [
    ({}, SUPPORTED),
    ({"change": 0.01}, NOT_SUPPORTED),
    ({"cnn": 0.4}, NOT_SUPPORTED),
    ({"dan": 0.6}, NOT_SUPPORTED),
    ({"shuffled": 0.95}, NOT_SUPPORTED),
    ({"spread": 0.5, "ceiling": 1.0}, INCONCLUSIVE),
    ({"spread": 0.5}, NOT_SUPPORTED),  # what is computed of the same words cannot be off chance
    ({"systems": ("DAN",)}, INCONCLUSIVE),
    ({"systems": ("CNN, width 2",)}, INCONCLUSIVE),
    ({"systems": ()}, INCONCLUSIVE),
    ({"dan": 0.8, "ceiling": 1.0}, SUPPORTED),
    ({"systems": (*BOTH, "my_lab.nets:Net")}, SUPPORTED),  # a guest has no part in the claim
]


@pytest.mark.parametrize(("changes", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changes, outcome):
    assert word_order.verdict(tables(**changes)).outcome == outcome


def test_the_first_half_of_the_seeds_chooses():
    hyperparameters = {"learning_rate": [0.1, 0.1, 0.2, 0.2], "seed": [0, 1, 0, 1], "status": "finished"}
    runs = pd.DataFrame({"run": range(4), "model": "dan", "optimizer": "adam", **hyperparameters})
    runs = runs.assign(dev_accuracy=[0.8, 0.1, 0.7, 1.0], dev_loss=0.1, test_accuracy=0.5)
    (best,) = word_order.chosen(runs).to_dict("records")
    assert best["learning_rate"] == 0.1


def test_a_tiny_real_run(tiny):
    sentences = {"num_sentences": 400, "learning_rate": 0.01, "filter_widths": 2}
    sizes = {"num_steps": 200, "evaluate_every": 200, "num_seeds": 1, "examples": 40}
    finding, results, _ = tiny("word_order", **sentences, **sizes)
    orders = pd.read_parquet(results.directory / "orders.parquet")
    assert (orders["ceiling"] == 0.5).all()
    bags = orders[orders["system"] != "CNN, width 2"]
    assert (bags[["right", "shuffled"]] == 0.5).all(axis=None)
    assert (orders[orders["system"] == "CNN, width 2"]["right"] > 0.7).all()
    assert finding.verdict.parts[0].outcome == SUPPORTED
    assert set(finding.pictures) == {"accuracy", "texts"}
