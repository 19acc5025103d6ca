import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnets.analysis import landscape
from jaxnets.models import MLP

RNG = np.random.default_rng(0)
INPUTS = jnp.asarray(RNG.normal(size=(8, 4)), jnp.float32)
MODEL = MLP(3, (6, 5), jnp.tanh)


def params(seed):
    return jax.tree.map(np.asarray, MODEL.init(jax.random.key(seed), INPUTS)["params"])


def permuted(params):
    first, second = RNG.permutation(6), RNG.permutation(5)
    return {
        "Linear_0": {"kernel": params["Linear_0"]["kernel"][:, first], "bias": params["Linear_0"]["bias"][first]},
        "Linear_1": {
            "kernel": params["Linear_1"]["kernel"][first][:, second],
            "bias": params["Linear_1"]["bias"][second],
        },
        "output": {"kernel": params["output"]["kernel"][second], "bias": params["output"]["bias"]},
    }


def test_a_permutation_of_hidden_units_is_undone():
    original = params(0)
    other = permuted(original)
    assert landscape.distance(original, other) > 0.5
    matched = landscape.aligned(other, original)
    assert landscape.distance(original, matched) < 1e-7


def test_aligning_changes_nothing_that_the_net_computes():
    matched = landscape.aligned(params(1), params(0))
    before, after = (MODEL.apply({"params": p}, INPUTS) for p in (params(1), matched))
    np.testing.assert_allclose(after, before, atol=1e-6)
    assert landscape.distance(params(0), matched) < landscape.distance(params(0), params(1))


def test_the_barrier_of_a_parabola_between_its_sides():
    losses = landscape.along_the_line(lambda x: 1 - x[0] ** 2, jnp.array([-1.0]), jnp.array([1.0]))
    assert losses[0] == losses[-1] == 0
    assert landscape.barrier(losses) == pytest.approx(1)
    assert landscape.barrier(np.array([0.0, 1.0, 2.0])) == 0  # a straight line has none


def test_distances_are_relative():
    assert landscape.distance({"a": np.ones(4)}, {"a": -np.ones(4)}) == pytest.approx(2)
    assert landscape.distance({"a": 3 * np.ones(4)}, {"a": 3 * np.ones(4)}) == 0
