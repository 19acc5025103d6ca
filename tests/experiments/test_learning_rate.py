import numpy as np
import pandas as pd
import pytest

from experiments import learning_rate


def tables(top="diverged", low=0.2, edge=1.2, spread=0.0, nets=8):
    accuracy = {1e-4: low, 1e-2: 0.95, 1.0: 0.96, 10.0: np.nan if top == "diverged" else 0.9}
    rng = np.random.default_rng(0)
    rows = [
        {"learning_rate": rate, "seed": seed, "initializer": kind,
         "status": "diverged" if np.isnan(value) else "finished",
         "train_loss": np.nan if np.isnan(value) else 3 * (1 - value), "dev_accuracy": value,
         "test_accuracy": value + spread * (kind == "he") + 0.001 * rng.normal()}
        for rate, value in accuracy.items() for seed in range(4) for kind in ("he", "xavier")
    ]  # fmt: skip
    edges = [{"net": net, "sharpness": 2.0, "ratio": ratio, "stable": ratio <= edge * 1.01 ** (net % 3)}
             for net in range(nets) for ratio in (0.25, 0.5, 1, 2, 4, 8)]  # fmt: skip
    return {"runs": pd.DataFrame(rows), "edges": pd.DataFrame(edges)}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [({}, "supported"), ({"top": "fine"}, "not supported"), ({"low": 0.95}, "not supported"),
     ({"edge": 4.1}, "not supported"), ({"nets": 1}, "inconclusive")],
)  # fmt: skip
def test_the_verdict_follows_its_rule(found, outcome):
    assert learning_rate.verdict(tables(**found)).outcome == outcome


def test_zones_are_in_their_order():
    zones = learning_rate.zones(tables()["runs"]).set_index("learning_rate")["zone"]
    assert zones.tolist() == ["slow", "good", "good", "diverged"]


def test_a_tiny_real_run(tiny):
    finding, _, _ = tiny("learning_rate", hidden_units="6", num_seeds="2", learning_rate="1e-5,0.3,100", num_epochs="4",
                         initializer="he", probes="2", descent="10")  # fmt: skip
    assert finding.verdict.parts[1].outcome == "supported"
    assert set(finding.pictures) == {"test_accuracy", "train_loss", "edge"}
