"""A chunk: the runs of a program that are in memory together, trained segment by segment."""

from collections.abc import Iterator

from jaxnets.basics import spans
from jaxnets.engine import interrupts
from jaxnets.engine.checkpoints import Checkpoints, Snapshot
from jaxnets.engine.crew import Crew, Job, Segment
from jaxnets.engine.events import Record


def train(
    job: Job, chunk: range, snapshot: Snapshot | None = None, checkpoints: Checkpoints | None = None
) -> Iterator[Record]:
    """Trains a chunk of runs, segment by segment; the next segment is under way while one is reported.

    Runs that diverged or were dropped go no further. Those that are left are moved together as soon as that makes a
    device's part shorter. A signal ends it between two segments, after a checkpoint.

    Args:
      job: what to train.
      chunk: the places of the runs in the program.
      snapshot: where it goes on; None for the start.
      checkpoints: where it is kept how far it is; nowhere if None.

    Yields:
      A `Record` for each segment.

    Raises:
      KeyboardInterrupt: if a signal came.
    """
    crew, log = Crew(job, chunk, snapshot), _Log(checkpoints)
    if account := spans.account():
        crew.start_clock(account, snapshot)
    pending: Segment | None = None
    with interrupts.held() as came:
        for first, last in job.segments(snapshot.step if snapshot else 0):
            under_way = crew.dispatch(first, last)
            if pending is not None:
                yield log.add(crew.record(pending))
            pending = crew.judge(under_way)
            ending = came()
            if ending or log.due() or job.options.keeping.looks_at(job.program.task, last, not pending.going.all()):
                # the next segment takes the states' memory, so they are looked at before it
                now = log.add(crew.kept(pending))
                pending = None
                if crew.going.any() and (ending or log.due()):
                    log.write(crew.snapshot(last))
                yield now
            if ending:
                raise KeyboardInterrupt
            if not crew.going.any():
                break
            crew.pack()
        if pending is not None:
            yield crew.record(pending)


class _Log:
    """The records since the last checkpoint, for the next one."""

    def __init__(self, checkpoints: Checkpoints | None) -> None:
        self._checkpoints = checkpoints
        self._records: list[Record] = []

    def add(self, record: Record) -> Record:
        if self._checkpoints is not None:
            self._records.append(record)
        return record

    def due(self) -> bool:
        return self._checkpoints is not None and self._checkpoints.due()

    def write(self, snapshot: Snapshot) -> None:
        if self._checkpoints is not None:
            self._checkpoints.write(snapshot, self._records)
            self._records = []
