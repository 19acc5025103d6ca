import numpy as np
import pandas as pd
import pytest

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, SUPPORTED
from jaxnets.experiments import schedules
from tests.experiments.planted import Planted

TASKS = [f"task {number}" for number in range(8)]


def tables(schedule=0.05, test=0.1, warm=1.0, tasks=8):
    """Runs of which constant rates end at a loss of 0.1; a schedule at another on some tasks."""
    rng, rows = np.random.default_rng(0), []
    for place, task in enumerate(TASKS):
        ends = {"constant": 0.1, "schedule": schedule if place < tasks else 0.1, "cold": 0.1, "warm-up": 0.1 * warm}
        tests = {"schedule": test if place < tasks else 0.1}
        for name, end in ends.items():
            for repeat in range(8):
                for number in range(4):
                    noise = np.exp(0.02 * rng.normal())
                    losses = {"train_loss": end * noise, "test_loss": tests.get(name, 0.1) * noise}
                    row = {"task": task, "repeat": repeat, "number": number, "method": name, "edge": False}
                    rows.append({**row, "learning_rate": 0.3, "test_share": 0.0, "test_accuracy": 0.9, **losses})
    table = pd.DataFrame(rows)
    starts = table["method"].isin(list(schedules.WARM_UP))
    return {"scores": table[~starts], "starts": table[starts], "trials": table[~starts].assign(phase="tuning")}


CASES = [
    ({}, {"verdict": SUPPORTED, "some": SUPPORTED, "most": SUPPORTED}),
    ({"tasks": 1}, {"verdict": SUPPORTED, "some": SUPPORTED, "most": INCONCLUSIVE}),
    ({"schedule": 0.2}, {"verdict": CONTRADICTED, "some": CONTRADICTED, "most": CONTRADICTED}),
    ({"schedule": 0.1}, {"verdict": INCONCLUSIVE, "some": INCONCLUSIVE}),
    ({"test": 0.05}, {"test_loss": SUPPORTED}),
    ({"test": 0.2}, {"test_loss": CONTRADICTED}),
    ({"warm": 0.8}, {"warm_up": SUPPORTED}),
    ({"warm": 1.4}, {"warm_up": CONTRADICTED}),
]


def test_a_rate_that_does_not_decay_is_constant():
    runs = pd.DataFrame({"schedule": "decay", "decays": [0.0, 1.0]})
    assert schedules.method(runs).tolist() == ["constant", "schedule"]
    assert schedules.method(pd.DataFrame({"schedule": ["constant", "cosine"]})).tolist() == ["constant", "schedule"]


@pytest.mark.slow
def test_a_tiny_real_run(tiny):
    finding, results, text = tiny("schedules", tasks=["wine"], num_repeats=2, num_trials=3, final_seeds=2)
    assert results.num_runs == 2 * 2 * 3 * 2 + 2 * 2 * 2 + 2 * 2 * 1 + 2 * 2 * 2
    assert set(finding.pictures) == {"some", "test_loss", "warm_up", "draws"}
    assert "Forms that were chosen" in text


FEW = {"num_repeats": 4, "num_trials": 8, "num_seeds": 1, "final_seeds": 4}
PLANTED = [
    Planted(
        *("schedules", True, "a constant rate that stops after the first step"),
        values={**FEW, "tasks": ["digits", "breast_cancer"], "schedule": "tests.planted_rates:stopping"},
        outcome="supported",
    ),
    Planted(
        *("schedules", False, "a schedule that stops after the first step"),
        values={
            **FEW,
            "tasks": ["digits", "breast_cancer", "spirals", "teacher_student"],
            "decay_form": 3.0,
            "decay_end": 1e-7,
        },
        outcome="contradicted",
    ),
]
