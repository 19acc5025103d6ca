"""Learned vectors against formulas in float64, and against what the sentences were made of."""

import numpy as np
import pytest

from jaxnets import data
from jaxnets.data import learned_vectors
from jaxnets.data.dataset import WordVectors
from jaxnets.data.grammars import AFFIRMING, DENYING, DISLIKING, LIKING
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

ROWS = [[2, 3, 4], [3, 2], [4, 5, 5, 2], [6]]


def counted(rows, num_words, window):
    counts = np.zeros((num_words, num_words))
    for row in rows:
        for place, word in enumerate(row):
            for other in row[max(place - window, 0) : place] + row[place + 1 : place + 1 + window]:
                counts[word, other] += 1
    return counts


@pytest.mark.parametrize("window", [1, 2, 5])
def test_cooccurrences_by_loops(window):
    found = learned_vectors.cooccurrences(Texts.of(ROWS), 7, window).toarray()
    np.testing.assert_array_equal(found, counted(ROWS, 7, window))


def test_positive_information_by_its_formula():
    counts = counted(ROWS, 7, 2)
    total, sums = counts.sum(), counts.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.maximum(np.log((counts / total) / np.outer(sums / total, sums / total)), 0)
    expected[counts == 0] = 0
    found = learned_vectors.positive_information(learned_vectors.cooccurrences(Texts.of(ROWS), 7, 2))
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-12)


def test_vectors_are_the_singular_ones_by_the_root_of_their_values():
    """Their products are those of U sqrt(S), by the dense decomposition, but for the length of each vector."""
    texts = Texts.of([[2, 3, 4, 5], [3, 4, 6], [5, 6, 2, 2], [7, 3, 6]])
    information = learned_vectors.positive_information(learned_vectors.cooccurrences(texts, 8, 2)).toarray()
    left, values, _ = np.linalg.svd(information)
    expected = (left[:, :3] * np.sqrt(values[:3]))[2:]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = learned_vectors.learned(texts, 8, 3).vectors[2:].astype(np.float64)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-4)


def test_words_without_company_have_no_vector():
    found = learned_vectors.learned(Texts.of([[2, 3, 4, 9], [3, 4], [6]]), 8, 2)
    assert found.given.tolist() == [False, False, True, True, True, False, False, False]
    assert not found.vectors[~found.given].any()
    assert found.vectors.shape == (8, 2)  # word 9 is a companion alone


def test_words_of_like_meaning_become_alike_and_opposites_less():
    vocabulary = data.load("unseen_ngrams").vocabulary
    vectors = learned_vectors.learned(learned_vectors.company(vocabulary, 2000, seed=0), len(vocabulary), 32).vectors
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def cosine(words, others):
        first, second = ([vocabulary.index(word) for word in of if word in vocabulary] for of in (words, others))
        return np.mean([unit[one] @ unit[other] for one in first for other in second if one != other])

    assert cosine(LIKING, LIKING) > cosine(LIKING, DISLIKING) + 0.2
    assert cosine(AFFIRMING, AFFIRMING) > cosine(AFFIRMING, DENYING) + 0.2
    assert cosine(LIKING, DISLIKING) > cosine(LIKING, DENYING) + 0.1


def test_company_changes_with_its_seed():
    vocabulary = data.load("unseen_ngrams").vocabulary
    first, again, other = (learned_vectors.company(vocabulary, 5, seed).words for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert first.reshape(5, 5)[:, 2].max() < len(vocabulary) <= first.reshape(5, 5)[:, [0, 1, 3, 4]].min()


def made():
    given = np.arange(2002) >= 2
    vectors = np.random.default_rng(0).normal(size=(2002, 16), scale=0.3) + 0.3
    return WordVectors(np.where(given[:, None], vectors, 0).astype(np.float32), given)


@pytest.mark.parametrize("similarity", [0.0, 0.3, 1.0])
def test_diluted_vectors_keep_their_share(similarity):
    vectors = made()
    found = learned_vectors.diluted(vectors, similarity, np.random.default_rng(1))
    both = np.stack([vectors.vectors[2:].ravel(), found.vectors[2:].ravel()])
    assert np.corrcoef(both)[0, 1] == pytest.approx(np.sqrt(similarity), abs=0.02)
    assert found.deviation == pytest.approx(vectors.deviation, rel=0.02)
    assert not found.vectors[:2].any()


def test_more_than_all_of_the_vectors_is_refused():
    with pytest.raises(UserError, match=r"degrees: 1.5 is more than 1"):
        learned_vectors.diluted(made(), 1.5, np.random.default_rng(0))


def test_a_loader_gives_the_same_data_with_other_vectors():
    fold = data.load("unseen_ngrams", num_sentences=100)
    vectors = WordVectors(np.ones((len(fold.vocabulary), 4), np.float32), np.arange(len(fold.vocabulary)) >= 2)
    (found,) = data.load_repeats(learned_vectors.loader([fold], vectors), 1)
    assert found.word_vectors.dim == 4
    assert found.train.inputs.words.tolist() == fold.train.inputs.words.tolist()
