"""The ends of small real runs."""

from dataclasses import replace

import numpy as np
import pytest

from jaxnets import sweep
from jaxnets.analysis import solutions


@pytest.fixture(scope="module")
def trained():
    """Two optimizers on wine, each from four starts."""
    rates = {"num_steps": 10, "num_seeds": 4, "learning_rate": 0.05, "hidden_units": 3, "batch_size": 20}
    return sweep(dataset="wine", optimizer=["sgd", "adam"], evaluate_every=10, keep="last", progress=False, **rates)


def test_pairs_of_one_start_and_of_another(trained):
    table = solutions.pairs(trained, "optimizer")
    ends = table[table["share"] == 0]
    assert ends["kind"].value_counts().to_dict() == {
        solutions.OTHER_METHOD: 4,
        solutions.OTHER_ORDER: 8,
        solutions.OTHER_START: 4,  # two disjoint pairs of each optimizer
        solutions.ALIGNED: 4,
    }
    distance = ends.groupby("kind")["distance"].mean()
    assert distance[solutions.ALIGNED] < distance[solutions.OTHER_START]
    assert 0 < distance[solutions.OTHER_ORDER] < distance[solutions.OTHER_START]
    across = ends[ends["kind"] == solutions.OTHER_METHOD]
    assert across[["first", "second"]].drop_duplicates().to_numpy().tolist() == [["sgd", "adam"]]
    assert sorted(across["seed"]) == [0, 1, 2, 3]


def test_lines_begin_and_end_with_the_losses_of_their_ends(trained):
    table = solutions.pairs(trained, "optimizer", starts=False)
    losses = trained.runs.set_index(["optimizer", "seed"])["train_loss"]
    across = table[table["kind"] == solutions.OTHER_METHOD]
    for share, name in ((0, "sgd"), (1, "adam")):
        found = across[across["share"] == share].set_index("seed")["loss"]
        np.testing.assert_allclose(found, losses[name].loc[found.index], rtol=1e-4)
    heights = across.groupby("seed")
    for _, line in heights:
        rise = line["loss"].to_numpy() - np.linspace(line["loss"].iloc[0], line["loss"].iloc[-1], len(line))
        assert line["barrier"].iloc[0] == pytest.approx(rise[1:-1].max() / np.log(3), abs=1e-6)


def test_models_are_compared_each_for_itself(trained):
    halves = trained.runs.assign(half=np.where(trained.runs["optimizer"] == "sgd", "one", "other"))
    table = solutions.pairs(replace(trained, runs=halves), "optimizer", "half")
    assert solutions.OTHER_METHOD not in set(table["kind"])
    assert set(table["half"]) == {"one", "other"}


def test_runs_that_diverged_have_no_pairs(trained):
    lost = trained.runs.assign(status=trained.runs["status"].where(trained.runs["optimizer"] == "adam", "diverged"))
    table = solutions.pairs(replace(trained, runs=lost), "optimizer")
    assert set(table["first"]) == {"adam"}
    nothing = solutions.pairs(replace(trained, runs=lost.assign(status="diverged")), "optimizer")
    assert nothing.empty
    assert {"kind", "barrier"} <= set(nothing.columns)
