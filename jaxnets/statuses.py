"""How a run may end: one list, and the one function that decides when it does and why."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int


class Progress(NamedTuple):
    """Some runs at an evaluation."""

    step: int
    num_steps: int
    metric: Callable[[str], np.ndarray]  # by its name in `engine.segment.Outcome`: a value for each run
    dropped: Bool[np.ndarray, "runs"]  # by successive halving


class Status(NamedTuple):
    """A way to end."""

    name: str
    meaning: str
    is_finished: bool
    applies: Callable[[Progress], Bool[np.ndarray, "runs"]]


FINISHED, DIVERGED, STOPPED, INTERRUPTED = "finished", "diverged", "stopped", "interrupted"

# Of those that apply, the first one counts. While none does, a run goes on: what it is called if the sweep ends.
STATUSES = [
    Status(DIVERGED, "its loss or a gradient was not finite", False, lambda now: now.metric("diverged_step") >= 0),
    Status(STOPPED, "dropped by successive halving", False, lambda now: now.dropped),
    Status(FINISHED, "took all steps", True, lambda now: np.full(len(now.dropped), now.step == now.num_steps)),
    Status(INTERRUPTED, "the sweep ended before it", False, lambda now: np.zeros(len(now.dropped), bool)),
]
ACTIVE = -1


def decide(now: Progress) -> Int[np.ndarray, "runs"]:
    """The place in `STATUSES` of the reason for which each run ends after an evaluation; ACTIVE if it goes on."""
    return np.select([status.applies(now) for status in STATUSES], range(len(STATUSES)), ACTIVE).astype(np.int32)


def finished_names() -> list[str]:
    """The names of those that count as finished."""
    return [status.name for status in STATUSES if status.is_finished]


def are_finished(decided: Int[np.ndarray, "runs"]) -> Bool[np.ndarray, "runs"]:
    """Of what `decide` gives, which count as finished."""
    return np.isin(decided, [place for place, status in enumerate(STATUSES) if status.is_finished])
