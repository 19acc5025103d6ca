"""Runs with equal static part share a program: compiled once, however many runs."""

import contextlib
import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxnets import models, training, user_code
from jaxnets.config.values import MOST_INT, show
from jaxnets.data import texts
from jaxnets.data.dataset import Dataset
from jaxnets.data.texts import Texts
from jaxnets.engine.table import Run, dataset_number
from jaxnets.errors import UserError
from jaxnets.models.blocks import TextBatch
from jaxnets.plugins import WITH_ARGUMENTS, Plugin
from jaxnets.training import initializers, optimizers, probes, schedules
from jaxnets.training.batches import EVALUATION_BATCH, TextStream
from jaxnets.training.heads import Head
from jaxnets.training.state import TRACED_ANEW, Bound, Task, TrainState
from jaxnets.training.word_rows import GivenVectors
from jaxnets.user_code import fingerprint

_NUMBERS = itertools.count(1)

# What a lowered program only refers to: functions of the host, and constants where JAX makes arguments of them.
_REFERRED = ("callback", "jax.const")


@dataclass(frozen=True)
class Program:
    """Runs that differ in traced numbers alone."""

    task: Task
    label: str
    runs: np.ndarray
    hyperparameters: dict[str, np.ndarray]
    seeds: np.ndarray
    settings: np.ndarray
    repeats: np.ndarray

    @property
    def folds(self) -> np.ndarray:
        """The number of the Dataset of each run, `Int[runs]`."""
        return self.hyperparameters.get("fold", np.zeros(len(self.runs), np.int32))

    @cached_property
    def state(self) -> TrainState:
        """The shapes and dtypes of one run's state."""
        with self.calling_guests():
            return jax.eval_shape(partial(training.init, self.task), *self._numbers())

    def check(self, dataset: Dataset) -> tuple[str, ...]:
        """Traces what a mistake could hide in, so that it shows before anything is written."""
        notes: tuple[str, ...] = ()
        with self.calling_guests():
            if user_code.is_foreign(self.task.model.function):
                notes = self._check_model(dataset)
            if user_code.is_foreign(self.task.head):
                self._check_head(dataset)
            if self.task.scheduled:
                self._check_schedule()
        if not (self.guests or dataset.is_text or "max_norm" in self.hyperparameters):
            _ = self.state  # tracing a step takes longer, and tells nothing more
            return notes
        with self.calling_guests():
            state = jax.eval_shape(partial(training.init, self.task), *self._numbers(), _given_vectors(dataset))
            training.check_collections(self.task, state, example_batch(self.task))
            jax.eval_shape(partial(training.step, self.task), state, example_batch(self.task))
            jax.eval_shape(partial(training.judged, self.task), state)
        return notes

    def _check_schedule(self) -> None:
        """Refuses a schedule that the optimizer does not look at."""
        ignored = probes.ignored_rate(self.task, *self._numbers(), example_batch(self.task))
        if ignored:
            what = "keeps the learning rate of the first step in its state" if ignored == "kept" else "reads no rate"
            raise UserError(
                f"optimizer: '{_called(self.task.optimizer.function)}' {what}, so a schedule or a warm-up changes "
                "nothing; take schedule=constant without warmup_steps."
            )

    @property
    def guests(self) -> dict[str, Any]:
        """The parts of a run that are code of others, by their field; of optimizers, all but those known by name."""
        task = self.task
        parts = {
            "model": task.model.function,
            "optimizer": task.optimizer.function,
            "schedule": task.schedule.function,
            "head": task.head,
            "initializer": task.guest_initializer,
            **{name: value for name, value in task.model.static if callable(value)},
        }
        if optimizers.is_built_in(task.optimizer.function):
            del parts["optimizer"]
        return {
            field: part
            for field, part in parts.items()
            if part is not None and (field == "optimizer" or user_code.is_foreign(part))
        }

    @contextlib.contextmanager
    def calling_guests(self) -> Iterator[None]:
        """Where code of others is traced: as it is now, and what it raises names it, as `user_code.calling` does."""
        named = {field: _called(part) for field, part in self.guests.items()}
        if not named:
            yield
            return
        (first, name), *others = named.items()
        beside = "".join(f", or {field} '{other}'," for field, other in others)
        told = fingerprint(self.guests) or next(_NUMBERS)
        with user_code.calling(f"{first}: '{name}'{beside}"), TRACED_ANEW(told):
            yield

    def text(self, lowered: Sequence[jax.stages.Lowered]) -> str | None:
        """A hash of what some lowered functions compute: equal texts, equal programs; None if it cannot be told."""
        texts = [one.as_text() for one in lowered]
        if any(referred in text for text in texts for referred in _REFERRED):
            told = fingerprint(self.guests)
            if told is None:
                return None
            texts.append(told)
        return hashlib.sha256("\n".join(texts).encode()).hexdigest()

    def text_of_run(self, dataset: Dataset, *, predictions: bool) -> str | None:
        """`text` of one run, from its start to its evaluation: the same for any number of runs, and on any devices."""
        task = self.task

        def run(numbers: Any, seed: Any, vectors: Any, examples: Any, split: Any, first: Any, last: Any) -> Any:
            state, sums = training.train(task, training.init(task, numbers, seed, vectors), examples, first, last)
            told = training.evaluate(task, training.judged(task, state), split)
            return state, sums, told, training.probabilities(task, state, split) if predictions else None

        step = jax.ShapeDtypeStruct((), np.int32)
        shapes = *self._numbers(), _given_vectors(dataset), *_splits(dataset), step, step
        with self.calling_guests():
            return self.text([jax.jit(run).lower(*shapes)])

    def _check_model(self, dataset: Dataset) -> tuple[str, ...]:
        """Refuses a model that has no parameters, or does not give a row of logits for each example."""
        numbers, batch = self._numbers()[0], example_batch(self.task)
        keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
        with initializers.noting() as noted:
            variables = nn.unbox(
                jax.eval_shape(lambda numbers, batch: self.task.functions(numbers).init(keys, batch), numbers, batch)
            )
        name, wanted = self.task.model.function.__name__, (2, self.task.head.num_outputs(dataset.num_classes))
        if not variables.get("params"):
            raise UserError(f"model: '{name}' has no parameters; what a run learns are its parameters.")
        for kept in variables.values():
            _check_dicts(kept, name)
        outputs, _ = jax.eval_shape(
            lambda numbers, variables, batch: self.task.functions(numbers).apply(variables, batch, train=False),
            *(numbers, variables, batch),
        )
        if getattr(outputs, "shape", None) != wanted:
            shape = getattr(outputs, "shape", type(outputs).__name__)
            raise UserError(f"model: '{name}' gives {shape} for 2 examples; it must give logits of the shape {wanted}.")
        params = variables["params"]
        unknown = [".".join(path) for path, known in initializers.known_kernels(params, noted).items() if not known]
        if not unknown or self.task.own_initializer:
            return ()
        return (f"model '{name}' draws {', '.join(unknown)} itself, whatever the initializer: the fans are not known.",)

    def _check_head(self, dataset: Dataset) -> None:
        """Refuses a head whose losses, predictions or probabilities are of another shape or kind than they must be."""
        head, classes = self.task.head, dataset.num_classes
        outputs = head.num_outputs(classes)
        examples = outputs + classes + 1  # no other number of a shape
        logits = jax.ShapeDtypeStruct((examples, outputs), np.float32)
        labels = jax.ShapeDtypeStruct((examples,), np.int32)
        floats, whole = (np.floating, "floats"), (np.integer, "whole numbers")
        for what, given, wanted, (kind, noun) in (
            ("losses", jax.eval_shape(head.losses, logits, labels), (examples,), floats),
            ("predictions", jax.eval_shape(head.predictions, logits), (examples,), whole),
            ("probabilities", jax.eval_shape(head.probabilities, logits), (examples, classes), floats),
        ):
            shape, dtype = getattr(given, "shape", type(given).__name__), getattr(given, "dtype", np.dtype(object))
            if shape != wanted or not jnp.issubdtype(dtype, kind):
                raise UserError(
                    f"head: '{type(head).__name__}' gives {what} of the shape {shape} and type {dtype} for {examples} "
                    f"examples; they must be {noun} of the shape {wanted}."
                )

    def _numbers(self) -> tuple[dict[str, jax.ShapeDtypeStruct], jax.ShapeDtypeStruct]:
        """The shapes of one run's hyperparameters and seed."""
        numbers = {name: jax.ShapeDtypeStruct((), values.dtype) for name, values in self.hyperparameters.items()}
        return numbers, jax.ShapeDtypeStruct((), self.seeds.dtype)


def _called(part: Any) -> str:
    """What a function, a class or an object is called."""
    return str(getattr(getattr(part, "func", part), "__name__", type(part).__name__))


def _check_dicts(params: Any, name: str, path: str = "") -> None:
    """Refuses parameters in lists or classes: files of parameters know dicts alone."""
    for key, value in params.items():
        below = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping):
            _check_dicts(value, name, below)
        elif not jax.tree_util.all_leaves([value]) or not hasattr(value, "shape"):
            raise UserError(f"model: '{name}' keeps its parameter '{below}' as a {type(value).__name__}; take a dict.")


def _given_vectors(dataset: Dataset) -> GivenVectors | None:
    """The shapes of the word vectors that a data set gives."""
    if dataset.word_vectors is None:
        return None
    shape = dataset.word_vectors.vectors.shape
    shapes = ((shape, np.float32), (shape[:1], bool), ((), np.float32))
    return GivenVectors(*(jax.ShapeDtypeStruct(*one) for one in shapes))  # type: ignore[arg-type]


def _splits(dataset: Dataset) -> tuple[training.Examples, training.Examples]:
    """The shapes of the training examples, and of a split that is evaluated."""

    def shape(like: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(np.shape(like), np.float32 if np.ndim(like) == 2 else np.int32)

    train, dev = dataset.train, dataset.dev
    if not isinstance(train.inputs, Texts):
        return tuple(training.Examples(shape(split.inputs), shape(split.labels)) for split in (train, dev))  # type: ignore
    inputs = train.inputs
    stream = TextStream(*map(shape, (inputs.words, inputs.starts, inputs.lengths)))  # type: ignore[arg-type]
    batch = jax.ShapeDtypeStruct((1, EVALUATION_BATCH), np.int32)
    evaluated = training.Examples(TextBatch(batch, batch, batch), batch)  # type: ignore[arg-type]
    return training.Examples(stream, shape(train.labels)), evaluated  # type: ignore[arg-type]


def example_batch(task: Task) -> training.Examples:
    """The shapes of a batch of two examples."""
    labels = jax.ShapeDtypeStruct((2,), np.int32)
    if task.input_shape is not None:
        return training.Examples(jax.ShapeDtypeStruct((2, *task.input_shape), np.float32), labels)  # type: ignore[arg-type]
    words = jax.ShapeDtypeStruct((8,), np.int32)
    return training.Examples(TextBatch(words, words, labels), labels)  # type: ignore[arg-type]


# A step of a DAN with 16,000 × 300 vectors takes 18 ms dense, 3 ms in rows of its 1,104 words at most (one core).
_MANY_WORDS = 2

# What every run has as a traced number; the plug-ins' own floats come beside these.
_ALWAYS_TRACED = ("learning_rate", "warmup_steps", "initializer", "initializer_scale")
_TRACED_IF_GIVEN = ("weight_decay", "gradient_clip", "max_norm")

# What tells repetitions of a setting apart.
_REPETITIONS = ("seed", "fold", "repeat")


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
    folds = ["fold"] if "fold" in run or "repeat" in run else []
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
        repeats=np.array([run.get("repeat", 0) for run in members], np.int32),
    )


def _settings(members: Sequence[Run]) -> np.ndarray:
    """A number for each run, equal where runs differ in seed, fold and repeat alone."""
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


def shapes(program: Program) -> list[np.ndarray]:
    """The shape and dtype of each leaf of a run's state, as a snapshot holds it: zeros that take no memory."""
    keys = np.broadcast_to(np.uint32(0), (2,))
    return [
        np.broadcast_to(keys, (*leaf.shape, 2))
        if is_key(leaf.dtype)
        else np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape)
        for leaf in jax.tree.leaves(program.state)
    ]


def is_key(dtype: Any) -> bool:
    """Whether numbers are random keys."""
    return jnp.issubdtype(dtype, jax.dtypes.prng_key)
