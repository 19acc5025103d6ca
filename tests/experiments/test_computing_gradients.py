import numpy as np
import pandas as pd
import pytest

from experiments import computing_gradients


def tables(auto=1e-7, power=2.0, cost=2.5, growth=0.0, rounds=9, noise=0.01, operations=2.5):
    steps = np.logspace(-5, -1, 17)
    errors = pd.concat(
        [pd.DataFrame({"kind": "central", "step": steps, "error": steps**power}),
         pd.DataFrame({"kind": "one-sided", "step": steps, "error": steps}),
         pd.DataFrame({"kind": ["autodiff"], "step": np.nan, "error": auto})]
    )  # fmt: skip
    rng = np.random.default_rng(0)
    times = [
        pd.DataFrame({"width": width, "parameters": width**2, "forward": 1.0, "operations": operations,
                      "gradient": cost * (width / 32) ** (2 * growth) * np.exp(noise * rng.normal(size=rounds))})
        for width in (32, 64, 128)
    ]  # fmt: skip
    return {"errors": errors, "times": pd.concat(times)}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [({}, "supported"), ({"auto": 1e-3}, "not supported"), ({"power": 1.0}, "not supported"),
     ({"cost": 9}, "not supported"),
     ({"operations": 5}, "not supported"), ({"operations": np.nan}, "inconclusive"), ({"growth": 0.5}, "not supported"),
     ({"rounds": 1}, "inconclusive"), ({"cost": 4.9, "noise": 0.5}, "inconclusive"),
     ({"auto": np.nan}, "inconclusive")],
)  # fmt: skip
def test_the_verdict_follows_its_rule(found, outcome):
    assert computing_gradients.verdict(tables(**found)).outcome == outcome


def test_a_tiny_real_run(tiny):
    finding, _, _ = tiny("computing_gradients", hidden_units="4", places="5", widths="8x16x32", repetitions="3")
    assert [part.outcome for part in finding.verdict.parts[:3]] == ["supported"] * 3
    assert set(finding.pictures) == {"error", "cost"}
