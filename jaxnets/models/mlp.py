"""The multi-layer perceptron."""

from typing import ClassVar

import jax
from flax import linen as nn
from jaxtyping import Array, Float

from jaxnets.models.blocks import OUTPUT, Activation, Dropout, Linear, Number


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


def scaled_sigmoid(x: Float[Array, "*shape"], gain: Number, centre: Number) -> Float[Array, "*shape"]:
    """The sigmoid, steeper and taller by a factor `gain`, after `centre` was taken off it.

    At zero its slope is gain² / 4, and its value gain * (1/2 - centre). Gain 1 and centre 0 make the sigmoid, gain 2
    and centre 1/2 make tanh; the other two corners of this square are a centred sigmoid and tanh + 1.

    >>> scaled_sigmoid(jax.numpy.zeros(1), 1.0, 0.5).tolist(), scaled_sigmoid(jax.numpy.zeros(1), 2.0, 0.0).tolist()
    ([0.0], [1.0])
    """
    return gain * (jax.nn.sigmoid(gain * x) - centre)


class SigmoidMLP(nn.Module):
    """An MLP with `scaled_sigmoid` after each hidden layer.

    Attributes:
      num_outputs: the number of logits.
      hidden_units: the width of each hidden layer.
      gain: of the sigmoid; 1 for the sigmoid itself, 2 for the slope of tanh.
      centre: what is taken off the sigmoid; 1/2 makes it zero at zero.
    """

    takes: ClassVar[str] = "features"

    num_outputs: int
    hidden_units: tuple[int, ...] = (128, 128)
    gain: Number = 1.0
    centre: Number = 0.0

    @nn.compact
    def __call__(self, inputs: Float[Array, "batch features"], *, train: bool = False) -> Float[Array, "batch outputs"]:
        hidden = inputs
        for width in self.hidden_units:
            hidden = scaled_sigmoid(Linear(width)(hidden), self.gain, self.centre)
        return Linear(self.num_outputs, name=OUTPUT)(hidden)
