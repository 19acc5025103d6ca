"""Successive halving: the worst settings are dropped on the way, so that the steps go to the better ones.

Source: Jamieson & Talwalkar (2016), with a third instead of a half, as in Li et al. (2018), Hyperband.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from jaxnets.engine.keep import Options, Record
from jaxnets.engine.plan import Program

REDUCTION = 3
"""One of so many settings goes on."""

_SHARES = (1 / 9, 1 / 3)


def rungs(num_steps: int, evaluate_every: int) -> tuple[int, ...]:
    """The evaluations after which settings are dropped: those nearest to 1/9 and 1/3 of the steps.

    >>> rungs(num_steps=300, evaluate_every=10)
    (30, 100)
    """
    evaluations = range(evaluate_every, num_steps, evaluate_every)
    if not evaluations:
        return ()
    nearest = [min(evaluations, key=lambda step: abs(step - share * num_steps)) for share in _SHARES]
    return tuple(dict.fromkeys(nearest))


def survivors(
    settings: Int[np.ndarray, "runs"],
    repeats: Int[np.ndarray, "runs"],
    accuracy: Float[np.ndarray, "runs"],
    loss: Float[np.ndarray, "runs"],
) -> Bool[np.ndarray, "runs"]:
    """The runs of the best third of the settings of each repeat, rounded up.

    Settings are ranked by their mean accuracy over the runs, ties by the lower mean loss.
    """
    runs = pd.DataFrame({"repeat": repeats, "setting": settings, "accuracy": accuracy, "loss": loss}).astype(float)
    means = runs.groupby(["repeat", "setting"], as_index=False).mean()
    ranked = means.sort_values(["repeat", "accuracy", "loss"], ascending=[True, False, True], kind="stable")
    of_repeat = ranked.groupby("repeat")["setting"]
    best = ranked[of_repeat.cumcount() < np.ceil(of_repeat.transform("size") / REDUCTION)]
    return pd.MultiIndex.from_frame(runs[["repeat", "setting"]]).isin(
        pd.MultiIndex.from_frame(best[["repeat", "setting"]])
    )


class Race:
    """Which runs of a program are still in it: they are ranked together, in whatever chunks they are trained."""

    def __init__(self, program: Program, options: Options) -> None:
        task = program.task
        every = options.evaluate_every or task.steps_per_epoch
        self.rungs = rungs(task.num_steps, every) if options.halving else ()
        self._program, self._in_race = program, np.ones(len(program.runs), bool)
        unknown = np.zeros(len(program.runs)), np.full(len(program.runs), np.inf)
        self._scores = {step: tuple(map(np.copy, unknown)) for step in self.rungs}

    def note(self, record: Record) -> Record:
        """Takes note of how runs are doing at a rung; those that diverged are the worst of all."""
        if record.step in self._scores:
            sound = record.outcome.diverged_step < 0
            places = np.searchsorted(self._program.runs, record.runs[sound])
            accuracy, loss = self._scores[record.step]
            accuracy[places], loss[places] = record.outcome.dev_accuracy[sound], record.outcome.dev_loss[sound]
        return record

    def rank(self, rung: int, chunks: Iterable[Any]) -> Iterator[Record]:
        """Drops all runs but those of the best settings, once all chunks have reached a rung; nothing elsewhere."""
        if rung not in self._scores:
            return
        chunks = list(chunks)
        for record in (record for one in chunks for record in one.at_rung(rung)):
            self.note(record)
        in_race, program = self._in_race, self._program
        accuracy, loss = (scores[in_race] for scores in self._scores[rung])
        in_race[in_race] = survivors(program.settings[in_race], program.repeats[in_race], accuracy, loss)
        for one in chunks:
            yield from one.rank(rung, in_race)
