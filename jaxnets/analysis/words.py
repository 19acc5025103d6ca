"""Which texts contain which words and n-grams."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool

from jaxnets.data.dataset import Dataset
from jaxnets.data.texts import Texts
from jaxnets.evidence import effects
from jaxnets.stats import baselines, selection


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


def right_where_held(
    scored: pd.DataFrame, predictions: pd.DataFrame, folds: Sequence[Dataset], words: Collection[str]
) -> pd.Series:
    """The accuracy of each run on those test texts that contain one of the words."""
    chosen = [
        holding(fold.test.inputs, fold.vocabulary, words) for fold in folds if isinstance(fold.test.inputs, Texts)
    ]
    right = effects.right_among(predictions, chosen).set_index("run")["right"]
    return scored["run"].map(right).where(scored["status"] == selection.FINISHED, scored["test_accuracy"])


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
    """Which texts have n-grams, none of which occurs in the training texts."""
    _, indicators = baselines.matrices(Texts.joined(train), test, [order], num_words)
    return (test.lengths >= order) & (np.asarray(indicators.sum(axis=1)).ravel() == 0)
