"""The multi-layer perceptron."""

from typing import ClassVar

import jax
from flax import linen as nn
from jaxtyping import Array, Float

from jaxnets.models.blocks import Activation, Dropout, Linear, Number
from jaxnets.models.layers import OUTPUT


class MLP(nn.Module):
    """Linear layers with a non-linearity between them; no hidden layer makes a linear classifier.

    Attributes:
      num_outputs: the number of logits.
      hidden_units: the width of each hidden layer.
      activation: the non-linearity after each hidden layer.
      dropout_rate: the share of hidden numbers that are dropped in training; no dropout if not given.
    """

    takes: ClassVar[str] = "features"

    num_outputs: int
    hidden_units: tuple[int, ...] = (128, 128)
    activation: Activation = jax.nn.relu
    dropout_rate: Number | None = None

    @nn.compact
    def __call__(self, inputs: Float[Array, "batch features"], *, train: bool = False) -> Float[Array, "batch outputs"]:
        hidden = inputs
        for width in self.hidden_units:
            hidden = self.activation(Linear(width)(hidden))
            if self.dropout_rate is not None:
                hidden = Dropout(self.dropout_rate)(hidden, train=train)
        return Linear(self.num_outputs, name=OUTPUT)(hidden)
