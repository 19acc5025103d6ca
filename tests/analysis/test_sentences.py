"""A DAN of two words, whose logits are made by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jaxnets import plugins
from jaxnets.analysis import sentences
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.inference.model import Model

VOCABULARY = ("<pad>", "<unk>", "not", "good", "bad", "film")
VECTORS = np.array([[0.0], [0.0], [-3.0], [1.0], [-1.0], [0.0]], np.float32)
OUTPUT = np.array([[-1.0, 1.0]], np.float32)


@pytest.fixture
def model():
    params = {"WordVectors_0": {"vectors": VECTORS}, "MLP_0": {"output": {"kernel": OUTPUT, "bias": np.zeros(2)}}}
    arguments = {"num_outputs": 2, "vocabulary_size": 6, "embedding_dim": 1, "hidden_units": ()}
    dan, head = plugins.MODEL.find("dan"), plugins.HEAD.find("softmax")
    return Model(dan, head, arguments, ("no", "yes"), VOCABULARY, "", {}, params)


def trained(model, **columns):
    """Runs of a model, as far as they are asked here: on texts of which the first is also a test text."""
    texts = Texts.of([[2, 3], [4]])
    fold = Dataset("made", *(Split(texts, np.array([0, 1], np.int32)),) * 3, ("no", "yes"), VOCABULARY)
    runs = pd.DataFrame({"run": [0, 1], "seed": [0, 1], "block": 0, "dev_loss": [0.2, 0.1], **columns})
    return SimpleNamespace(runs=runs, folds=(fold,), model=lambda run: model, dataset=lambda run: fold)


def test_judgements_by_hand(model):
    runs = trained(model, status=["finished", "diverged"])
    table = sentences.judgements(runs, "film {}", "film not {}").set_index("word")
    assert table["kind"].to_dict() == {"good": "good", "bad": "bad"}
    assert table["plain"].to_dict() == {"good": 1, "bad": -1}  # a mean of two words, twice the output's weight
    np.testing.assert_allclose(table["negated"], [2 * -2 / 3, 2 * -4 / 3], rtol=1e-6)
    assert table["seen"].to_dict() == {"good": "stood behind 'not' in training", "bad": "never did"}


def test_where_all_runs_were_lost_nothing_is_judged(model):
    lost = trained(model, status="diverged", contestant="DAN")
    assert sentences.judgements(lost, "{}", "not {}").empty
    of_runs, of_texts = sentences.orders(lost, lost.runs, 10, seed=0)
    assert of_runs.empty
    assert of_texts.empty


def test_an_average_says_the_same_in_both_orders(model):
    texts = [np.array([2, 3, 5]), np.array([4])]
    plain, shuffled = sentences.in_both_orders(model, texts, np.random.default_rng(0))
    assert plain.shape == (2, 2)
    np.testing.assert_allclose(plain, shuffled, atol=1e-6)


def test_orders_by_hand(model):
    runs = trained(model, status="finished", contestant=["DAN", "other"])
    of_runs, of_texts = sentences.orders(runs, runs.runs, 2, seed=0)
    assert of_runs["right"].tolist() == [0.5, 0.5]  # both texts are taken for "no"
    assert (of_runs["change"] < 1e-6).all()
    assert of_runs["examples"].tolist() == [2, 2]
    odds = of_texts[of_texts["contestant"] == "DAN"]
    np.testing.assert_allclose(odds["plain"], [2 * (-3 + 1) / 2, -2], rtol=1e-5)
    np.testing.assert_allclose(odds["shuffled"], odds["plain"], rtol=1e-5)
    assert len(sentences.orders(runs, runs.runs, 1, seed=0)[1]) == 2
