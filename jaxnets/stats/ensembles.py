"""Classifiers on the same test examples: alone, compared, and averaged over seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from jaxnets.data.dataset import Dataset
from jaxnets.metrics import Kind
from jaxnets.stats.baselines import Fit
from jaxnets.stats.estimates import DIFFERENCE, LEVEL, SHARE, Estimate, crossed_difference, share
from jaxnets.stats.selection import at_best, best_configurations, counted, distinct, finished, over_units, unit


class System(NamedTuple):
    """A classifier, with its predictions on the test examples of all folds."""

    name: str
    correct: Float[np.ndarray, "repetitions examples"]
    predictions: Int[np.ndarray, "examples"]
    accuracies: np.ndarray
    seconds: float
    configuration: str
    num_folds: int = 1
    test_share: float = np.nan


def systems_of_baselines(fits: Sequence[Fit], folds: Sequence[Dataset]) -> list[System]:
    """The baselines as systems."""
    systems, test_share = [], len(folds[0].test) / len(folds[0].train)
    for name in dict.fromkeys(fit.system for fit in fits):
        own = [fit for fit in fits if fit.system == name]
        right = [fit.predictions == folds[fit.fold].test.labels for fit in own]
        accuracies, seconds = np.array([of_fold.mean() for of_fold in right]), sum(fit.seconds for fit in own)
        predictions, correct = np.concatenate([fit.predictions for fit in own]), np.concatenate(right)[None]
        about = predictions, accuracies, seconds, "", len(own), test_share
        systems.append(System(name, correct.astype(float), *about))
    return systems


def systems_of_runs(runs: pd.DataFrame, predictions: pd.DataFrame, test_share: float = np.nan) -> list[System]:
    """Each model at the configuration that is best on dev; its repetitions are the seeds.

    Runs that did not finish have their say in the choice, and count as chance. A model of which no seed finished in all
    folds is left out. Without a `test_share` there are no intervals over folds.
    """
    systems: list[System] = []
    if runs.empty or predictions.empty:
        return systems
    chance = 1 / predictions.filter(regex="^probability_").shape[1]
    runs = distinct(runs)
    for _, best in best_configurations(runs, by=("model",)).iterrows():
        members = runs[runs["run"].isin(best["members"])]
        num_folds = members["fold"].nunique() if "fold" in members else 1
        per_seed = finished(members).groupby("seed")["run"].count()
        said = {
            seed: predictions[predictions["run"].isin(own["run"])].set_index(["fold", "example"]).sort_index()
            for seed, own in members.groupby("seed")
        }
        if (per_seed != num_folds).all():
            continue
        first = said[per_seed.index[per_seed == num_folds][0]]
        right = [(own["prediction"] == own["label"]).astype(float).reindex(first.index) for own in said.values()]
        accuracies = counted(members, "test_accuracy", chance).groupby(members[unit(members)]).mean().to_numpy()
        names = list(best.index[: list(best.index).index("num_seeds")])
        values = {name: best[name] for name in names if name != "model" and not pd.isna(best[name])}
        words = [f"{name} {value:.3g}" if isinstance(value, float) else f"{value}" for name, value in values.items()]
        systems.append(
            System(
                name=best["model"],
                correct=np.stack([one.fillna(chance).to_numpy() for one in right]),  # chance, of folds that are lost
                predictions=first["prediction"].to_numpy(),
                accuracies=accuracies,
                seconds=float(members["seconds"].sum() / members["seed"].nunique()),
                configuration=", ".join(words),
                num_folds=num_folds,
                test_share=test_share,
            )
        )
    return systems


def accuracy(system: System, level: float = LEVEL) -> Estimate:
    """The accuracy of a system, with an interval over its folds or seeds; of one value, over the test examples."""
    if len(system.accuracies) == 1:
        return share(round(system.correct.sum()), system.correct.shape[1], level)
    return _over_folds(system.accuracies, system, SHARE, level)


def difference_of_systems(system: System, other: System, level: float = LEVEL) -> Estimate:
    """The difference of the accuracies of two systems on the same examples.

    Of one split the interval holds for other seeds and other test examples, see
    `jaxnets.stats.estimates.crossed_difference`; of several folds it is that of their differences.
    """
    if system.num_folds > 1:
        return _over_folds(system.accuracies - other.accuracies, system, DIFFERENCE, level)
    return crossed_difference(system.correct, other.correct, level)


def _over_folds(values: np.ndarray, system: System, kind: Kind, level: float) -> Estimate:
    units = pd.RangeIndex(len(values), name="fold" if system.num_folds > 1 else "seed")
    return over_units(pd.Series(values, units), system.test_share, kind, system.correct.shape[1], level)


def confusion(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> Int[np.ndarray, "classes classes"]:
    """How many examples of each class (row) were taken for each class (column)."""
    return np.bincount(labels * num_classes + predictions, minlength=num_classes**2).reshape(num_classes, num_classes)


def certain_mistakes(predictions: pd.DataFrame, count: int = 10) -> pd.DataFrame:
    """The examples whose wrong class had the highest probability, with that probability as `certainty`."""
    probabilities = predictions.filter(regex="^probability_").to_numpy()
    wrong = predictions.assign(certainty=probabilities.max(axis=1))[
        (predictions["prediction"] != predictions["label"]).to_numpy()
    ]
    return wrong.nlargest(count, "certainty")


def all_labels(folds: Sequence[Dataset]) -> Int[np.ndarray, "examples"]:
    """The labels of the test examples of all folds, one after another."""
    return np.concatenate([fold.test.labels for fold in folds])


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
    return Ensemble._make([*scores, min(fold.members for fold in folds), disagreement])


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


def ensembles_of_runs(runs: pd.DataFrame, predictions: pd.DataFrame, test_share: float = np.nan) -> list[Together]:
    """The ensemble of each model's seeds, at the configuration that is best on dev."""
    found: list[Together] = []
    if runs.empty or predictions.empty:
        return found
    for name, members in at_best(distinct(runs), ("model",)).groupby("model", sort=False):
        ended = finished(members)
        if len(ended):
            mean = averaged(predictions, list(ended["run"]))
            right = (mean["prediction"] == mean["label"]).astype(float)
            system = System(
                name=f"{name} × {ended['seed'].nunique()}",
                correct=right.to_numpy()[None],
                predictions=mean["prediction"].to_numpy(),
                accuracies=right.groupby(mean["fold"]).mean().to_numpy(),
                seconds=float(members["seconds"].sum()),
                configuration="",
                num_folds=mean["fold"].nunique(),
                test_share=test_share,
            )
            found.append(Together(system, mean, float(counted(members, "dev_accuracy").mean())))
    return found


def _of_runs(predictions: pd.DataFrame, runs: Sequence[int]) -> pd.DataFrame:
    """The rows of some runs, without the classes of other data sets."""
    own = predictions[predictions["run"].isin(runs)] if len(predictions) else predictions
    return own.dropna(axis="columns", how="all")


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
    return Ensemble._make([*_scores(mean, labels), *single.tolist(), members, float(disagreement)])


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
    """
    bins = np.clip(np.ceil(confidences * num_bins).astype(int) - 1, 0, num_bins - 1)
    gaps = np.bincount(bins, weights=right - confidences, minlength=num_bins)
    return float(np.abs(gaps).sum() / len(confidences))
