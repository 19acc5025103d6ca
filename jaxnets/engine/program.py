"""A program: the runs that share one static part, and are compiled once."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np

from jaxnets import training
from jaxnets.basics.errors import UserError
from jaxnets.data.dataset import Dataset
from jaxnets.models.blocks import TextBatch
from jaxnets.training.state import Bound, Task, TrainState
from jaxnets.training.word_rows import GivenVectors


@dataclass(frozen=True)
class Program:
    """Runs that differ in traced numbers alone.

    Attributes:
      task: their static part.
      label: what tells the program from others of its sweep, such as `adam cosine`.
      runs: the runs' numbers in the table, `Int[runs]`.
      hyperparameters: their traced numbers by name, each `Float[runs]` (the initializer's index is an Int); `fold`,
        an Int, is the number of the Dataset of their fold or block, if there are several.
      seeds: `Int[runs]`.
      settings: which runs differ in seed, fold and block alone: those of equal numbers, `Int[runs]`.
      blocks: `Int[runs]`.
    """

    task: Task
    label: str
    runs: np.ndarray
    hyperparameters: dict[str, np.ndarray]
    seeds: np.ndarray
    settings: np.ndarray
    blocks: np.ndarray

    @property
    def folds(self) -> np.ndarray:
        """The number of the Dataset of each run, `Int[runs]`."""
        return self.hyperparameters.get("fold", np.zeros(len(self.runs), np.int32))

    @cached_property
    def state(self) -> TrainState:
        """The shapes and dtypes of one run's state.

        Raises:
          UserError: if the model has an argument that it does not know.
        """
        return jax.eval_shape(partial(training.init, self.task), *self._numbers())

    def check(self, dataset: Dataset) -> None:
        """Traces what a mistake could hide in, so that it shows before anything is written.

        Raises:
          UserError: if the parts of the run do not fit each other or the data set.
        """
        guests = [bound for bound in (self.task.model, self.task.optimizer, self.task.schedule) if _is_foreign(bound)]
        if self.task.model in guests:
            with _foreign("model", self.task.model.function):
                self._check_logits(dataset)
        if not (guests or dataset.is_text or self.task.guest_initializer or "max_norm" in self.hyperparameters):
            _ = self.state  # tracing a step takes longer, and tells nothing more
            return
        with _foreign("sweep", *(bound.function for bound in guests), self.task.guest_initializer):
            state = jax.eval_shape(partial(training.init, self.task), *self._numbers(), _given_vectors(dataset))
            jax.eval_shape(partial(training.step, self.task), state, example_batch(self.task))

    def _check_logits(self, dataset: Dataset) -> None:
        """Refuses a model that has no parameters, or does not give a row of logits for each example."""

        def logits(numbers: dict[str, Any], inputs: Any) -> tuple[Any, Any]:
            model = self.task.model(numbers)
            variables = model.init({"params": jax.random.key(0), "dropout": jax.random.key(1)}, inputs)
            return variables, model.apply({"params": variables.get("params", {})}, inputs)

        variables, outputs = jax.eval_shape(logits, self._numbers()[0], example_batch(self.task).inputs)
        name, wanted = self.task.model.function.__name__, (2, self.task.head.num_outputs(dataset.num_classes))
        others = sorted(set(variables) - {"params", "intermediates"})
        if others or not variables.get("params"):
            kept = f"keeps {', '.join(others)} beside its parameters" if others else "has no parameters"
            raise UserError(f"model: '{name}' {kept}; what a run learns are its parameters.")
        if getattr(outputs, "shape", None) != wanted:
            shape = getattr(outputs, "shape", type(outputs).__name__)
            raise UserError(f"model: '{name}' gives {shape} for 2 examples; it must give logits of the shape {wanted}.")

    def _numbers(self) -> tuple[dict[str, jax.ShapeDtypeStruct], jax.ShapeDtypeStruct]:
        """The shapes of one run's hyperparameters and seed."""
        numbers = {name: jax.ShapeDtypeStruct((), values.dtype) for name, values in self.hyperparameters.items()}
        return numbers, jax.ShapeDtypeStruct((), self.seeds.dtype)


def _is_foreign(bound: Bound) -> bool:
    """Whether a plug-in is not jaxnets' or Optax's own."""
    return not str(bound.function.__module__).startswith(("jaxnets.", "optax."))  # None in code without a module


@contextlib.contextmanager
def _foreign(field: str, *functions: Any) -> Iterator[None]:
    """Turns what code of others raises into one line that names it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if not any(functions):
            raise
        names = ", ".join(f"'{getattr(one, '__name__', one)}'" for one in functions if one)
        line = str(error).strip().splitlines()[0] if str(error).strip() else "no message"
        raise UserError(f"{field}: {names} cannot be used in this run: {type(error).__name__}: {line}") from error


def _given_vectors(dataset: Dataset) -> GivenVectors | None:
    """The shapes of the word vectors that a data set gives."""
    if dataset.word_vectors is None:
        return None
    shape = dataset.word_vectors.vectors.shape
    shapes = ((shape, np.float32), (shape[:1], bool), ((), np.float32))
    return GivenVectors(*(jax.ShapeDtypeStruct(*one) for one in shapes))  # type: ignore[arg-type]


def example_batch(task: Task) -> training.Examples:
    """The shapes of a batch of two examples."""
    labels = jax.ShapeDtypeStruct((2,), np.int32)
    if task.input_shape is not None:
        return training.Examples(jax.ShapeDtypeStruct((2, *task.input_shape), np.float32), labels)  # type: ignore[arg-type]
    words = jax.ShapeDtypeStruct((8,), np.int32)
    return training.Examples(TextBatch(words, words, labels), labels)  # type: ignore[arg-type]
