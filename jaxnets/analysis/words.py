"""Which texts hold which words and n-grams."""

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Bool

from jaxnets.data.texts import Texts
from jaxnets.evidence import baselines


def holding(texts: Texts, vocabulary: Sequence[str], words: Collection[str]) -> Bool[np.ndarray, "texts"]:
    """Which texts hold one of the words.

    >>> holding(Texts.of([[2, 3], [3], []]), ("<pad>", "<unk>", "not", "good"), ["not"]).tolist()
    [True, False, False]
    """
    ids = [place for place, word in enumerate(vocabulary) if word in words]
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    found = np.zeros(len(texts), bool)
    found[owner[np.isin(texts.words, ids)]] = True
    return found


def behind(texts: Texts, word: int) -> set[int]:
    """The words that stand directly behind a word anywhere.

    >>> behind(Texts.of([[2, 3], [4]]), 2)
    {3}
    """
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    chosen = (texts.words[:-1] == word) & (owner[:-1] == owner[1:])
    return {int(other) for other in texts.words[1:][chosen]}


def all_unseen(train: Sequence[Texts], test: Texts, order: int, num_words: int) -> Bool[np.ndarray, "texts"]:
    """Which texts have n-grams, none of which stands in the training texts.

    Args:
      train: splits that were seen.
      test: the texts.
      order: n, 3 at most.
      num_words: of the vocabulary.
    """
    seen = np.concatenate([baselines.features(texts, [order], num_words)[1] for texts in train])
    owner, grams = baselines.features(test, [order], num_words)
    unseen = np.zeros(len(test), bool)
    unseen[owner] = True
    unseen[owner[np.isin(grams, seen)]] = False
    return unseen
