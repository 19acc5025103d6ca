"""Runs with equal static part share a program: compiled once, however many runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np

from jaxnets import initializers, losses, models, optimizers, schedules, training
from jaxnets.arguments import Argument
from jaxnets.data.dataset import Dataset
from jaxnets.names import UserError
from jaxnets.sweep.table import Run
from jaxnets.training import Plugin, Task, TrainState
from jaxnets.values import show

# What every run has as a traced number; the plug-ins' own floats come beside these.
_ALWAYS_TRACED = ("learning_rate", "warmup_steps", "initializer", "initializer_scale")
_TRACED_IF_GIVEN = ("weight_decay", "gradient_clip")


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
        numbers = {name: jax.ShapeDtypeStruct((), values.dtype) for name, values in self.hyperparameters.items()}
        return jax.eval_shape(partial(training.init, self.task), numbers, jax.ShapeDtypeStruct((), self.seeds.dtype))


def resolve(run: Run, dataset: Dataset) -> Run:
    """The run with what depends on the data set filled in: the batch size and the number of steps.

    Raises:
      UserError: if the batch is larger than the training set.
    """
    num_examples = len(dataset.train)
    batch_size = run["batch_size"] or num_examples
    if batch_size > num_examples:
        raise UserError(
            f"--batch_size: {batch_size} is larger than the {num_examples} training examples of '{dataset.name}'; "
            f"0 takes all of them."
        )
    steps_per_epoch = -(-num_examples // batch_size)
    num_steps = run["num_steps"] or max(1, round(run["num_epochs"] * steps_per_epoch))
    return {**run, "batch_size": batch_size, "num_steps": num_steps, "num_epochs": num_steps / steps_per_epoch}


def plan(runs: Sequence[Run], dataset: Dataset) -> list[Program]:
    """Groups resolved runs into programs, in the order of their first runs."""
    groups: dict[tuple, list[int]] = {}
    for number, run in enumerate(runs):
        groups.setdefault(_static_part(run), []).append(number)
    varying = _varying([runs[numbers[0]] for numbers in groups.values()])
    return [_program(runs, numbers, dataset, varying) for numbers in groups.values()]


def task_of(run: Run, dataset: Dataset) -> Task:
    """The static part of a resolved run.

    Raises:
      UserError: if the model or the head does not fit the data set.
    """
    head = losses.find(run["head"])
    given = {"num_outputs": head.num_outputs(dataset.num_classes), "vocabulary_size": len(dataset.vocabulary)}
    return Task(
        model=_model(run, dataset, given),
        optimizer=_plugin(optimizers.find(run["optimizer"]), optimizers.hyperparameters, run),
        schedule=_plugin(schedules.find(run["schedule"]), schedules.hyperparameters, run),
        head=head,
        batch_size=run["batch_size"],
        num_steps=run["num_steps"],
        num_examples=len(dataset.train),
        input_shape=dataset.train.inputs.shape[1:],
        input_dtype=dataset.train.inputs.dtype,
        own_initializer=run["initializer"] == "model",
    )


def _model(run: Run, dataset: Dataset, given: Mapping[str, Any]) -> Plugin:
    module = models.find(run["model"])
    holds = "text" if dataset.is_text else "features"
    takes = getattr(module, "takes", holds)
    if takes != holds:
        raise UserError(f"--model: '{run['model']}' takes {takes}, but --dataset={dataset.name} holds {holds}.")
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
    given = [name for name in (*floats, *_TRACED_IF_GIVEN) if run[name] is not None]
    return tuple(dict.fromkeys((*_ALWAYS_TRACED, *given)))


def _static_part(run: Run) -> tuple:
    traced = (*_traced_names(run), "seed")
    own_initializer = run["initializer"] == "model"
    return (traced, own_initializer, *((name, value) for name, value in run.items() if name not in traced))


def _varying(representatives: Sequence[Run]) -> list[str]:
    """The names whose values tell the programs apart; all that is traced varies within them."""
    names = dict.fromkeys(name for run in representatives for name in run if name not in (*_traced_names(run), "seed"))
    return [name for name in names if len({run.get(name) for run in representatives if name in run}) > 1]


def _program(runs: Sequence[Run], numbers: list[int], dataset: Dataset, varying: Sequence[str]) -> Program:
    members = [runs[number] for number in numbers]
    first = members[0]
    names = ["optimizer", *(name for name in varying if name != "optimizer" and first.get(name) is not None)]
    return Program(
        task=task_of(first, dataset),
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
    return np.array([run[name] for run in members], np.float32)
