import pandas as pd
import pytest

from experiments import word_order
from jaxnets.evidence.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED


def tables(dan=0.5, cnn=0.9, shuffled=0.5, change=1e-7, ceiling=0.5, spread=0.005, systems=("DAN", "CNN, width 2")):
    rows = [
        {"system": system, "seed": seed, "fold": 0, "ceiling": ceiling,
         "right": (dan if system == "DAN" else cnn) + spread * (-1) ** seed,
         "shuffled": (dan if system == "DAN" else shuffled), "change": change if system == "DAN" else 0.9}
        for system in systems for seed in range(6)
    ]  # fmt: skip
    return {"orders": pd.DataFrame(rows)}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [({}, SUPPORTED), ({"change": 0.01}, NOT_SUPPORTED), ({"cnn": 0.4}, NOT_SUPPORTED), ({"dan": 0.6}, NOT_SUPPORTED),
     ({"shuffled": 0.95}, NOT_SUPPORTED), ({"spread": 0.5}, INCONCLUSIVE), ({"systems": ("DAN",)}, INCONCLUSIVE),
     ({"systems": ("CNN, width 2",)}, INCONCLUSIVE), ({"dan": 0.8, "ceiling": 1.0}, SUPPORTED)],
)  # fmt: skip
def test_the_verdict_follows_its_rule(changes, outcome):
    assert word_order.verdict(tables(**changes)).outcome == outcome


def test_a_tiny_real_run(tiny):
    finding, results, _ = tiny("word_order", num_sentences="400", learning_rate="0.01", filter_widths="2",
                               num_steps="200", evaluate_every="200", num_seeds="4", examples="40")  # fmt: skip
    orders = pd.read_parquet(results.directory / "orders.parquet")
    assert (orders["ceiling"] == 0.5).all()
    bags = orders[orders["system"] != "CNN, width 2"]
    assert (bags[["right", "shuffled"]] == 0.5).all(axis=None)
    assert (orders[orders["system"] == "CNN, width 2"]["right"] > 0.7).all()
    assert finding.verdict.outcome == SUPPORTED
    assert sorted(set(orders["seed"])) == [2, 3]  # fresh ones
