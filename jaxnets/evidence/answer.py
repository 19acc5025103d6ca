"""What a comparison says: who is ahead, by how much, how sure that is, and what cannot be said."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jaxnets.evidence import sentences, standings, tuned
from jaxnets.evidence.study import Study


@dataclass(frozen=True)
class Answer:
    """The answer of a study, as sentences and as the tables that they rest on.

    Bounds are those of 95% intervals, but for `pairs`; NaN where nothing can be said.
    """

    sentences: tuple[str, ...]
    cautions: tuple[str, ...]
    contestants: pd.DataFrame
    pairs: pd.DataFrame
    sensitivity: pd.DataFrame
    tuning: pd.DataFrame
    profiles: pd.DataFrame
    ranks: pd.DataFrame
    critical_difference: float = np.nan
    groups: tuple[tuple[str, ...], ...] = ()


def answer(study: Study, margin: float = 0.005, over_examples: bool = False) -> Answer:
    """What the tables of a comparison say."""
    contestants, pairs = standings.contestants(study), standings.pairs(study, margin, over_examples)
    tuning, sensitivity = tuned.tuning_curves(study), tuned.sensitivity(study)
    ranks, critical, groups = standings.ranks(study)
    return Answer(
        sentences=tuple(_sentences(study, contestants, pairs, tuning, (ranks, critical, groups))),
        cautions=tuple(sentences.cautions(study, contestants, pairs)),
        contestants=contestants,
        pairs=pairs,
        sensitivity=sensitivity,
        tuning=tuning,
        profiles=standings.profiles(study),
        ranks=ranks,
        critical_difference=critical,
        groups=groups,
    )


def _sentences(
    study: Study,
    contestants: pd.DataFrame,
    pairs: pd.DataFrame,
    tuning: pd.DataFrame,
    ranked: tuple[pd.DataFrame, float, tuple[tuple[str, ...], ...]],
) -> Iterator[str]:
    """The answer; of several tasks the whole first."""
    several = len(study.tasks) > 1
    if several:
        ranks, critical, groups = ranked
        yield from sentences.over_tasks(ranks, critical, groups, f"{len(study.tasks)} tasks")
        yield from sentences.counted(pairs, study.contestants)
    for facts in study.tasks:
        own = contestants[contestants["task"] == facts.name]
        of_task = pairs[pairs["task"] == facts.name]
        yield sentences.headline(facts.name, own, of_task)
        if not several:
            yield from sentences.sources(own, of_task)
            yield from sentences.certainty(own, of_task)
            yield from sentences.robustness(own)
            yield from sentences.effort(tuning)
            yield from sentences.speed(own)
            yield from sentences.averages(own)
    if several:
        yield from sentences.robustness(_mean_width(contestants))
    yield from sentences.saving(study)
    yield sentences.scope(study, pairs)


def _mean_width(contestants: pd.DataFrame) -> pd.DataFrame:
    return contestants.groupby("contestant", sort=False)["width_decades"].mean().reset_index()
