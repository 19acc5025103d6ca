"""Classifiers compared on the same test examples: accuracies, paired differences, McNemar's test, confusions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from scipy import stats

from jaxnets.data.dataset import Dataset
from jaxnets.evidence import baselines
from jaxnets.evidence.baselines import Fit
from jaxnets.evidence.statistics import best_configurations, finished, mean_interval


class System(NamedTuple):
    """A classifier, with its predictions on the test examples of all folds.

    Attributes:
      name: its name.
      correct: `bool[repetitions, examples]`, a row for each seed; the folds' test examples one after another.
      predictions: `int[examples]` of the first repetition.
      accuracies: of each seed and fold; what an interval is taken over.
      seconds: of training, over all folds, for one seed.
      configuration: what was chosen on dev, in words.
    """

    name: str
    correct: Bool[np.ndarray, "repetitions examples"]
    predictions: Int[np.ndarray, "examples"]
    accuracies: np.ndarray
    seconds: float
    configuration: str


class Comparison(NamedTuple):
    """A system against another.

    Attributes:
      difference: of the accuracies.
      half_width: half the width of the difference's 95% interval.
      p_value: of McNemar's exact test.
    """

    difference: float
    half_width: float
    p_value: float


def of_baselines(fits: Sequence[Fit], folds: Sequence[Dataset]) -> list[System]:
    """The baselines as systems."""
    systems = []
    for name in dict.fromkeys(fit.system for fit in fits):
        own = [fit for fit in fits if fit.system == name]
        right = [fit.predictions == folds[fit.fold].test.labels for fit in own]
        accuracies = np.array([of_fold.mean() for of_fold in right])
        predictions = np.concatenate([fit.predictions for fit in own])
        seconds = sum(fit.seconds for fit in own)
        systems.append(System(name, np.concatenate(right)[None], predictions, accuracies, seconds, ""))
    return systems


def of_runs(runs: pd.DataFrame, predictions: pd.DataFrame) -> list[System]:
    """Each model at the configuration that is best on dev; its repetitions are the seeds that finished in all folds."""
    systems: list[System] = []
    done = finished(runs)
    if done.empty or predictions.empty:
        return systems
    for _, best in best_configurations(done, by=("model",)).iterrows():
        members = done[done["run"].isin(best["members"])]
        folds = members["fold"] if "fold" in members else pd.Series(0, members.index)
        per_seed = members.groupby("seed")["run"].count()
        seeds = per_seed.index[per_seed == folds.nunique()]
        if not len(seeds):
            continue
        rows = [_in_order(members[members["seed"] == seed]["run"], predictions) for seed in seeds]
        systems.append(
            System(
                best["model"],
                np.stack([(row["prediction"] == row["label"]).to_numpy() for row in rows]),
                rows[0]["prediction"].to_numpy(),
                members["test_accuracy"].to_numpy(),
                float(members["seconds"].sum() / members["seed"].nunique()),
                _configuration(best),
            )
        )
    return systems


def _configuration(best: pd.Series) -> str:
    names = list(best.index[: list(best.index).index("num_seeds")])
    values = {name: best[name] for name in names if name != "model" and not pd.isna(best[name])}
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{value}" for name, value in values.items()
    )


def _in_order(runs: pd.Series, predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions of the runs of one seed, by fold and example."""
    return predictions[predictions["run"].isin(runs)].sort_values(["fold", "example"])


def compare(system: System, other: System) -> Comparison:
    """The paired difference of two systems on the same examples.

    The interval is over the examples: of each, the share of the system's seeds that are right less that of the other's.
    McNemar's test is exact and compares the first seeds: a binomial test over the examples on which just one is right.
    Source: Dietterich (1998), section 3.1.
    """
    differences = system.correct.mean(axis=0) - other.correct.mean(axis=0)
    mean, half_width = mean_interval(differences)
    mine, others = system.correct[0], other.correct[0]
    only_mine, only_others = int((mine & ~others).sum()), int((others & ~mine).sum())
    discordant = only_mine + only_others
    p_value = stats.binomtest(only_mine, discordant).pvalue if discordant else 1.0
    return Comparison(mean, half_width, float(p_value))


def right_among(predictions: pd.DataFrame, chosen: Sequence[Bool[np.ndarray, "examples"]]) -> pd.DataFrame:
    """The accuracy of each run on some of the test examples.

    Args:
      predictions: see `jaxnets.engine.tables.predictions_table`.
      chosen: which test examples of each fold count.

    Returns:
      A row for each run: `right`, its accuracy on these examples; `examples`, their number; `largest`, the share of
      their largest class, which is the accuracy of a constant guess.
    """
    columns = ["run", "right", "examples", "largest"]
    none = pd.DataFrame(columns=columns).astype({"run": int} | dict.fromkeys(columns[1:], float))
    if predictions.empty:
        return none
    starts = np.cumsum([0, *(len(of_fold) for of_fold in chosen)])[predictions["fold"]]
    counting = predictions[np.concatenate(chosen)[starts + predictions["example"]]]
    if counting.empty:
        return none
    groups = counting.assign(right=counting["prediction"] == counting["label"]).groupby("run")
    largest = groups["label"].agg(lambda labels: labels.value_counts(normalize=True).max())
    table = pd.DataFrame({"right": groups["right"].mean(), "examples": groups.size(), "largest": largest})
    return table.reset_index()[columns]


def baselines_among(
    folds: Sequence[Dataset], names: Mapping[str, str], chosen: Sequence[Bool[np.ndarray, "examples"]]
) -> pd.DataFrame:
    """The accuracy of baselines on some of the test examples, and on all of dev; they learn from train alone.

    Args:
      folds: the data set.
      names: what each baseline is called in the table.
      chosen: which test examples of each fold count.

    Returns:
      A row for each baseline and fold: `system`, `fold`, `dev`, and the columns of `right_among`.
    """
    tables = []
    for name, system in names.items():
        on_dev = baselines.fit([replace(fold, test=fold.dev) for fold in folds], [name], learn_dev=False)
        on_test = baselines.fit(folds, [name], learn_dev=False)
        dev = [(fit.predictions == fold.dev.labels).mean() for fit, fold in zip(on_dev, folds, strict=True)]
        accuracy = pd.DataFrame({"system": system, "fold": range(len(folds)), "dev": dev})
        predictions = pd.concat([_predictions(fit, folds[fit.fold]) for fit in on_test])
        tables.append(accuracy.merge(right_among(predictions, chosen).rename(columns={"run": "fold"}), on="fold"))
    return pd.concat(tables, ignore_index=True)


def _predictions(fit: Fit, fold: Dataset) -> pd.DataFrame:
    """The predictions of a baseline, as those of runs: a fold is a run."""
    rows = {"example": range(len(fit.predictions)), "label": fold.test.labels, "prediction": fit.predictions}
    return pd.DataFrame({"run": fit.fold, "fold": fit.fold, **rows})


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
