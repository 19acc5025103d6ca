"""The tables behind the figures of a comparison: what the page and the figures for papers both draw."""

import itertools
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.comparison.answer import Answer
from jaxnets.comparison.table import TUNING, Study, TaskFacts
from jaxnets.stats import estimates, selection

FEW_RATES = 15  # with more rates than this, as a random search has, a line through each would be a scribble
MOST_POINTS, MOST_EVALUATIONS = 8_000, 40
CURVES = ("dev_accuracy", "train_loss")
_SHOWN = ("status", "diverged_step", "dev_accuracy", "test_accuracy", "dev_loss", "test_loss", "train_loss", "seconds")


def runs(study: Study) -> pd.DataFrame:
    """All runs with what tells them apart and what became of them; `contestant` is the column of the contestants.

    `score` is the dev accuracy: of a run that was stopped its last one, of another without one chance. `reports` is
    true for the runs that report.
    """
    first = ["run", *(["task"] if len(study.tasks) > 1 else []), "phase"]
    names = [*(name for name in study.tuned if name != study.by), *selection.REPETITIONS]
    columns = [name for name in [*first, study.by, *names, *_SHOWN] if name in study.runs]
    found = study.runs[columns].rename(columns={study.by: "contestant"})
    found = found.dropna(axis=1, how="all").astype({"contestant": str})
    reports = study.runs["run"].isin(study.reporting["run"])
    return found.assign(task=study.runs["task"], score=_scores(study), reports=reports)


def _scores(study: Study) -> pd.Series:
    chance = {task.name: task.chance for task in study.tasks}
    last = study.runs["run"].map(study.curves.groupby("run")["dev_accuracy"].last())
    stopped = last.where(study.runs["status"] == selection.STOPPED)
    return study.runs["dev_accuracy"].astype(float).fillna(stopped).fillna(study.runs["task"].map(chance))


def contestants(study: Study) -> list[str]:
    """The names of the contestants, in their order; numbers as texts."""
    return [str(name) for name in study.contestants]


def of_contestant(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of a contestant."""
    return table[table["contestant"].astype(str) == name]


def shared(study: Study) -> dict[str, Any]:
    """The hyperparameters that are alike in all runs."""
    names = [name for name in selection.hyperparameters(study.runs) if name not in selection.REPETITIONS]
    alike = [name for name in names if study.runs[name].nunique(dropna=False) == 1 and study.runs[name].notna().all()]
    return {name: study.runs[name].iloc[0] for name in alike}


def fixed(study: Study, contestant: str) -> dict[str, Any]:
    """The hyperparameters of a contestant that were not tuned, other than those that are alike in all runs."""
    own = study.runs[study.runs[study.by].astype(str) == contestant]
    others = {study.by, *shared(study), *study.tuned, *selection.REPETITIONS}
    names = [name for name in selection.hyperparameters(own) if name not in others]
    return {name: own[name].iloc[0] for name in names if own[name].notna().all() and own[name].nunique() == 1}


def rates(answer: Answer) -> tuple[pd.DataFrame, bool]:
    """Dev accuracy over the learning rate, and whether each row is one rate.

    Where there are many rates, a row is a third of a decade: the median and the quartiles of the settings in it.
    """
    table = answer.sensitivity
    if table.empty or table.groupby(["task", "contestant"])["learning_rate"].nunique().max() <= FEW_RATES:
        return table, True
    thirds = (np.log10(table["learning_rate"].clip(lower=1e-300)) * 3).round() / 3
    groups = table.assign(learning_rate=10**thirds).groupby(["task", "contestant", "learning_rate"], sort=False)
    found = (
        groups["accuracy"].quantile(np.array([0.5, 0.25, 0.75])).unstack().set_axis(["accuracy", "low", "high"], axis=1)
    )
    return found.reset_index().sort_values(["task", "contestant", "learning_rate"]), False


def chosen(study: Study, answer: Answer) -> pd.DataFrame:
    """The learning rates that were chosen, with the dev accuracy there: `task`, `contestant`, `learning_rate`."""
    keys = ["task", "contestant", "learning_rate"]
    found = study.reporting.rename(columns={study.by: "contestant"})[keys].drop_duplicates()
    return found.merge(answer.sensitivity[[*keys, "accuracy"]], on=keys)


def learning_curves(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The curves of the runs that report, and their means with 95% intervals over seeds or blocks.

    After a run has diverged its accuracy counts as chance and its loss as that of a blind guess.
    """
    own = study.reporting.rename(columns={study.by: "contestant"})
    lines, means = [], []
    for facts, name in itertools.product(study.tasks, contestants(study)):
        group = of_contestant(own[own["task"] == facts.name], name)
        costs = _costs(group, facts)
        filled = _filled(_thinned(study.curves[study.curves["run"].isin(group["run"])]), group, facts)
        lines.append(_with_costs(filled, costs).assign(task=facts.name, contestant=name))
        repeated = filled.merge(group[["run", study.unit]], on="run")
        for curve in CURVES:
            mean = _mean(repeated, curve, study.unit, costs, facts)
            means.append(mean.assign(task=facts.name, contestant=name, curve=curve))
    return pd.concat(lines, ignore_index=True), pd.concat(means, ignore_index=True)


def _costs(group: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    """What a step of each run costs: `examples`, `seconds`; the index is the run."""
    examples = group["batch_size"].replace(0, facts.num_train) if "batch_size" in group else np.nan
    seconds = group["seconds"] / group["num_steps"] if "num_steps" in group else np.nan
    return pd.DataFrame({"run": group["run"], "examples": examples, "seconds": seconds}).set_index("run").astype(float)


def _with_costs(lines: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    of_run = costs.reindex(lines["run"])
    step = lines["step"].to_numpy()
    return lines.assign(examples=step * of_run["examples"].to_numpy(), seconds=step * of_run["seconds"].to_numpy())


def _thinned(curves: pd.DataFrame) -> pd.DataFrame:
    """At most so many evaluations of a run, the first and the last among them."""
    steps = np.sort(curves["step"].unique())
    if len(steps) <= MOST_EVALUATIONS:
        return curves
    kept = steps[np.linspace(0, len(steps) - 1, MOST_EVALUATIONS).round().astype(int)]
    return curves[curves["step"].isin(kept)]


def _filled(curves: pd.DataFrame, group: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    """The curves with rows for what a run that diverged has no more."""
    lost = group.loc[group["status"] == "diverged", "run"]
    worst = {"dev_accuracy": facts.chance, "train_loss": float(np.log(facts.num_classes))}
    steps = curves["step"].unique()
    pairs = list(itertools.product(lost, steps))
    blind = pd.DataFrame(pairs, columns=["run", "step"]).assign(**worst)
    known = curves[["run", "step", *CURVES]].dropna()
    both = pd.concat([known, blind]) if len(blind) else known
    return both.drop_duplicates(["run", "step"]).sort_values(["run", "step"], kind="stable")


def _mean(lines: pd.DataFrame, curve: str, by: str, costs: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    table = lines.groupby(["step", by])[curve].mean().unstack()
    about = facts.test_share, estimates.kind_of(curve), facts.num_dev
    found = [selection.over_units(row.dropna(), *about) for _, row in table.iterrows()]
    step = table.index.to_numpy()
    return pd.DataFrame(
        {
            "step": step,
            "examples": step * costs["examples"].mean(),
            "seconds": step * costs["seconds"].mean(),
            "mean": [estimate.value for estimate in found],
            "low": [estimate.low for estimate in found],
            "high": [estimate.high for estimate in found],
        }
    )


def few_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """The curves of as many runs of each contestant as keep the page small."""
    counts = lines.groupby(["task", "contestant"], sort=False)["run"].nunique()
    share = MOST_POINTS / max(len(lines), 1)
    if share >= 1:
        return lines
    most = max(int(counts.max() * share), 1)
    kept = [group["run"].unique()[:most] for _, group in lines.groupby(["task", "contestant"], sort=False)]
    return lines[lines["run"].isin(np.concatenate(kept))]


def settings(study: Study) -> pd.DataFrame:
    """A row for each setting that was tried.

    Columns: `task`, `contestant`, what was tuned, `block` where there are several; `score`, the mean of that of its
    runs; `runs`, their numbers as text; and `status`, `finished` only if all of them did.
    """
    found = runs(study)
    tuning = found[found["phase"] == TUNING]
    keys = [name for name in ["task", "contestant", *study.tuned, "block"] if name in tuning]
    groups = tuning.groupby(keys, sort=False, dropna=False)
    return groups.agg(score=("score", "mean"), runs=("run", _named), status=("status", _worst)).reset_index()


def _named(numbers: pd.Series) -> str:
    """The numbers of runs, in few words."""
    texts = [str(number) for number in numbers]
    return ", ".join(texts) if len(texts) <= 4 else f"{texts[0]} … {texts[-1]} ({len(texts)} runs)"


def _worst(statuses: pd.Series) -> str:
    return next((status for status in statuses if status != selection.FINISHED), selection.FINISHED)


def axes(study: Study, table: pd.DataFrame) -> list[str]:
    """The tuned hyperparameters that vary among settings."""
    return [name for name in study.tuned if name in table and table[name].nunique(dropna=True) > 1]


def positions(values: pd.Series) -> tuple[pd.Series, list[tuple[float, str]]]:
    """Where values stand between 0 and 1, and the marks of the scale: logarithmic where they span two decades."""
    if not pd.api.types.is_numeric_dtype(values) or values.dtype == bool:
        names = list(dict.fromkeys(map(str, values.dropna())))
        places = {name: place / max(len(names) - 1, 1) for place, name in enumerate(names)}
        return values.astype(str).map(places), [(place, name) for name, place in places.items()]
    numbers = values.astype(float)
    logarithmic = bool(numbers.min() > 0 and numbers.max() / numbers.min() >= 100)
    scaled = pd.Series(np.log10(numbers) if logarithmic else numbers)
    least, span = scaled.min(), max(scaled.max() - scaled.min(), 1e-12)
    ends = [(share, least + share * span) for share in (0.0, 0.5, 1.0)]
    return (scaled - least) / span, [(share, f"{10**value if logarithmic else value:.2g}") for share, value in ends]


def binned(values: pd.Series, most: int = 9) -> tuple[pd.Series, list[str]]:
    """Values as the names of cells, and the names in their order; many numbers share a cell.

    >>> binned(pd.Series([0.1, 0.01, 0.1]))[1]
    ['0.01', '0.1']
    """
    distinct = values.dropna().unique()
    if len(distinct) <= most or not pd.api.types.is_numeric_dtype(values):
        ordered = sorted(distinct) if pd.api.types.is_numeric_dtype(values) else list(distinct)
        names = {value: _name(value) for value in ordered}
        return values.map(names), list(dict.fromkeys(names.values()))
    edges = _edges(values.astype(float), most)
    names_of_cells = [f"{low:.2g}–{high:.2g}" for low, high in itertools.pairwise(edges)]
    cell = np.clip(np.searchsorted(edges, values.to_numpy(float), side="right") - 1, 0, most - 1)
    named = pd.Series([names_of_cells[place] for place in cell], index=values.index).where(values.notna())
    return named, names_of_cells


def _edges(values: pd.Series, count: int) -> np.ndarray:
    if values.min() > 0 and values.max() / values.min() >= 100:
        return np.geomspace(values.min(), values.max(), count + 1)
    return np.linspace(values.min(), values.max(), count + 1)


def _name(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def columns(table: pd.DataFrame, digits: int = 5) -> dict[str, Any]:
    """A table for JSON, a column at a time: numbers with so many digits, what is missing or infinite as None.

    Texts, which repeat themselves, are given as their places among the distinct ones; -1 is a missing one.

    >>> columns(pd.DataFrame({"a": [0.1234567, float("nan")], "b": ["x", "x"]}))
    {'a': [0.12346, None], 'b': {'texts': ['x'], 'places': [0, 0]}}
    """
    return {str(name): _plain(table[name], digits) for name in table}


def _plain(values: pd.Series, digits: int) -> Any:
    if pd.api.types.is_bool_dtype(values):
        return [None if pd.isna(value) else bool(value) for value in values]
    if pd.api.types.is_integer_dtype(values):
        return [None if pd.isna(value) else int(value) for value in values]
    if pd.api.types.is_float_dtype(values):
        return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in values.tolist()]
    places, texts = pd.factorize(values.map(str, na_action="ignore"))
    return {"texts": list(texts), "places": places.tolist()}


def profiles(answer: Answer) -> pd.DataFrame:
    """The performance profiles, from where they begin to differ from 1."""
    table = answer.profiles
    whole = table.groupby("threshold")["share"].min() == 1
    return table[table["threshold"] >= whole.index[whole].max()] if whole.any() else table


def ranks(answer: Answer) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a critical-difference diagram."""
    table = answer.ranks.sort_values("rank", kind="stable").astype({"contestant": str})
    by_name = table.set_index("contestant")["rank"]
    groups = [
        {"members": ", ".join(group), "low": by_name[list(group)].min(), "high": by_name[list(group)].max()}
        for group in answer.groups
        if len(group) > 1 and len(by_name)
    ]
    bars = pd.DataFrame(groups, columns=["members", "low", "high"])
    bars["row"] = [f"not told apart {number + 1}" if len(bars) > 1 else "not told apart" for number in range(len(bars))]
    return table.assign(row=table["contestant"]), bars
