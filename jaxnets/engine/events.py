"""What is asked of a running sweep, and what it reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from jaxnets.engine.keeping import KEEP_NONE, Keeping
from jaxnets.engine.program import Program
from jaxnets.engine.segments import Outcome


class Compiling(NamedTuple):
    """A program is about to be compiled."""

    program: Program


class Compiled(NamedTuple):
    """A program is ready to run.

    Attributes:
      program: the program.
      seconds: that it took.
      anew: whether it was compiled now; otherwise an earlier sweep of this process had left it.
      kept: whether a later sweep may use it.
    """

    program: Program
    seconds: float
    anew: bool
    kept: bool = True


@dataclass(frozen=True)
class Record:
    """A segment of some runs of a program is done: of those that were still going.

    Attributes:
      program: the program of these runs.
      runs: their numbers in the table.
      first_step: the steps that each had behind it before the segment.
      step: the steps that each has behind it now.
      outcome: NumPy arrays, `[runs]` each; the probabilities of the test examples `[runs, examples, classes]`, in the
        order of the split, without examples where they are not kept.
      going: which of them go on, `bool[runs]`; not those at their end, that diverged, or that were dropped.
      dropped: which of them successive halving has dropped, `bool[runs]`.
      steps_taken: in the segment, of all runs together.
      steps_saved: the steps of runs that had diverged or were dropped before.
      seconds: since the segment before, shared out among the runs.
      params: of those runs that are to be kept, by their numbers.
    """

    program: Program
    runs: np.ndarray
    first_step: int
    step: int
    outcome: Outcome
    going: np.ndarray
    dropped: np.ndarray
    steps_taken: int
    steps_saved: int
    seconds: float
    params: Mapping[int, Any] = field(default_factory=dict)


Event = Compiling | Compiled | Record


class Options(NamedTuple):
    """How the programs are carried out.

    Attributes:
      evaluate_every: steps between two evaluations; 0 for an epoch.
      memory_limit: GiB that the runs may fill at a time; 0 for half of what is free.
      predictions: whether the probabilities of the test examples are asked for.
      keeping: whose parameters are asked for.
      stream: whether the training examples are streamed, as they do not fit on the devices.
      halving: whether the worst settings are dropped on the way; see `jaxnets.engine.halving`.
      checkpoint_every: seconds between two checkpoints of a chunk, at least; 0 is none but when a signal comes.
    """

    evaluate_every: int = 0
    memory_limit: float = 0.0
    predictions: bool = False
    keeping: Keeping = KEEP_NONE
    stream: bool = False
    halving: bool = False
    checkpoint_every: float = 0.0


DEFAULT_OPTIONS = Options()
