import jax
import pytest

from jaxnets.analysis import parameters
from jaxnets.config.config import Config
from jaxnets.engine.sweep import load_folds
from jaxnets.engine.table import runs
from jaxnets.models import DAN, MLP, TextCNN

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


@pytest.mark.parametrize(
    ("values", "formula"),
    [
        ({"dataset": "xor", "hidden_units": (7, 5), "dropout_rate": 0.5}, parameters.mlp(2, (7, 5), 2)),
        ({"dataset": "ngrams", "model": "dan", "embedding_dim": 6}, parameters.mlp(6, (100, 100), 2)),
    ],
)
def test_word_vectors_are_left_out_of_what_a_run_learns(values, formula):
    config = Config(**values, batch_size=1)
    assert parameters.learned(runs(config)[0], load_folds(config)[0]) == sum(formula.values())


def test_counting_makes_no_arrays():
    big = MLP(10, (10**6, 10**6))
    assert parameters.counted(big, 64)["parameters"].sum() > 10**12
    assert not [array for array in jax.live_arrays() if array.size > 10**8]
