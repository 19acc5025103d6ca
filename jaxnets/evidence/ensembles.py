"""Ensembles of runs: the accuracy, log loss and calibration of their averaged probabilities, and of one run alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from jaxnets.evidence.choosing import at_best, counted, distinct, finished
from jaxnets.evidence.comparison import System

NUM_BINS = 15
_SMALLEST = np.finfo(np.float64).eps  # a probability of 0 has no logarithm


class Ensemble(NamedTuple):
    """What runs say together, and what one of them says alone."""

    accuracy: float
    loss: float
    calibration: float
    single_accuracy: float
    single_loss: float
    single_calibration: float
    members: int
    disagreement: float


def ensemble(predictions: pd.DataFrame, runs: Sequence[int]) -> Ensemble:
    """The ensemble of some runs of one data set; of several folds, each has its own, and their examples count alike."""
    own = _of_runs(predictions, runs)
    if own.empty:
        return Ensemble(np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, 0, np.nan)
    folds = [_of_fold(fold) for _, fold in own.groupby("fold")]
    sizes = own.groupby("fold")["example"].nunique().to_numpy()
    *scores, _, disagreement = np.average(np.array(folds), axis=0, weights=sizes).tolist()
    return _made(scores, min(fold.members for fold in folds), disagreement)


def averaged(predictions: pd.DataFrame, runs: Sequence[int]) -> pd.DataFrame:
    """What some runs say together of the test examples."""
    own = _of_runs(predictions, runs)
    probabilities = own.columns[own.columns.str.startswith("probability_")]
    exact = own.astype(dict.fromkeys(probabilities, np.float64))
    mean = exact.groupby(["fold", "example"]).agg({"label": "first"} | dict.fromkeys(probabilities, "mean"))
    mean.insert(1, "prediction", mean[probabilities].to_numpy().argmax(axis=1))
    return mean.reset_index()


class Together(NamedTuple):
    """The ensemble of a model's runs."""

    system: System
    mean: pd.DataFrame
    dev_accuracy: float


def of_runs(runs: pd.DataFrame, predictions: pd.DataFrame, test_share: float = np.nan) -> list[Together]:
    """The ensemble of each model's seeds, at the configuration that is best on dev; see `comparison.of_runs`."""
    found: list[Together] = []
    if runs.empty or predictions.empty:
        return found
    for name, members in at_best(distinct(runs), ("model",)).groupby("model", sort=False):
        ended = finished(members)
        if len(ended):
            mean = averaged(predictions, list(ended["run"]))
            title = f"{name} × {ended['seed'].nunique()}"
            dev_accuracy = float(counted(members, "dev_accuracy").mean())
            system = _system(title, mean, float(members["seconds"].sum()))._replace(test_share=test_share)
            found.append(Together(system, mean, dev_accuracy))
    return found


def _system(name: str, mean: pd.DataFrame, seconds: float) -> System:
    right = (mean["prediction"] == mean["label"]).astype(float)
    accuracies = right.groupby(mean["fold"]).mean().to_numpy()
    predicted, num_folds = mean["prediction"].to_numpy(), mean["fold"].nunique()
    return System(name, right.to_numpy()[None], predicted, accuracies, seconds, "", num_folds)


def _of_runs(predictions: pd.DataFrame, runs: Sequence[int]) -> pd.DataFrame:
    """The rows of some runs, without the classes of other data sets."""
    own = predictions[predictions["run"].isin(runs)] if len(predictions) else predictions
    return own.dropna(axis="columns", how="all")


def _made(scores: Sequence[float], members: int, disagreement: float) -> Ensemble:
    """The ensemble with its six scores, its own before those of a single run."""
    accuracy, loss, calibration, single_accuracy, single_loss, single_calibration = scores
    return Ensemble(
        accuracy, loss, calibration, single_accuracy, single_loss, single_calibration, members, disagreement
    )


def _of_fold(rows: pd.DataFrame) -> Ensemble:
    """The ensemble of the runs of one fold, all of which have the same examples."""
    ordered = rows.sort_values(["run", "example"])
    members = ordered["run"].nunique()
    given = ordered.filter(regex="^probability_").to_numpy(np.float64)
    probabilities = given.reshape(members, -1, given.shape[1])
    labels = ordered["label"].to_numpy()[: probabilities.shape[1]]
    mean = probabilities.mean(axis=0)
    single = np.mean([_scores(one, labels) for one in probabilities], axis=0)
    disagreement = (probabilities.argmax(axis=2) != mean.argmax(axis=1)).mean()
    return _made([*_scores(mean, labels), *single.tolist()], members, float(disagreement))


def _scores(
    probabilities: Float[np.ndarray, "examples classes"], labels: Int[np.ndarray, "examples"]
) -> tuple[float, float, float]:
    """Accuracy, log loss and calibration error."""
    right = probabilities.argmax(axis=1) == labels
    of_label = probabilities[np.arange(len(labels)), labels]
    loss = -np.log(np.maximum(of_label, _SMALLEST)).mean()
    return float(right.mean()), float(loss), calibration_error(probabilities.max(axis=1), right)


def calibration_error(
    confidences: Float[np.ndarray, "examples"], right: Bool[np.ndarray, "examples"], num_bins: int = NUM_BINS
) -> float:
    """The expected calibration error: how far confidence and accuracy are apart, on average over the examples.

    The examples are put into bins of equal width by their confidence; each bin counts with the difference of its
    accuracy and its mean confidence, as often as it has examples. With few examples in a bin it is too large by chance.
    Source: Guo et al. (2017), section 2, with 15 bins.

    >>> calibration_error(np.array([0.75, 0.75]), np.array([True, False]))
    0.25
    """
    bins = np.clip(np.ceil(confidences * num_bins).astype(int) - 1, 0, num_bins - 1)
    gaps = np.bincount(bins, weights=right - confidences, minlength=num_bins)
    return float(np.abs(gaps).sum() / len(confidences))
