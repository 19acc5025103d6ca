import numpy as np
import pandas as pd

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED
from tests.experiments.planted import Planted

TASKS = [f"task {number}" for number in range(8)]
RATES = np.geomspace(1e-3, 100, 11)


def tables(high=3.0, low=2.0, near=1.5, share=0.5, edge=1.3, other=0.1):
    """Losses that are lowest, 0.1, at a rate of 0.1; ratios beside it, shares of variance, and an edge of stability."""
    rng = np.random.default_rng(0)
    ratios = np.array([low, low, low, near, 1, near, high, 10, 10, 10, 10], float)
    grid = [
        {
            "task": task,
            "repeat": repeat,
            "seed": seed,
            "learning_rate": rate,
            "loss": min(loss, 1.0),
            "lost": loss > 0.9,
        }
        for task in TASKS
        for repeat in range(8)
        for seed in range(4)
        for rate, loss in zip(RATES, 0.1 * ratios * np.exp(0.02 * rng.normal(size=11)), strict=True)
    ]
    shares = [
        {"task": task, "repeat": repeat, "seed": seed, "name": name, "share": max(0, part + 0.02 * rng.normal())}
        for task in TASKS
        for repeat in range(8)
        for seed in range(4)
        for name, part in (("learning_rate", share), ("momentum", other), ("weight_decay", 0.05))
    ]
    stability = [
        {"net": net, "sharpness": 1.2, "ratio": ratio, "stable": ratio <= edge * 1.05 ** (net % 3)}
        for net in range(8)
        for ratio in np.geomspace(0.25, 8, 101)
    ]
    grid = pd.DataFrame(grid).assign(chance=1.0, test_share=0.0)
    shares = pd.DataFrame(shares).assign(test_share=0.0)
    return {"grid": grid, "shares": shares, "stability": pd.DataFrame(stability)}


CASES = [
    ({}, {"verdict": SUPPORTED, "repeats": 6, "others": SUPPORTED}),
    ({"share": 0.1}, {"verdict": INCONCLUSIVE}),
    ({"low": 1.2}, {"verdict": MIXED, "zones": CONTRADICTED, "too_low": INCONCLUSIVE}),  # no rate is slow
    ({"high": 1.2}, {"verdict": INCONCLUSIVE, "too_high": INCONCLUSIVE}),
    ({"share": 0.02, "other": 0.5}, {"verdict": MIXED, "importance": CONTRADICTED}),
    ({"near": 1.05}, {"a_lot": INCONCLUSIVE}),
    ({"share": 0.3, "other": 0.5}, {"most_important": CONTRADICTED}),
    ({"edge": 4.0}, {"edge": CONTRADICTED}),
]


def test_a_tiny_real_run(tiny):
    small = {"tasks": ["wine"], "num_repeats": 2, "num_seeds": 2, "draws": 16, "probes": 1, "hidden_units": 4}
    finding, results, _ = tiny("learning_rate", dataset="wine", batch_size=16, **small)
    assert results.num_runs == 2 * 2 * 11 + 2 * 16 + 1
    assert (pd.read_parquet(results.directory / "shares.parquet")["test_share"] > 0).all()
    assert set(finding.pictures) == {"loss", "too_high", "too_low", "a_lot", "importance", "edge"}


FEW = {"num_repeats": 4, "num_seeds": 2, "draws": 16, "probes": 1, "schedule": "constant", "tasks": ["wine", "digits"]}
PLANTED = [
    Planted(
        *("learning_rate", True, "plain SGD"),
        values={**FEW, "optimizer": "sgd"},
        outcome="supported",
        part="zones",
    ),
    Planted(
        *("learning_rate", False, "an optimizer that takes the same steps whatever the rate"),
        values={**FEW, "optimizer": "tests.planted_rates:deaf"},
        outcome="contradicted",
    ),
]
