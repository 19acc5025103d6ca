"""Classical text classifiers by scikit-learn, on the very splits that the nets see.

They choose nothing on dev, so they may learn from it as well as from train.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts

Classifier = Callable[[sparse.csr_matrix, np.ndarray, sparse.csr_matrix], np.ndarray]
"""From training features, their labels and test features to the probability, or any rising score, of each class."""


class Baseline(NamedTuple):
    """A classifier and its features.

    Attributes:
      orders: the numbers n of the n-grams that are its features: 1 for words, 2 for pairs, 3 for trigrams.
      classify: see `Classifier`.
    """

    orders: tuple[int, ...]
    classify: Classifier


def matrices(
    train: Texts, test: Texts, orders: Sequence[int], num_words: int
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Whether each text has each n-gram of the training texts; n-grams that only the test texts have are left out.

    Args:
      train: the training texts.
      test: the test texts.
      orders: the numbers n, each 3 at most, so that the numbers of the n-grams fit into 64 bits.
      num_words: of the vocabulary, at most 2**21 - 1.

    Returns:
      Two matrices `float32[texts, n-grams]` of zeros and ones.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    if train.lengths.max(initial=0) < min(orders):  # no n-gram at all, which scikit-learn refuses
        return tuple(sparse.csr_matrix((len(texts), 0), dtype=np.float32) for texts in (train, test))
    counter = CountVectorizer(
        analyzer=partial(_grams, orders=orders, base=num_words + 1), binary=True, dtype=np.float32
    )
    fitted = counter.fit_transform(train[row] for row in range(len(train)))
    return fitted, counter.transform(test[row] for row in range(len(test)))


def _grams(words: np.ndarray, orders: Sequence[int], base: int) -> list[int]:
    """A number for each n-gram of a text: the word ids + 1 are its digits, so no two n-grams have the same number.

    >>> _grams(np.array([2, 3, 4]), orders=[1, 2], base=10)
    [3, 4, 5, 34, 45]
    """
    digits = words.astype(np.int64) + 1
    numbers = []
    for order in orders:
        count = max(len(digits) - order + 1, 0)
        number = np.zeros(count, np.int64)
        for place in range(order):
            number = number * base + digits[place : place + count]
        numbers += number.tolist()
    return numbers


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
    """A linear SVM between itself and Naive Bayes, one class against the rest; see `nbsvm_scores`."""
    classes = np.unique(labels)
    if len(classes) == 2:
        positive = nbsvm_scores(train, labels == classes[1], test)
        return np.stack([-positive, positive], axis=1)
    return np.stack([nbsvm_scores(train, labels == label, test) for label in classes], axis=1)


def nbsvm_scores(
    train: sparse.csr_matrix, positive: Bool[np.ndarray, "texts"], test: sparse.csr_matrix, beta: float = 0.25
) -> Float[np.ndarray, "tests"]:
    """How far each test text is on the positive side of an SVM that is interpolated with Naive Bayes.

    The SVM has C = 1 and squared hinge loss; its features are indicators times their log-count ratio. Naive Bayes is a
    machine on these features too: its weights are all 1, and its intercept is log(N+ / N-). Scaled to the mean
    magnitude of the SVM's weights it has the share 1 - beta, in the weights and in the intercept. The paper gives the
    weights alone; with the SVM's whole intercept beside a quarter of its weights, unequal classes go to the larger one.
    Source: Wang and Manning (2012), sections 2.1 to 2.3.
    """
    from sklearn.svm import LinearSVC

    ratio = log_count_ratio(train, positive)
    machine = LinearSVC(C=1.0).fit(train.multiply(ratio).tocsr(), positive)
    weights = machine.coef_.ravel()
    magnitude = np.abs(weights).mean()
    prior = np.log(positive.sum() / (~positive).sum())
    weights = (1 - beta) * magnitude + beta * weights
    return test @ (ratio * weights) + (1 - beta) * magnitude * prior + beta * machine.intercept_[0]


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
    """The predictions of a baseline for a fold's test examples.

    Attributes:
      system: the name of the baseline.
      fold: the number of the fold.
      predictions: the class of each test example.
      seconds: spent on making the features, fitting and predicting.
    """

    system: str
    fold: int
    predictions: Int[np.ndarray, "examples"]
    seconds: float


def fit(folds: Sequence[Dataset], names: Sequence[str] = USUAL, *, learn_dev: bool = True) -> list[Fit]:
    """The baselines of these names on all folds; they learn from train, and from dev as well if `learn_dev`."""
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
    return Texts.joined([_texts(first), _texts(second)]), np.concatenate([first.labels, second.labels])


def _texts(split: Split) -> Texts:
    assert isinstance(split.inputs, Texts)  # the callers have texts alone
    return split.inputs
