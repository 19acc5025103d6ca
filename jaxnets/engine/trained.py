"""What a sweep has found, in memory: its tables, and its parameters where they were kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn
from jaxtyping import Array

from jaxnets import training
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset
from jaxnets.engine.plan import Program
from jaxnets.trained import model as saved
from jaxnets.training.run import TrainState
from jaxnets.training.word_rows import GivenVectors


@dataclass(frozen=True)
class Trained:
    """The runs of a configuration, and what became of them.

    Attributes:
      config: what was asked for.
      runs: a row for each run; see `jaxnets.engine.tables.runs_table`.
      curves: a row for each run and evaluation; see `jaxnets.engine.tables.curves_table`.
      predictions: with `--predictions`, what the runs say of the test examples; see
        `jaxnets.engine.tables.predictions_table`.
      folds: the data set; one, unless it was cross-validated.
      programs: that the runs were trained by.
      kept: the parameters by run and step, with `--keep=last` and `--keep=all`: nested dictionaries of arrays.
      interrupted: whether the user ended the sweep before its time.
      num_programs: how many programs were compiled.
      seconds: from the first compilation to the last record.
    """

    config: Config
    runs: pd.DataFrame
    curves: pd.DataFrame
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    folds: tuple[Dataset, ...] = ()
    programs: tuple[Program, ...] = ()
    kept: Mapping[tuple[int, int], Any] = field(default_factory=dict)
    interrupted: bool = False
    num_programs: int = 0
    seconds: float = 0.0
    _init: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    def program(self, run: int) -> tuple[Program, int]:
        """The program of a run, and the run's place in it."""
        for program in self.programs:
            places = np.flatnonzero(program.runs == run)
            if len(places):
                return program, int(places[0])
        raise KeyError(run)

    def numbers(self, run: int) -> dict[str, Array]:
        """The traced hyperparameters of a run."""
        program, place = self.program(run)
        return {name: jnp.asarray(values[place]) for name, values in program.hyperparameters.items()}

    def dataset(self, run: int) -> Dataset:
        """The data set, or the fold, of a run."""
        return self.folds[int(self.numbers(run).get("fold", 0))]

    def model(self, run: int) -> nn.Module:
        """The Flax module of a run: `model(run).apply({"params": params(run)}, inputs)` gives its logits."""
        return self.program(run)[0].task.model(self.numbers(run))

    def logits(self, run: int, inputs: Any, step: int | None = None) -> np.ndarray:
        """What the model of a run gives for features `[examples, features]` or a `TextBatch`, without dropout."""
        params = jax.tree.map(jnp.asarray, self.params(run, step))
        return np.asarray(self.model(run).apply({"params": params}, jax.tree.map(jnp.asarray, inputs)))

    def saved(self, run: int) -> saved.Model:
        """The model of a run after its last step, as `train` keeps one: it can be asked about texts.

        Raises:
          KeyError: if its parameters were not kept.
        """
        row = {str(name): value for name, value in self.runs.set_index("run").loc[run].items()}
        return saved.model(row, self.program(run)[0], run, self.dataset(run), self.params(run))

    def start(self, run: int) -> TrainState:
        """The state of a run before its first step: the same bits as in the sweep, on a CPU."""
        program, place = self.program(run)
        vectors = self.dataset(run).word_vectors
        given = vectors and GivenVectors(
            jnp.asarray(vectors.vectors), jnp.asarray(vectors.given), jnp.float32(vectors.deviation)
        )
        if id(program) not in self._init:
            self._init[id(program)] = jax.jit(partial(training.init, program.task))
        return self._init[id(program)](self.numbers(run), jnp.asarray(program.seeds[place]), given)

    def params(self, run: int, step: int | None = None) -> Any:
        """The parameters of a run after a step, or after its last; step 0 is the start.

        Raises:
          KeyError: if they were not kept.
        """
        if step == 0:
            return self.start(run).params
        return self.kept[run, self.program(run)[0].task.num_steps if step is None else step]

    def steps(self, run: int) -> list[int]:
        """The steps at which the parameters of a run were kept, ascending; not the start."""
        return sorted(step for number, step in self.kept if number == run)
