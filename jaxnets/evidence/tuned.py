"""How the contestants of a comparison were tuned: the choice, its range, its sensitivity, and what each trial buys."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.evidence import choosing, selection, tuning
from jaxnets.evidence.intervals import SHARE, bounded
from jaxnets.evidence.study import TUNING, Study, TaskFacts


def choice(study: Study, facts: TaskFacts, name: str) -> dict[str, Any]:
    """How a contestant was tuned: how wide the good learning rates are, and whether the best lies on the edge."""
    points = rate_scores(study, facts, name)
    own = study.phase(TUNING)
    own = own[(own["task"] == facts.name) & (own[study.by] == name)]
    widths = [tuning.good_width(group["learning_rate"], group["accuracy"]) for _, group in points.groupby("block")]
    best = choosing.best_configurations(own, study.groups) if len(own) else pd.DataFrame({"learning_rate": []})
    rates = sorted(own["learning_rate"].unique())
    return {
        "width_decades": float(np.mean(widths)) if widths else np.nan,
        "edge": any(tuning.on_edge(rates, rate) for rate in best["learning_rate"]),
        "tuning_runs": len(own),
        "tuning_diverged_share": float((own["status"] == "diverged").mean()) if len(own) else np.nan,
    }


def choice_variance(study: Study, facts: TaskFacts, name: str, seed_variance: float) -> float:
    """What the luck of the tuning adds to the variance of a contestant's score; see `selection.choice_variance`."""
    runs = study.phase(TUNING)
    own = runs[(runs["task"] == facts.name) & (runs[study.by] == name)]
    if own.empty:
        return 0.0
    keys = [column for column in study.tuned if column in own]
    own = own.assign(_setting=own.groupby(keys, sort=False, dropna=False).ngroup())
    dev, test = (_matrix(own, column, facts.chance) for column in ("dev_accuracy", "test_accuracy"))
    return selection.choice_variance(dev, test, seed_variance, drawn=study.protocol.search != "grid")


def _matrix(own: pd.DataFrame, column: str, chance: float) -> np.ndarray:
    """A column of runs as `float[settings, seeds]`; one that a search dropped is as good as the worst that it kept,
    or as chance where it kept none.
    """
    scored = own.assign(_score=choosing.counted(own, column, chance))
    dropped = scored["status"] == choosing.STOPPED
    scored["_score"] = scored["_score"].where(~dropped, scored["_score"][~dropped].min()).fillna(chance)
    return scored.pivot_table(index="_setting", columns="seed", values="_score").to_numpy(np.float64)


def rate_scores(study: Study, facts: TaskFacts, name: str) -> pd.DataFrame:
    """The best mean dev accuracy at each learning rate, of a contestant in each block: `block`, `learning_rate`,
    `accuracy`.
    """
    own = study.phase(TUNING)
    own = own[(own["task"] == facts.name) & (own[study.by] == name)]
    own = own.assign(_score=_on_dev(own, facts), block=own.get("block", 0))
    keys = ["block", *(column for column in study.tuned if column in own)]
    settings = own.groupby(keys, sort=False, dropna=False)["_score"].mean().reset_index()
    best = settings.groupby(["block", "learning_rate"])["_score"].max().rename("accuracy")
    return best.reset_index()


def _on_dev(own: pd.DataFrame, facts: TaskFacts) -> pd.Series:
    """The accuracy of runs on dev; of those that a search dropped, the best that they had reached."""
    counted = choosing.counted(own, "dev_accuracy", facts.chance)
    return counted.where(own["status"] != choosing.STOPPED, own.get("best_dev_accuracy", counted)).astype(np.float64)


def sensitivity(study: Study) -> pd.DataFrame:
    """Dev accuracy over the learning rate, of the runs that tuned; see `jaxnets.evidence.answer.Answer`."""
    rows = []
    for facts, name, own in _by_contestant(study):
        scores = _on_dev(own, facts).groupby([own["learning_rate"], own[study.unit]]).mean()
        rates = own.groupby("learning_rate")["status"]
        diverged, counts = rates.agg(lambda statuses: (statuses == "diverged").mean()), rates.size()
        for rate, values in scores.groupby(level=0):
            rows.append(
                {"task": facts.name, "contestant": name, "learning_rate": rate}
                | bounded("accuracy", choosing.over_units(values.droplevel(0), facts.test_share, SHARE, facts.num_dev))
                | {"diverged_share": float(diverged[rate]), "num_runs": int(counts[rate])}
            )
    table = pd.DataFrame(rows, columns=[*_SENSITIVITY])
    return table.rename(columns={"accuracy_low": "low", "accuracy_high": "high"})


_SENSITIVITY = (
    *("task", "contestant", "learning_rate", "accuracy", "accuracy_low", "accuracy_high"),
    *("diverged_share", "num_runs"),
)


def _by_contestant(study: Study) -> Iterator[tuple[TaskFacts, str, pd.DataFrame]]:
    """The runs that tuned each contestant on each task."""
    runs = study.phase(TUNING)
    for facts in study.tasks:
        of_task = runs[runs["task"] == facts.name]
        for name in study.contestants:
            own = of_task[of_task[study.by] == name]
            if len(own):
                yield facts, name, own


def tuning_curves(study: Study) -> pd.DataFrame:
    """The expected test accuracy of the best of so many trials; see `jaxnets.evidence.answer.Answer`.

    It holds for trials that are drawn at random: there is none of a grid, nor of trials of which a search dropped some.
    """
    tables = []
    for facts, name, own in _by_contestant(study):
        blocks: Iterable[tuple[Any, pd.DataFrame]] = own.groupby("block") if "block" in own else [(0, own)]
        if (own["status"] == choosing.STOPPED).any() or not all(_are_drawn(study, group) for _, group in blocks):
            continue
        curves = {block: _tuning_curve(study, facts, group) for block, group in blocks}
        tables.append(_over_blocks(curves, facts).assign(task=facts.name, contestant=name))
    numbers = ["budget", "accuracy", "low", "high"]
    nothing = pd.DataFrame(columns=["task", "contestant", *numbers]).astype(dict.fromkeys(numbers, float))
    return pd.concat(tables, ignore_index=True)[list(nothing.columns)] if tables else nothing


def _are_drawn(study: Study, own: pd.DataFrame) -> bool:
    """Whether the settings of one contestant in one block are draws of their own.

    Where a list is crossed with them, each draw comes back at every value of the list.
    """
    settings = own[[name for name in study.tuned if name in own]].drop_duplicates()
    return study.protocol.search != "grid" and bool(settings.nunique().max() == len(settings))


def _tuning_curve(study: Study, facts: TaskFacts, own: pd.DataFrame) -> pd.DataFrame:
    """Over the settings of one contestant in one block: means over the seeds."""
    scored = own.assign(
        _dev=choosing.counted(own, "dev_accuracy", facts.chance),
        _test=choosing.counted(own, "test_accuracy", facts.chance),
    )
    keys = [name for name in study.tuned if name in own]
    settings = scored.groupby(keys, sort=False, dropna=False)[["_dev", "_test"]].mean()
    return tuning.expected_best(settings["_dev"], settings["_test"], budgets(len(settings)))


def budgets(num_trials: int) -> list[int]:
    """Numbers of trials, evenly spaced in their logarithms.

    >>> budgets(9)
    [1, 2, 3, 4, 5, 7, 9]
    """
    return sorted({round(number) for number in np.geomspace(1, num_trials, min(num_trials, 12))})


def _over_blocks(curves: Mapping[Any, pd.DataFrame], facts: TaskFacts) -> pd.DataFrame:
    """One curve: its own interval for one block, else that over the blocks."""
    if len(curves) == 1:
        return next(iter(curves.values())).rename(columns={"value": "accuracy"})
    values = pd.DataFrame({block: curve.set_index("budget")["value"] for block, curve in curves.items()})
    rows = [row.dropna() for _, row in values.rename_axis(columns="block").iterrows()]
    found = [choosing.over_units(row, facts.test_share, SHARE, facts.num_test) for row in rows]
    return pd.DataFrame(
        {
            "budget": values.index,
            "accuracy": [estimate.value for estimate in found],
            "low": [estimate.low for estimate in found],
            "high": [estimate.high for estimate in found],
        }
    )
