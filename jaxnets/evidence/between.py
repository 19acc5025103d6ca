"""Two studies compared: what both have, by how much it differs, and which differences are real."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.evidence import choosing, comparing, intervals, standings, tuned
from jaxnets.evidence.comparing import OPEN, TIE
from jaxnets.evidence.intervals import DIFFERENCE, Estimate
from jaxnets.evidence.study import TUNING, Study, TaskFacts

HIGHER, LOWER, EQUAL = "higher", "lower", "equal to the last bit"
CHOSEN, SETTING = "chosen", "setting"
COLUMNS = (
    *("task", "kind", "name", "before", "after", "difference", "low", "high", "level", "outcome"),
    *("paired", "unit", "num_before", "num_after", "note"),
)
_BITS = ("dev_loss", "dev_accuracy", "test_loss", "test_accuracy")


def compare(before: Study, after: Study, *, same_data: bool, margin: float = 0.005) -> pd.DataFrame:
    """A row for each contestant at its chosen setting, and for each setting, that both studies have."""
    rows = [row for facts in _both(before, after) for row in _rows(before, after, facts, same_data)]
    counts = Counter(row["kind"] for row in rows if not row["equal"])
    for row in rows:
        effect = row.pop("effect").at(comparing.ERROR / max(counts[row["kind"]], 1), row.pop("freedom"))
        row |= {"difference": effect.value, "low": effect.low, "high": effect.high, "level": effect.level}
        row["outcome"] = EQUAL if row.pop("equal") else comparing.outcome(effect, margin, HIGHER, LOWER)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _both(before: Study, after: Study) -> list[TaskFacts]:
    """The tasks that both have, as the first knows them."""
    names = {task.name for task in after.tasks}
    return [task for task in before.tasks if task.name in names]


def _rows(before: Study, after: Study, facts: TaskFacts, same_data: bool) -> Iterator[dict[str, Any]]:
    studies = (before, after)
    if before.by == after.by:
        one, other = (_by(study.reporting, facts, [study.by]) for study in studies)
        for (name,) in (key for key in one if key in other):
            variance = sum(_choice_variance(study, facts, name) for study in studies)
            yield _row(studies, facts, (one[name,], other[name,]), same_data, variance) | {"kind": CHOSEN, "name": name}
    tuning = [study.phase(TUNING) for study in studies]
    names = _settings(tuning, facts)
    one, other = (_by(runs, facts, names) for runs in tuning)
    for key in (key for key in one if key in other):
        yield _row(studies, facts, (one[key], other[key]), same_data, 0.0) | {
            "kind": SETTING,
            "name": _named(names, key),
        }


def _named(names: Sequence[str], key: Sequence[str]) -> str:
    """A setting in words: the optimizer, and what else it has."""
    return ", ".join(
        value if name == "optimizer" else f"{name.replace('_', ' ')} {value}"
        for name, value in zip(names, key, strict=True)
        if value
    )


def _settings(tuning: Sequence[pd.DataFrame], facts: TaskFacts) -> list[str]:
    """The hyperparameters that both have, and that vary within one of them; what differs as a whole is no setting."""
    own = [runs[runs["task"] == facts.name] for runs in tuning]
    several = [name for runs in own for name in choosing.varying(runs) if runs[name].nunique() > 1]
    names = dict.fromkeys(["optimizer", "learning_rate", *several])
    return [name for name in names if all(name in runs and runs[name].notna().any() for runs in own)]


def _by(runs: pd.DataFrame, facts: TaskFacts, names: Sequence[str]) -> dict[tuple[str, ...], pd.DataFrame]:
    """The runs of a task by the values of some columns, as texts: rates of other commits may differ in the last bit."""
    own = runs[runs["task"] == facts.name]
    keys = [own[name].map(_text, na_action=None).rename(f"_{name}") for name in names]
    return {tuple(map(str, key)): group for key, group in own.groupby(keys, sort=False)}


def _text(value: Any) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _choice_variance(study: Study, facts: TaskFacts, name: str) -> float:
    """What the luck of the tuning adds to the variance of a contestant's score, where seeds are counted."""
    if study.unit == "block":
        return 0.0
    scores = standings.scores(study, facts)[name]
    return tuned.choice_variance(study, facts, name, float(scores.var())) if len(scores) > 1 else 0.0


def _row(
    studies: tuple[Study, Study],
    facts: TaskFacts,
    runs: tuple[pd.DataFrame, pd.DataFrame],
    same_data: bool,
    variance: float,
) -> dict[str, Any]:
    """The difference of two groups of runs."""
    one, other = (_scores(group, facts) for group in runs)
    pairs = same_data and _repetitions(runs[0]) == _repetitions(runs[1])
    of_task = [next(task for task in study.tasks if task.name == facts.name) for study in studies]
    added = [choosing.correction(choosing.unit(runs[0]), task.test_share) for task in of_task]
    if pairs:
        effect, freedom = intervals.corrected_difference(other - one, max(added), variance), len(one) - 1.0
    else:
        effect, freedom = _unpaired(one, other, variance + added[0] * one.var() + added[1] * other.var())
    return {
        "task": facts.name,
        "before": one.mean(),
        "after": other.mean(),
        "effect": effect,
        "freedom": freedom,
        "equal": pairs and _same_bits(studies, runs),
        "paired": pairs,
        "unit": choosing.unit(runs[0]),
        "num_before": len(one),
        "num_after": len(other),
        "note": effect.reason() if np.isnan(effect.low) else effect.note,
    }


def _scores(runs: pd.DataFrame, facts: TaskFacts) -> pd.Series:
    """The mean test accuracy in each unit; failures count as chance."""
    return choosing.counted(runs, "test_accuracy", facts.chance).groupby(runs[choosing.unit(runs)]).mean()


def _repetitions(runs: pd.DataFrame) -> list[tuple[int, ...]]:
    return sorted(runs[choosing.repetitions(runs)].itertuples(index=False, name=None))


def _unpaired(one: pd.Series, other: pd.Series, added: float) -> tuple[Estimate, float]:
    """Welch's interval with another variance added, and its degrees of freedom."""
    from scipy import stats

    found, freedom = intervals.difference(other, one, DIFFERENCE), min(len(one), len(other)) - 1.0
    if np.isnan(added) and not np.isnan(found.low):
        return Estimate(found.value, np.nan, np.nan, intervals.SIZES_UNKNOWN), freedom
    if np.isnan(found.low):
        return found, freedom
    if added:
        return found.widened(added, int(freedom)), freedom
    return found, float(stats.ttest_ind(other, one, equal_var=False).df)


def _same_bits(studies: tuple[Study, Study], runs: tuple[pd.DataFrame, pd.DataFrame]) -> bool:
    """Whether runs on the same seeds ended alike, and had the same curves."""
    ends, curves = [], []
    for study, group in zip(studies, runs, strict=True):
        ordered = group.sort_values(choosing.repetitions(group))
        place = pd.Series(range(len(ordered)), ordered["run"])
        own = study.curves[study.curves["run"].isin(ordered["run"])]
        own = own.assign(run=own["run"].map(place)).sort_values(["run", "step"])
        ends.append(ordered[list(_BITS)].to_numpy())
        curves.append(own[["run", "step", "train_loss", "dev_loss"]].to_numpy())
    return all(
        first.shape == second.shape and np.array_equal(first, second, equal_nan=True)
        for first, second in (ends, curves)
    )


def sentences(table: pd.DataFrame) -> list[str]:
    """What the comparison of two studies says."""
    if table.empty:
        return ["They have no contestant and no setting in common."]
    return [*_of_chosen(table[table["kind"] == CHOSEN]), *_of_settings(table[table["kind"] == SETTING])]


def _of_chosen(chosen: pd.DataFrame) -> Iterator[str]:
    several = chosen["task"].nunique() > 1
    for _, row in chosen.iterrows():
        place = f" on {row['task']}" if several else ""
        yield f"{row['name']}{place}, at its chosen setting: {_said(row)}."


def _said(row: pd.Series) -> str:
    """The difference of a row in words."""
    points = f"{abs(100 * row['difference']):.1f} points"
    bounds = f" ({in_points(row)})" if not np.isnan(row["low"]) else ""
    return {
        EQUAL: "equal to the last bit",
        HIGHER: f"{points} higher{bounds}, a real difference",
        LOWER: f"{points} lower{bounds}, a real difference",
        TIE: f"a tie{bounds}",
        OPEN: f"{100 * row['difference']:+.1f} points{bounds}, which may be chance",
    }[row["outcome"]]


def in_points(row: pd.Series) -> str:
    """The interval of a row, in points and with its level."""
    low, high = (f"{100 * row[bound]:+.1f}" for bound in ("low", "high"))
    if (row["low"] > 0) != (float(low) > 0) or (row["high"] < 0) != (float(high) < 0):  # rounding hid what decides
        low, high = (f"{100 * row[bound]:+.1g}" for bound in ("low", "high"))
    return f"{intervals.percent(row['level'])} CI {low} to {high}"


def _of_settings(settings: pd.DataFrame) -> Iterator[str]:
    if settings.empty:
        return
    counts = settings["outcome"].value_counts()
    words = {EQUAL: EQUAL, HIGHER: "higher", LOWER: "lower", TIE: "ties", OPEN: "open"}
    parts = [f"{counts[outcome]} {word}" for outcome, word in words.items() if outcome in counts]
    noun = "setting" if len(settings) == 1 else "settings"
    yield f"Of the {len(settings)} {noun} that both have, as tuned: {', '.join(parts)}."
