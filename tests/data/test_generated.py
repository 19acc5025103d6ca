from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from jaxnets.data.dataset import PADDING, UNKNOWN
from jaxnets.data.grammars import (
    MAX_DISTANCE,
    NEGATION,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    mixed_negations,
    ngrams,
    word_order,
)
from jaxnets.data.toy import negation, xor
from jaxnets.errors import UserError


def is_linearly_separable(inputs, labels):
    """Whether some weights and bias give every example a margin of 1 or more on its own side: a linear program."""
    signs = np.where(labels == 1, 1.0, -1.0)
    rows = np.c_[inputs, np.ones(len(inputs))] * signs[:, None]
    result = linprog(np.zeros(rows.shape[1]), A_ub=-rows, b_ub=-np.ones(len(rows)), bounds=(None, None))
    assert result.status in (0, 2)  # solved, or proved to have no solution
    return result.status == 0


def test_xor_is_the_truth_table():
    dataset = xor()
    np.testing.assert_array_equal(dataset.train.inputs, [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(dataset.train.labels, [int(a) ^ int(b) for a, b in dataset.train.inputs])


def test_negation_means_what_its_sentences_mean():
    dataset = negation()
    sentences = ["good", "bad", "not good", "not bad"]
    features = [[word in text.split() for word in ("good", "bad", "not")] for text in sentences]
    np.testing.assert_array_equal(dataset.train.inputs, features)
    meanings = [dataset.class_names[label] for label in dataset.train.labels]
    assert meanings == ["positive", "negative", "negative", "positive"]


@pytest.mark.parametrize("make", [xor, negation])
def test_no_linear_classifier_fits_all_four_patterns_but_one_fits_any_three(make):
    dataset = make()
    inputs, labels = dataset.train.inputs, dataset.train.labels
    assert not is_linearly_separable(inputs, labels)
    for three in combinations(range(4), 3):
        assert is_linearly_separable(inputs[list(three)], labels[list(three)])


@pytest.mark.parametrize("make", [xor, negation])
def test_all_splits_are_the_same_patterns(make):
    dataset = make()
    for split in (dataset.dev, dataset.test):
        np.testing.assert_array_equal(split.inputs, dataset.train.inputs)
        np.testing.assert_array_equal(split.labels, dataset.train.labels)


def splits_of(dataset):
    return dataset.train, dataset.dev, dataset.test


def judged(words):
    """The label of a sentence read word by word, and whether all its judgements agree."""
    result = []
    for before, word in zip([None, *words], words, strict=False):
        if word in POSITIVE + NEGATIVE:
            result.append((word in POSITIVE) != (before == NEGATION))
    return int(result[0]), len(set(result)) == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_labels_follow_from_words(seed):
    dataset = ngrams(num_sentences=400, data_seed=seed)
    lengths = set()
    for split in splits_of(dataset):
        for row, label in zip(split.inputs, split.labels, strict=True):
            words = dataset.decode(row).split()
            lengths.add(len(words))
            assert judged(words) == (label, True)
            assert not (row[: len(words)] == 0).any()  # padding comes last
            assert not row[len(words) :].any()
    assert min(lengths) >= 4
    assert max(lengths) <= 12
    assert len(lengths) >= 7


def test_half_of_the_sentences_have_a_not_that_means_nothing():
    split = ngrams(num_sentences=1000).train
    ids = {word: number for number, word in enumerate(ngrams(num_sentences=20).vocabulary)}
    neutral = np.isin(split.inputs[:, 1:], [ids[word] for word in NEUTRAL])
    idle = ((split.inputs[:, :-1] == ids[NEGATION]) & neutral).any(axis=1)
    for label in (0, 1):
        assert abs(idle[split.labels == label].mean() - 0.5) < 0.1  # 3.7 standard errors of 350 draws


def test_words_are_in_the_vocabulary_once():
    vocabulary = ngrams(num_sentences=20).vocabulary
    assert vocabulary[:2] == (PADDING, UNKNOWN)
    assert sorted(vocabulary[2:]) == sorted((NEGATION, *NEUTRAL, *POSITIVE, *NEGATIVE))
    assert len(set(vocabulary)) == len(vocabulary)


@pytest.mark.parametrize("num_sentences", [20, 101, 500])
def test_no_sentence_is_in_two_splits_and_classes_are_balanced(num_sentences):
    dataset = ngrams(num_sentences=num_sentences, data_seed=3)
    rows = np.concatenate([split.inputs for split in splits_of(dataset)])
    assert rows.shape == (num_sentences, 12)
    assert len(np.unique(rows, axis=0)) == num_sentences
    for split, share in zip(splits_of(dataset), (0.7, 0.15, 0.15), strict=True):
        assert abs(len(split) - share * num_sentences) <= 1
        assert abs(split.labels.sum() - len(split) / 2) <= 1


def test_sentences_are_those_of_the_seed():
    first, again, other = ngrams(100, data_seed=7), ngrams(100, data_seed=7), ngrams(100, data_seed=8)
    np.testing.assert_array_equal(first.train.inputs, again.train.inputs)
    assert (first.train.inputs != other.train.inputs).any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pairs_of_words_tell_what_single_words_do_not(seed):
    dataset = ngrams(data_seed=seed)
    train, dev = ([dataset.decode(row) for row in split.inputs] for split in (dataset.train, dataset.dev))

    def accuracy(longest):
        counts = CountVectorizer(ngram_range=(1, longest), token_pattern=r"\S+")
        model = LogisticRegression(C=10, max_iter=1000).fit(counts.fit_transform(train), dataset.train.labels)
        return model.score(counts.transform(dev), dataset.dev.labels)

    assert 0.6 < accuracy(1) < 0.95
    assert accuracy(2) > 0.97


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        ({"num_sentences": 19}, "num_sentences: 19 are too few to split; take 20 or more"),
        ({"num_sentences": -1}, "num_sentences: -1"),
        ({"data_seed": -1}, "data_seed: -1 is negative"),
    ],
)
def test_mistakes_are_reported(given, fragment):
    with pytest.raises(UserError) as error:
        ngrams(**given)
    assert fragment in str(error.value)


@pytest.mark.parametrize("load", [mixed_negations, word_order])
def test_sizes_classes_and_seeds(load):
    dataset = load(200)
    assert [len(split) for split in splits_of(dataset)] == [140, 30, 30]
    assert all(split.labels.mean() == 0.5 for split in splits_of(dataset))
    again, other = load(200, data_seed=0), load(200, data_seed=1)
    np.testing.assert_array_equal(dataset.train.inputs, again.train.inputs)
    assert (dataset.train.inputs != other.train.inputs).any()
    assert dataset.vocabulary == other.vocabulary
    with pytest.raises(UserError, match="num_sentences: 19"):
        load(num_sentences=19)
    with pytest.raises(UserError, match="data_seed"):
        load(data_seed=-1)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_a_share_is_negated_and_a_not_elsewhere_has_no_effect(share):
    dataset = mixed_negations(2000, share)
    negated, elsewhere = [], []
    for split in splits_of(dataset):
        for row, label in zip(split.inputs, split.labels, strict=True):
            words = dataset.decode(row).split()
            assert judged(words) == (label, True)
            (place,) = (place for place, word in enumerate(words) if word in POSITIVE + NEGATIVE)
            negated.append(place > 0 and words[place - 1] == NEGATION)
            elsewhere.append(words.count(NEGATION) - negated[-1])
            assert len(words) == 10
    # four standard deviations of a binomial share
    assert abs(np.mean(negated) - share) <= 4 * np.sqrt(share * (1 - share) / 2000)
    assert abs(np.mean(elsewhere) - 0.5) <= 4 * np.sqrt(0.25 / 2000)
    assert set(elsewhere) == {0, 1}


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_what_is_no_share_is_reported(share):
    with pytest.raises(UserError, match="negated_share"):
        mixed_negations(100, share)


@pytest.mark.parametrize("distance", range(1, MAX_DISTANCE + 1))
def test_pairs_have_the_same_words_and_opposite_labels(distance):
    dataset = word_order(400, distance)
    for split in splits_of(dataset):
        pairs = zip(split.inputs[::2], split.inputs[1::2], strict=True)
        assert all(sorted(first) == sorted(second) for first, second in pairs)
        assert (split.labels[::2] != split.labels[1::2]).all()
        for row, label in zip(split.inputs, split.labels, strict=True):
            words = dataset.decode(row).split()
            (place,) = (place for place, word in enumerate(words) if word == NEGATION)
            assert words[place + distance] in (POSITIVE if label == 0 else NEGATIVE)
            others = set(range(16)) - {place, place + distance}
            assert sum(words[other] in POSITIVE + NEGATIVE for other in others) == 1


@pytest.mark.parametrize("distance", [1, 3])
def test_windows_tell_the_classes_apart_if_they_reach_over_the_distance_and_not_below(distance):
    """Logistic regression on pairs of words that stand so far apart, the best a linear map of windows can do."""
    dataset = word_order(4000, distance)

    def accuracy(apart):
        texts = [[dataset.decode(row).split() for row in split.inputs] for split in splits_of(dataset)]
        joined = [[" ".join(map("_".join, zip(row, row[apart:], strict=False))) for row in rows] for rows in texts]
        counts = CountVectorizer(token_pattern=r"\S+")
        model = LogisticRegression(C=0.1, max_iter=500).fit(counts.fit_transform(joined[0]), dataset.train.labels)
        return model.score(counts.transform(joined[2]), dataset.test.labels)

    assert accuracy(distance) > 0.95
    for narrow in range(1, distance):
        assert abs(accuracy(narrow) - 0.5) < 4 * np.sqrt(0.25 / len(dataset.test))


def test_what_has_no_pairs_or_no_distance_is_reported():
    with pytest.raises(UserError, match="is odd"):
        word_order(101)
    with pytest.raises(UserError, match="distance: 5 is not from 1 to 4"):
        word_order(100, 5)
