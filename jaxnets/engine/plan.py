"""Runs with equal static part share a program: compiled once, however many runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jaxnets import models
from jaxnets.config.values import MOST_INT, show
from jaxnets.data import texts
from jaxnets.data.dataset import Dataset
from jaxnets.data.texts import Texts
from jaxnets.engine.program import Program
from jaxnets.engine.runs import Run, dataset_number
from jaxnets.errors import UserError
from jaxnets.plugins import WITH_ARGUMENTS, Plugin
from jaxnets.training import initializers, probes, schedules
from jaxnets.training.heads import Head
from jaxnets.training.state import Bound, Task

# A step of a DAN with 16,000 × 300 vectors takes 18 ms dense, 3 ms in rows of its 1,104 words at most (one core).
_MANY_WORDS = 2

# What every run has as a traced number; the plug-ins' own floats come beside these.
_ALWAYS_TRACED = ("learning_rate", "warmup_steps", "initializer", "initializer_scale")
_TRACED_IF_GIVEN = ("weight_decay", "gradient_clip", "max_norm")

# What tells repetitions of a setting apart.
_REPETITIONS = ("seed", "fold", "block")


def resolve(run: Run, dataset: Dataset) -> Run:
    """The run with what depends on the data set filled in: batch size, number of steps, length of word vectors."""
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
    if num_steps > MOST_INT:
        raise UserError(f"num_epochs: {run['num_epochs']:g} are {num_steps:,} steps; a run has {MOST_INT:,} at most.")
    return {**run, "batch_size": batch_size, "num_steps": num_steps, "num_epochs": num_steps / steps_per_epoch}


def _default_dim(run: Run) -> Any:
    declared = run["model"].arguments.get("embedding_dim")
    return declared.default if declared else None


def with_folds(runs: Sequence[Run], num_folds: int) -> list[Run]:
    """The runs, each once for each fold; as they are if there is but one."""
    if num_folds == 1:
        return list(runs)
    return [{**run, "fold": fold} for run in runs for fold in range(num_folds)]


def plan(
    runs: Sequence[Run], dataset: Dataset, *, select_best: bool = False, lengths: np.ndarray | None = None
) -> list[Program]:
    """Groups resolved runs into programs, in the order of their first runs."""
    groups: dict[tuple, list[int]] = {}
    for number, run in enumerate(runs):
        groups.setdefault(_static_part(run), []).append(number)
    varying = _varying([runs[numbers[0]] for numbers in groups.values()])
    made = []
    for numbers in groups.values():
        task = task_of(runs[numbers[0]], dataset, select_best=select_best, lengths=lengths)
        if task.schedule.function is schedules.constant and not any(runs[number]["warmup_steps"] for number in numbers):
            task = replace(task, scheduled=False)
        made.append(_program(runs, numbers, task, varying))
    return made


def longest(folds: Sequence[Dataset]) -> np.ndarray | None:
    """Lengths of texts, `Int[texts]`, such that a batch of any of several folds fits where one of these does.

    None if there is but one fold, or it holds no texts.
    """
    of_folds = [np.sort(fold.train.inputs.lengths) for fold in folds if isinstance(fold.train.inputs, Texts)]
    return np.max(of_folds, axis=0) if len(of_folds) > 1 else None


def task_of(run: Run, dataset: Dataset, *, select_best: bool = False, lengths: np.ndarray | None = None) -> Task:
    """The static part of a resolved run."""
    head: Head = run["head"].value
    given = {"num_outputs": head.num_outputs(dataset.num_classes), "vocabulary_size": len(dataset.vocabulary)}
    inputs = dataset.train.inputs
    budgets: tuple[int, ...] = ()
    if isinstance(inputs, Texts):
        budgets = texts.budgets(inputs.lengths if lengths is None else lengths, run["batch_size"])
    task = Task(
        model=_model(run, dataset, given),
        optimizer=_bound(run["optimizer"], run),
        schedule=_bound(run["schedule"], run),
        head=head,
        batch_size=run["batch_size"],
        num_steps=run["num_steps"],
        num_examples=len(dataset.train),
        input_shape=None if isinstance(inputs, Texts) else np.shape(inputs)[1:],
        budgets=budgets,
        own_initializer=run["initializer"].name == "model",
        guest_initializer=run["initializer"].value if _is_guest(run["initializer"]) else None,
        train_word_vectors=run["train_word_vectors"],
        select_best=select_best,
    )
    return replace(task, word_rows=_in_rows(task, run, len(dataset.vocabulary)))


def _in_rows(task: Task, run: Run, vocabulary_size: int) -> bool:
    """Whether a step touches only the vectors of its batch's words."""
    if not (task.budgets and task.train_word_vectors):
        return False
    if run["word_vector_updates"] == "auto" and vocabulary_size > _MANY_WORDS * task.budgets[0]:
        return probes.rows_fit(task, numbers_of(run))
    return run["word_vector_updates"] == "rows"


def numbers_of(run: Run) -> dict[str, Any]:
    """The hyperparameters of a run that are arrays in its program."""
    return {name: _column([run], name)[0] for name in _traced_names(run)}


def _is_guest(initializer: Plugin) -> bool:
    """Whether an initializer is none of the built-in ones, among which a traced number chooses."""
    return initializers.KNOWN.get(initializer.name) is not initializer.value


def _model(run: Run, dataset: Dataset, given: Mapping[str, Any]) -> Bound:
    model: Plugin = run["model"]
    takes = getattr(model.value, "takes", dataset.kind)
    if takes != dataset.kind:
        fitting = [name for name, value in models.KNOWN.items() if getattr(value, "takes", "") == dataset.kind]
        raise UserError(
            f"model: '{model.name}' takes {takes}, but dataset={dataset.name} holds {dataset.kind}; take "
            f"{' or '.join(f'--model={name}' for name in fitting)}."
        )
    attributes = getattr(model.value, "__dataclass_fields__", {})
    return _bound(model, run).with_static(**{name: value for name, value in given.items() if name in attributes})


def _bound(plugin: Plugin, run: Run) -> Bound:
    """A plug-in with its arguments in a run."""
    traced = _traced_arguments(plugin, run)
    static = {name: run[name] for name in plugin.arguments if name not in traced}
    return Bound(
        plugin.value,
        tuple((name, value.value if isinstance(value, Plugin) else value) for name, value in static.items()),
        traced,
    )


def _traced_arguments(plugin: Plugin, run: Run) -> tuple[str, ...]:
    return tuple(name for name, a in plugin.arguments.items() if a.traced and run[name] is not None)


def _traced_names(run: Run) -> tuple[str, ...]:
    """The names of the run's hyperparameters that are arrays in its program."""
    arguments = [name for kind in WITH_ARGUMENTS for name in _traced_arguments(run[kind.name], run)]
    fields = [name for name in _TRACED_IF_GIVEN if run.get(name) is not None]
    folds = ["fold"] if "fold" in run or "block" in run else []
    return tuple(dict.fromkeys((*_ALWAYS_TRACED, *arguments, *fields, *folds)))


def _static_part(run: Run) -> tuple:
    traced = (*_traced_names(run), *_REPETITIONS)
    initializer = run["initializer"]
    own_draws = initializer if initializer.name == "model" or _is_guest(initializer) else None
    return (traced, own_draws, *((name, value) for name, value in run.items() if name not in traced))


def _varying(representatives: Sequence[Run]) -> list[str]:
    """The names whose values tell the programs apart; all that is traced varies within them."""
    names = dict.fromkeys(
        name for run in representatives for name in run if name not in (*_traced_names(run), *_REPETITIONS)
    )
    return [name for name in names if len({run.get(name) for run in representatives if name in run}) > 1]


def _program(runs: Sequence[Run], numbers: list[int], task: Task, varying: Sequence[str]) -> Program:
    members = [runs[number] for number in numbers]
    first = members[0]
    names = ["optimizer", *(name for name in varying if name != "optimizer" and first.get(name) is not None)]
    return Program(
        task=task,
        label=" ".join(_shown(name, first[name]) for name in names),
        runs=np.array(numbers),
        hyperparameters={name: _column(members, name) for name in _traced_names(first)},
        seeds=np.array([run["seed"] for run in members], np.int32),
        settings=_settings(members),
        blocks=np.array([run.get("block", 0) for run in members], np.int32),
    )


def _settings(members: Sequence[Run]) -> np.ndarray:
    """A number for each run, equal where runs differ in seed, fold and block alone."""
    numbers: dict[tuple, int] = {}
    keys = (tuple(item for item in run.items() if item[0] not in _REPETITIONS) for run in members)
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int32)


def _shown(name: str, value: Any) -> str:
    return f"{name}={value:g}" if isinstance(value, int | float) else str(show(value))


def _column(members: Sequence[Run], name: str) -> np.ndarray:
    if name == "initializer":
        names = [run[name].name for run in members]
        return np.array([initializers.index(one) if one in initializers.KNOWN else 0 for one in names], np.int32)
    if name == "fold":
        return np.array([dataset_number(run) for run in members], np.int32)
    return np.array([run[name] for run in members], np.float32)
