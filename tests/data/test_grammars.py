"""Generated sentences mean what their words say, and what decides is what their grammar says."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from jaxnets import data
from jaxnets.data import grammars
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
from jaxnets.errors import UserError

SPLITS = ("train", "dev", "test")


def splits_of(dataset):
    return dataset.train, dataset.dev, dataset.test


def sentences(dataset, split):
    """The words of each sentence, with its label."""
    part = getattr(dataset, split)
    return [(tuple(dataset.decode(part.inputs[row]).split()), label) for row, label in enumerate(part.labels)]


def judged(words):
    """The label of a sentence read word by word, and whether all its judgements agree."""
    result = []
    for before, word in zip([None, *words], words, strict=False):
        if word in grammars.GOOD + grammars.BAD:
            result.append((word in grammars.GOOD) != (before == NEGATION))
    return int(result[0]), len(set(result)) == 1


@pytest.mark.parametrize("name", ["ngrams", "mixed_negations", "word_order", "unseen_negations", "unseen_ngrams"])
def test_sentences_are_in_one_split_and_classes_are_balanced(name):
    dataset = data.load(name, num_sentences=200)
    assert [len(split) for split in splits_of(dataset)] == [140, 30, 30]
    assert all(split.labels.mean() == 0.5 for split in splits_of(dataset))
    everything = [words for split in SPLITS for words, _ in sentences(dataset, split)]
    assert len(set(everything)) == 200
    large = data.load(name, num_sentences=2000)
    assert all(UNKNOWN not in words for split in SPLITS for words, _ in sentences(large, split))


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
    assert all(data.load(name, data_seed=1).vocabulary == vocabulary for name in ("mixed_negations", "word_order"))


@pytest.mark.parametrize("num_sentences", [20, 101])
def test_any_number_of_ngrams_is_balanced(num_sentences):
    dataset = ngrams(num_sentences=num_sentences, data_seed=3)
    rows = np.concatenate([split.inputs for split in splits_of(dataset)])
    assert rows.shape == (num_sentences, 12)
    assert len(np.unique(rows, axis=0)) == num_sentences
    for split, share in zip(splits_of(dataset), (0.7, 0.15, 0.15), strict=True):
        assert abs(len(split) - share * num_sentences) <= 1
        assert abs(split.labels.sum() - len(split) / 2) <= 1


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


def test_test_negates_what_training_never_does():
    dataset, seen = grammars.unseen_negations(2000), Counter()
    for split in SPLITS:
        for words, label in sentences(dataset, split):
            (place,) = (place for place, word in enumerate(words) if word in grammars.GOOD + grammars.BAD)
            word, negated = words[place], place > 0 and words[place - 1] == NEGATION
            assert judged(words) == (label, True)
            assert words.count(NEGATION) == negated
            if split == "test":
                assert negated
                assert (word, True) not in seen
                assert (word, False) in seen
            else:
                seen[word, negated] += 1
    negated = {word for word, is_negated in seen if is_negated}
    of_these = Counter(kind for (word, kind), count in seen.items() for _ in range(count) if word in negated)
    assert abs(of_these[True] / of_these.total() - 0.5) < 0.05


def test_test_ngrams_are_new_and_mean_what_they_say():
    dataset = grammars.unseen_ngrams(1000)
    grams = {
        split: {
            gram for words, _ in sentences(dataset, split) for gram in zip(words, words[1:], words[2:], strict=False)
        }
        for split in SPLITS
    }
    assert not grams["test"] & (grams["train"] | grams["dev"])
    for split in ("train", "test"):
        for words, label in sentences(dataset, split):
            affirmed = any(word in grammars.AFFIRMING for word in words)
            liking = any(word in grammars.LIKING for word in words)
            assert (affirmed == liking) == bool(label)
    train, test = (
        {pair for words, _ in sentences(dataset, split) for pair in pairwise(words)} for split in ("train", "test")
    )
    assert ("really", "like") in train - test
    assert ("really", "love") in test - train


def test_words_of_like_meaning_have_vectors_that_lie_close():
    dataset = grammars.unseen_ngrams(2000, word_vectors="made")
    vectors, place = dataset.word_vectors.vectors, dataset.vocabulary.index

    def distance(one, other):
        return float(np.linalg.norm(vectors[place(one)] - vectors[place(other)]))

    assert distance("like", "love") < distance("like", "hate") < distance("like", "spinach")
    assert grammars.unseen_ngrams(100).word_vectors is None
    with pytest.raises(UserError, match="word_vectors: 'file'"):
        grammars.unseen_ngrams(word_vectors="file")


def test_more_than_there_are_is_reported():
    with pytest.raises(UserError, match="for a split of 15000 only"):
        grammars.unseen_ngrams(100_000)
