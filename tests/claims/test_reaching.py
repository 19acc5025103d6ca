import numpy as np
import pandas as pd
import pytest

from jaxnets.claims import effects, reaching
from jaxnets.comparison.table import Comparison, Protocol, TaskFacts

EPOCHS = (1.0, 2.0, 4.0)
LOSSES = {8: (0.4, 0.2, 0.1), 32: (0.8, 0.4, 0.2)}


def comparison(lost=()):
    """A task, two repeats and two sizes: a run of each that tunes, and one that confirms, with the same curves."""
    runs, curves = [], []
    for repeat, size, phase in ((b, s, p) for b in (0, 1) for s in LOSSES for p in ("tuning", "final")):
        run = {"run": len(runs), "optimizer": "sgd", "learning_rate": 0.1, "batch_size": size, "repeat": repeat}
        run |= {"seed": 2 * repeat + (phase == "final"), "num_epochs": 4.0, "num_steps": 640 // size}
        bad = (repeat, size) in lost
        ends = {"status": "diverged" if bad else "finished", "train_loss": np.nan if bad else LOSSES[size][-1]}
        runs.append({**run, **ends, "task": "one", "phase": phase})
        curves += [{"run": run["run"], "epoch": e, "train_loss": x} for e, x in zip(EPOCHS, LOSSES[size], strict=True)]
    facts = TaskFacts("one", "", np.nan, 0.5, 2, 160, 20, 20)
    protocol = Protocol("grid", 1, 1, 1, 2)
    return Comparison(pd.DataFrame(runs), pd.DataFrame(curves), pd.DataFrame(), "batch_size", (facts,), protocol)


def scored(of):
    return effects.scores(of, ["num_epochs", "num_steps"])


def test_the_target_is_where_the_worst_ends():
    table = reaching.epochs_to_shared(comparison(), scored(comparison()))
    assert table.set_index(["repeat", "method"])["epochs"].to_dict() == {
        **{(repeat, 8): 2.0 for repeat in (0, 1)},
        **{(repeat, 32): 4.0 for repeat in (0, 1)},
    }


def test_between_evaluations_the_logarithm_goes_straight():
    ends = scored(comparison())
    ends["train_loss"] = ends["train_loss"].where(ends["method"] == 8, 0.4 / 2**0.5)
    epochs = reaching.epochs_to_shared(comparison(), ends).groupby("method")["epochs"].first()
    assert epochs.to_dict() == pytest.approx({8: 1.5, 32: 3.0})


def test_a_run_that_diverged_never_gets_there():
    lost = comparison({(0, 8)})
    table = reaching.epochs_to_shared(lost, scored(lost)).set_index(["repeat", "method"])["epochs"]
    assert table[0, 8] == 4.0
    assert 1 < table[0, 32] < 2  # the target is the loss of chance, log(2), which it passes between 0.8 and 0.4
    assert table[1, 8] == 2.0


def test_at_equal_seconds_slow_epochs_are_cut_short():
    # a step of either takes as long, so that an epoch of the small size takes four times as long
    times = pd.DataFrame({"task": "one", "method": [8, 32], "seconds": 1e-5})
    losses = reaching.at_equal_seconds(comparison(), scored(comparison()), times)
    assert losses.groupby(scored(comparison())["method"]).first().to_dict() == pytest.approx({8: 0.4, 32: 0.2})


def test_failures_have_the_loss_of_chance():
    lost = comparison({(0, 8)})
    times = pd.DataFrame({"task": "one", "method": [8, 32], "seconds": 1e-5})
    runs = scored(lost)
    losses = reaching.at_equal_seconds(lost, runs, times)
    assert losses[(runs["repeat"] == 0) & (runs["method"] == 8)].tolist() == pytest.approx([np.log(2)])
    tuned = reaching.tuned(lost, runs)
    assert tuned[(tuned["repeat"] == 0) & (tuned["method"] == 8)]["train_loss"].tolist() == [np.log(2)]


def test_tuning_chooses_and_fresh_seeds_measure():
    runs = scored(comparison())
    tuned = reaching.tuned(comparison(), runs)
    assert set(tuned["seed"]) == {0, 2}
    assert set(runs["seed"]) == {1, 3}
    effect = reaching.best_against_worst(tuned, runs, "train_loss")
    assert effect["effect"].tolist() == pytest.approx([np.log(2)] * 2)
    turned = tuned.assign(train_loss=-tuned["train_loss"])
    assert reaching.best_against_worst(turned, runs, "train_loss")["effect"].tolist() == pytest.approx([-np.log(2)] * 2)


def test_one_method_alone_gains_nothing():
    runs = scored(comparison())
    alone = reaching.tuned(comparison(), runs)
    alone = alone[alone["method"] == 8]
    gains = reaching.best_against_worst(alone, runs, "train_loss")
    assert gains[["repeat", "effect"]].to_numpy().tolist() == [[0, 0], [1, 0]]
