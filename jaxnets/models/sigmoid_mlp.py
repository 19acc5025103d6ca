"""A multi-layer perceptron whose non-linearity is a sigmoid or tanh, by two traced numbers: one program trains both."""

from typing import ClassVar

import jax
from flax import linen as nn
from jaxtyping import Array, Float

from jaxnets.models.blocks import Linear, Number
from jaxnets.models.layers import OUTPUT


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
