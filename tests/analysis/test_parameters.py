from types import SimpleNamespace

import jax
import numpy as np
import pandas as pd
import pytest

import jaxnets
from jaxnets.analysis import parameters
from jaxnets.config.config import Config
from jaxnets.engine.sweep import load_folds
from jaxnets.engine.table import runs
from jaxnets.models import DAN, MLP, TextCNN

RNG = np.random.default_rng(0)
MODELS = [
    (MLP(3, (7, 5)), 4, parameters.mlp(4, (7, 5), 3)),
    (MLP(3, ()), 4, {"output": 15}),
    (DAN(3, 11, 6, hidden_units=(7,)), None, parameters.dan(11, 6, (7,), 3)),
    (TextCNN(3, 11, 6, filter_widths=(2, 4), num_filters=5), None, parameters.text_cnn(11, 6, (2, 4), 5, 3)),
]


@pytest.mark.parametrize(("model", "num_features", "formula"), MODELS)
def test_the_formulas_are_those_of_the_modules(model, num_features, formula):
    table = parameters.counted(model, num_features)
    assert dict(zip(table["block"], table["parameters"], strict=True)) == formula


def test_shapes_are_shown_kernel_first():
    table = parameters.counted(MLP(3, (7,)), 4).set_index("block")
    assert table["shapes"].to_dict() == {"Linear_0": "4×7 + 7", "output": "7×3 + 3"}


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("budget", [5000, 40_000])
def test_no_other_width_comes_closer(depth, budget):
    def count(width):
        return sum(parameters.mlp(64, [width] * depth, 10).values())

    width = parameters.equal_width(count, budget)
    every = [abs(count(other) - budget) for other in range(1, 2 * width)]
    assert every.index(min(every)) == width - 1
    assert min(every) < 0.03 * budget


def test_a_budget_that_no_width_meets_takes_the_narrowest():
    assert parameters.equal_width(lambda width: 100 * width, 3) == 1
    assert parameters.equal_width(lambda width: 5, 100) > 0  # it ends, too


@pytest.mark.parametrize(("dataset", "inputs", "outputs"), [("wine", 13, 3), ("spirals", 2, 2)])
@pytest.mark.parametrize("layers", [1, 3])
def test_depth_and_width_cost_the_same(dataset, inputs, outputs, layers):
    config = Config(dataset=dataset, hidden_units=32, dropout_rate=0.5)
    pair = parameters.deeper_or_wider(runs(config)[0], load_folds(config)[0], 32, layers)
    assert pair.deeper == (32,) * (1 + layers)
    assert pair.extra == layers * parameters.linear(32, 32)
    (width,) = pair.wider
    extra = (width - 32) * (inputs + 1 + outputs)
    assert abs(extra - pair.extra) <= (inputs + 1 + outputs) / 2  # a unit more or less is further off
    assert pair.off == pytest.approx(abs(extra - pair.extra) / pair.extra)


def test_counting_makes_no_arrays():
    big = MLP(10, (10**6, 10**6))
    assert parameters.counted(big, 64)["parameters"].sum() > 10**12
    assert not [array for array in jax.live_arrays() if array.size > 10**8]


def test_ranks_of_hidden_kernels():
    low = RNG.normal(size=(6, 2)) @ RNG.normal(size=(2, 5))
    params = {
        "MLP_0": {"Linear_0": {"kernel": low}, "output": {"kernel": np.eye(3)}},
        "windows": {"kernel": np.zeros((2, 3, 4))},
        "words": {"vectors": np.eye(9)},
        "broken": {"kernel": np.full((2, 2), np.nan)},
    }
    assert parameters.hidden_ranks(params) == [2, -1, 0]
    assert parameters.hidden_ranks({"output": {"kernel": np.eye(3)}}) == []


def test_the_largest_weight_is_in_units_of_the_root_mean_square():
    hidden = {"Linear_0": {"kernel": np.array([[3.0, -4.0]])}, "Linear_1": {"kernel": np.full((2, 2), -5.0)}}
    params = [hidden, {"output": {"kernel": np.eye(3)}}]
    runs = pd.DataFrame({"run": [0, 1], "initializer": "he", "seed": 0})
    table = parameters.largest_weights(SimpleNamespace(runs=runs, params=lambda run, step: params[run]))
    assert table["largest"][0] == pytest.approx((4 / (25 / 2) ** 0.5 + 1) / 2)
    assert np.isnan(table["largest"][1])


def test_a_constant_start_gives_each_unit_the_mean_of_its_inputs():
    kernel = parameters.constant(jax.random.key(0), (2, 5, 3))
    np.testing.assert_allclose(np.ones(10) @ kernel.reshape(10, 3), 1.0, rtol=1e-6)


def test_what_is_looked_at_in_a_sweep():
    net = {"dataset": "xor", "hidden_units": 4, "initializer": ["xavier", "pytorch"], "num_seeds": 2}
    trained = jaxnets.sweep(**net, batch_size=0, num_steps=2, keep="last", progress=False)
    table = parameters.ranks(trained)
    assert table["step"].tolist() == [0, 2] * 4
    assert set(table["rank"]) == {2}  # two inputs
    largest = parameters.largest_weights(trained)
    assert largest["initializer"].tolist() == ["xavier", "xavier", "pytorch", "pytorch"]
    assert (largest["largest"] >= 1).all()
    assert largest[largest["initializer"] == "pytorch"]["largest"].max() < 3**0.5 * 1.5
