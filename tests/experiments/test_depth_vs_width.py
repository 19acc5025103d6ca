import numpy as np
import pandas as pd
import pytest

from experiments import depth_vs_width
from jaxnets.basics.errors import UserError
from jaxnets.lab.experiment import configure


def nets(deeper=0.05, wider=0.01, num_seeds=12, noise=0.001, off=0.0):
    """Runs at two budgets: `deeper` is what a second layer gains, `wider` what the larger budget does."""
    rng, rows = np.random.default_rng(0), []
    for budget in (4000, 16000):
        for depth in (1, 2):
            accuracy = 0.8 + deeper * (depth - 1) + wider * (budget > 4000)
            for seed in range(num_seeds):
                net = {"budget": budget, "depth": depth, "parameters": budget * (1 + off), "width": 9, "seed": seed}
                for rate, loss in ((0.01, 0.0), (0.1, 0.2)):
                    score = accuracy - loss + noise * rng.normal()
                    run = {"learning_rate": rate, "status": "finished", "dev_accuracy": score}
                    rows.append(net | run | {"test_accuracy": score, "test_loss": 1 - score})
    return {"nets": pd.DataFrame(rows)}


OUTCOMES = [
    ({}, "supported"),
    ({"deeper": -0.05}, "not supported"),
    ({"wider": 0.2}, "not supported"),
    ({"noise": 0.3}, "inconclusive"),
    ({"num_seeds": 1}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert depth_vs_width.verdict(nets(**changed)).outcome == outcome


def test_runs_that_all_diverged_support_nothing():
    lost = nets()["nets"].assign(status="diverged", dev_accuracy=np.nan, test_accuracy=np.nan, test_loss=np.nan)
    assert depth_vs_width.verdict({"nets": lost}).outcome == "inconclusive"
    assert depth_vs_width.pictures({"nets": lost})


def test_nets_of_other_sizes_are_not_compared():
    assert depth_vs_width.verdict(nets(off=0.05)).parts[0].outcome != "supported"


def test_each_net_stands_at_its_best_rate_on_fresh_seeds():
    table = depth_vs_width.confirmed(nets(num_seeds=4))
    assert set(table["learning_rate"]) == {0.01}
    assert set(table["seed"]) == {2, 3}


def test_several_models_are_refused():
    with pytest.raises(UserError, match="one model"):
        configure(depth_vs_width.EXPERIMENT, {"model": ["mlp", "dan"]})


def test_a_tiny_real_run(tiny):
    sweep = {"num_seeds": 4, "num_steps": 20, "learning_rate": [0.03, 0.1]}
    finding, results, _ = tiny("depth_vs_width", **sweep, depths=[1, 2], budgets=4000)
    table = next(iter(finding.tables.values()))
    assert len(table) == 2
    assert results.num_runs == 2 * 4 * 2
    # counted by hand: 64·n + n + 10·n + 10, at n = 53
    assert table[table["hidden layers"] == 1]["parameters"].item() == 75 * 53 + 10
    assert set(finding.pictures) == {"test_accuracy", "test_loss"}
