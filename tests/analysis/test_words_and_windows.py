"""A DAN of two words, whose logits are made by hand; and a text CNN whose filters are set by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets import plugins
from jaxnets.analysis import words_and_windows
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError
from jaxnets.inference.model import Model

ROWS = st.lists(st.lists(st.integers(2, 5), max_size=6), min_size=1, max_size=5)
LETTERS = ("<pad>", "<unk>", "a", "b", "c", "d")


def grams(row, order):
    return {tuple(row[start : start + order]) for start in range(len(row) - order + 1)}


@given(ROWS, st.sets(st.sampled_from("abcd")))
def test_holding_is_to_have_one_of_the_words(rows, wanted):
    expected = [any(LETTERS[word] in wanted for word in row) for row in rows]
    assert words_and_windows.holding(Texts.of(rows), LETTERS, wanted).tolist() == expected


@given(ROWS)
def test_behind_never_crosses_texts(rows):
    expected = {LETTERS[other] for row in rows for first, other in grams(row, 2) if first == 2}
    assert words_and_windows.behind(Texts.of(rows), LETTERS, "a") == expected
    assert words_and_windows.behind(Texts.of(rows), LETTERS, "e") == set()


@given(ROWS, ROWS, ROWS, st.integers(1, 3))
def test_unseen_is_to_have_new_ngrams_alone(train, dev, test, order):
    seen = {gram for row in train + dev for gram in grams(row, order)}
    expected = [bool(grams(row, order)) and not grams(row, order) & seen for row in test]
    found = words_and_windows.all_unseen([Texts.of(train), Texts.of(dev)], Texts.of(test), order, len(LETTERS))
    assert found.tolist() == expected


NEGATED = ("<pad>", "<unk>", "not", "good", "bad", "film")
OF_NEGATED = np.array([[0.0], [0.0], [-3.0], [1.0], [-1.0], [0.0]], np.float32)
TO_CLASSES = np.array([[-1.0, 1.0]], np.float32)


@pytest.fixture
def dan():
    params = {
        "WordVectors_0": {"vectors": OF_NEGATED},
        "MLP_0": {"output": {"kernel": TO_CLASSES, "bias": np.zeros(2)}},
    }
    arguments = {"num_outputs": 2, "vocabulary_size": 6, "embedding_dim": 1, "hidden_units": ()}
    plugin, head = plugins.MODEL.find("dan"), plugins.HEAD.find("softmax")
    return Model(plugin, head, arguments, ("no", "yes"), NEGATED, "", {}, params)


def trained(dan, **columns):
    """Runs of a model, as far as they are asked here: on texts of which the first is also a test text."""
    texts = Texts.of([[2, 3], [4]])
    fold = Dataset("made", *(Split(texts, np.array([0, 1], np.int32)),) * 3, ("no", "yes"), NEGATED)
    runs = pd.DataFrame({"run": [0, 1], "seed": [0, 1], "repeat": 0, "dev_loss": [0.2, 0.1], **columns})
    return SimpleNamespace(runs=runs, folds=(fold,), model=lambda run: dan, dataset=lambda run: fold)


def test_judgements_by_hand(dan):
    runs = trained(dan, status=["finished", "diverged"])
    table = words_and_windows.judgements(runs, "film {}", "film not {}").set_index("word")
    assert table["kind"].to_dict() == {"good": "good", "bad": "bad"}
    assert table["plain"].to_dict() == {"good": 1, "bad": -1}  # a mean of two words, twice the output's weight
    np.testing.assert_allclose(table["negated"], [2 * -2 / 3, 2 * -4 / 3], rtol=1e-6)
    assert table["seen"].to_dict() == {"good": "stood behind 'not' in training", "bad": "never did"}


def test_where_all_runs_were_lost_nothing_is_judged(dan):
    lost = trained(dan, status="diverged", method="DAN")
    assert words_and_windows.judgements(lost, "{}", "not {}").empty
    of_runs, of_texts = words_and_windows.orders(lost, lost.runs, 10, seed=0)
    assert of_runs.empty
    assert of_texts.empty


def test_an_average_says_the_same_in_both_orders(dan):
    texts = [np.array([2, 3, 5]), np.array([4])]
    plain, shuffled = words_and_windows.in_both_orders(dan, texts, np.random.default_rng(0))
    assert plain.shape == (2, 2)
    np.testing.assert_allclose(plain, shuffled, atol=1e-6)


def test_orders_by_hand(dan):
    runs = trained(dan, status="finished", method=["DAN", "other"])
    of_runs, of_texts = words_and_windows.orders(runs, runs.runs, 2, seed=0)
    assert of_runs["right"].tolist() == [0.5, 0.5]  # both texts are taken for "no"
    assert (of_runs["change"] < 1e-6).all()
    assert of_runs["examples"].tolist() == [2, 2]
    odds = of_texts[of_texts["method"] == "DAN"]
    np.testing.assert_allclose(odds["plain"], [2 * (-3 + 1) / 2, -2], rtol=1e-5)
    np.testing.assert_allclose(odds["shuffled"], odds["plain"], rtol=1e-5)
    assert len(words_and_windows.orders(runs, runs.runs, 1, seed=0)[1]) == 2


VOCABULARY = ("<pad>", "<unk>", "good", "fine", "bad", "day")
VECTORS = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0.1], [-1, 0, 0], [0, 1, 0]], np.float32)
# of two words: the first filter answers to good, the second to bad, each followed by "day"
KERNEL = np.array([[[1, -1], [0, 0], [0, 0]], [[0, 0], [1, 1], [0, 0]]], np.float32)
OUTPUT = np.array([[-3, 3], [1, -1]], np.float32)


def cnn(name="text_cnn", widths=(2,)):
    params = {
        "WordVectors_0": {"vectors": VECTORS},
        "windows_2": {"kernel": KERNEL, "bias": np.zeros(2, np.float32)},
        "output": {"kernel": OUTPUT, "bias": np.zeros(2, np.float32)},
    }
    arguments = {"num_outputs": 2, "vocabulary_size": 6, "embedding_dim": 3, "num_filters": 2, "filter_widths": widths}
    plugin, head = plugins.MODEL.find(name), plugins.HEAD.find("softmax")
    own = arguments if name == "text_cnn" else {}
    return Model(plugin, head, own, ("no", "yes"), VOCABULARY, "", {}, params)


def test_similarity_by_hand():
    assert words_and_windows.similarity(cnn(), "good day", "fine day") == pytest.approx(1)
    assert words_and_windows.similarity(cnn(), "good day", "bad day") == pytest.approx(0)
    assert words_and_windows.similarity(cnn(), "good day good", "bad day good") == pytest.approx(0)
    assert words_and_windows.indicator_similarity("good day good", "bad day good", [2]) == 0.5
    assert words_and_windows.indicator_similarity("a b c", "a b d", [2, 3]) == pytest.approx(1 / 3)


def test_likeness_to_the_first_text_cnn_of_each_repeat():
    models = [cnn(), cnn(), cnn("dan"), cnn()]
    runs = pd.DataFrame({"run": range(4), "repeat": [0, 0, 1, 2], "status": "finished"})
    trained = SimpleNamespace(runs=runs, model=lambda run: models[run])
    table = words_and_windows.likeness(trained, ["good day", "fine day", "bad day"])
    assert table["repeat"].tolist() == [0, 2]
    np.testing.assert_allclose(table[["like", "opposite", "indicators"]], [[1, 0, 0]] * 2, atol=1e-6)
    assert table[["one", "other", "contrary"]].iloc[0].tolist() == ["good day", "fine day", "bad day"]
    assert words_and_windows.likeness(SimpleNamespace(runs=runs[:0]), ["a", "b", "c"]).empty


@pytest.mark.parametrize(("first", "second"), [("good day", "good day good"), ("", "")])
def test_what_has_no_windows_to_compare_is_an_error(first, second):
    with pytest.raises(UserError, match="as many words, one at least"):
        words_and_windows.similarity(cnn(), first, second)
