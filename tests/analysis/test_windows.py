"""A text CNN whose filters are set by hand."""

import numpy as np
import pytest

from jaxnets import plugins
from jaxnets.analysis import windows
from jaxnets.errors import UserError
from jaxnets.inference.model import Model

VOCABULARY = ("<pad>", "<unk>", "good", "fine", "bad", "day")
VECTORS = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0.1], [-1, 0, 0], [0, 1, 0]], np.float32)
# of two words: the first filter answers to good, the second to bad, each followed by "day"
KERNEL = np.array([[[1, -1], [0, 0], [0, 0]], [[0, 0], [1, 1], [0, 0]]], np.float32)
OUTPUT = np.array([[-3, 3], [1, -1]], np.float32)


def model(name="text_cnn", widths=(2,)):
    params = {
        "WordVectors_0": {"vectors": VECTORS},
        "windows_2": {"kernel": KERNEL, "bias": np.zeros(2, np.float32)},
        "output": {"kernel": OUTPUT, "bias": np.zeros(2, np.float32)},
    }
    arguments = {"num_outputs": 2, "vocabulary_size": 6, "embedding_dim": 3, "num_filters": 2, "filter_widths": widths}
    plugin, head = plugins.MODEL.find(name), plugins.HEAD.find("softmax")
    own = arguments if name == "text_cnn" else {}
    return Model(plugin, head, own, ("no", "yes"), VOCABULARY, "", {}, params)


def test_features_are_those_of_the_windows():
    (features,) = windows.features(model(), "good day bad").values()
    np.testing.assert_allclose(features, [[2, 0], [0, 0]])  # good day: 1 + 1; day bad: both filters give 0


def test_similarity_by_hand():
    assert windows.similarity(model(), "good day", "fine day") == pytest.approx(1)
    assert windows.similarity(model(), "good day", "bad day") == pytest.approx(0)
    assert windows.similarity(model(), "good day good", "bad day good") == pytest.approx(0)
    assert windows.indicator_similarity("good day good", "bad day good", [2]) == 0.5
    assert windows.indicator_similarity("a b c", "a b d", [2, 3]) == pytest.approx(1 / 3)


def test_likeness_of_text_cnns_alone():
    table = windows.likeness([model(), model("dan"), model()], "good day", "fine day", "bad day")
    assert len(table) == 2
    np.testing.assert_allclose(table[["like", "opposite", "indicators"]], [[1, 0, 0]] * 2, atol=1e-6)
    assert table[["one", "other", "contrary"]].iloc[0].tolist() == ["good day", "fine day", "bad day"]


def test_what_cannot_be_compared_is_an_error():
    with pytest.raises(UserError, match="number of words"):
        windows.similarity(model(), "good day", "good day good")
    with pytest.raises(UserError, match="no words"):
        windows.features(model(), "")
    with pytest.raises(UserError, match="not a text CNN"):
        windows.features(model("dan"), "good day")
