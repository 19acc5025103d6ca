"""The results of a sweep in memory: its tables, and its parameters where they were kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn
from jaxtyping import Array

from jaxnets import jax_settings, training
from jaxnets.config.config import Config
from jaxnets.config.values import brief, show
from jaxnets.data.dataset import Dataset
from jaxnets.engine.plan import Program
from jaxnets.engine.table import Run, are_independent
from jaxnets.errors import UserError
from jaxnets.inference import predict
from jaxnets.inference.model import Model
from jaxnets.models.blocks import TextBatch
from jaxnets.plugins import Plugin
from jaxnets.training import precision
from jaxnets.training.state import TrainState
from jaxnets.training.word_rows import GivenVectors


@dataclass(frozen=True, repr=False)
class Trained:
    """The runs of a configuration, and what became of them.

    Attributes:
      config: what was asked for.
      runs: a row for each run; see `jaxnets.engine.tables.runs_table`.
      curves: a row for each run and evaluation; see `jaxnets.engine.tables.curves_table`.
      predictions: with `predictions`, what the runs say of the test examples; see
        `jaxnets.engine.tables.predictions_table`.
      table: the runs' hyperparameters as typed values, plug-ins looked up.
      folds: the data set; one, unless it was cross-validated or has blocks.
      programs: that trained the runs.
      kept: the parameters by run and step, where `keep` is seeds, last or all: nested dictionaries of arrays.
      kept_model: the model that is best on dev, where `keep` is best.
      notes: what the user should know of the data and the runs, a sentence each.
      devices: that the runs were trained on, in words.
      interrupted: whether the user ended the sweep before its time.
      num_programs: how many programs were compiled.
      seconds: from the first compilation to the last record.
      steps_taken: of all runs together.
      steps_saved: those that runs were spared as they had diverged, or were dropped by successive halving.
    """

    config: Config
    runs: pd.DataFrame
    curves: pd.DataFrame
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    table: Sequence[Run] = ()
    folds: tuple[Dataset, ...] = ()
    programs: tuple[Program, ...] = ()
    kept: Mapping[tuple[int, int], Any] = field(default_factory=dict)
    kept_model: Model | None = None
    notes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    interrupted: bool = False
    num_programs: int = 0
    seconds: float = 0.0
    steps_taken: int = 0
    steps_saved: int = 0
    _init: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        """What it holds, in a line."""
        states = self.runs["status"].value_counts().items() if "status" in self.runs else ()
        counts = ", ".join(f"{count:,} {status}" for status, count in states)
        return f"<{type(self).__name__}: {len(self.runs):,} runs ({counts or 'none'}), {self.seconds:.1f} s>"

    @property
    def test_share(self) -> float:
        """By what folds and blocks are correlated; see `jaxnets.comparison.table.TaskFacts.test_share`."""
        if not self.folds:
            return np.nan
        return 0.0 if are_independent(self.config) else len(self.folds[0].test) / len(self.folds[0].train)

    def program(self, run: int) -> tuple[Program, int]:
        """The program of a run, and the run's place in it.

        Raises:
          UserError: if there is no such run.
        """
        self.check_run(run)
        for program in self.programs:
            places = np.flatnonzero(program.runs == run)
            if len(places):
                return program, int(places[0])
        raise UserError(f"run: of run {run} there are the tables alone, as read from a directory; `train` trains anew.")

    def check_run(self, run: Any) -> None:
        """Refuses what is not the number of a run.

        Raises:
          UserError: if it is none.
        """
        if isinstance(run, bool) or not isinstance(run, Integral) or run not in range(len(self.runs)):
            known = f"the runs are 0 to {len(self.runs) - 1}" if len(self.runs) else "there are none"
            raise UserError(f"run: there is no run {brief(run)}; {known}.")

    @jax_settings.pinned()
    def numbers(self, run: int) -> dict[str, Array]:
        """The traced hyperparameters of a run."""
        program, place = self.program(run)
        return {name: jnp.asarray(values[place]) for name, values in program.hyperparameters.items()}

    def dataset(self, run: int) -> Dataset:
        """The data set, or the fold or block, of a run."""
        return self.folds[int(self.numbers(run).get("fold", 0))]

    def values(self, run: int, *names: str) -> dict[str, Any]:
        """Some of the hyperparameters of a run, as `Config` takes them."""
        self.program(run)
        chosen = {name: self.table[run][name] for name in names if name in self.table[run]}
        return {name: value.reference if isinstance(value, Plugin) else value for name, value in chosen.items()}

    def module(self, run: int) -> nn.Module:
        """The Flax module of a run: `module(run).apply({"params": params(run)}, inputs)` gives its logits."""
        program, place = self.program(run)
        # numbers of Python, so that the module has a hash
        numbers = {name: float(program.hyperparameters[name][place]) for name in program.task.model.traced}
        return program.task.model(numbers)

    @jax_settings.pinned()
    def logits(self, run: int, inputs: Any, step: int | None = None) -> np.ndarray:
        """What the model of a run gives for features `[examples, features]` or a `TextBatch`, without dropout."""
        params = jax.tree.map(jnp.asarray, self.params(run, step))
        if not isinstance(inputs, TextBatch):
            inputs = predict.features(self.model(run), inputs)
        logits = self.module(run).apply({"params": params}, jax.tree.map(jnp.asarray, inputs))
        return np.asarray(precision.widened(logits))

    def model(self, run: int) -> Model:
        """The model of a run where it is judged, as `train` keeps one: it can be asked by itself.

        Raises:
          UserError: if its parameters were not kept.
        """
        return model_of(self.table[run], self.program(run)[0], run, self.dataset(run), self.params(run))

    def predict(self, run: int, inputs: Any) -> np.ndarray:
        """What a run says of new inputs: the most probable class of each, as its label was given.

        Args:
          run: its number in the table.
          inputs: features `[examples, features]`, in the form of those that the run learned from; or texts.

        Raises:
          UserError: if its parameters were not kept, or the inputs are not what its model takes.

        >>> import jaxnets
        >>> xor = jaxnets.sweep(dataset="xor", learning_rate=0.03, batch_size=0, num_steps=100, progress=False)
        >>> xor.predict(0, [[0, 0], [0, 1], [1, 0], [1, 1]]).tolist()
        ['same', 'different', 'different', 'same']
        """
        return predict.labels(self.model(run), inputs)

    def probabilities(self, run: int, inputs: Any) -> np.ndarray:
        """The probability that a run gives to each class, `float32[examples, classes]`; see `predict`."""
        return predict.probabilities(self.model(run), inputs)

    @jax_settings.pinned()
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
        """The parameters of a run after a step; otherwise those by which it is judged. Step 0 is the start.

        Of a run that is not judged, as it did not finish, they are those after the last step at which they were kept.

        Raises:
          UserError: if they were not kept.
        """
        self.check_run(run)
        if step == 0:
            return self.start(run).params
        num_steps = self._num_steps(run)
        last = judged_step(self.runs, self.kept, run, num_steps) if step is None else step
        if (run, last) not in self.kept:
            keeps = "keep=last keeps" if step is None else "keep=all keeps"
            kept = f"; kept are those after {', '.join(map(str, steps))}" if (steps := self.steps(run)) else ""
            raise UserError(
                f"step: the parameters of run {run} after step {brief(last)} were not kept{kept}; {keeps} them."
            )
        return self.kept[run, last]

    def _num_steps(self, run: int) -> int:
        return int(self.runs["num_steps"].iloc[run])

    def steps(self, run: int) -> list[int]:
        """The steps at which the parameters of a run were kept, ascending; not the start."""
        self.check_run(run)
        return sorted(step for number, step in self.kept if number == run)


def judged_step(runs: pd.DataFrame, kept: Collection[tuple[int, int]], run: int, default: int = 0) -> int:
    """The step of the parameters that answer for a run: the judged one, else the last that was kept."""
    judged = runs.loc[runs["run"] == run, "judged_step"].dropna() if "judged_step" in runs else pd.Series(dtype=int)
    return int(judged.iloc[0]) if len(judged) else max((step for one, step in kept if one == run), default=default)


def model_of(run: Run, program: Program, number: int, dataset: Dataset, params: Any) -> Model:
    """The model of a run."""
    bound = program.task.model
    place = int(np.flatnonzero(program.runs == number)[0])
    traced = {name: float(program.hyperparameters[name][place]) for name in bound.traced}
    # plug-ins among the arguments keep their names
    static = {name: run[name] if name in run["model"].arguments else value for name, value in bound.static}
    about = {"run": number, "dataset": dataset.name, **{name: show(value) for name, value in run.items()}}
    if not dataset.is_text:
        about["num_features"] = np.asarray(dataset.train.inputs).shape[1]
    return Model(
        plugin=run["model"],
        head=run["head"],
        arguments=static | traced,
        class_names=dataset.class_names,
        vocabulary=dataset.vocabulary,
        tokenizer=dataset.tokenizer,
        about=about,
        params=params,
        label_type=dataset.label_type,
        max_length=dataset.max_length,
    )
