"""Classifiers compared on the same test examples: accuracies, differences, confusions."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from jaxnets.data.dataset import Dataset
from jaxnets.evidence import effects
from jaxnets.evidence.baselines import Fit
from jaxnets.evidence.choosing import FINISHED, best_configurations, counted, distinct, finished, over_units, unit
from jaxnets.evidence.intervals import DIFFERENCE, SHARE, Estimate, Kind, crossed_difference, share
from jaxnets.evidence.study import Study

LEAST_GAP = 0.02  # of accuracy: errors fewer than these are too few to count shares of


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


def of_baselines(fits: Sequence[Fit], folds: Sequence[Dataset]) -> list[System]:
    """The baselines as systems."""
    systems, test_share = [], len(folds[0].test) / len(folds[0].train)
    for name in dict.fromkeys(fit.system for fit in fits):
        own = [fit for fit in fits if fit.system == name]
        right = [fit.predictions == folds[fit.fold].test.labels for fit in own]
        accuracies = np.array([of_fold.mean() for of_fold in right])
        predictions = np.concatenate([fit.predictions for fit in own])
        seconds = sum(fit.seconds for fit in own)
        correct = np.concatenate(right)[None].astype(float)
        systems.append(System(name, correct, predictions, accuracies, seconds, "", len(own), test_share))
    return systems


def of_runs(runs: pd.DataFrame, predictions: pd.DataFrame, test_share: float = np.nan) -> list[System]:
    """Each model at the configuration that is best on dev; its repetitions are the seeds.

    Runs that did not finish have their say in the choice, and count as chance. A model of which no seed finished in all
    folds is left out. Without a `test_share` there are no intervals over folds.
    """
    systems: list[System] = []
    if runs.empty or predictions.empty:
        return systems
    runs = distinct(runs)
    for _, best in best_configurations(runs, by=("model",)).iterrows():
        system = _system(best, runs[runs["run"].isin(best["members"])], predictions)
        systems += [system._replace(test_share=test_share)] if system else []
    return systems


def _system(best: pd.Series, members: pd.DataFrame, predictions: pd.DataFrame) -> System | None:
    folds = members["fold"] if "fold" in members else pd.Series(0, members.index)
    per_seed = finished(members).groupby("seed")["run"].count()
    whole = per_seed.index[per_seed == folds.nunique()]
    if not len(whole):
        return None
    chance = 1 / predictions.filter(regex="^probability_").shape[1]
    first = _in_order(members[members["seed"] == whole[0]]["run"], predictions)
    rows = [_right(_in_order(own["run"], predictions), first, chance) for _, own in members.groupby("seed")]
    accuracies = counted(members, "test_accuracy", chance).groupby(members[unit(members)]).mean().to_numpy()
    seconds = float(members["seconds"].sum() / members["seed"].nunique())
    predicted = first["prediction"].to_numpy()
    configuration = _configuration(best)
    return System(best["model"], np.stack(rows), predicted, accuracies, seconds, configuration, folds.nunique())


def _in_order(runs: pd.Series, predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions of the runs of one seed, by fold and example."""
    own = predictions[predictions["run"].isin(runs)]
    return own.set_index(["fold", "example"]).sort_index()


def _right(own: pd.DataFrame, whole: pd.DataFrame, chance: float) -> Float[np.ndarray, "examples"]:
    """Whether the predictions of a seed are right; of folds in which its run did not finish, chance."""
    right = (own["prediction"] == own["label"]).astype(float)
    return right.reindex(whole.index).fillna(chance).to_numpy()


def _configuration(best: pd.Series) -> str:
    names = list(best.index[: list(best.index).index("num_seeds")])
    values = {name: best[name] for name in names if name != "model" and not pd.isna(best[name])}
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{value}" for name, value in values.items()
    )


def accuracy(system: System) -> Estimate:
    """The accuracy of a system, with an interval over its folds or seeds; of one value, over the test examples."""
    if len(system.accuracies) == 1:
        return share(round(system.correct.sum()), system.correct.shape[1])
    return _over_folds(system.accuracies, system, SHARE)


def compare(system: System, other: System) -> Estimate:
    """The difference of the accuracies of two systems on the same examples.

    Of one split the interval holds for other seeds and other test examples, see
    `jaxnets.evidence.intervals.crossed_difference`; of several folds it is that of their differences.
    """
    if system.num_folds > 1:
        return _over_folds(system.accuracies - other.accuracies, system, DIFFERENCE)
    return crossed_difference(system.correct, other.correct)


def _over_folds(values: np.ndarray, system: System, kind: Kind) -> Estimate:
    units = pd.RangeIndex(len(values), name="fold" if system.num_folds > 1 else "seed")
    return over_units(pd.Series(values, units), system.test_share, kind, system.correct.shape[1])


def right_among(predictions: pd.DataFrame, chosen: Sequence[Bool[np.ndarray, "examples"]]) -> pd.DataFrame:
    """The accuracy of each run on some of the test examples."""
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


def scored_among(study: Study, chosen: Mapping[str, Sequence[Bool[np.ndarray, "examples"]]]) -> pd.DataFrame:
    """The runs of a study that report, with their accuracies on some of the test examples."""
    scored = effects.scores(study)
    for name, masks in chosen.items():
        right = right_among(study.predictions, masks).set_index("run")
        lost = scored["status"] != FINISHED
        scored[name] = scored["run"].map(right["right"]).mask(lost, right["largest"].max())
    return scored


def over_baseline(scored: pd.DataFrame, baseline: pd.DataFrame, column: str = "test_accuracy") -> pd.DataFrame:
    """What nets gain on a classifier without seeds, as a table of effects; see `jaxnets.evidence.judging.Evidence`."""
    other = baseline.set_index("block")
    effect = scored[column] - scored["block"].map(other[column])
    edge = scored["edge"] | scored["block"].map(other["edge"])
    return scored[["block", "seed", "examples", "test_share"]].assign(effect=effect, edge=edge.astype(bool))


def gap_closed(scored: pd.DataFrame, reference: pd.DataFrame, column: str, least: float = LEAST_GAP) -> pd.DataFrame:
    """Which share of the errors of reference nets others do not make, as a table of effects.

    The nets meet by block and the number of their seed in it. The gap is that from the mean of a block's reference
    nets to an accuracy of 1, so that equal nets close a share of 0 on average. See `jaxnets.evidence.judging.Evidence`.
    """
    keys = ["block", "number"]
    gaps = 1 - reference.groupby("block")[column].mean()
    both = scored.merge(reference[[*keys, column, "edge"]], on=keys, suffixes=("", "_reference"))
    gap = both["block"].map(gaps).clip(lower=least)
    effect = (both[column] - both[f"{column}_reference"]) / gap
    edge = (both["edge"] | both["edge_reference"]).astype(bool)
    return both.assign(effect=effect, edge=edge).drop(columns="examples", errors="ignore")  # it counts no examples


def rise(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """By how much an effect is larger at the highest value of a column than at the lowest, as a table of effects."""
    wide = table.pivot_table(index=["block", "number"], columns=by, values="effect")
    more = (wide.iloc[:, -1] - wide.iloc[:, 0]).dropna() if wide.shape[1] > 1 else pd.Series(dtype=float)
    rows = more.rename("effect").rename_axis(["block", "seed"]).reset_index() if len(more) else table.iloc[:0]
    return rows.assign(test_share=table["test_share"].max())


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
