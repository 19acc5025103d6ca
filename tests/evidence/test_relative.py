import numpy as np
import pandas as pd
import pytest

from jaxnets.comparison.table import CONFIRMATION, TUNING, Protocol, Study
from jaxnets.evidence import relative

ACCURACIES = {"zeros": [0.1, 0.1], "he": [0.9, 0.8], "xavier": [0.7, 0.5], "pytorch": [0.8, 0.8]}
LOSSES = {"zeros": [2.0, 2.0], "he": [0.2, 0.4], "xavier": [0.1, 0.3], "pytorch": [0.4, 0.8]}
USUAL = ["he", "xavier", "pytorch"]


def scored(*without):
    rows = [
        {"task": "wine", "block": 0, "seed": seed, "number": seed, "contestant": name, "test_accuracy": accuracy}
        | {"test_loss": LOSSES[name][seed], "edge": False, "test_share": 0.0}
        for name, values in ACCURACIES.items()
        for seed, accuracy in enumerate(values)
        if name not in without
    ]
    return pd.DataFrame(rows)


def test_the_share_of_the_way_is_that_of_the_worst():
    found = relative.share_of_the_way(scored(), "test_accuracy", USUAL, "zeros")
    assert found["effect"].tolist() == pytest.approx([0.6 / 0.75, 0.4 / 0.75])  # xavier, on the way of he, 0.1 to 0.85


def test_a_way_that_leads_nowhere_is_not_gone():
    level = scored().assign(test_accuracy=0.1)
    assert relative.share_of_the_way(level, "test_accuracy", USUAL, "zeros")["effect"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("without", [("zeros",), ("he", "xavier")])
def test_without_its_ends_there_is_no_way(without):
    assert relative.share_of_the_way(scored(*without), "test_accuracy", USUAL, "zeros").empty


@pytest.mark.parametrize(("chosen", "ratios"), [("xavier", [2.0, 4 / 3]), ("pytorch", [0.5, 0.5])])
def test_a_default_meets_the_other_that_dev_chose(chosen, ratios):
    dev = {"he": 0.01, "xavier": 0.3, "pytorch": 0.3, "zeros": 0.0} | {chosen: 0.2}
    tuned = pd.DataFrame([{"task": "wine", "block": 0, "contestant": n, "dev_loss": loss} for n, loss in dev.items()])
    found = relative.against_chosen(scored(), tuned, "he", USUAL)
    assert np.exp(found["effect"]).tolist() == pytest.approx(ratios)
    assert relative.against_chosen(scored("he"), tuned, "he", USUAL).empty


def test_tuned_losses_are_means_over_the_seeds_that_tune_at_the_best_rate():
    rates, losses = [0.1, 0.1, 1.0, 1.0, 0.1], [0.4, 0.2, 0.1, np.nan, 0.0]
    runs = pd.DataFrame({"run": range(5), "initializer": "he", "learning_rate": rates, "seed": [0, 1, 0, 1, 2]})
    states = ["finished"] * 3 + ["diverged", "finished"]
    runs = runs.assign(block=0, status=states, dev_loss=losses, task="wine", phase=[TUNING] * 4 + [CONFIRMATION])
    study = Study(runs, pd.DataFrame(), pd.DataFrame(), "initializer", (), Protocol("grid", 2, 2, 1, 1))
    found = relative.tuned_losses(study)
    assert found["contestant"].tolist() == ["he"]
    # the run that diverged counts as the largest loss of those that did not, 0.4
    assert found["dev_loss"].tolist() == pytest.approx([0.25])


def test_log_ratios_are_by_seed():
    table = pd.DataFrame({"initializer": ["a", "b"] * 2, "seed": [3, 3, 4, 4], "size": [2.0, 1.0, 9.0, 3.0]})
    found = relative.log_ratio(table, "size", "a", "b")
    assert found["seed"].tolist() == [3, 4]
    assert np.exp(found["effect"]).tolist() == pytest.approx([2.0, 3.0])
    assert relative.log_ratio(table, "size", "a", "c").empty
