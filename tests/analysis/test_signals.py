import jax
import numpy as np
import pytest

import jaxnets
from jaxnets.analysis import signals

RNG = np.random.default_rng(0)


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


def test_the_largest_weight_is_in_units_of_the_root_mean_square():
    params = {"Linear_0": {"kernel": np.array([[3.0, -4.0]])}, "Linear_1": {"kernel": np.full((2, 2), -5.0)}}
    first = 4 / (25 / 2) ** 0.5
    assert signals.largest_weight(params) == pytest.approx((first + 1) / 2)
    assert np.isnan(signals.largest_weight({"output": {"kernel": np.eye(3)}}))


def test_a_constant_start_gives_each_unit_the_mean_of_its_inputs():
    kernel = signals.constant(jax.random.key(0), (2, 5, 3))
    np.testing.assert_allclose(np.ones(10) @ kernel.reshape(10, 3), 1.0, rtol=1e-6)


def test_what_is_looked_at_in_a_sweep():
    net = {"dataset": "xor", "hidden_units": 4, "initializer": ["xavier", "pytorch"], "num_seeds": 2}
    trained = jaxnets.sweep(**net, batch_size=0, num_steps=2, keep="last", progress=False)
    table = signals.ranks(trained)
    assert table["step"].tolist() == [0, 2] * 4
    assert set(table["rank"]) == {2}  # two inputs
    largest = signals.largest_weights(trained)
    assert largest["initializer"].tolist() == ["xavier", "xavier", "pytorch", "pytorch"]
    assert (largest["largest"] >= 1).all()
    assert largest[largest["initializer"] == "pytorch"]["largest"].max() < 3**0.5 * 1.5
