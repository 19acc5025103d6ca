import jax
import pytest

from jaxnets.analysis import parameters
from jaxnets.models import DAN, MLP, TextCNN


@pytest.mark.parametrize(
    ("model", "num_features", "formula"),
    [(MLP(3, (7, 5)), 4, parameters.mlp(4, (7, 5), 3)), (MLP(3, ()), 4, {"output": 15}),
     (DAN(3, 11, 6, hidden_units=(7,)), None, parameters.dan(11, 6, (7,), 3)),
     (TextCNN(3, 11, 6, filter_widths=(2, 4), num_filters=5), None, parameters.text_cnn(11, 6, (2, 4), 5, 3))],
)  # fmt: skip
def test_the_formulas_are_those_of_the_modules(model, num_features, formula):
    table = parameters.counted(model, num_features)
    assert dict(zip(table["block"], table["parameters"], strict=True)) == formula


def test_shapes_are_shown_kernel_first():
    table = parameters.counted(MLP(3, (7,)), 4).set_index("block")
    assert table["shapes"].to_dict() == {"Linear_0": "4×7 + 7", "output": "7×3 + 3"}


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("budget", [5000, 40_000])
def test_no_other_width_comes_closer(depth, budget):
    width = parameters.equal_width(64, depth, 10, budget)
    distances = [abs(sum(parameters.mlp(64, [width + d] * depth, 10).values()) - budget) for d in (-1, 0, 1)]
    assert min(distances) == distances[1]
    assert distances[1] < 0.03 * budget


def test_counting_makes_no_arrays():
    big = MLP(10, (10**6, 10**6))
    assert parameters.counted(big, 64)["parameters"].sum() > 10**12
    assert not [array for array in jax.live_arrays() if array.size > 10**8]
