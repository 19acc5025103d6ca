"""Classical text classifiers by scikit-learn, on the very splits that the nets see.

They have nothing to choose on dev, so they learn from it as well as from train.
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
      pairs: whether pairs of neighbouring words are features beside the words.
      classify: see `Classifier`.
    """

    pairs: bool
    classify: Classifier


def features(texts: Texts, pairs: bool, num_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Each text's distinct words, and pairs of neighbouring words if asked for.

    Returns:
      Two arrays `int64[features]`: the text that each belongs to, and a number that stands for the word or pair.
    """
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    words = texts.words.astype(np.int64)
    if pairs:
        together = owner[1:] == owner[:-1]
        of_pairs = (words[:-1][together] + 1) * num_words + words[1:][together]
        owner, words = np.concatenate([owner, owner[:-1][together]]), np.concatenate([words, of_pairs])
    distinct = np.unique(np.stack([owner, words]), axis=1)
    return distinct[0], distinct[1]


def matrices(train: Texts, test: Texts, pairs: bool, num_words: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Whether each text has each feature of the training texts; what only test has is left out."""
    owner, feature = features(train, pairs, num_words)
    known, column = np.unique(feature, return_inverse=True)
    fitted = _indicators(owner, column, (len(train), len(known)))
    owner, feature = features(test, pairs, num_words)
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
    "naive_bayes": Baseline(pairs=False, classify=_naive_bayes),
    "naive_bayes_pairs": Baseline(pairs=True, classify=_naive_bayes),
    "logistic_regression": Baseline(pairs=False, classify=_logistic_regression),
    "nbsvm": Baseline(pairs=True, classify=_nbsvm),
}


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


def fit(folds: Sequence[Dataset], names: Sequence[str] = tuple(KNOWN)) -> list[Fit]:
    """The baselines of these names on all folds."""
    return [_fit(name, number, fold) for name in names for number, fold in enumerate(folds)]


def _fit(name: str, number: int, fold: Dataset) -> Fit:
    start = time.perf_counter()
    baseline = KNOWN[name]
    texts, labels = _joined(fold.train, fold.dev)
    train, test = matrices(texts, _texts(fold.test), baseline.pairs, len(fold.vocabulary))
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
