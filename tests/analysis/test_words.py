import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.analysis import words
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts

ROWS = st.lists(st.lists(st.integers(2, 5), max_size=6), min_size=1, max_size=5)
VOCABULARY = ("<pad>", "<unk>", "a", "b", "c", "d")


def grams(row, order):
    return {tuple(row[start : start + order]) for start in range(len(row) - order + 1)}


@given(ROWS, st.sets(st.sampled_from("abcd")))
def test_holding_is_to_have_one_of_the_words(rows, wanted):
    expected = [any(VOCABULARY[word] in wanted for word in row) for row in rows]
    assert words.holding(Texts.of(rows), VOCABULARY, wanted).tolist() == expected


@given(ROWS)
def test_behind_never_crosses_texts(rows):
    expected = {VOCABULARY[other] for row in rows for first, other in grams(row, 2) if first == 2}
    assert words.behind(Texts.of(rows), VOCABULARY, "a") == expected
    assert words.behind(Texts.of(rows), VOCABULARY, "e") == set()


@given(ROWS, ROWS, ROWS, st.integers(1, 3))
def test_unseen_is_to_have_new_ngrams_alone(train, dev, test, order):
    seen = {gram for row in train + dev for gram in grams(row, order)}
    expected = [bool(grams(row, order)) and not grams(row, order) & seen for row in test]
    found = words.all_unseen([Texts.of(train), Texts.of(dev)], Texts.of(test), order, len(VOCABULARY))
    assert found.tolist() == expected


def test_accuracy_where_a_word_is_held_by_hand():
    split = Split(Texts.of([[2, 3], [3], [2], [4]]), np.array([0, 1, 0, 1], np.int32))
    fold = Dataset("made", split, split, split, ("no", "yes"), VOCABULARY)
    scored = pd.DataFrame({"run": [5, 7], "status": ["finished", "diverged"], "test_accuracy": [0.75, 0.5]})
    predictions = pd.DataFrame({"run": 5, "fold": 0, "example": range(4), "label": split.labels})
    predictions["prediction"] = [0, 1, 1, 1]
    assert words.right_where_held(scored, predictions, (fold,), ["a"]).tolist() == [0.5, 0.5]  # the first and third
    right = words.right_where_held(scored, predictions, (fold,), ["d"])
    assert np.isnan(right[0])
    assert right[1] == 0.5
