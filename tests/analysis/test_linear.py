from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import nnls

from jaxnets.analysis import linear

RNG = np.random.default_rng(0)


def stack(*sizes):
    return [(RNG.normal(size=(n, m)), RNG.normal(size=m)) for n, m in pairwise(sizes)]


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


def test_the_product_does_what_the_layers_do():
    net, inputs = stack(5, 7, 6, 3), RNG.normal(size=(9, 5))
    hidden = inputs
    for kernel, bias in net:
        hidden = hidden @ kernel + bias
    np.testing.assert_allclose(linear.collapsed(params_of(net), inputs), hidden, rtol=1e-12)


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


def hulls_meet(points, others):
    """Whether the convex hulls of two sets have a point in common: the dual of a hyperplane between them."""
    sides = np.column_stack([points.T, -others.T])
    sums = np.array([[1.0] * len(points) + [0.0] * len(others), [0.0] * len(points) + [1.0] * len(others)])
    _, distance = nnls(np.vstack([sides, sums]), np.array([0.0] * points.shape[1] + [1.0, 1.0]))
    return distance < 1e-9


def test_a_hyperplane_lies_between_or_the_hulls_meet():
    found = []
    for _ in range(20):
        points, labels = RNG.normal(size=(7, 3)), RNG.permutation([0, 0, 0, 1, 1, 1, 1])
        found.append(linear.separable(points, labels))
        assert found[-1] != hulls_meet(points[labels == 0], points[labels == 1])
    assert set(found) == {True, False}


def test_four_patterns_of_negation_by_their_sums():
    good, bad, not_good, not_bad = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(good + not_bad, bad + not_good)  # so no map is positive on two and negative on two
    assert not linear.separable(np.stack([good, bad, not_good, not_bad]), np.array([1, 0, 0, 1]))
    assert linear.separable(np.stack([good, bad, not_good]), np.array([1, 0, 0]))


def test_what_a_linear_map_leaves_over():
    inputs, ((kernel, bias),) = RNG.normal(size=(400, 3)), stack(3, 2)
    noise = RNG.normal(size=(400, 2))

    def left(outputs):
        return linear.distances({}, inputs, outputs, np.tanh)["unexplained"]

    assert left(inputs @ kernel + bias) < 1e-20
    outputs = inputs @ kernel + 2 * noise
    share = 4 * noise.var(axis=0).sum() / outputs.var(axis=0).sum()
    assert left(outputs) == pytest.approx(share, rel=0.05)
