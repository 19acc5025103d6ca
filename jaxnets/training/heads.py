"""Heads: what the logits of a classifier mean, and the loss that goes with it."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from jaxnets.errors import UserError


@runtime_checkable
class Head(Protocol):
    """The last step from logits to losses, probabilities and predictions."""

    def num_outputs(self, num_classes: int) -> int:
        """The logits that the model must give."""

    def losses(self, logits: Float[Array, "batch outputs"], labels: Int[Array, "batch"]) -> Float[Array, "batch"]:
        """The cross-entropy of each example, in nats."""

    def probabilities(self, logits: Float[Array, "batch outputs"]) -> Float[Array, "batch classes"]:
        """The probability of each class; a row sums to 1."""

    def predictions(self, logits: Float[Array, "batch outputs"]) -> Int[Array, "batch"]:
        """The most probable class of each example."""


@dataclass(frozen=True)
class Softmax:
    """A logit for each class."""

    def num_outputs(self, num_classes: int) -> int:
        """As many as there are classes."""
        return num_classes

    def losses(self, logits: Float[Array, "batch outputs"], labels: Int[Array, "batch"]) -> Float[Array, "batch"]:
        """-log softmax(logits)[label]."""
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels)

    def probabilities(self, logits: Float[Array, "batch outputs"]) -> Float[Array, "batch classes"]:
        """softmax(logits)."""
        return jax.nn.softmax(logits)

    def predictions(self, logits: Float[Array, "batch outputs"]) -> Int[Array, "batch"]:
        """The class of the largest logit, the first one of equals."""
        return jnp.argmax(logits, axis=-1).astype(jnp.int32)


@dataclass(frozen=True)
class Sigmoid:
    """One logit, that of class 1 of two classes."""

    def num_outputs(self, num_classes: int) -> int:
        """One.

        Raises:
          UserError: if there are not two classes.
        """
        if num_classes != 2:
            raise UserError(f"head: sigmoid is for two classes, and there are {num_classes}; take softmax.")
        return 1

    def losses(self, logits: Float[Array, "batch outputs"], labels: Int[Array, "batch"]) -> Float[Array, "batch"]:
        """-log sigmoid(logit) of class 1, -log sigmoid(-logit) of class 0."""
        return optax.sigmoid_binary_cross_entropy(logits[:, 0], labels.astype(logits.dtype))

    def probabilities(self, logits: Float[Array, "batch outputs"]) -> Float[Array, "batch classes"]:
        """1 - sigmoid(logit) and sigmoid(logit): the softmax of 0 and the logit."""
        return jax.nn.sigmoid(jnp.concatenate([-logits, logits], axis=-1))

    def predictions(self, logits: Float[Array, "batch outputs"]) -> Int[Array, "batch"]:
        """1 where the logit is above zero."""
        return (logits[:, 0] > 0).astype(jnp.int32)


KNOWN: dict[str, Head] = {"softmax": Softmax(), "sigmoid": Sigmoid()}
