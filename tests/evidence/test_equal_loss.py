"""Curves made by hand, of which the losses at every step are known."""

import numpy as np
import pandas as pd
import pytest

from jaxnets.evidence import equal_loss


def curve(method, rate, factor=1.0, seed=0, steps=8, block=0):
    """Training loss exp(-rate t), means over the steps before; the dev loss is `factor` times its square root."""
    steps = np.arange(1, steps + 1)
    # the geometric mean of the stretches before and after a step is the loss at it
    losses = {"train_loss": np.exp(-rate * (steps - 0.5)), "dev_loss": factor * np.exp(-rate * steps / 2)}
    return pd.DataFrame({"method": method, "block": block, "seed": seed, "step": steps, **losses})


def test_losses_are_compared_where_both_have_the_training_loss_with_which_the_slower_ends():
    curves = pd.concat([curve("slow", 0.2), curve("fast", 0.9, factor=3)])
    found = equal_loss.held_out(curves, "method", ["block", "seed"]).set_index("method")
    level = np.exp(-0.2 * 7)  # the last evaluation is left out
    assert found["train_loss"].tolist() == pytest.approx([level, level])
    assert found.loc["slow", "dev_loss"] == pytest.approx(level**0.5)
    assert found.loc["fast", "dev_loss"] == pytest.approx(3 * level**0.5)  # between two evaluations


def levels(factor, noise=0.1, blocks=8, seeds=3):
    rng = np.random.default_rng(0)
    rows = [
        (block, seed, method, mean * np.exp(noise * rng.normal()))
        for block in range(blocks)
        for seed in range(seeds)
        for method, mean in (("a", 1.0), ("b", factor))
    ]
    return pd.DataFrame(rows, columns=["block", "seed", "method", "dev_loss"])


@pytest.mark.parametrize("factor", [1.5, 1 / 1.5])
def test_the_worse_method_is_above_whichever_it_is(factor):
    gaps = equal_loss.gaps(levels(factor), "method")
    assert len(gaps) == 24
    assert gaps["effect"].mean() == pytest.approx(np.log(1.5), abs=0.08)


def test_where_methods_do_not_differ_the_mean_gap_is_not_above_zero():
    means = []
    for draw in range(60):
        rng = np.random.default_rng(draw)
        table = levels(1.0)
        table["dev_loss"] = np.exp(rng.normal(size=len(table)))
        means.append(equal_loss.gaps(table, "method")["effect"].mean())
    assert np.mean(means) < 0.1  # the larger less the smaller would be at 0.23


def test_one_method_has_no_gap():
    only = levels(1.5)
    assert equal_loss.gaps(only[only["method"] == "a"], "method").empty


def test_examples_are_counted_to_the_loss_of_the_worst_run_of_a_block():
    curves = pd.concat([curve("sgd", 0.9).assign(run=0), curve("full", 0.2).assign(run=1)])
    curves = curves[["run", "step", "train_loss"]]
    runs = pd.DataFrame({"run": [0, 1], "method": ["sgd", "full"], "seed": 5, "batch_size": [10, 100]})
    found = equal_loss.examples(runs, curves, "method").set_index("method")["examples"]
    assert found.to_dict() == {"sgd": 30, "full": 800}  # exp(-0.9 · 2.5) < exp(-0.2 · 7.5) < exp(-0.9 · 1.5)


def test_a_run_that_never_arrives_counts_as_if_it_did_with_its_last_step():
    curves = pd.concat([curve("sgd", 0.9).assign(run=0), curve("full", 0.9).assign(run=1)])
    curves.loc[(curves["run"] == 0) & (curves["step"] > 1), "train_loss"] = np.nan
    lost = curves[(curves["run"] == 1) | (curves["step"] == 1)][["run", "step", "train_loss"]]
    runs = pd.DataFrame({"run": [0, 1], "method": ["sgd", "full"], "seed": 5, "batch_size": [10, 100]})
    other = pd.concat([lost, curve("sgd", 0.9).assign(run=2)[["run", "step", "train_loss"]]])
    runs = pd.concat([runs, pd.DataFrame({"run": [2], "method": ["sgd"], "seed": [6], "batch_size": [10]})])
    found = equal_loss.examples(runs, other, "method")
    assert found.set_index(["method", "seed"])["examples"].to_dict() == {
        ("sgd", 5): 80,
        ("sgd", 6): 80,
        ("full", 5): 800,
    }
