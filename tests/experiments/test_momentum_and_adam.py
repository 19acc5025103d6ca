import numpy as np
import pandas as pd
import pytest

from experiments import momentum_and_adam


def tables(adam=0.08, steps=50, noise=0.002, seeds=16):
    rng = np.random.default_rng(0)
    rows = []
    for name, loss in (("sgd", 0.1), ("adam", adam)):
        for seed in range(seeds):
            value = loss + noise * rng.normal()
            rows.append({"run": len(rows), "optimizer": name, "learning_rate": 0.1, "seed": seed,
                         "status": "finished",
                         "dev_loss": value, "test_loss": value})  # fmt: skip
    arrivals = {"ravine": (100, steps), "saddle": (100, steps), "plateau": (100, np.inf)}
    paths = [{"landscape": place, "optimizer": name, "arrival": value}
             for place, both in arrivals.items()
             for name, value in zip(("sgd", "adam"), both, strict=True)]  # fmt: skip
    return {"runs": pd.DataFrame(rows), "paths": pd.DataFrame(paths)}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [({}, "supported"), ({"adam": 0.2}, "not supported"), ({"steps": 200}, "not supported"),
     ({"noise": 0.2}, "inconclusive"), ({"seeds": 1}, "inconclusive")],
)  # fmt: skip
def test_the_verdict_follows_its_rule(found, outcome):
    assert momentum_and_adam.verdict(tables(**found)).outcome == outcome


def test_sgd_alone_decides_nothing():
    only = tables()
    only["runs"] = only["runs"][only["runs"]["optimizer"] == "sgd"]
    assert momentum_and_adam.verdict(only).outcome == "inconclusive"


def test_a_tiny_real_run(tiny):
    finding, _, _ = tiny("momentum_and_adam", optimizer="sgd,adam", hidden_units="5", num_seeds="2", num_epochs="1",
                         learning_rate="0.01,0.1", rates="6", steps="200")  # fmt: skip
    assert set(finding.pictures) == {"rates", "ravine", "saddle", "plateau"}
    assert len(finding.verdict.parts) == 2
