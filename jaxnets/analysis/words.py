"""Which texts contain which words and n-grams."""

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Bool

from jaxnets.data.texts import Texts
from jaxnets.evidence import baselines


def holding(texts: Texts, vocabulary: Sequence[str], words: Collection[str]) -> Bool[np.ndarray, "texts"]:
    """Which texts contain one of the words.

    >>> holding(Texts.of([[2, 3], [3], []]), ("<pad>", "<unk>", "not", "good"), ["not"]).tolist()
    [True, False, False]
    """
    ids = [place for place, word in enumerate(vocabulary) if word in words]
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    contained = np.zeros(len(texts), bool)
    contained[owner[np.isin(texts.words, ids)]] = True
    return contained


def behind(texts: Texts, vocabulary: Sequence[str], word: str) -> set[str]:
    """The words that follow directly after a word anywhere; none if it is not in the vocabulary.

    >>> behind(Texts.of([[2, 3], [3]]), ("<pad>", "<unk>", "not", "good"), "not")
    {'good'}
    """
    if word not in vocabulary:
        return set()
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    chosen = (texts.words[:-1] == vocabulary.index(word)) & (owner[:-1] == owner[1:])
    return {vocabulary[other] for other in texts.words[1:][chosen]}


def all_unseen(train: Sequence[Texts], test: Texts, order: int, num_words: int) -> Bool[np.ndarray, "texts"]:
    """Which texts have n-grams, none of which occurs in the training texts.

    Args:
      train: the splits that were seen.
      test: the texts.
      order: the number n, 3 at most.
      num_words: of the vocabulary.
    """
    _, indicators = baselines.matrices(Texts.joined(train), test, [order], num_words)
    return (test.lengths >= order) & (np.asarray(indicators.sum(axis=1)).ravel() == 0)
