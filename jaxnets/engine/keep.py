"""What a running sweep reports, whose parameters are kept meanwhile, and which run is the best so far."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from jaxnets.engine.plan import Program
from jaxnets.engine.segment import Outcome
from jaxnets.statuses import ACTIVE, are_finished
from jaxnets.training.state import Task


class Compiling(NamedTuple):
    """A program is about to be compiled."""

    program: Program


class Compiled(NamedTuple):
    """A program is ready to run."""

    program: Program
    seconds: float
    anew: bool
    kept: bool = True


@dataclass(frozen=True)
class Record:
    """A segment of some runs of a program is done: of those that were still active."""

    program: Program
    runs: np.ndarray
    first_step: int
    step: int
    outcome: Outcome
    status: np.ndarray  # see `statuses.decide`
    steps_taken: int
    steps_saved: int
    seconds: float
    params: Mapping[int, Any] = field(default_factory=dict)

    @property
    def active(self) -> np.ndarray:
        """Which of the runs go on."""
        return self.status == ACTIVE


Event = Compiling | Compiled | Record


class Keeping(Protocol):
    """Decides whose parameters are kept."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """Whether the parameters after a step may be wanted; if not, the device need not wait."""

    def places(self, record: Record, active: np.ndarray) -> Sequence[int]:
        """The places in `record.runs` of those whose parameters are kept; `active` are those that may go on."""


class KeepNone(Keeping):
    """Keeps nothing."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """Never."""
        return False

    def places(self, record: Record, active: np.ndarray) -> Sequence[int]:
        """None."""
        return ()


class KeepJudged(Keeping):
    """Keeps the models of all runs where they are judged: of each the last one is the one that counts."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """Where runs are judged."""
        return task.select_best or step == task.num_steps

    def places(self, record: Record, active: np.ndarray) -> Sequence[int]:
        """Those that are judged just now, and did not diverge."""
        judged = (record.outcome.diverged_step < 0) & ~np.isnan(record.outcome.test_loss)
        return np.flatnonzero(judged).tolist()


class KeepBest(KeepJudged):
    """Keeps the model of the run that is best on dev of those that finish; see `Leader`."""

    def places(self, record: Record, active: np.ndarray) -> Sequence[int]:
        """Those that are judged just now; after the last step of all, the first of the best ones is enough."""
        places = super().places(record, active)
        if record.program.task.select_best or not places:
            return places
        return (max(places, key=lambda place: record.outcome.dev_accuracy[place]),)


class KeepLast(KeepJudged):
    """Keeps the parameters of all runs after the last step that each takes; where the best is judged, those."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """After the last step of some, or where runs are judged."""
        return task.select_best or some_end

    def places(self, record: Record, active: np.ndarray) -> Sequence[int]:
        """Those that go no further."""
        if record.program.task.select_best:
            return super().places(record, active)
        return np.flatnonzero(~active).tolist()


class KeepAll(Keeping):
    """Keeps the parameters of all runs at each evaluation."""

    def looks_at(self, task: Task, step: int, some_end: bool) -> bool:
        """Always."""
        return True

    def places(self, record: Record, active: np.ndarray) -> Sequence[int]:
        """All."""
        return range(len(record.runs))


class Leader:
    """The run that is best on dev where it is judged, of those that finish: which do, is known when all have ended.

    Of runs that are equally good, the first program's counts, in it the earliest step's, and of these the first one: so
    it makes no difference in which chunks they were trained. Until all have ended, those that go on count as well.
    """

    def __init__(self) -> None:
        self._programs: list[Program] = []
        self._ranks: dict[int, tuple[float, int, int, int]] = {}
        self._finished: set[int] = set()

    def follow(self, record: Record) -> None:
        """Takes note of the runs that were judged, and of those that ended."""
        if not any(record.program is one for one in self._programs):
            self._programs.append(record.program)
        number = next(number for number, one in enumerate(self._programs) if one is record.program)
        for run in record.params:
            accuracy = float(record.outcome.dev_accuracy[np.searchsorted(record.runs, run)])
            self._ranks[run] = -accuracy, number, record.step, run
        sound = are_finished(record.status)
        for run in record.runs[~record.active & ~sound].tolist():
            self._ranks.pop(run, None)
        self._finished.update(run for run in record.runs[sound].tolist() if run in self._ranks)
        if self._finished:
            first = min(self._finished, key=self._ranks.__getitem__)
            for run in self._finished - {first}:
                del self._ranks[run]
            self._finished = {first}

    @property
    def runs(self) -> Collection[int]:
        """The best one of those that finished, and those that may become it."""
        return self._ranks.keys()

    @property
    def best(self) -> tuple[Program, int, int] | None:
        """The best of these for now: its program, its number and the step at which it was judged."""
        if not self._ranks:
            return None
        _, number, step, run = min(self._ranks.values())
        return self._programs[number], run, step


class Records:
    """The records of the segments of some runs, in their order, without parameters that nobody asks for any more."""

    def __init__(self, policy: Keeping, num_runs: int) -> None:
        self._policy, self._most = policy, 2 * num_runs
        self._records: list[Record] = []
        self._held = 0

    def add(self, record: Record) -> None:
        """Adds the next one."""
        self._records.append(record)
        self._held += len(record.params)
        if self._held > self._most:
            self.settled()

    def settled(self) -> list[Record]:
        """All of them."""
        self._records = _settled(self._policy, self._records)
        self._held = sum(len(record.params) for record in self._records)
        return self._records


def _settled(policy: Keeping, records: Sequence[Record]) -> list[Record]:
    if isinstance(policy, KeepAll):
        return list(records)
    leader = Leader()
    last: dict[int, int] = {}
    for record in records:
        leader.follow(record)
        last.update(dict.fromkeys(record.params, record.step))
    wanted = leader.runs if isinstance(policy, KeepBest) else last.keys()

    def lean(record: Record) -> Any:
        own = {run: params for run, params in record.params.items() if run in wanted and last[run] == record.step}
        return record if len(own) == len(record.params) else replace(record, params=own)

    return [lean(record) for record in records]


KEEP_NONE = KeepNone()
POLICIES: dict[str, type[Keeping]] = {
    "none": KeepNone,
    "best": KeepBest,
    "seeds": KeepJudged,  # which these are is known at the end; see `jaxnets.runs.train`
    "last": KeepLast,
    "all": KeepAll,
}


class Options(NamedTuple):
    """How the programs are carried out."""

    evaluate_every: int = 0
    memory_limit: float = 0.0
    predictions: bool = False
    keeping: Keeping = KEEP_NONE
    stream: bool = False
    halving: bool = False
    checkpoint_every: float = 0.0


DEFAULT_OPTIONS = Options()
