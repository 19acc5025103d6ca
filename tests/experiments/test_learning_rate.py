import numpy as np
import pandas as pd
import pytest

from experiments import learning_rate


def tables(top="diverged", low=0.2, edge=1.2, spread=0.0, nets=8):
    accuracy = {1e-4: low, 1e-2: 0.95, 1.0: 0.96, 10.0: np.nan if top == "diverged" else 0.9}
    rng, rows = np.random.default_rng(0), []
    for rate, value in accuracy.items():
        ended = {"status": "diverged" if np.isnan(value) else "finished", "train_loss": 3 * (1 - value)}
        for seed in range(4):
            for kind in ("he", "xavier"):
                test = value + spread * (kind == "he") + 0.001 * rng.normal()
                run = {"learning_rate": rate, "seed": seed, "initializer": kind, **ended}
                rows.append(run | {"dev_accuracy": value, "test_accuracy": test})
    edges = [
        {"net": net, "sharpness": 2.0, "ratio": ratio, "stable": ratio <= edge * 1.01 ** (net % 3)}
        for net in range(nets)
        for ratio in np.geomspace(0.25, 8, 501)
    ]
    return {"runs": pd.DataFrame(rows), "edges": pd.DataFrame(edges)}


OUTCOMES = [
    ({}, "supported"),
    ({"top": "fine"}, "not supported"),
    ({"low": 0.95}, "not supported"),
    ({"edge": 4.1}, "not supported"),
    ({"spread": 0.8}, "not supported"),
    ({"nets": 1}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert learning_rate.verdict(tables(**changed)).outcome == outcome


def test_runs_that_all_diverged_tell_nothing_of_the_spread():
    lost = tables()
    lost["runs"] = lost["runs"].assign(status="diverged", dev_accuracy=np.nan, test_accuracy=np.nan, train_loss=np.nan)
    assert learning_rate.verdict(lost).parts[2].outcome == "inconclusive"
    assert learning_rate.summary(lost)
    assert learning_rate.pictures(lost)


def test_a_tiny_real_run(tiny):
    nets = {"hidden_units": 6, "initializer": "he", "learning_rate": [1e-5, 0.3, 100], "num_epochs": 5, "num_seeds": 2}
    finding, _, _ = tiny("learning_rate", **nets, probes=2, descent=10)
    assert finding.verdict.parts[1].outcome == "supported"
    assert set(finding.pictures) == {"test_accuracy", "train_loss", "edge"}
