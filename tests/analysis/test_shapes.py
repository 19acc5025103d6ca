import pytest

from jaxnets.analysis import parameters, shapes
from jaxnets.config.config import Config
from jaxnets.engine.sweep import load_folds
from jaxnets.engine.table import runs


@pytest.mark.parametrize(("dataset", "inputs", "outputs"), [("wine", 13, 3), ("spirals", 2, 2)])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_depth_and_width_cost_the_same(dataset, inputs, outputs, layers):
    config = Config(dataset=dataset, hidden_units=32)
    pair = shapes.deeper_or_wider(runs(config)[0], load_folds(config)[0], 32, layers)
    assert (pair.base, pair.deeper) == ((32,), (32,) * (1 + layers))
    assert pair.extra_deeper == layers * parameters.linear(32, 32)
    width = pair.wider[0]
    assert pair.extra_wider == (width - 32) * (inputs + 1 + outputs)
    # a unit more or less is further off
    assert abs(pair.extra_wider - pair.extra_deeper) <= (inputs + 1 + outputs) / 2
    assert pair.off == pytest.approx(abs(pair.extra_wider - pair.extra_deeper) / pair.extra_deeper)
