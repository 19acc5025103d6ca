from itertools import pairwise

import numpy as np
import pytest

from jaxnets.analysis import backprop, rounding

RNG = np.random.default_rng(0)
SINGLE = rounding.unit_roundoff("float32")


def net(*sizes):
    """Layers whose numbers float32 holds exactly, in float64."""
    shapes = [((n, m), m) for n, m in pairwise(sizes)]
    pairs = [(RNG.normal(size=kernel), RNG.normal(size=bias)) for kernel, bias in shapes]
    return [tuple(array.astype(np.float32).astype(np.float64) for array in pair) for pair in pairs]


def single(layers):
    return [tuple(array.astype(np.float32) for array in pair) for pair in layers]


INPUTS, LABELS = RNG.normal(size=(40, 6)).astype(np.float32).astype(np.float64), RNG.integers(0, 4, 40)


def test_gamma_is_the_error_of_roundings_in_a_row():
    assert rounding.gamma(1, 0.25) == pytest.approx(1 / 3)
    total = np.float32(0)
    for _ in range(10_000):  # 0.1 is rounded once, and each sum
        total += np.float32(0.1)
    assert 0 < abs(float(total) - 1000) / 1000 < rounding.gamma(10_001, SINGLE)


ACTIVATIONS = {"none": lambda values: values, "tanh": np.tanh, "relu": lambda values: np.maximum(values, 0)}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(6, 4), (6, 30, 4), (6, 50, 50, 50, 4)])
def test_a_net_keeps_to_its_bound(sizes, name):
    layers, exact, computed = net(*sizes), INPUTS, INPUTS.astype(np.float32)
    for place, ((kernel, bias), (of_single, bias_of_single)) in enumerate(zip(layers, single(layers), strict=True)):
        exact, computed = exact @ kernel + bias, computed @ of_single + bias_of_single
        if place < len(layers) - 1:
            exact, computed = ACTIVATIONS[name](exact), ACTIVATIONS[name](computed)
    error = np.abs(computed - exact)
    bounds = [rounding.of_net(layers, INPUTS, ACTIVATIONS[name], SINGLE)]
    bounds += [rounding.of_linear_layers(layers, INPUTS, SINGLE)] if name == "none" else []
    for bound in bounds:
        assert (error <= bound).all()
        assert bound.max() < 1e-3 * np.abs(exact).max() * len(layers)  # a bound that says something


def test_where_a_function_is_flat_no_error_stays():
    x = rounding.Bounded(np.array([-1.0, 0.0, 1.0]), np.full(3, 0.5))
    bounded = rounding.monotone(x, 0.0, ACTIVATIONS["relu"])
    assert bounded.error.tolist() == [0, 0.5, 0.5]


@pytest.mark.parametrize("sizes", [(6, 4), (6, 9, 4), (6, 20, 20, 4)])
def test_a_gradient_in_float32_keeps_to_its_bound(sizes):
    layers = net(*sizes)
    exact = backprop.gradient(layers, INPUTS, LABELS)
    computed = backprop.gradient(single(layers), INPUTS.astype(np.float32), LABELS)
    bounds = rounding.of_gradient(layers, INPUTS, LABELS, SINGLE)
    assert [kernel.shape for kernel, _ in bounds] == [kernel.shape for kernel, _ in layers]
    assert 0 < rounding.largest_share(computed, exact, bounds) < 1


@pytest.mark.parametrize("factor", [1.01, 0.99])
def test_a_gradient_that_is_off_by_a_hundredth_does_not(factor):
    layers = net(6, 20, 4)
    exact, bounds = backprop.gradient(layers, INPUTS, LABELS), rounding.of_gradient(layers, INPUTS, LABELS, SINGLE)
    wrong = [exact[0], (exact[1][0] * factor, exact[1][1])]
    assert rounding.largest_share(wrong, exact, bounds) > 1


def test_where_nothing_can_be_rounded_numbers_must_be_equal():
    zero = [(np.zeros((1, 1)), np.zeros(1))]
    assert rounding.largest_share(zero, zero, zero) == 0
    assert rounding.largest_share([(np.full((1, 1), 1e-30), np.zeros(1))], zero, zero) > 1


def test_a_loss_in_float32_keeps_to_its_bound():
    layers = net(6, 20, 20, 4)
    computed = backprop.loss(single(layers), INPUTS.astype(np.float32), LABELS)
    error, bound = (
        abs(float(computed) - backprop.loss(layers, INPUTS, LABELS)),
        rounding.of_loss(layers, INPUTS, LABELS, SINGLE),
    )
    assert 0 < error < bound < 0.01
