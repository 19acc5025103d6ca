"""What a run carries from step to step, and what it shares with the other runs of its program."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import struct
from jaxtyping import Array, Float

from jaxnets.training.heads import Head
from jaxnets.training.initializers import Initializer

TRACED_ANEW = jax.make_user_context(0)
"""JAX keeps what it traced by the function: under a value that was not there before, it traces anew what may read
something else by now."""

COLLECTIONS = "collections"
"""Beside the parameters in a kept tree: what else the model keeps, such as running averages, by collection."""


@struct.dataclass
class Metrics:
    """Sums over examples; `mean` turns them into averages.

    Attributes:
      loss: `float32[]`, in nats.
      correct: `float32[]`, the examples whose most probable class is their label.
      examples: `float32[]`.

    >>> sums = Metrics(*jnp.array([3.0, 1.0, 2.0])) + Metrics(*jnp.array([1.0, 2.0, 2.0]))
    >>> [float(mean) for mean in sums.mean()]
    [1.0, 0.75]
    """

    loss: Any
    correct: Any
    examples: Any

    def __add__(self, other: "Metrics") -> "Metrics":
        """The metrics of the examples of both."""
        return Metrics(self.loss + other.loss, self.correct + other.correct, self.examples + other.examples)

    def mean(self) -> tuple[Float[Array, "*runs"], Float[Array, "*runs"]]:
        """The average loss, in nats, and the accuracy."""
        # a number for each run: where lanes share one, XLA divides or multiplies by its inverse, as it happens
        examples = self.examples + 0 * self.correct
        return self.loss / examples, self.correct / examples


@struct.dataclass
class TrainState:
    """All that a run carries from step to step.

    Attributes:
      step: `int32[]`, the steps taken.
      params: nested dictionaries of arrays.
      collections: what else the model keeps, by collection: `batch_stats` of `nn.BatchNorm`; often empty.
      optimizer_state: Optax's.
      seed: `int32[]`, of all the run's random streams.
      hyperparameters: the run's traced numbers, by name.
      diverged_step: `int32[]`, the first step whose loss was not finite; -1 as long as there is none.
      best_dev_accuracy: `float32[]`, of the evaluations so far; -1 as long as there is none.
    """

    step: Any
    params: Any
    collections: Any
    optimizer_state: Any
    seed: Any
    hyperparameters: Any
    diverged_step: Any
    best_dev_accuracy: Any

    @property
    def kept(self) -> Any:
        """What is kept of a run: its parameters, with its collections beside them; `variables` takes them apart."""
        return {**self.params, COLLECTIONS: self.collections} if self.collections else self.params


def variables(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that a Flax module takes, from the parameters of a run as `TrainState.kept` gives them.

    >>> variables({"output": 1, "collections": {"batch_stats": 2}})
    {'params': {'output': 1}, 'batch_stats': 2}
    """
    params = {name: value for name, value in kept.items() if name != COLLECTIONS}
    return {"params": params, **kept.get(COLLECTIONS, {})}


class Functions(NamedTuple):
    """A model as a pair of pure functions.

    Attributes:
      init: `init(key, batch)` gives the variables: `params`, and other collections by name.
      apply: `apply(variables, batch, train=..., rngs=...)` gives the logits and the collections as changed in training.
    """

    init: Callable[..., dict[str, Any]]
    apply: Callable[..., tuple[Array, dict[str, Any]]]


def linen(module: nn.Module) -> Functions:
    """A Flax linen module as pure functions; one that takes a `mask` is told which examples are no padding."""

    def init(key: Any, batch: Any) -> dict[str, Any]:
        return {name: value for name, value in module.init(key, batch.inputs).items() if name != "intermediates"}

    def apply(variables: Any, batch: Any, *, train: bool, rngs: Any = None) -> tuple[Array, dict[str, Any]]:
        if not train:
            return cast(Array, module.apply(variables, batch.inputs)), {}
        carried = [name for name in variables if name != "params"]
        mask = {"mask": batch.mask} if takes_mask(type(module)) else {}
        outputs = module.apply(variables, batch.inputs, train=True, rngs=rngs, mutable=carried, **mask)
        return cast(tuple[Array, dict[str, Any]], outputs)

    return Functions(init, apply)


def takes_mask(model: Any) -> bool:
    """Whether a class of modules can be told which examples of a batch are padding."""
    return "mask" in inspect.signature(model.__call__).parameters


@dataclass(frozen=True)
class Bound:
    """A function or class with its arguments: some static, some named in the hyperparameters of each run.

    Attributes:
      function: the function or class.
      static: its static arguments by name, as pairs, so that equal ones have an equal hash.
      traced: the names of those that are arrays.
    """

    function: Callable[..., Any]
    static: tuple[tuple[str, Any], ...] = ()
    traced: tuple[str, ...] = ()

    def arguments(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments for one run."""
        return {**dict(self.static), **{name: hyperparameters[name] for name in self.traced}}

    def with_static(self, **values: Any) -> "Bound":
        """The same with some static arguments set."""
        return replace(self, static=tuple((dict(self.static) | values).items()))

    def __call__(self, hyperparameters: Mapping[str, Any]) -> Any:
        """The function's value for one run."""
        return self.function(**self.arguments(hyperparameters))


@dataclass(frozen=True)
class Task:
    """What the runs of one program share: all that shapes the traced computation.

    Attributes:
      model: a Flax module, not yet made.
      optimizer: from a learning rate to a gradient transformation.
      schedule: from the progress, 0 to 1, to a factor on the learning rate.
      head: from logits to losses and predictions.
      batch_size: examples of a step.
      num_steps: of a run.
      num_examples: of the training set.
      input_shape: of an example's features; None for texts.
      budgets: the numbers of positions that a step is compiled for, ascending; the last holds any batch of texts.
      own_initializer: whether the linear maps start as the model's own code draws them; otherwise the initializer is
        traced.
      guest_initializer: draws the linear maps in the place of the built-in initializers.
      train_word_vectors: whether word vectors are trained; otherwise they stay as they start.
      word_rows: whether a step touches only the vectors of its batch's words.
      select_best: whether a run is judged at the evaluation with its best dev accuracy; otherwise after its last step.
      scheduled: whether the learning rate may change from step to step, by the schedule or a warm-up.
    """

    model: Bound
    optimizer: Bound
    schedule: Bound
    head: Head
    batch_size: int
    num_steps: int
    num_examples: int
    input_shape: tuple[int, ...] | None
    budgets: tuple[int, ...] = ()
    own_initializer: bool = False
    guest_initializer: Initializer | None = None
    train_word_vectors: bool = True
    word_rows: bool = False
    select_best: bool = False
    scheduled: bool = True

    @property
    def steps_per_epoch(self) -> int:
        """Batches in a pass over the data; the last one may be smaller."""
        return -(-self.num_examples // self.batch_size)

    @property
    def pads(self) -> bool:
        """Whether some batches hold padding: texts do, and so does a smaller last batch."""
        return self.input_shape is None or self.num_examples % self.batch_size > 0

    def functions(self, hyperparameters: Mapping[str, Any]) -> Functions:
        """The model of one run."""
        return linen(self.model(hyperparameters))


def widened(tree: Any) -> Any:
    """Arrays of bfloat16 or float16 as float32, to compute with; all others as they are.

    >>> [str(leaf.dtype) for leaf in widened([jnp.ones(2, jnp.bfloat16), jnp.ones(2), jnp.ones(2, int)])]
    ['float32', 'float32', 'int32']
    """
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if _is_narrow(leaf) else leaf, tree)


def narrowed(tree: Any, like: Any) -> Any:
    """Arrays in the dtypes of those of `like`, where these are bfloat16 or float16; the inverse of `widened`."""
    return jax.tree.map(lambda leaf, one: leaf.astype(one.dtype) if _is_narrow(one) else leaf, tree, like)


def _is_narrow(leaf: Any) -> bool:
    dtype = getattr(leaf, "dtype", jnp.float32)
    return jnp.issubdtype(dtype, jnp.floating) and jnp.finfo(dtype).bits < 32
