from itertools import product

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from flax import linen as nn

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, NOT_TESTED, SUPPORTED, judge
from jaxnets.experiments import linear_collapse
from jaxnets.models.blocks import Linear
from tests.experiments.planted import Planted


def halved(x):
    """A linear map that goes by the name of an activation."""
    return 0.5 * x


class Bounded(nn.Module):
    """Looks like an MLP whose activation may be the identity, but takes the tangent of its logits."""

    num_outputs: int
    hidden_units: tuple = (8,)
    activation: str = "identity"

    @nn.compact
    def __call__(self, inputs, *, train=False):
        for units in self.hidden_units:
            inputs = Linear(units)(inputs)
        return jnp.tanh(Linear(self.num_outputs, name="output")(inputs))


def tables(error=0.01, bend=100.0, left=0.2, deep=0.96, relu=0.98, repeats=8, noise=0.004):
    rng, seeds = np.random.default_rng(0), range(4)
    accuracies = {"no hidden layer": 0.96, "identity 8x8": deep, "relu 8x8": relu}
    scores = [
        {"method": name, "task": "digits", "repeat": repeat, "seed": 4 * repeat + seed, "number": seed}
        | {"test_accuracy": value + noise * rng.normal(), "learning_rate": 0.1, "edge": False}
        | {"examples": 180, "test_share": 1 / 8}
        for (name, value), repeat, seed in product(accuracies.items(), range(repeats), seeds)
    ]
    kinds = [("identity", "0", 0.01, 0, 0), ("identity", "8x8", error, 0, 0), ("relu", "8x8", 1e6, bend, left)]
    nets = [
        {"repeat": repeat, "seed": 4 * repeat + seed, "hidden_units": units, "activation": activation, "run": 0}
        | {"test_share": 1 / 8}
        | {"error": wrong, "relative": 1e-7, "bend": far, "unexplained": rest * (1 + 0.1 * rng.normal())}
        for (activation, units, wrong, far, rest), repeat, seed in product(kinds, range(repeats), seeds)
    ]
    columns = {
        "scores": list(scores[0]) if scores else ["method"],
        "nets": ["hidden_units", "activation", *MEASURES],
    }
    rows = {"scores": scores, "nets": nets}
    made = {name: pd.DataFrame(rows[name], columns=columns[name] if not rows[name] else None) for name in rows}
    return {**made, "logits": pd.DataFrame()}


MEASURES = ["repeat", "seed", "run", "error", "relative", "bend", "unexplained"]
CASES = [
    ({}, {"verdict": SUPPORTED, "others": SUPPORTED}),
    ({"error": 2.0}, {"verdict": MIXED, "equal_maps": CONTRADICTED}),
    ({"bend": 0.5}, {"verdict": MIXED, "bent": CONTRADICTED}),
    ({"error": 2.0, "bend": 0.5}, {"verdict": CONTRADICTED}),
    (
        {"error": np.nan, "bend": np.nan},
        {"verdict": NOT_TESTED},
    ),  # the layers of a user's model cannot be multiplied out
    ({"left": 0.01}, {"much": CONTRADICTED}),
    ({"deep": 0.9}, {"as_accurate": CONTRADICTED}),
    ({"noise": 0.1}, {"as_accurate": INCONCLUSIVE}),
    ({"relu": 0.93}, {"more_accurate": CONTRADICTED}),
]


def test_linear_nets_alone_leave_the_rest_open():
    some = tables()
    some = {
        "scores": some["scores"][~some["scores"]["method"].str.startswith("relu")],
        "nets": some["nets"][some["nets"]["activation"] == "identity"],
    }
    outcomes = [part.outcome for part in judge(linear_collapse.RULES, linear_collapse.evidence(some)).parts]
    assert outcomes == ["supported", "not tested", "not tested", "supported", "not tested"]


TINY = {"learning_rate": 0.01, "num_epochs": 2, "num_repeats": 2, "final_seeds": 2}


@pytest.mark.slow
def test_a_tiny_real_run(tiny):
    finding, results, _ = tiny("linear_collapse", hidden_units=[0, (6, 6)], **TINY)
    assert finding.verdict.outcome == "supported"
    table = finding.tables["Nets, each at its best learning rate"].set_index("net")
    assert list(table.index) == ["no hidden layer", "identity 6x6", "relu 6x6"]
    assert table.loc["identity 6x6", "largest relative error of the product"] < 1e-5
    assert table.loc["relu 6x6", "largest relative error of the product"] > 0.01
    assert set(finding.pictures) == {"logits_0", "logits_1", "accuracy"}
    nets = pd.read_parquet(results.directory / "nets.parquet")
    assert (nets["test_share"] == results.test_share).all()  # repeats share their images
    assert results.test_share > 0


HERE = "tests.experiments.test_linear_collapse"
PLANTED = [
    Planted(
        "linear_collapse", True, "two layers, with and without ReLU", {"hidden_units": [0, (6, 6)], **TINY}, "supported"
    ),
    Planted(
        claim="linear_collapse",
        truth=False,
        case="an 'activation' that halves: the nets with it are linear",
        values={"hidden_units": (6, 6), "activation": ["identity", f"{HERE}:halved"], **TINY},
        outcome="contradicted",
        part="bent",
    ),
    Planted(
        claim="linear_collapse",
        truth=False,
        case="a net of linear layers with tanh at its logits",
        values={"model": f"{HERE}:Bounded", "hidden_units": (6,), "activation": "identity", **TINY},
        outcome="contradicted",
        part="equal_maps",
    ),
]
