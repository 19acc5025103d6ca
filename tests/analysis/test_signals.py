from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnets.analysis import backprop, linear, signals
from jaxnets.models import MLP
from jaxnets.training.heads import Softmax

RNG = np.random.default_rng(0)


def test_scales_are_those_of_back_propagation_by_hand():
    inputs, labels = jnp.asarray(RNG.normal(size=(9, 6)), jnp.float32), jnp.asarray(RNG.integers(0, 3, 9))
    params = MLP(3, (5, 4), jnp.tanh).init(jax.random.key(0), inputs)["params"]
    table = signals.scales(params, inputs, labels, jnp.tanh, Softmax().losses)
    layers = linear.layers(params)
    first = np.tanh(inputs @ layers[0][0] + layers[0][1])
    gradient = backprop.gradient(layers, inputs, labels)
    assert table["activation"][0] == pytest.approx((first**2).mean() ** 0.5, rel=1e-5)
    for layer in range(2):
        assert table["gradient"][layer] == pytest.approx((gradient[layer][0] ** 2).mean() ** 0.5, rel=1e-4)


def test_a_model_other_than_an_mlp_has_no_signals_by_layer():
    params = {"dense": {"kernel": np.ones((2, 2))}}
    assert signals.at_start(SimpleNamespace(params=lambda run, step: params), 0).empty


def test_ranks_of_hidden_kernels():
    low = RNG.normal(size=(6, 2)) @ RNG.normal(size=(2, 5))
    params = {
        "MLP_0": {"Linear_0": {"kernel": low}, "output": {"kernel": np.eye(3)}},
        "windows": {"kernel": np.zeros((2, 3, 4))},
        "words": {"vectors": np.eye(9)},
        "broken": {"kernel": np.full((2, 2), np.nan)},
    }
    assert signals.hidden_ranks(params) == [2, -1, 0]
    assert signals.largest_rank(params) == 2
    assert signals.largest_rank({"output": {"kernel": np.eye(3)}}) == 0


def test_the_centred_sigmoid_is_zero_at_zero():
    assert float(signals.centred_sigmoid(0.0)) == 0
    assert float(signals.centred_sigmoid(50.0)) == 0.5
