"""Gathers what a running sweep reports."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.engine import tables
from jaxnets.engine.events import Compiled, Event, Record
from jaxnets.engine.keeping import KeepAll, KeepBest, Leader
from jaxnets.engine.sweep import Sweep
from jaxnets.engine.table import dataset_number
from jaxnets.engine.trained import Trained, model_of
from jaxnets.inference.model import Model

_NO_PROBABILITIES: Any = np.zeros((0, 0, 0), np.float32)


@dataclass
class Recorder:
    """The records of a sweep so far."""

    sweep: Sweep
    records: list[Record] = field(default_factory=list)
    params: dict[tuple[int, int], Any] = field(default_factory=dict)
    kept_model: Model | None = None
    num_compiled: int = 0
    compile_seconds: float = 0.0
    best: float = -np.inf
    untold: list[str] = field(default_factory=list)
    leader: str = ""
    _kept: Leader = field(default_factory=Leader)

    def take(self, event: Event) -> None:
        """Adds what an event tells."""
        if isinstance(event, Compiled):
            self.num_compiled += event.anew
            self.compile_seconds += event.seconds
            self.untold += [] if event.kept else [event.program.label]
        elif isinstance(event, Record):
            self.records.append(self._lean(event))
            self._follow(event)
            self._keep(event)

    def _lean(self, record: Record) -> Record:
        """The record without parameters, and without probabilities that nobody asks for."""
        asked = self.sweep.config.predictions and len(tables.judged_places(record))
        outcome = record.outcome if asked else record.outcome._replace(test_probabilities=_NO_PROBABILITIES)
        return replace(record, params={}, outcome=outcome)

    def _follow(self, record: Record) -> None:
        accuracy = np.where(record.outcome.diverged_step < 0, record.outcome.dev_accuracy, -np.inf)
        place = int(np.argmax(accuracy))
        if accuracy[place] > self.best:
            self.best = float(accuracy[place])
            rate = self.sweep.table[record.runs[place]]["learning_rate"]
            self.leader = f"{record.program.label} at {rate:.3g}"

    def _keep(self, record: Record) -> None:
        policy = self.sweep.options.keeping
        if record.params and not isinstance(policy, KeepAll):
            self.params = {key: params for key, params in self.params.items() if key[0] not in record.params}
        self.params.update({(run, record.step): params for run, params in record.params.items()})
        if isinstance(policy, KeepBest):
            before = self._kept.best
            self._kept.follow(record)
            self.params = {key: params for key, params in self.params.items() if key[0] in self._kept.runs}
            if self._kept.best != before:
                self.kept_model = self._best_model()

    def _best_model(self) -> Model | None:
        if self._kept.best is None:
            return None
        program, run, step = self._kept.best
        values = self.sweep.table[run]
        return model_of(values, program, run, self.sweep.folds[dataset_number(values)], self.params[run, step])

    @cached_property
    def hyperparameters(self) -> pd.DataFrame:
        """The table of runs before their first step."""
        return tables.hyperparameters(self.sweep.table)

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The runs and the curves."""
        return tables.runs_table(self.hyperparameters, self.records), tables.curves_table(self.records)

    def trained(self, *, interrupted: bool, seconds: float) -> Trained:
        """All of it."""
        runs, curves = self.tables()
        predictions = pd.DataFrame()
        if self.sweep.config.predictions:
            predictions = tables.predictions_table(self.sweep.table, self.records, self.sweep.folds)
        return Trained(
            config=self.sweep.config,
            runs=runs,
            curves=curves,
            predictions=predictions,
            table=self.sweep.table,
            folds=self.sweep.folds,
            programs=tuple(self.sweep.programs),
            kept={} if isinstance(self.sweep.options.keeping, KeepBest) else self.params,
            kept_model=self.kept_model,
            notes=(*self.sweep.notes, *self.not_told(), *self._saved()),
            devices=tuple(self.sweep.devices),
            interrupted=interrupted,
            num_programs=self.num_compiled,
            seconds=seconds,
            steps_taken=sum(record.steps_taken for record in self.records),
            steps_saved=sum(record.steps_saved for record in self.records),
        )

    def not_told(self) -> tuple[str, ...]:
        """What is trained anew each time, in a sentence."""
        labels = ", ".join(dict.fromkeys(self.untold))
        again = "is compiled anew by each sweep, and its runs are trained anew by one that is resumed"
        return (f"{labels}: calls the host with what cannot be compared, so it {again}.",) if labels else ()

    def _saved(self) -> tuple[str, ...]:
        """The steps that runs were spared, in a sentence."""
        share = sum(record.steps_saved for record in self.records) / max(1, self.sweep.num_steps)
        causes = "Halving and divergence" if self.sweep.options.halving else "Divergence"
        return (f"{causes} saved {share:.0%} of the steps.",) if share >= 0.005 else ()
