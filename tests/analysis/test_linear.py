from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import Perceptron

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


def params_of(layers):
    names = [*(f"Linear_{number}" for number in range(len(layers) - 1)), "output"]
    return {name: {"kernel": kernel, "bias": bias} for name, (kernel, bias) in zip(names, layers, strict=True)}


def logits(layers, inputs, activation):
    for kernel, bias in layers[:-1]:
        inputs = activation(inputs @ kernel.astype(np.float32) + bias.astype(np.float32))
    return inputs @ layers[-1][0].astype(np.float32) + layers[-1][1].astype(np.float32)


@pytest.mark.parametrize(
    ("activation", "same", "bent"),
    [(lambda x: x, True, False), (lambda x: 0.5 * x, False, False), (lambda x: np.maximum(x, 0), False, True)],
)
def test_rounding_tells_linear_maps_from_others(activation, same, bent):
    layers = [tuple(a.astype(np.float32).astype(np.float64) for a in layer) for layer in stack(5, 20, 20, 3)]
    inputs = RNG.normal(size=(50, 5)).astype(np.float32)
    found = linear.distances(params_of(layers), inputs, logits(layers, inputs, activation), activation)
    assert (found["error"] <= 1) == same
    assert (found["relative"] < 1e-5) == same
    assert (found["bend"] > 1) == (found["unexplained"] > 1e-3) == bent


def test_a_net_of_huge_weights_of_which_few_units_speak_is_told_from_a_linear_map():
    layers = [tuple(a.astype(np.float32).astype(np.float64) for a in layer) for layer in stack(5, 20, 20, 3)]
    layers[0] = 1e4 * layers[0][0], np.where(np.arange(20) < 2, 0.0, -1e6)
    layers[1] = 1e4 * layers[1][0], np.full(20, -1e6)
    inputs = RNG.normal(size=(50, 5)).astype(np.float32)
    found = linear.distances(params_of(layers), inputs, logits(layers, inputs, relu), relu)
    assert found["bend"] > 100


def relu(values):
    return np.maximum(values, 0)


def test_the_layers_of_another_model_cannot_be_multiplied_out():
    params = {"Linear_0": {"kernel": np.ones((2, 3)), "bias": np.ones(3)}, "output": {"kernel": np.ones((3, 1))}}
    assert np.isnan(linear.collapsed(params, np.ones((4, 2)))).all()
    found = linear.distances(params, RNG.normal(size=(9, 2)), RNG.normal(size=(9, 1)), np.tanh)
    assert np.isnan([found[name] for name in ("error", "relative", "bend")]).all()
    assert 0 < found["unexplained"] < 1
    params["output"]["bias"] = np.ones(1)
    assert linear.collapsed(params, np.ones((4, 2))).tolist() == [[10]] * 4


BITS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.mark.parametrize(("labels", "margin"), [([0, 1, 1, 0], 0), ([0, 0, 0, 1], 0.5), ([0, 1, 0, 1], 0.5)])
def test_a_line_parts_what_can_be_parted(labels, margin):
    assert linear.margin(BITS, np.array(labels)) == pytest.approx(margin, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_margin_agrees_with_a_perceptron(seed):
    points = np.random.default_rng(seed).normal(size=(8, 2))
    labels = np.random.default_rng(seed + 100).integers(0, 2, 8)
    perceptron = Perceptron(max_iter=5000, tol=None, random_state=0).fit(points, labels)
    assert (linear.margin(points, labels) > 1e-9) == (perceptron.score(points, labels) == 1)


def test_what_a_linear_map_leaves_over():
    inputs = RNG.normal(size=(400, 3))
    ((kernel, bias),) = stack(3, 2)
    assert linear.unexplained(inputs, inputs @ kernel + bias) < 1e-20
    noise = RNG.normal(size=(400, 2))
    outputs = inputs @ kernel + 2 * noise
    share = 4 * noise.var(axis=0).sum() / outputs.var(axis=0).sum()
    assert linear.unexplained(inputs, outputs) == pytest.approx(share, rel=0.05)
