import numpy as np
import pandas as pd
import pytest

from experiments import schedules


def runs(cosine=0.08, warm=0.09, noise=0.002, seeds=16):
    rng = np.random.default_rng(0)
    rows = []
    for schedule, warmup, loss in (("constant", 0, 0.1), ("constant", 50, warm), ("cosine", 0, cosine)):
        for seed in range(seeds):
            for rate, worse in ((0.1, 0.0), (1.0, 0.5)):
                value = loss + worse + noise * rng.normal()
                run = {"run": len(rows), "schedule": schedule, "warmup_steps": warmup, "learning_rate": rate}
                rows.append(run | {"seed": seed, "status": "finished", "dev_loss": value, "test_loss": value})
    return pd.DataFrame(rows)


OUTCOMES = [
    ({}, "supported"),
    ({"cosine": 0.12}, "not supported"),
    ({"warm": 0.2}, "not supported"),
    ({"noise": 0.2}, "inconclusive"),
    ({"seeds": 1}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert schedules.verdict({"runs": runs(**changed)}).outcome == outcome


def test_without_a_constant_rate_nothing_is_compared():
    cosine = runs()[lambda table: table["schedule"] == "cosine"]
    assert schedules.gains({"runs": cosine}) == {}
    assert schedules.verdict({"runs": cosine}).outcome == "inconclusive"


def test_a_tiny_real_run(tiny):
    nets = {"hidden_units": 5, "num_train": 200, "num_seeds": 2, "num_epochs": 1, "learning_rate": 0.1}
    finding, results, _ = tiny("schedules", schedule=["constant", "cosine"], warmup_steps=[0, 5], **nets)
    (table,) = finding.tables.values()
    assert set(table["schedule"]) == {"constant", "constant + warm-up", "cosine", "cosine + warm-up"}
    assert len(results.runs) == 8
