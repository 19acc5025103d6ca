"""Solutions that are points of a valley made by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxnets.analysis import solutions


def layer(*weights):
    return {"output": {"kernel": np.array([weights], np.float32), "bias": np.zeros(len(weights), np.float32)}}


def loss(params):
    """Zero at both ends of the line from -1 to 1, and one in its middle."""
    return (1 - params["output"]["kernel"][0, 0] ** 2) ** 2


ENDS = {("sgd", 0): layer(-1, 1), ("adam", 0): layer(1, 1), ("sgd", 1): layer(1, 2)}
AGAIN = {key: layer(-0.5, 1) for key in ENDS}


def test_pairs_of_one_start_and_of_another():
    table = solutions.pairs(ENDS, AGAIN, loss, align=True)
    kinds = table[table["share"] == 0].groupby("kind").size().to_dict()
    assert kinds == {
        solutions.OTHER_OPTIMIZER: 1,
        solutions.OTHER_SHUFFLE: 3,
        solutions.OTHER_START: 2,
        solutions.ALIGNED: 2,
    }
    across = table[table["kind"] == solutions.OTHER_OPTIMIZER]
    assert across["barrier"].iloc[0] == pytest.approx(1)  # from -1 to 1 over the middle
    assert across["distance"].iloc[0] == pytest.approx(2 / 2**0.5)
    assert across["loss"].max() == pytest.approx(1)


def test_only_an_mlp_is_aligned():
    other = {key: {"embedding": jnp.ones(2), **params} for key, params in ENDS.items()}
    again = {key: {"embedding": jnp.ones(2), **params} for key, params in AGAIN.items()}
    kinds = set(solutions.pairs(other, again, loss, align=True)["kind"])
    assert solutions.ALIGNED not in kinds
    assert solutions.ALIGNED not in set(solutions.pairs(ENDS, AGAIN, loss, align=False)["kind"])


def test_no_solutions_make_an_empty_table():
    table = solutions.pairs({}, {}, loss, align=True)
    assert table.empty
    assert {"kind", "barrier"} <= set(table.columns)
