import numpy as np
import pandas as pd
import pytest

from experiments import depth_vs_width


def nets(deeper=0.05, wider=0.01, num_seeds=12, noise=0.001, off=0.0):
    """Runs at two budgets: `deeper` is what a second layer gains, `wider` what the larger budget does."""
    rng, rows = np.random.default_rng(0), []
    for budget in (4000, 16000):
        for depth in (1, 2):
            accuracy = 0.8 + deeper * (depth - 1) + wider * (budget > 4000)
            for seed in range(num_seeds):
                for rate, loss in ((0.01, 0.0), (0.1, 0.2)):
                    found = accuracy - loss + noise * rng.normal()
                    rows.append({"budget": budget, "depth": depth, "parameters": budget * (1 + off), "width": 9,
                                 "seed": seed, "learning_rate": rate, "status": "finished", "dev_accuracy": found,
                                 "test_accuracy": found, "test_loss": 1 - found})  # fmt: skip
    return {"nets": pd.DataFrame(rows)}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [({}, "supported"), ({"deeper": -0.05}, "not supported"), ({"wider": 0.2}, "not supported"),
     ({"noise": 0.3}, "inconclusive"), ({"num_seeds": 1}, "inconclusive")],
)  # fmt: skip
def test_the_verdict_follows_its_rule(found, outcome):
    assert depth_vs_width.verdict(nets(**found)).outcome == outcome


def test_nets_of_other_sizes_are_not_compared():
    assert depth_vs_width.verdict(nets(off=0.05)).parts[0].outcome != "supported"


def test_each_net_stands_at_its_best_rate_on_fresh_seeds():
    table = depth_vs_width.confirmed(nets(num_seeds=4))
    assert set(table["learning_rate"]) == {0.01}
    assert set(table["seed"]) == {2, 3}


def test_a_tiny_real_run(tiny):
    finding, results, _ = tiny("depth_vs_width", depths="1x2", budgets="2000x4000", num_seeds="4", num_steps="20",
                               learning_rate="0.03,0.1")  # fmt: skip
    table = next(iter(finding.tables.values()))
    assert len(table) == 4
    assert results.num_runs == 4 * 4 * 2
    # counted by hand: 64·n + n + 10·n + 10, at n = 53 for the budget of 4,000
    assert table[(table["budget"] == 4000) & (table["hidden layers"] == 1)]["parameters"].item() == 75 * 53 + 10
    assert set(finding.pictures) == {"test_accuracy", "test_loss"}
