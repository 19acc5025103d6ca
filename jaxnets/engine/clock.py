"""Tells the steps of segments from their evaluations, for an account of the time, and traces a few of them."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax

from jaxnets import spans
from jaxnets.engine.plan import Program

_EVALUATIONS, _TRACED_STEPS, _MOST_TRACES = 3, 3, 8
"""Each operation of each run is an event: a trace of whole sweeps would take longer than they do."""

Call = Callable[..., Any]
"""`call(first, last, most_blocks=None)` carries a segment out, and gives its outcomes while they are under way."""


class Clock:
    """Adds the segments of a chunk to an account: of each the last seconds, as long as an evaluation takes, are that.

    An evaluation is timed by a call for no steps, before the first segment.
    """

    def __init__(self, account: spans.Account, program: Program, anew: bool, call: Call | None, blocks: int) -> None:
        self._account, self._program, self._blocks = account, program, blocks
        self._num_steps = program.task.num_steps
        self._watch = ThreadPoolExecutor(1)
        self._evaluations = dict.fromkeys((1, self._num_steps), 0.0)
        if call is not None:
            with spans.span(spans.PROFILE):
                self._evaluations = {step: _seconds(call, step) for step in self._evaluations}
                if anew and account.directory is not None and len(account.traces) < _MOST_TRACES:
                    self._trace(call)

    def _trace(self, call: Call) -> None:
        """Traces the last few steps, and the evaluation, of a block on each device."""
        options = jax.profiler.ProfileOptions()
        options.python_tracer_level = 0
        first = max(0, self._num_steps - _TRACED_STEPS)
        folder = self._account.trace_folder(len(self._account.traces))
        self._account.traces.append(time.perf_counter())
        with jax.profiler.trace(str(folder), create_perfetto_trace=True, profiler_options=options):
            jax.block_until_ready(call(first, self._num_steps, 1))

    def begin(self, outcomes: Any, blocks: int) -> None:
        """Notes when a segment begins, and has a thread note when it ends: the host may be busy then."""
        self._start, self._share = time.perf_counter(), blocks / self._blocks
        self._end: Future[float] = self._watch.submit(_ready, outcomes)

    def end(self, first: int, last: int, num_runs: int) -> None:
        """Adds the segment that is over, of so many runs."""
        start, end = self._start, self._end.result()
        evaluation = self._share * self._evaluations[self._num_steps if last == self._num_steps else 1]
        between = max(start, end - evaluation)
        self._account.add(spans.STEPS, start, between)
        self._account.add(spans.EVALUATION, between, end)
        self._account.trained.append((self._program, (last - first) * num_runs))


def _seconds(call: Call, step: int) -> float:
    """Seconds of an evaluation after so many steps: the fewest of some calls."""
    calls = []
    for _ in range(_EVALUATIONS):
        start = time.perf_counter()
        jax.block_until_ready(call(step, step))
        calls.append(time.perf_counter() - start)
    return min(calls)


def _ready(outcomes: Any) -> float:
    """Waits for the outcomes of a segment, and says when they were there."""
    jax.block_until_ready(outcomes)
    return time.perf_counter()
