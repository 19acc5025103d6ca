"""Classical text classifiers by scikit-learn, on the very splits that the nets see.

With the settings of `KNOWN` they choose nothing on dev, so they may learn from it as well as from train.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.stats import selection

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


Classifier = Callable[["csr_matrix", np.ndarray, "csr_matrix"], np.ndarray]
"""From training features, their labels and test features to the probability, or any rising score, of each class."""


class Baseline(NamedTuple):
    """A classifier and its features."""

    orders: tuple[int, ...]
    classify: Classifier


def matrices(
    train: Texts, test: Texts, orders: Sequence[int], num_words: int, *, counts: bool = False
) -> "tuple[csr_matrix, csr_matrix]":
    """Whether each text has each n-gram of the training texts; n-grams that only the test texts have are left out."""
    from scipy import sparse  # a quarter of a second that only texts need

    texts, grams = _grams(train, orders, num_words + 1)
    known, places = np.unique(grams, return_inverse=True)
    test_texts, test_grams = _grams(test, orders, num_words + 1)
    test_places = pd.Index(known).get_indexer(pd.Index(test_grams))
    found = test_places >= 0
    made = [
        sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(of), len(known)))
        for rows, columns, of in ((texts, places, train), (test_texts[found], test_places[found], test))
    ]
    first, second = made if counts else map(_indicators, made)
    return first, second


def _indicators(counts: "csr_matrix") -> "csr_matrix":
    return counts.minimum(1).tocsr()


def _grams(texts: Texts, orders: Sequence[int], base: int) -> tuple[np.ndarray, np.ndarray]:
    """The text and the number of each n-gram: the word ids + 1 are its digits, so no two have the same number."""
    digits = texts.words.astype(np.int64) + 1
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    owners, numbers = [], []
    for order in orders:
        count = max(len(digits) - order + 1, 0)
        whole = owner[:count] == owner[order - 1 : order - 1 + count]
        number = np.zeros(count, np.int64)
        for place in range(order):
            number = number * base + digits[place : place + count]
        owners.append(owner[:count][whole])
        numbers.append(number[whole])
    return np.concatenate(owners), np.concatenate(numbers)


def _naive_bayes(train: "csr_matrix", labels: np.ndarray, test: "csr_matrix") -> np.ndarray:
    """Multinomial Naive Bayes on indicators, add-one smoothing. Source: Wang and Manning (2012), section 2.1."""
    from sklearn.naive_bayes import MultinomialNB

    return MultinomialNB(alpha=1.0).fit(train, labels).predict_proba(test)


def _logistic_regression(train: "csr_matrix", labels: np.ndarray, test: "csr_matrix") -> np.ndarray:
    """Logistic regression with scikit-learn's default penalty."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=1000).fit(train, labels).predict_proba(test)


def log_count_ratio(
    train: "csr_matrix", positive: Bool[np.ndarray, "texts"], alpha: float = 1.0
) -> Float[np.ndarray, "features"]:
    """log((p / |p|) / (q / |q|)) of the smoothed feature counts of two classes. Source: Wang and Manning (2012)."""
    p = alpha + np.asarray(train[positive].sum(axis=0)).ravel()
    q = alpha + np.asarray(train[~positive].sum(axis=0)).ravel()
    return np.log(p / p.sum()) - np.log(q / q.sum())


def _nbsvm(train: "csr_matrix", labels: np.ndarray, test: "csr_matrix") -> np.ndarray:
    """A linear SVM between itself and Naive Bayes, one class against the rest; see `nbsvm_scores`."""
    classes = np.unique(labels)
    if len(classes) == 2:
        positive = nbsvm_scores(train, labels == classes[1], test)
        return np.stack([-positive, positive], axis=1)
    return np.stack([nbsvm_scores(train, labels == label, test) for label in classes], axis=1)


def nbsvm_scores(
    train: "csr_matrix", positive: Bool[np.ndarray, "texts"], test: "csr_matrix", beta: float = 0.25
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
}


class Fit(NamedTuple):
    """The predictions of a baseline for a fold's test examples."""

    system: str
    fold: int
    predictions: Int[np.ndarray, "examples"]
    seconds: float
    converged: bool = True


def fit(folds: Sequence[Dataset], names: Sequence[str] = tuple(KNOWN), *, learn_dev: bool = True) -> list[Fit]:
    """The baselines of these names on all folds; they learn from train, and from dev as well if `learn_dev`."""
    from sklearn.exceptions import ConvergenceWarning

    fits = []
    for name, (number, fold) in product(names, enumerate(folds)):
        start, baseline, texts, labels = time.perf_counter(), KNOWN[name], _texts(fold.train), fold.train.labels
        if learn_dev:
            texts, labels = Texts.joined([texts, _texts(fold.dev)]), np.concatenate([labels, fold.dev.labels])
        train, test = matrices(texts, _texts(fold.test), baseline.orders, len(fold.vocabulary))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            scores = baseline.classify(train, labels, test)
        converged = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
        predictions = np.unique(labels)[scores.argmax(axis=1)]
        fits.append(Fit(name, number, predictions, time.perf_counter() - start, converged))
    return fits


class Tuned(NamedTuple):
    """Naive Bayes at the setting that is best on a fold's dev split."""

    fold: int
    alpha: float
    counts: bool
    edge: bool
    dev_accuracy: float
    predictions: Int[np.ndarray, "examples"]


def tuned_naive_bayes(folds: Sequence[Dataset], orders: Sequence[int], alphas: Sequence[float]) -> list[Tuned]:
    """Multinomial Naive Bayes, tuned on dev in each fold; it learns from train alone.

    Of settings that are equally good on dev that is taken whose smoothing is the nearest to 1, and indicators before
    counts.
    """
    from sklearn.naive_bayes import MultinomialNB

    settings = sorted(product(alphas, (False, True)), key=lambda one: (abs(np.log(one[0])), one[1]))
    found = []
    for number, fold in enumerate(folds):
        others = Texts.joined([_texts(fold.dev), _texts(fold.test)])
        features = matrices(_texts(fold.train), others, orders, len(fold.vocabulary), counts=True)
        of_kind, tried = {True: features, False: tuple(map(_indicators, features))}, []
        for alpha, counts in settings:
            train, rest = of_kind[counts]
            predictions = MultinomialNB(alpha=alpha).fit(train, fold.train.labels).predict(rest)
            dev, test = predictions[: len(fold.dev)], predictions[len(fold.dev) :]
            edge = selection.on_edge([one for one, _ in settings], alpha)
            tried.append(Tuned(number, alpha, counts, edge, float((dev == fold.dev.labels).mean()), test))
        found.append(max(tried, key=lambda one: one.dev_accuracy))
    return found


def _texts(split: Split) -> Texts:
    assert isinstance(split.inputs, Texts)  # the callers have texts alone
    return split.inputs
