"""Effects for the rules of claims: from the tables of a comparison to a row for each task, repeat and seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from jaxnets.claims.verdicts import Fact
from jaxnets.comparison import leaderboard
from jaxnets.comparison.table import TUNING, Comparison, TaskFacts
from jaxnets.stats import selection

SCORES = (
    *("train_loss", "dev_loss", "test_loss"),
    *("train_accuracy", "dev_accuracy", "test_accuracy"),
)
KEYS = ["task", "repeat", "seed"]
OF_TASKS = ["examples", "test_share"]


def scores(comparison: Comparison, columns: Sequence[str] = ()) -> pd.DataFrame:
    """The runs of a comparison that report; a run that diverged counts with the accuracy and loss of chance."""
    runs, edges = comparison.reporting, _edges(comparison)
    tables = []
    for facts in comparison.tasks:
        own = runs[runs["task"] == facts.name]
        own = own.assign(**{name: selection.counted(own, name, _failed(facts, name)) for name in SCORES if name in own})
        tables.append(own.assign(examples=facts.num_test, test_share=facts.test_share))
    table = pd.concat(tables, ignore_index=True).rename(columns={comparison.by: "method"})
    table = table.assign(repeat=table.get("repeat", 0))
    table = table.merge(edges, on=["task", "repeat", "method"], how="left")
    table["number"] = table.groupby(["task", "repeat", "method"], sort=False)["seed"].rank("dense").astype(int) - 1
    kept = [*KEYS, "number", "method", "run", "learning_rate", "status", "edge", *OF_TASKS, *SCORES, *columns]
    return table[[name for name in dict.fromkeys(kept) if name in table]]


def _failed(facts: TaskFacts, column: str) -> float:
    return leaderboard.failed(facts, column)


def _edges(comparison: Comparison) -> pd.DataFrame:
    """Whether the learning rate chosen in each repeat is an end of those tried; one rate alone has no ends."""
    tried = comparison.phase(TUNING)
    tried, chosen = (runs.assign(repeat=runs.get("repeat", 0)) for runs in (tried, comparison.reporting))
    keys = ["task", "repeat", comparison.by]
    rates = {key: own["learning_rate"].unique() for key, own in tried.groupby(keys, sort=False)}
    rows = [
        (*key, len(rates.get(key, ())) > 1 and selection.on_edge(rates[key], own["learning_rate"].iloc[0]))
        for key, own in chosen.groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows, columns=["task", "repeat", "method", "edge"])


def contrast(table: pd.DataFrame, column: str, weights: Mapping[Any, float], *, log: bool = False) -> pd.DataFrame:
    """A weighted sum of methods' scores, as a table of effects; see `jaxnets.claims.verdicts.Evidence`.

    Methods meet by repeat and the number of their seed in it.

    >>> one = {"task": "xor", "repeat": 0, "seed": 3, "number": 0, "edge": False, "examples": 4, "test_share": 0.0}
    >>> runs = [{**one, "method": name, "test_loss": loss} for name, loss in (("sgd", 0.3), ("adam", 0.1))]
    >>> contrast(pd.DataFrame(runs), "test_loss", {"sgd": 1, "adam": -1})["effect"].round(3).tolist()
    [0.2]
    """
    values = table.assign(_value=np.log(np.maximum(table[column], 1e-12)) if log else table[column])
    wanted = values[values["method"].isin(list(weights))]
    keys = ["task", "repeat", "number"]
    wide = wanted.pivot_table(index=keys, columns="method", values="_value", sort=False)
    if not set(weights) <= set(wide):
        return pd.DataFrame(columns=[*KEYS, "effect", "edge"])
    effects = sum(wide[name] * weight for name, weight in weights.items()).dropna().rename("effect")
    edges = wanted.groupby(keys, sort=False)["edge"].any()
    made = effects.to_frame().join(edges).reset_index().rename(columns={"number": "seed"})
    of_tasks = OF_TASKS if column.endswith("accuracy") and not log else ["test_share"]
    return made.merge(table.groupby("task", sort=False)[of_tasks].first().reset_index(), on="task")


def steps_to(comparison: Comparison, scored: pd.DataFrame, reference: Any, column: str = "train_loss") -> pd.DataFrame:
    """The steps of each run to the mean loss at which a reference ends in the same repeat.

    The end is what the curves say of it, as a training loss there is a mean over the steps since the evaluation
    before. A run that never gets there counts as if it did with its last step, which flatters it.
    """
    of_reference = scored[scored["method"] == reference]
    ends = of_reference["run"].map(comparison.curves.groupby("run")[column].last())
    ends = ends.where(of_reference["status"] == selection.FINISHED, of_reference[column])
    targets = of_reference.assign(_target=ends).groupby(["task", "repeat"])["_target"].mean().reset_index()
    table = scored.merge(targets, on=["task", "repeat"], how="left")
    curves = comparison.curves[["run", "step", column]].merge(table[["run", "_target"]], on="run")
    first = curves[curves[column] <= curves["_target"]].groupby("run")["step"].min()
    last = curves.groupby("run")["step"].max().groupby(table.set_index("run")["task"]).transform("max")
    steps = table["run"].map(first).fillna(table["run"].map(last))
    return table.assign(steps=steps.astype(float)).drop(columns="_target")


LEAST_GAP = 0.02  # of accuracy: errors fewer than these are too few to count shares of


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


def scored_among(comparison: Comparison, chosen: Mapping[str, Sequence[Bool[np.ndarray, "examples"]]]) -> pd.DataFrame:
    """The runs of a comparison that report, with their accuracies on some of the test examples."""
    scored = scores(comparison)
    for name, masks in chosen.items():
        right = right_among(comparison.predictions, masks).set_index("run")
        lost = scored["status"] != selection.FINISHED
        scored[name] = scored["run"].map(right["right"]).mask(lost, right["largest"].max())
    return scored


def over_baseline(scored: pd.DataFrame, baseline: pd.DataFrame, column: str = "test_accuracy") -> pd.DataFrame:
    """What nets gain on a classifier without seeds, as a table of effects; see `jaxnets.claims.verdicts.Evidence`."""
    other = baseline.set_index("repeat")
    effect = scored[column] - scored["repeat"].map(other[column])
    edge = scored["edge"] | scored["repeat"].map(other["edge"])
    return scored[["repeat", "seed", "examples", "test_share"]].assign(effect=effect, edge=edge.astype(bool))


def gap_closed(scored: pd.DataFrame, reference: pd.DataFrame, column: str, least: float = LEAST_GAP) -> pd.DataFrame:
    """Which share of the errors of reference nets others do not make, as a table of effects.

    The nets meet by repeat and the number of their seed in it. The gap is that from the mean of a repeat's reference
    nets to an accuracy of 1, so that equal nets close a share of 0 on average. See `jaxnets.claims.verdicts.Evidence`.
    """
    keys = ["repeat", "number"]
    gaps = 1 - reference.groupby("repeat")[column].mean()
    both = scored.merge(reference[[*keys, column, "edge"]], on=keys, suffixes=("", "_reference"))
    gap = both["repeat"].map(gaps).clip(lower=least)
    effect = (both[column] - both[f"{column}_reference"]) / gap
    edge = (both["edge"] | both["edge_reference"]).astype(bool)
    return both.assign(effect=effect, edge=edge).drop(columns="examples", errors="ignore")  # it counts no examples


def rise(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """By how much an effect is larger at the highest value of a column than at the lowest, as a table of effects."""
    wide = table.pivot_table(index=["repeat", "number"], columns=by, values="effect")
    more = (wide.iloc[:, -1] - wide.iloc[:, 0]).dropna() if wide.shape[1] > 1 else pd.Series(dtype=float)
    rows = more.rename("effect").rename_axis(["repeat", "seed"]).reset_index() if len(more) else table.iloc[:0]
    return rows.assign(test_share=table["test_share"].max())


def as_expected(noise: pd.DataFrame, most: float) -> Fact:
    """Whether variances are what they are expected to be, within the error of the draws.

    >>> as_expected(pd.DataFrame({"variance": [1.0], "error": [0.1], "expected": [1.2]}), most=5).holds
    True
    """
    noise = noise[noise["expected"] > 0]  # a batch of all examples has no noise
    away = (noise["variance"] - noise["expected"]).abs()
    errors = (away / noise["error"]).max()
    text = f"in {len(noise)} cases off by {errors:.1f} standard errors of the draws at most"
    return Fact(bool(errors <= most) if len(noise) else None, text)
