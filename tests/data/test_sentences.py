from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from jaxnets.data import grammars
from jaxnets.data.grammars import NEGATION
from jaxnets.errors import UserError

LOADERS = (grammars.unseen_negations, grammars.unseen_ngrams)


def words_of(dataset, split):
    texts = getattr(dataset, split).inputs
    return [tuple(dataset.decode(texts[row]).split()) for row in range(len(texts))]


@pytest.mark.parametrize("load", LOADERS)
def test_sizes_classes_and_words(load):
    dataset = load(200)
    assert [len(getattr(dataset, split)) for split in ("train", "dev", "test")] == [140, 30, 30]
    for split in ("train", "dev", "test"):
        assert getattr(dataset, split).labels.mean() == 0.5
    everything = [text for split in ("train", "dev", "test") for text in words_of(dataset, split)]
    assert len(set(everything)) == 200
    large = load(2000)
    assert all("<unk>" not in text for split in ("train", "dev", "test") for text in words_of(large, split))


@pytest.mark.parametrize("load", LOADERS)
def test_the_seed_decides(load):
    first, again, other = load(100), load(100, data_seed=0), load(100, data_seed=1)
    assert words_of(first, "train") == words_of(again, "train") != words_of(other, "train")


@pytest.mark.parametrize("load", LOADERS)
def test_what_cannot_be_is_reported(load):
    with pytest.raises(UserError, match="num_sentences: 19"):
        load(num_sentences=19)
    with pytest.raises(UserError, match="data_seed"):
        load(data_seed=-1)


def judged(text):
    """The judgement of a text, whether "not" stands before it, and what it means."""
    (place,) = (place for place, word in enumerate(text) if word in grammars.GOOD + grammars.BAD)
    negated = place > 0 and text[place - 1] == NEGATION
    return text[place], negated, int((text[place] in grammars.GOOD) != negated)


def test_test_negates_what_training_never_does():
    dataset = grammars.unseen_negations(2000)
    seen = Counter()
    for split in ("train", "dev", "test"):
        for text, label in zip(words_of(dataset, split), getattr(dataset, split).labels, strict=True):
            word, negated, meaning = judged(text)
            assert meaning == label
            assert text.count(NEGATION) == negated
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
        split: {gram for text in words_of(dataset, split) for gram in zip(text, text[1:], text[2:], strict=False)}
        for split in ("train", "dev", "test")
    }
    assert not grams["test"] & (grams["train"] | grams["dev"])
    for split in ("train", "test"):
        for text, label in zip(words_of(dataset, split), getattr(dataset, split).labels, strict=True):
            affirmed = any(word in grammars.AFFIRMING for word in text)
            liking = any(word in grammars.LIKING for word in text)
            assert (affirmed == liking) == bool(label)
    train, test = (
        {pair for text in words_of(dataset, split) for pair in pairwise(text)} for split in ("train", "test")
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
