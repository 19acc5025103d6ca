"""Whether a sweep can be: its runs, its nets and what it gives are counted before any of them is made."""

from collections.abc import Sequence

import jax
import numpy as np

from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset
from jaxnets.engine import devices
from jaxnets.engine.devices import Placement
from jaxnets.engine.layout import layout, least_bytes, num_params, state_bytes
from jaxnets.engine.plan import Program
from jaxnets.engine.table import check_memory
from jaxnets.io import free_memory

# By estimate, and less than sweeps take in the end: 10,000 runs of xor took 5.5 kB each before their first step, and
# their 20 evaluations 0.7 kB each while the tables were made.
_RECORD_BYTES, _ROW_BYTES = 2_000, 100
_PREDICTION_BYTES = 50


def check_nets(programs: Sequence[Program], placement: Placement) -> None:
    """Refuses nets of which not even the fewest that are trained together fit into the memory."""
    free = devices.free_bytes(placement.mesh.devices.flat[0])
    for program in programs:
        about = f"'{program.task.model.function.__name__}' of {num_params(program):,} parameters in training"
        check_memory("model", about, least_bytes(program, placement), free)


def check_waiting(programs: Sequence[Program], placement: Placement, memory_limit: float) -> None:
    """Refuses successive halving where the runs of a program, which wait for each other, do not fit into the memory."""
    for program in programs:
        if len(layout(program, placement, memory_limit).chunks) > 1:
            states = len(program.runs) * state_bytes(program)
            check_memory(
                "search", f"the states of {len(program.runs):,} runs that halving ranks", states, free_memory()
            )


def check_results(programs: Sequence[Program], folds: Sequence[Dataset], config: Config) -> None:
    """Refuses a sweep whose evaluations, parameters that are kept and predictions do not fit into the memory."""
    rows = [len(program.runs) * _evaluations(program, config) for program in programs]
    records = sum(_evaluations(program, config) for program in programs)
    by_steps = "evaluate_every" if config.evaluate_every else "num_epochs"
    needs = {
        by_steps: (f"{sum(rows):,} evaluations", sum(rows) * _ROW_BYTES + records * _RECORD_BYTES),
        "keep": (f"the parameters of keep={config.keep}", _kept_bytes(programs, rows, config.keep)),
        "predictions": ("the predictions of all runs", _prediction_bytes(programs, folds) if config.predictions else 0),
    }
    largest = max(needs, key=lambda name: needs[name][1])
    check_memory(largest, needs[largest][0], sum(size for _, size in needs.values()), free_memory())


def _evaluations(program: Program, config: Config) -> int:
    """How often each run is evaluated."""
    return -(-program.task.num_steps // (config.evaluate_every or program.task.steps_per_epoch))


def _kept_bytes(programs: Sequence[Program], rows: Sequence[int], keep: str) -> int:
    each = [len(program.runs) for program in programs]
    copies = {"last": each, "seeds": each, "all": rows}.get(keep, [0] * len(programs))
    return sum(
        copy * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(program.state.params))
        for copy, program in zip(copies, programs, strict=True)
    )


def _prediction_bytes(programs: Sequence[Program], folds: Sequence[Dataset]) -> int:
    examples = max(len(fold.test) for fold in folds)
    of_example = _PREDICTION_BYTES + np.float32().itemsize * folds[0].num_classes
    return sum(len(program.runs) for program in programs) * examples * of_example
