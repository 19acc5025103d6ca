"""A DAN of two words, whose logits are made by hand."""

import numpy as np
import pytest

from jaxnets import plugins
from jaxnets.analysis import sentences
from jaxnets.data.texts import Texts
from jaxnets.trained.model import Model

VOCABULARY = ("<pad>", "<unk>", "not", "good", "bad", "film")
VECTORS = np.array([[0.0], [0.0], [-3.0], [1.0], [-1.0], [0.0]], np.float32)
OUTPUT = np.array([[-1.0, 1.0]], np.float32)


@pytest.fixture
def model():
    params = {"WordVectors_0": {"vectors": VECTORS}, "MLP_0": {"output": {"kernel": OUTPUT, "bias": np.zeros(2)}}}
    arguments = {"num_outputs": 2, "vocabulary_size": 6, "embedding_dim": 1, "hidden_units": ()}
    dan, head = plugins.MODEL.find("dan"), plugins.HEAD.find("softmax")
    return Model(dan, head, arguments, ("no", "yes"), VOCABULARY, "", {}, params)


def test_judgements_by_hand(model):
    train = Texts.of([[2, 3], [4]])
    table = sentences.judgements(model, train, "film {}", "film not {}").set_index("word")
    assert table["kind"].to_dict() == {"good": "good", "bad": "bad"}
    assert table["plain"].to_dict() == {"good": 1, "bad": -1}  # a mean of two words, twice the output's weight
    np.testing.assert_allclose(table["negated"], [2 * -2 / 3, 2 * -4 / 3], rtol=1e-6)
    assert table["seen"].to_dict() == {"good": "stood behind 'not' in training", "bad": "never did"}


def test_an_average_says_the_same_in_both_orders(model):
    texts = [np.array([2, 3, 5]), np.array([4])]
    plain, shuffled, odds = sentences.in_both_orders(model, texts, np.random.default_rng(0))
    assert plain.shape == (2, 2)
    np.testing.assert_allclose(plain, shuffled, atol=1e-6)
    np.testing.assert_allclose(odds["plain"], [2 * -2 / 3, -2], rtol=1e-6)
    np.testing.assert_allclose(odds["shuffled"], odds["plain"], rtol=1e-6)


def test_no_order_of_words_helps_a_bag_over_its_ceiling():
    texts = [np.array(row) for row in ([1, 2], [2, 1], [2, 1], [3], [])]
    assert sentences.bag_ceiling(texts, np.array([0, 1, 1, 0, 1])) == pytest.approx(4 / 5)
