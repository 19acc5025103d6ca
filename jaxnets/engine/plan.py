"""Runs with equal static part share a program: compiled once, however many runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np

from jaxnets import models, training
from jaxnets.basics.errors import UserError, unknown
from jaxnets.config.arguments import Argument
from jaxnets.config.values import show
from jaxnets.data import texts
from jaxnets.data.dataset import Dataset
from jaxnets.data.texts import Texts
from jaxnets.engine.runs import Run
from jaxnets.models.blocks import TextBatch
from jaxnets.training import heads, initializers, optimizers, schedules
from jaxnets.training.run import Plugin, Task, TrainState
from jaxnets.training.word_rows import GivenVectors

UPDATES = ("auto", "dense", "rows")
# A step of a DAN with 16,000 × 300 vectors takes 18 ms dense, 3 ms in rows of its 1,104 words at most (one core).
_MANY_WORDS = 2

# What every run has as a traced number; the plug-ins' own floats come beside these.
_ALWAYS_TRACED = ("learning_rate", "warmup_steps", "initializer", "initializer_scale")
_TRACED_IF_GIVEN = ("weight_decay", "gradient_clip", "max_norm", "fold")


@dataclass(frozen=True)
class Program:
    """Runs that differ in traced numbers alone.

    Attributes:
      task: their static part.
      label: what tells the program from others of its sweep, such as `adam cosine`.
      runs: the runs' numbers in the table, `Int[runs]`.
      hyperparameters: their traced numbers by name, each `Float[runs]` (the initializer's index is an Int).
      seeds: `Int[runs]`.
    """

    task: Task
    label: str
    runs: np.ndarray
    hyperparameters: dict[str, np.ndarray]
    seeds: np.ndarray

    @cached_property
    def state(self) -> TrainState:
        """The shapes and dtypes of one run's state.

        Raises:
          UserError: if the model has an argument that it does not know.
        """
        return jax.eval_shape(partial(training.init, self.task), *self._numbers())

    def check(self, dataset: Dataset) -> None:
        """Traces a step, so that mistakes show before anything is written.

        Raises:
          UserError: if the parts of the run do not fit each other or the data set.
        """
        if not dataset.is_text and "max_norm" not in self.hyperparameters:
            _ = self.state  # tracing a step takes longer, and tells nothing more
            return
        numbers, seed = self._numbers()
        given = None
        if dataset.word_vectors is not None:
            shape = dataset.word_vectors.vectors.shape
            given = GivenVectors(
                jax.ShapeDtypeStruct(shape, np.float32),  # type: ignore[arg-type]
                jax.ShapeDtypeStruct(shape[:1], bool),  # type: ignore[arg-type]
                jax.ShapeDtypeStruct((), np.float32),  # type: ignore[arg-type]
            )
        state = jax.eval_shape(partial(training.init, self.task), numbers, seed, given)
        jax.eval_shape(partial(training.step, self.task), state, example_batch(self.task))

    def _numbers(self) -> tuple[dict[str, jax.ShapeDtypeStruct], jax.ShapeDtypeStruct]:
        """The shapes of one run's hyperparameters and seed."""
        numbers = {name: jax.ShapeDtypeStruct((), values.dtype) for name, values in self.hyperparameters.items()}
        return numbers, jax.ShapeDtypeStruct((), self.seeds.dtype)


def example_batch(task: Task) -> training.Split:
    """The shapes of a batch of two examples."""
    labels = jax.ShapeDtypeStruct((2,), np.int32)
    if task.input_shape is not None:
        return training.Split(jax.ShapeDtypeStruct((2, *task.input_shape), np.float32), labels)  # type: ignore[arg-type]
    words = jax.ShapeDtypeStruct((8,), np.int32)
    return training.Split(TextBatch(words, words, labels), labels)  # type: ignore[arg-type]


def resolve(run: Run, dataset: Dataset) -> Run:
    """The run with what depends on the data set filled in: batch size, number of steps, length of word vectors.

    Raises:
      UserError: if the batch is larger than the training set.
    """
    if dataset.word_vectors is not None and run.get("embedding_dim") == _default_dim(run):
        run = {**run, "embedding_dim": dataset.word_vectors.dim}
    num_examples = len(dataset.train)
    batch_size = run["batch_size"] or num_examples
    if batch_size > num_examples:
        raise UserError(
            f"batch_size: {batch_size} is larger than the {num_examples} training examples of '{dataset.name}'; "
            f"0 takes all of them."
        )
    steps_per_epoch = -(-num_examples // batch_size)
    num_steps = run["num_steps"] or max(1, round(run["num_epochs"] * steps_per_epoch))
    return {**run, "batch_size": batch_size, "num_steps": num_steps, "num_epochs": num_steps / steps_per_epoch}


def _default_dim(run: Run) -> Any:
    declared = models.hyperparameters(models.find(run["model"])).get("embedding_dim")
    return declared.default if declared else None


def with_folds(runs: Sequence[Run], num_folds: int) -> list[Run]:
    """The runs, each once for each fold; as they are if there is but one."""
    if num_folds == 1:
        return list(runs)
    return [{**run, "fold": fold} for run in runs for fold in range(num_folds)]


def plan(runs: Sequence[Run], dataset: Dataset, *, select_best: bool = False) -> list[Program]:
    """Groups resolved runs into programs, in the order of their first runs.

    Args:
      runs: from `resolve`.
      dataset: any of the folds.
      select_best: whether a run is judged at its best evaluation on dev instead of the last.
    """
    groups: dict[tuple, list[int]] = {}
    for number, run in enumerate(runs):
        groups.setdefault(_static_part(run), []).append(number)
    varying = _varying([runs[numbers[0]] for numbers in groups.values()])
    return [_program(runs, numbers, dataset, varying, select_best) for numbers in groups.values()]


def _in_rows(updates: str, vocabulary_size: int, budgets: tuple[int, ...]) -> bool:
    """Whether a step touches only the vectors of its batch's words."""
    if updates not in UPDATES:
        raise unknown("word_vector_updates", updates, UPDATES)
    if updates == "auto":
        return bool(budgets) and vocabulary_size > _MANY_WORDS * budgets[0]
    return updates == "rows" and bool(budgets)


def task_of(run: Run, dataset: Dataset, *, select_best: bool = False) -> Task:
    """The static part of a resolved run.

    Raises:
      UserError: if the model or the head does not fit the data set.
    """
    head = heads.find(run["head"])
    given = {"num_outputs": head.num_outputs(dataset.num_classes), "vocabulary_size": len(dataset.vocabulary)}
    inputs = dataset.train.inputs
    budgets = texts.budgets(inputs.lengths, run["batch_size"]) if isinstance(inputs, Texts) else ()
    return Task(
        model=_model(run, dataset, given),
        optimizer=_plugin(optimizers.find(run["optimizer"]), optimizers.hyperparameters, run),
        schedule=_plugin(schedules.find(run["schedule"]), schedules.hyperparameters, run),
        head=head,
        batch_size=run["batch_size"],
        num_steps=run["num_steps"],
        num_examples=len(dataset.train),
        input_shape=None if isinstance(inputs, Texts) else inputs.shape[1:],
        budgets=budgets,
        own_initializer=run["initializer"] == "model",
        train_word_vectors=run["train_word_vectors"],
        word_rows=run["train_word_vectors"] and _in_rows(run["word_vector_updates"], len(dataset.vocabulary), budgets),
        select_best=select_best,
    )


def _model(run: Run, dataset: Dataset, given: Mapping[str, Any]) -> Plugin:
    module = models.find(run["model"])
    holds = "text" if dataset.is_text else "features"
    takes = getattr(module, "takes", holds)
    if takes != holds:
        raise UserError(f"model: '{run['model']}' takes {takes}, but dataset={dataset.name} holds {holds}.")
    plugin = _plugin(module, models.hyperparameters, run)
    attributes = getattr(module, "__dataclass_fields__", {})
    static = {**plugin.static, **{name: value for name, value in given.items() if name in attributes}}
    return Plugin(module, static, plugin.traced)


def _plugin(function: Any, hyperparameters: Any, run: Run) -> Plugin:
    declared: Mapping[str, Argument] = hyperparameters(function)
    traced = tuple(name for name, argument in declared.items() if argument.traced and run[name] is not None)
    return Plugin(function, {name: run[name] for name in declared if name not in traced}, traced)


def _traced_names(run: Run) -> tuple[str, ...]:
    """The names of the run's hyperparameters that are arrays in its program."""
    plugins = (
        models.hyperparameters(models.find(run["model"])),
        optimizers.hyperparameters(optimizers.find(run["optimizer"])),
        schedules.hyperparameters(schedules.find(run["schedule"])),
    )
    floats = [name for declared in plugins for name, argument in declared.items() if argument.traced]
    given = [name for name in (*floats, *_TRACED_IF_GIVEN) if run.get(name) is not None]
    return tuple(dict.fromkeys((*_ALWAYS_TRACED, *given)))


def _static_part(run: Run) -> tuple:
    traced = (*_traced_names(run), "seed")
    own_initializer = run["initializer"] == "model"
    return (traced, own_initializer, *((name, value) for name, value in run.items() if name not in traced))


def _varying(representatives: Sequence[Run]) -> list[str]:
    """The names whose values tell the programs apart; all that is traced varies within them."""
    names = dict.fromkeys(name for run in representatives for name in run if name not in (*_traced_names(run), "seed"))
    return [name for name in names if len({run.get(name) for run in representatives if name in run}) > 1]


def _program(
    runs: Sequence[Run], numbers: list[int], dataset: Dataset, varying: Sequence[str], select_best: bool
) -> Program:
    members = [runs[number] for number in numbers]
    first = members[0]
    names = ["optimizer", *(name for name in varying if name != "optimizer" and first.get(name) is not None)]
    return Program(
        task=task_of(first, dataset, select_best=select_best),
        label=" ".join(_shown(name, first[name]) for name in names),
        runs=np.array(numbers),
        hyperparameters={name: _column(members, name) for name in _traced_names(first)},
        seeds=np.array([run["seed"] for run in members], np.int32),
    )


def _shown(name: str, value: Any) -> str:
    return str(show(value)) if isinstance(value, str | tuple) else f"{name}={value:g}"


def _column(members: Sequence[Run], name: str) -> np.ndarray:
    if name == "initializer":
        return np.array([initializers.index(run[name]) for run in members], np.int32)
    if name == "fold":
        return np.array([run[name] for run in members], np.int32)
    return np.array([run[name] for run in members], np.float32)
