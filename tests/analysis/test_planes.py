import numpy as np
import pytest

import jaxnets
from jaxnets.analysis import planes


@pytest.fixture(scope="module")
def trained():
    values = {"activation": "tanh", "head": "sigmoid", "keep": "last", "batch_size": 0, "num_steps": 3}
    return jaxnets.sweep(dataset="xor", hidden_units=2, num_seeds=2, progress=False, **values)


def test_the_plane_holds_what_the_run_says_of_the_patterns(trained):
    plane = planes.of_inputs(trained, 1, low=0, high=1, count=2)
    assert plane[["x", "y"]].to_numpy().tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]
    of_patterns = trained.probabilities(1, plane[["x", "y"]].to_numpy())[:, 1]
    np.testing.assert_allclose(plane["probability"], of_patterns, atol=1e-6)


def test_the_hidden_layer_and_its_line_make_the_logits(trained):
    hidden = planes.of_hidden_layer(trained, 0)
    assert hidden["input"].tolist() == ["00", "01", "10", "11"]
    assert hidden["label"].tolist() == [0, 1, 1, 0]
    logits = hidden["a"] * hidden["h1"] + hidden["b"] * hidden["h2"] + hidden["c"]
    np.testing.assert_allclose(logits, trained.logits(0, trained.folds[0].train.inputs)[:, 0], atol=1e-6)
