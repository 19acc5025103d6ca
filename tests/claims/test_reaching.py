import numpy as np
import pandas as pd
import pytest

from jaxnets.claims import effects, reaching
from jaxnets.comparison.table import Protocol, Study, TaskFacts

EPOCHS = (1.0, 2.0, 4.0)
LOSSES = {8: (0.4, 0.2, 0.1), 32: (0.8, 0.4, 0.2)}


def study(lost=()):
    """A task, two blocks and two sizes: a run of each that tunes, and one that confirms, with the same curves."""
    runs, curves = [], []
    for block, size, phase in ((b, s, p) for b in (0, 1) for s in LOSSES for p in ("tuning", "confirmation")):
        run = {"run": len(runs), "optimizer": "sgd", "learning_rate": 0.1, "batch_size": size, "block": block}
        run |= {"seed": 2 * block + (phase == "confirmation"), "num_epochs": 4.0, "num_steps": 640 // size}
        bad = (block, size) in lost
        ends = {"status": "diverged" if bad else "finished", "train_loss": np.nan if bad else LOSSES[size][-1]}
        runs.append({**run, **ends, "task": "one", "phase": phase})
        curves += [{"run": run["run"], "epoch": e, "train_loss": x} for e, x in zip(EPOCHS, LOSSES[size], strict=True)]
    facts = TaskFacts("one", "", np.nan, 0.5, 2, 160, 20, 20)
    protocol = Protocol("grid", 1, 1, 1, 2)
    return Study(pd.DataFrame(runs), pd.DataFrame(curves), pd.DataFrame(), "batch_size", (facts,), protocol)


def scored(of):
    return effects.scores(of, ["num_epochs", "num_steps"])


def test_the_target_is_where_the_worst_ends():
    table = reaching.epochs_to_shared(study(), scored(study()))
    assert table.set_index(["block", "contestant"])["epochs"].to_dict() == {
        **{(block, 8): 2.0 for block in (0, 1)},
        **{(block, 32): 4.0 for block in (0, 1)},
    }


def test_between_evaluations_the_logarithm_goes_straight():
    ends = scored(study())
    ends["train_loss"] = ends["train_loss"].where(ends["contestant"] == 8, 0.4 / 2**0.5)
    epochs = reaching.epochs_to_shared(study(), ends).groupby("contestant")["epochs"].first()
    assert epochs.to_dict() == pytest.approx({8: 1.5, 32: 3.0})


def test_a_run_that_diverged_never_gets_there():
    lost = study({(0, 8)})
    table = reaching.epochs_to_shared(lost, scored(lost)).set_index(["block", "contestant"])["epochs"]
    assert table[0, 8] == 4.0
    assert 1 < table[0, 32] < 2  # the target is the loss of chance, log(2), which it passes between 0.8 and 0.4
    assert table[1, 8] == 2.0


def test_at_equal_seconds_slow_epochs_are_cut_short():
    # a step of either takes as long, so that an epoch of the small size takes four times as long
    times = pd.DataFrame({"task": "one", "contestant": [8, 32], "seconds": 1e-5})
    losses = reaching.at_equal_seconds(study(), scored(study()), times)
    assert losses.groupby(scored(study())["contestant"]).first().to_dict() == pytest.approx({8: 0.4, 32: 0.2})


def test_failures_have_the_loss_of_chance():
    lost = study({(0, 8)})
    times = pd.DataFrame({"task": "one", "contestant": [8, 32], "seconds": 1e-5})
    runs = scored(lost)
    losses = reaching.at_equal_seconds(lost, runs, times)
    assert losses[(runs["block"] == 0) & (runs["contestant"] == 8)].tolist() == pytest.approx([np.log(2)])
    tuned = reaching.tuned(lost, runs)
    assert tuned[(tuned["block"] == 0) & (tuned["contestant"] == 8)]["train_loss"].tolist() == [np.log(2)]


def test_tuning_chooses_and_fresh_seeds_measure():
    runs = scored(study())
    tuned = reaching.tuned(study(), runs)
    assert set(tuned["seed"]) == {0, 2}
    assert set(runs["seed"]) == {1, 3}
    effect = reaching.best_against_worst(tuned, runs, "train_loss")
    assert effect["effect"].tolist() == pytest.approx([np.log(2)] * 2)
    turned = tuned.assign(train_loss=-tuned["train_loss"])
    assert reaching.best_against_worst(turned, runs, "train_loss")["effect"].tolist() == pytest.approx([-np.log(2)] * 2)


def test_one_contestant_alone_gains_nothing():
    runs = scored(study())
    alone = reaching.tuned(study(), runs)
    alone = alone[alone["contestant"] == 8]
    gains = reaching.best_against_worst(alone, runs, "train_loss")
    assert gains[["block", "effect"]].to_numpy().tolist() == [[0, 0], [1, 0]]
