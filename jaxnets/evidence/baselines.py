"""Classical text classifiers by scikit-learn, on the very splits that the nets see.

They have nothing to choose on dev, so they may learn from it as well as from train.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts

Classifier = Callable[[sparse.csr_matrix, np.ndarray, sparse.csr_matrix], np.ndarray]
"""From training features, their labels and test features to the probability, or any rising score, of each class."""


class Baseline(NamedTuple):
    """A classifier and what it sees.

    Attributes:
      orders: the features are runs of so many neighbouring words: 1 for the words, 2 for pairs, 3 for trigrams.
      classify: see `Classifier`.
    """

    orders: tuple[int, ...]
    classify: Classifier


def features(texts: Texts, orders: Sequence[int], num_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Each text's distinct n-grams.

    Args:
      texts: whose they are.
      orders: the numbers n, each 3 at most, so that the numbers of the n-grams fit into 64 bits.
      num_words: of the vocabulary, at most 2**21 - 1.

    Returns:
      Two arrays `int64[features]`: the text that each belongs to, and a number that stands for the n-gram.
    """
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    grams = [_grams(texts.words.astype(np.int64), owner, order, num_words + 1) for order in orders]
    distinct = np.unique(np.concatenate(grams, axis=1), axis=1)
    return distinct[0], distinct[1]


def _grams(words: np.ndarray, owner: np.ndarray, order: int, base: int) -> np.ndarray:
    """The texts and the numbers of all runs of `order` words: their ids + 1 are the digits, so no two are equal."""
    count = max(len(words) - order + 1, 0)
    within = owner[:count] == owner[len(words) - count :]
    number = np.zeros(count, np.int64)
    for place in range(order):
        number = number * base + words[place : place + count] + 1
    return np.stack([owner[:count][within], number[within]])


def matrices(
    train: Texts, test: Texts, orders: Sequence[int], num_words: int
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Whether each text has each feature of the training texts; what only test has is left out."""
    owner, feature = features(train, orders, num_words)
    known, column = np.unique(feature, return_inverse=True)
    fitted = _indicators(owner, column, (len(train), len(known)))
    owner, feature = features(test, orders, num_words)
    seen = np.isin(feature, known)
    place = np.searchsorted(known, feature)
    return fitted, _indicators(owner[seen], place[seen], (len(test), len(known)))


def _indicators(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)


def _naive_bayes(train: sparse.csr_matrix, labels: np.ndarray, test: sparse.csr_matrix) -> np.ndarray:
    """Multinomial Naive Bayes on indicators, add-one smoothing. Source: Wang and Manning (2012), section 2.1."""
    from sklearn.naive_bayes import MultinomialNB

    return MultinomialNB(alpha=1.0).fit(train, labels).predict_proba(test)


def _logistic_regression(train: sparse.csr_matrix, labels: np.ndarray, test: sparse.csr_matrix) -> np.ndarray:
    """Logistic regression with scikit-learn's default penalty."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=1000).fit(train, labels).predict_proba(test)


def log_count_ratio(
    train: sparse.csr_matrix, positive: Bool[np.ndarray, "texts"], alpha: float = 1.0
) -> Float[np.ndarray, "features"]:
    """log((p / |p|) / (q / |q|)) of the smoothed feature counts of two classes. Source: Wang and Manning (2012)."""
    p = alpha + np.asarray(train[positive].sum(axis=0)).ravel()
    q = alpha + np.asarray(train[~positive].sum(axis=0)).ravel()
    return np.log(p / p.sum()) - np.log(q / q.sum())


def _nbsvm(train: sparse.csr_matrix, labels: np.ndarray, test: sparse.csr_matrix) -> np.ndarray:
    """A linear SVM on features scaled by the log-count ratio, one class against the rest.

    Source: Wang and Manning (2012), section 2.3: C = 1, interpolation 0.25, indicators, squared hinge loss.
    """
    from sklearn.svm import LinearSVC

    def score(label: int) -> np.ndarray:
        ratio = log_count_ratio(train, labels == label)
        machine = LinearSVC(C=1.0).fit(train.multiply(ratio).tocsr(), labels == label)
        weights = machine.coef_.ravel()
        weights = 0.75 * np.abs(weights).mean() + 0.25 * weights
        return test @ (ratio * weights) + machine.intercept_[0]

    classes = np.unique(labels)
    if len(classes) == 2:
        positive = score(classes[1])
        return np.stack([-positive, positive], axis=1)
    return np.stack([score(label) for label in classes], axis=1)


KNOWN: dict[str, Baseline] = {
    "naive_bayes": Baseline(orders=(1,), classify=_naive_bayes),
    "naive_bayes_pairs": Baseline(orders=(1, 2), classify=_naive_bayes),
    "logistic_regression": Baseline(orders=(1,), classify=_logistic_regression),
    "nbsvm": Baseline(orders=(1, 2), classify=_nbsvm),
    "naive_bayes_trigrams": Baseline(orders=(3,), classify=_naive_bayes),
    "logistic_regression_trigrams": Baseline(orders=(3,), classify=_logistic_regression),
}
USUAL = ("naive_bayes", "naive_bayes_pairs", "logistic_regression", "nbsvm")


class Fit(NamedTuple):
    """What a baseline says of a fold's test examples.

    Attributes:
      system: its name.
      fold: the fold's number.
      predictions: the class of each test example.
      seconds: of making the features, fitting and predicting.
    """

    system: str
    fold: int
    predictions: Int[np.ndarray, "examples"]
    seconds: float


def fit(folds: Sequence[Dataset], names: Sequence[str] = USUAL, *, learn_dev: bool = True) -> list[Fit]:
    """The baselines of these names on all folds; they learn from train, and from dev unless told not to."""
    return [_fit(name, number, fold, learn_dev) for name in names for number, fold in enumerate(folds)]


def _fit(name: str, number: int, fold: Dataset, learn_dev: bool) -> Fit:
    start = time.perf_counter()
    baseline = KNOWN[name]
    texts, labels = _joined(fold.train, fold.dev) if learn_dev else (_texts(fold.train), fold.train.labels)
    train, test = matrices(texts, _texts(fold.test), baseline.orders, len(fold.vocabulary))
    scores = baseline.classify(train, labels, test)
    predictions = np.unique(labels)[scores.argmax(axis=1)]
    return Fit(name, number, predictions, time.perf_counter() - start)


def _joined(first: Split, second: Split) -> tuple[Texts, np.ndarray]:
    one, other = _texts(first), _texts(second)
    joined = Texts(np.concatenate([one.words, other.words]), np.concatenate([one.lengths, other.lengths]))
    return joined, np.concatenate([first.labels, second.labels])


def _texts(split: Split) -> Texts:
    assert isinstance(split.inputs, Texts)  # the callers have texts alone
    return split.inputs
