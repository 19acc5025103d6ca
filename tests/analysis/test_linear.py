from itertools import pairwise

import numpy as np
import pytest

from jaxnets.analysis import linear

RNG = np.random.default_rng(0)


def stack(*sizes):
    return [(RNG.normal(size=(n, m)), RNG.normal(size=m)) for n, m in pairwise(sizes)]


def test_the_product_does_what_the_layers_do():
    layers, inputs = stack(5, 7, 6, 3), RNG.normal(size=(9, 5))
    hidden = inputs
    for kernel, bias in layers:
        hidden = hidden @ kernel + bias
    kernel, bias = linear.multiplied_out(layers)
    np.testing.assert_allclose(inputs @ kernel + bias, hidden, rtol=1e-12)


def test_layers_come_in_their_order():
    params = {f"Linear_{n}": {"kernel": np.full((1, 1), n), "bias": np.zeros(1)} for n in (10, 2, 0)}
    params["output"] = {"kernel": np.full((1, 1), 99), "bias": np.zeros(1)}
    assert [kernel.item() for kernel, _ in linear.layers(params)] == [0, 2, 10, 99]


def test_the_layers_of_another_model_cannot_be_multiplied_out():
    params = {"Linear_0": {"kernel": np.ones((2, 3)), "bias": np.ones(3)}, "output": {"kernel": np.ones((3, 1))}}
    assert np.isnan(linear.collapsed(params, np.ones((4, 2)))).all()
    params["output"]["bias"] = np.ones(1)
    assert linear.collapsed(params, np.ones((4, 2))).tolist() == [[10]] * 4


def test_what_a_linear_map_leaves_over():
    inputs = RNG.normal(size=(400, 3))
    ((kernel, bias),) = stack(3, 2)
    assert linear.unexplained(inputs, inputs @ kernel + bias) < 1e-20
    noise = RNG.normal(size=(400, 2))
    outputs = inputs @ kernel + 2 * noise
    share = 4 * noise.var(axis=0).sum() / outputs.var(axis=0).sum()
    assert linear.unexplained(inputs, outputs) == pytest.approx(share, rel=0.05)
