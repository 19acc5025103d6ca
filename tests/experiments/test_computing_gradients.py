import numpy as np
import pandas as pd
import pytest

from experiments import computing_gradients
from jaxnets.basics.errors import UserError
from jaxnets.lab.experiment import configure


def tables(auto=1e-7, power=2.0, cost=2.5, growth=0.0, rounds=9, noise=0.01, operations=2.5):
    steps, wiggle = np.logspace(-5, -1, 17), 1 + 0.01 * (-1.0) ** np.arange(17)
    errors = [
        pd.DataFrame({"kind": "central", "step": steps, "error": steps**power * wiggle}),
        pd.DataFrame({"kind": "one-sided", "step": steps, "error": steps * wiggle}),
        pd.DataFrame({"kind": ["autodiff"], "step": np.nan, "error": auto}),
    ]
    rng, times = np.random.default_rng(0), []
    for width in (32, 64, 128):
        gradient = cost * (width / 32) ** (2 * growth) * np.exp(noise * rng.normal(size=rounds))
        net = {"width": width, "parameters": width**2, "forward": 1.0, "operations": operations}
        times.append(pd.DataFrame(net | {"gradient": gradient}))
    return {"errors": pd.concat(errors), "times": pd.concat(times)}


OUTCOMES = [
    ({}, "supported"),
    ({"auto": 1e-3}, "not supported"),
    ({"power": 1.0}, "not supported"),
    ({"cost": 9}, "not supported"),
    ({"operations": 5}, "not supported"),
    ({"operations": np.nan}, "inconclusive"),
    ({"growth": 0.5}, "not supported"),
    ({"rounds": 1}, "inconclusive"),
    ({"cost": 4.9, "noise": 0.5}, "inconclusive"),
    ({"auto": np.nan}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert computing_gradients.verdict(tables(**changed)).outcome == outcome


@pytest.mark.parametrize("values", [{"activation": "relu"}, {"head": "sigmoid"}, {"model": "dan"}])
def test_other_nets_are_refused(values):
    with pytest.raises(UserError, match=rf"^{next(iter(values))}: "):
        configure(computing_gradients.EXPERIMENT, values)


def test_a_tiny_real_run(tiny):
    finding, _, _ = tiny("computing_gradients", hidden_units=4, places=5, widths=[8, 16, 32], repetitions=3)
    assert [part.outcome for part in finding.verdict.parts[:3]] == ["supported"] * 3
    assert set(finding.pictures) == {"error", "cost"}
