from functools import partial
from unittest import mock

import jax.numpy as jnp
import pandas as pd
import pytest
from flax import linen as nn

from jaxnets.analysis import parameters
from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, SUPPORTED
from jaxnets.errors import UserError
from jaxnets.experiments import building_blocks
from jaxnets.models.blocks import Linear
from jaxnets.runs.experiment import configure
from tests.experiments import planted
from tests.experiments.planted import Planted


class Tied(nn.Module):
    """An MLP whose hidden layers after the first are one and the same block."""

    num_outputs: int
    hidden_units: tuple

    @nn.compact
    def __call__(self, inputs, *, train=False):
        hidden = jnp.tanh(Linear(self.hidden_units[0])(inputs))
        again = Linear(self.hidden_units[0])
        for _ in self.hidden_units[1:]:
            hidden = jnp.tanh(again(hidden))
        return Linear(self.num_outputs, name="output")(hidden)


def tables(counted=(8, 4)):
    """Two blocks of each model, and what was counted in them."""
    of_model = {"block": ["a", "b"], "parameters": counted, "by_formula": [8, 4]}
    table = pd.concat([pd.DataFrame({"model": name, **of_model}) for name in building_blocks.RULES])
    return {"blocks": table, "growth": table}


CASES = [
    ({}, {"verdict": SUPPORTED, "others": SUPPORTED}),
    ({"counted": (8, 5)}, {"verdict": CONTRADICTED, "others": CONTRADICTED}),
    ({"counted": (8, None)}, {"verdict": CONTRADICTED, "mlp": CONTRADICTED}),
    ({"counted": (None, None)}, {"verdict": INCONCLUSIVE, "dan": INCONCLUSIVE}),
]


SMALL = {"units": 5, "vocabulary": 20, "dim": 4, "widths": 2, "filters": 3}


def test_a_tiny_real_run(tiny):
    finding, _, text = tiny("building_blocks", **SMALL)
    assert finding.verdict.outcome == "supported"
    sums = finding.tables["Sums"].set_index("model")["counted"]
    assert sums["dan"] == f"{20 * 4 + 4 * 5 + 5 + 5 * 10 + 10}"
    assert sums["text_cnn"] == f"{20 * 4 + 2 * 4 * 3 + 3 + 3 * 10 + 10}"
    assert "No training." in text


@pytest.mark.parametrize("values", [{"widths": ()}, {"model": "dan"}, {"dim": 0}])
def test_what_it_cannot_count_is_refused(values):
    with pytest.raises(UserError, match=rf"^{next(iter(values))}: "):
        configure(building_blocks.EXPERIMENT, values)


def with_tied_layers():
    """The count where three hidden layers share the parameters of two."""
    with mock.patch.object(building_blocks, "MLP", Tied):
        return planted.run("building_blocks", **{**SMALL, "units": (5, 5, 5)})[0]


def without_biases():
    """The count against formulas that forget the biases."""
    with mock.patch.object(parameters, "linear", lambda n, m: n * m):
        return planted.run("building_blocks", **SMALL)[0]


planted_case = partial(Planted, claim="building_blocks", values={})
PLANTED = [
    Planted("building_blocks", True, "small sizes", SMALL, "supported"),
    planted_case(truth=False, case="formulas without biases", outcome="contradicted", finding=without_biases),
    planted_case(
        truth=False, case="layers that share a block", outcome="contradicted", part="mlp", finding=with_tied_layers
    ),
]
