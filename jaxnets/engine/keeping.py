"""Whose parameters are kept while a sweep runs, and which run is the best so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from jaxnets.engine.segments import Outcome
from jaxnets.training.state import Task


class Reported(Protocol):
    """A segment of some runs."""

    @property
    def program(self) -> object:
        """The program of these runs."""

    @property
    def runs(self) -> np.ndarray:
        """The runs' numbers in the table."""

    @property
    def step(self) -> int:
        """The steps that each has behind it."""

    @property
    def outcome(self) -> Outcome:
        """How they are doing."""

    @property
    def going(self) -> np.ndarray:
        """Which of them go on."""


class Keeping(Protocol):
    """Decides whose parameters are kept."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """Whether the parameters after a step may be wanted; if not, the device need not wait.

        Args:
          task: of the runs.
          step: those that they have taken.
          some_end: whether some of them go no further.
        """

    def places(self, record: Reported) -> Sequence[int]:
        """The places in `record.runs` of those whose parameters are kept."""


@dataclass
class Best:
    """The best accuracy on dev so far, over all runs of all programs."""

    accuracy: float = -np.inf

    def improved_by(self, outcome: Outcome, *, judged: bool = False, or_equal: bool = False) -> int | None:
        """The place of the run that is better than all before it, of those judged just now or of all; None if none is.

        Runs that diverged do not count.

        Args:
          outcome: how the runs are doing.
          judged: whether those alone count that are judged just now.
          or_equal: whether one that is as good as the best counts as better.
        """
        counts = outcome.diverged_step < 0
        if judged:
            counts &= ~np.isnan(outcome.test_loss)
        accuracy = np.where(counts, outcome.dev_accuracy, -np.inf)
        place = int(np.argmax(accuracy))
        if not (accuracy[place] > self.accuracy or (or_equal and accuracy[place] == self.accuracy > -np.inf)):
            return None
        self.accuracy = float(accuracy[place])
        return place


class KeepNone(Keeping):
    """Keeps nothing."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """Never."""
        return False

    def places(self, record: Reported) -> Sequence[int]:
        """None."""
        return ()


class KeepBest(Keeping):
    """Keeps the model of each run that is the best one so far on dev, where it is judged.

    Of runs that are equally good, the first program's counts, in it the earliest step's, and of these the first one: so
    it makes no difference in which chunks they were trained.
    """

    def __init__(self) -> None:
        self._best, self._step = Best(), 0
        self._program: object = None

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """Where runs are judged."""
        return task.select_best or step == task.num_steps

    def places(self, record: Reported) -> Sequence[int]:
        """The best one, if it is better than all before."""
        earlier = record.program is self._program and record.step < self._step
        place = self._best.improved_by(record.outcome, judged=True, or_equal=earlier)
        if place is None:
            return ()
        self._program, self._step = record.program, record.step
        return (place,)


class KeepJudged(Keeping):
    """Keeps the models of all runs where they are judged: of each the last one is the one that counts."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """Where runs are judged."""
        return task.select_best or step == task.num_steps

    def places(self, record: Reported) -> Sequence[int]:
        """Those that are judged just now, and did not diverge."""
        judged = (record.outcome.diverged_step < 0) & ~np.isnan(record.outcome.test_loss)
        return np.flatnonzero(judged).tolist()


class KeepLast(Keeping):
    """Keeps the parameters of all runs after the last step that each takes."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """After the last step of some."""
        return some_end

    def places(self, record: Reported) -> Sequence[int]:
        """Those that go no further."""
        return np.flatnonzero(~record.going).tolist()


class KeepAll(Keeping):
    """Keeps the parameters of all runs at each evaluation."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """Always."""
        return True

    def places(self, record: Reported) -> Sequence[int]:
        """All."""
        return range(len(record.runs))


KEEP_NONE = KeepNone()
POLICIES: dict[str, type[Keeping]] = {
    "none": KeepNone,
    "best": KeepBest,
    "seeds": KeepNone,  # which these are is known at the end; see `jaxnets.engine.kept`
    "last": KeepLast,
    "all": KeepAll,
}
