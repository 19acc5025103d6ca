import numpy as np
import pandas as pd
import pytest

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED
from jaxnets.experiments import momentum_and_adam
from tests.experiments.planted import Planted

TASKS = [f"task {number}" for number in range(8)]
BUILT_IN = {"tasks": ["wine"], "num_repeats": 2, "learning_rate": [0.01, 0.1], "rates": 6, "steps": 60}


def tables(momentum=0.05, adam=0.05, steps=20, width=0.01, arriving=(3, 9), repeats=8):
    """Runs of which SGD ends at a loss of 0.1 after 40 steps."""
    rng, rows, losses = np.random.default_rng(0), [], []
    ends = {"sgd": (0.1, 40), "momentum": (momentum, steps), "adam": (adam, steps)}
    for task in TASKS:
        for repeat in range(repeats):
            common = {"task": task, "repeat": repeat, "test_share": 0.0}
            for name, (loss, taken) in ends.items():
                for number in range(4):
                    noise = np.exp(0.02 * rng.normal())
                    numbers = {"train_loss": loss * noise, "steps": taken * noise, "learning_rate": 0.1}
                    rows.append({**common, "number": number, "method": name, "edge": False, **numbers})
                far = 1.0 if name == "sgd" else width
                losses += [
                    {**common, "method": name, "learning_rate": rate, "chance": 1.0, "loss": value}
                    for rate, value in ((0.01, 0.9), (0.1, 0.01 + 1e-3 * rng.random()), (1.0, far), (10.0, 1.0))
                ]
    paths = [
        {"landscape": place, "optimizer": name, "arriving": arriving[name != "sgd"], "arrival": 9.0, "x": x, "y": 1.0}
        for place in momentum_and_adam.landscape.LANDSCAPES
        for name in ends
        for x in (0.0, 1.0)
    ]
    heights = pd.concat(
        [momentum_and_adam.landscape.heights(name, 5) for name in momentum_and_adam.landscape.LANDSCAPES]
    )
    found = {"scores": pd.DataFrame(rows), "losses": pd.DataFrame(losses), "paths": pd.DataFrame(paths)}
    return found | {"heights": heights}


CASES = [
    ({}, {"verdict": SUPPORTED, "repeats": 6, "others": SUPPORTED}),
    (
        {"momentum": 0.2, "adam": 0.2, "steps": 80},
        {
            "verdict": CONTRADICTED,
            "repeats": 6,
            "momentum_loss": CONTRADICTED,
            "momentum_steps": CONTRADICTED,
            "adam_steps": CONTRADICTED,
        },
    ),
    ({"adam": 0.2}, {"verdict": MIXED, "repeats": 6, "adam_loss": CONTRADICTED}),
    ({"momentum": 0.1, "adam": 0.1, "steps": 40}, {"verdict": INCONCLUSIVE, "repeats": 6}),
    ({"width": 1.0}, {"momentum_width": INCONCLUSIVE, "adam_width": INCONCLUSIVE}),
    ({"arriving": (9, 3)}, {"landscapes": CONTRADICTED}),
]


def test_momentum_of_zero_is_sgd():
    runs = pd.DataFrame({"optimizer": ["momentum", "momentum", "my.lab:adam"], "momentum": [0.0, 0.9, np.nan]})
    assert momentum_and_adam.method(runs).tolist() == ["sgd", "momentum", "adam"]
    assert momentum_and_adam.method(runs[["optimizer"]]).tolist() == ["momentum", "momentum", "adam"]


@pytest.mark.slow
def test_a_tiny_real_run(tiny):
    finding, results, _ = tiny("momentum_and_adam", optimizer="momentum", **BUILT_IN)
    assert {"momentum_loss", "rates", "two_valleys"} <= set(finding.pictures)
    assert results.num_runs == 2 * 2 * 2 + 2 * 2 * 4
    assert finding.verdict.outcome == "not tested"  # there is no Adam


LAZY = {
    "optimizer": "tests.planted_rates:momentum",
    "tasks": ["wine", "breast_cancer", "digits", "spirals", "teacher_student", "digits_noise"],
    "learning_rate": [0.0003, 0.003, 0.03, 0.1, 0.3, 1.0, 30.0],
    "num_repeats": 5,
    "final_seeds": 4,
    "rates": 6,
    "steps": 60,
}
PLANTED = [
    Planted(
        *("momentum_and_adam", True, "SGD steps with every 24th gradient alone"),
        values={**LAZY, "lazy": 0.0},
        outcome="supported",
        part="momentum_loss",
    ),
    Planted(
        *("momentum_and_adam", False, "momentum steps with every 24th gradient alone"),
        values={**LAZY, "lazy": 1.0},
        outcome="contradicted",
        part="momentum_loss",
    ),
]
