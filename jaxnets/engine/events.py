"""What is asked of a running sweep, and what it reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from jaxnets.engine.keeping import KEEP_NONE, Keeping
from jaxnets.engine.plan import Program
from jaxnets.engine.segment import Outcome


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
    active: np.ndarray
    dropped: np.ndarray
    steps_taken: int
    steps_saved: int
    seconds: float
    params: Mapping[int, Any] = field(default_factory=dict)


Event = Compiling | Compiled | Record


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
