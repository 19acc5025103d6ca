"""The choice among configurations, over tables of runs: what counts, what is independent, what is best on dev."""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from jaxnets.evidence.intervals import NUMBER, UNKNOWN, Estimate, Kind, bounded, corrected_difference, kind_of, mean

FINISHED, STOPPED = "finished", "stopped"  # the latter by successive halving
REPETITIONS = ("seed", "fold", "block")  # what tells repetitions of a configuration apart


def hyperparameters(runs: pd.DataFrame) -> list[str]:
    """The columns of a table of runs that hold hyperparameters: those between `run` and `status`."""
    columns = list(runs.columns)
    return columns[columns.index("run") + 1 : columns.index("status")]


def varying(runs: pd.DataFrame) -> list[str]:
    """The hyperparameters, other than the seed, the fold and the block, of which the table has several values."""
    names = [name for name in hyperparameters(runs) if name not in REPETITIONS]
    return [name for name in names if runs[name].nunique(dropna=False) > 1]


def repetitions(runs: pd.DataFrame) -> list[str]:
    """The columns that tell repetitions of a configuration apart: the seed, and the fold and block if there are any."""
    return [name for name in REPETITIONS if name in runs]


def distinct(runs: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """The runs without those that are equal to an earlier one in all their hyperparameters, their seed, and `by`.

    >>> len(distinct(pd.DataFrame({"run": [0, 1], "seed": [3, 3], "status": "finished"})))
    1
    """
    known = {"run", "status"} <= set(runs) and len(runs) > 0
    return runs.drop_duplicates(list(dict.fromkeys([*hyperparameters(runs), *by]))) if known else runs


def finished(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that ended and did not diverge."""
    return runs[runs["status"] == FINISHED]


def first_fold(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of the first fold; all runs if there are no folds.

    >>> len(first_fold(pd.DataFrame({"fold": [0, 1]}))), len(first_fold(pd.DataFrame({"seed": [0, 1]})))
    (1, 2)
    """
    return runs[runs["fold"] == 0] if "fold" in runs else runs


def counted(runs: pd.DataFrame, column: str, failed: float | None = None) -> pd.Series:
    """The values of a column, with runs that did not finish counted as failures, never left out.

    >>> runs = pd.DataFrame({"status": ["finished", "diverged"], "test_accuracy": [0.9, np.nan]})
    >>> counted(runs, "test_accuracy", 0.1).tolist()
    [0.9, 0.1]
    """
    good = (runs["status"] == FINISHED) & runs[column].notna()
    values = runs[column].astype(np.float64)
    if failed is None:
        failed = float(values[good].max()) if column.endswith("loss") else 0.0
    return values.where(good, failed)


def with_failures(runs: pd.DataFrame, chance: float | None = None) -> pd.DataFrame:
    """The runs with all their accuracies and losses counted; see `counted`.

    >>> runs = pd.DataFrame({"status": ["finished", "diverged"], "dev_loss": [0.5, np.nan]})
    >>> with_failures(runs)["dev_loss"].tolist()
    [0.5, 0.5]
    """
    scores = [f"{split}_{kind}" for split in ("final_train", "train", "dev", "test") for kind in ("accuracy", "loss")]
    failed = {name: chance if name.endswith("accuracy") else None for name in scores if name in runs}
    return runs.assign(**{name: counted(runs, name, value) for name, value in failed.items()})


def unit(runs: pd.DataFrame) -> str:
    """What is independent in a table of runs: its blocks or folds if there are several, else its seeds.

    >>> unit(pd.DataFrame({"seed": [0, 1, 0, 1], "fold": [0, 0, 1, 1]}))
    'fold'
    """
    several = (name for name in ("block", "fold") if name in runs and runs[name].nunique() > 1)
    return next(several, "seed")


def correction(of_unit: Hashable, test_share: float) -> float:
    """What the correlation of units adds to 1/n in the variance of their mean.

    Folds and blocks share examples, seeds and tasks do not. Source: Nadeau & Bengio (2003).
    """
    return test_share if of_unit in ("block", "fold") else 0.0


def over_units(values: pd.Series, test_share: float, kind: Kind = NUMBER, examples: int | None = None) -> Estimate:
    """The mean of what was found for each unit, which the name of the index tells.

    Folds and blocks share examples: the variance is corrected for it, see `correction`. Of equal units there is an
    interval where it is known over how many `examples` each is counted, see `mean`: seeds share them, and of units that
    share none all count.

    >>> over_units(pd.Series([1.0, 3.0], pd.Index([0, 1], name="fold")), test_share=1 / 8).value
    2.0
    """
    added = correction(values.index.name, test_share)
    if added == 0:
        of_their_own = values.index.name != "seed"
        return mean(values, kind, examples * len(values) if examples and of_their_own else examples)
    return corrected_difference(values, added, kind=kind, examples=examples)


def mean_score(runs: pd.DataFrame, column: str, test_share: float, failed: float | None = None) -> Estimate:
    """The mean of a score over the units of a table of runs, first over the seeds within each; failures count."""
    if runs.empty:
        return UNKNOWN
    return over_units(counted(runs, column, failed).groupby(runs[unit(runs)]).mean(), test_share, kind_of(column))


def paired(runs: pd.DataFrame, by: str | Sequence[str], column: str, failed: float | None = None) -> pd.DataFrame:
    """The mean score of each contestant (column) in each unit (row); failures count, equal runs count once."""
    names = [by] if isinstance(by, str) else list(by)
    runs = distinct(runs, names)
    scored = runs.assign(_score=counted(runs, column, failed))
    return scored.pivot_table(index=unit(runs), columns=names if len(names) > 1 else names[0], values="_score")


def configurations(runs: pd.DataFrame, test_share: float = np.nan) -> pd.DataFrame:
    """A row for each configuration, that is for runs that differ in their seed, fold and block alone.

    Runs that did not finish count: 0 for an accuracy, infinite for a loss. Equal runs count once. Columns: the
    hyperparameters that vary; `learning_rate` and `optimizer` in any case; `num_seeds`, the repetitions; `dev_score`,
    the mean accuracy on dev; `dev_loss`; `dev_accuracy` and `test_accuracy`, means over folds or blocks if there are
    several, else over seeds, with the bounds of their 95% intervals (`_low`, `_high`) and why there are none (`_note`);
    `diverged_share`; and `members`, the numbers of the runs. Where no run finished, the accuracies are NaN.
    """
    runs = distinct(runs)
    names = _of_configuration(runs)
    groups = runs.groupby(names, dropna=False, sort=False)
    return pd.DataFrame([dict(zip(names, key, strict=True)) | _summary(members, test_share) for key, members in groups])


def _of_configuration(runs: pd.DataFrame) -> list[str]:
    """The columns that tell the configurations of a table apart."""
    return list(dict.fromkeys(["optimizer", "learning_rate", *varying(runs)]))


def _summary(members: pd.DataFrame, test_share: float) -> dict:
    ended = finished(members)
    columns = ("dev_accuracy", "test_accuracy")
    dev, test = (mean_score(members, column, test_share) if len(ended) else UNKNOWN for column in columns)
    return {
        "num_seeds": len(members),
        "dev_score": dev.value if len(ended) else 0.0,
        "dev_loss": float(ended["dev_loss"].mean()) if len(ended) == len(members) else np.inf,
        **bounded("dev_accuracy", dev),
        **bounded("test_accuracy", test),
        "diverged_share": float((members["status"] == "diverged").mean()),
        "members": list(members["run"]),
    }


def _best(runs: pd.DataFrame, score: str) -> pd.DataFrame:
    """The runs of the best configuration; see `best_configurations`."""
    keys = runs.groupby(_of_configuration(runs), dropna=False, sort=False).ngroup().rename("key")
    of_loss = score.endswith("loss")
    scores, loss = counted(runs, score, np.inf if of_loss else 0.0), counted(runs, "dev_loss", np.inf)
    per_unit = (-1.0 if of_loss else 1.0) * scores.groupby([keys, runs[unit(runs)]]).mean()
    ranked = pd.DataFrame(
        {
            "score": per_unit.groupby("key").mean().round(12),  # so that rounding decides no tie
            "loss": loss.groupby(keys).mean(),
            "rate": runs["learning_rate"].groupby(keys).first(),
        }
    ).sort_values(["score", "loss", "rate"], ascending=[False, True, True], kind="stable")
    return runs[keys == ranked.index[0]]


def best_configurations(
    runs: pd.DataFrame,
    by: Sequence[str] = ("optimizer",),
    score: str = "dev_accuracy",
    test_share: float = np.nan,
) -> pd.DataFrame:
    """For each group the configuration with the best mean score; the test examples have no say.

    Ties go to the smaller loss on dev, then to the smaller learning rate. The columns are those of `configurations`,
    with `diverged_share` and `num_runs` those of the whole group.
    """
    runs, best = distinct(runs, by), []
    # what some plug-ins lack and all others have alike tells nothing, and comes last
    several = [name for name in varying(runs) if runs[name].nunique() > 1]
    first = dict.fromkeys(["optimizer", "learning_rate", *several])
    last = [name for name in dict.fromkeys([*by, *varying(runs)]) if name not in first]
    for _, group in runs.groupby(list(by), dropna=False, sort=False):
        members = _best(group, score)
        row = {name: members[name].iloc[0] for name in first} | _summary(members, test_share)
        row |= {name: members[name].iloc[0] for name in last}
        best.append(row | {"diverged_share": float((group["status"] == "diverged").mean()), "num_runs": len(group)})
    return pd.DataFrame(best)


def at_best(runs: pd.DataFrame, by: Sequence[str] = ("optimizer",), score: str = "dev_accuracy") -> pd.DataFrame:
    """The runs of the best configuration of each group; see `best_configurations`."""
    best = best_configurations(runs, by, score)
    return runs[runs["run"].isin([run for members in best["members"] for run in members])]


def confirmed(runs: pd.DataFrame, by: Sequence[str], score: str = "dev_accuracy") -> pd.DataFrame:
    """The runs of each group at its best learning rate, on seeds that had no part in the choice.

    The first half of the seeds choose, by the mean of `score` (a loss is best when small). A run that did not finish
    counts as an accuracy of 0, or as an infinite loss. With a single seed it both chooses and confirms. Equal runs
    count once.
    """
    runs = distinct(runs, by)
    seeds = sorted(runs["seed"].unique())
    tuning, fresh = seeds[: len(seeds) // 2] or seeds, seeds[len(seeds) // 2 :]
    of_loss = score.endswith("loss")
    scores = (-1.0 if of_loss else 1.0) * counted(runs, score, np.inf if of_loss else 0.0)
    keys = [*by, "learning_rate"]
    means = (
        runs.assign(_score=scores)[runs["seed"].isin(tuning)].groupby(keys, sort=False)["_score"].mean().reset_index()
    )
    ranked = means.sort_values(["_score", "learning_rate"], ascending=[False, True], kind="stable")
    best = ranked.drop_duplicates(list(by))[keys]
    return runs[runs["seed"].isin(fresh)].merge(best, on=keys)
