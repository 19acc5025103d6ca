"""One guest of each kind of plug-in, as a user would write it outside of the project."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn

from jaxnets.data.dataset import Dataset, Split
from jaxnets.models.blocks import Linear, MaxPooling, WordVectors
from jaxnets.training.heads import Softmax


class WaveNet(nn.Module):
    """A hidden layer of sines.

    Attributes:
      num_outputs: the number of logits.
      width: hidden units.
      frequency: of the sines.
    """

    num_outputs: int
    width: int = 8
    frequency: float = 1.0

    @nn.compact
    def __call__(self, inputs, *, train=False):
        return Linear(self.num_outputs)(jnp.sin(self.frequency * Linear(self.width)(inputs)))


class Normed(nn.Module):
    """A hidden layer with batch normalization, whose statistics leave padding out."""

    num_outputs: int
    width: int = 5

    @nn.compact
    def __call__(self, inputs, *, train=False, mask=None):
        mask = None if mask is None else mask[:, None]
        hidden = nn.BatchNorm(use_running_average=not train, momentum=0.9)(nn.Dense(self.width)(inputs), mask=mask)
        return nn.Dense(self.num_outputs, name="output")(nn.relu(hidden))


class BestWord(nn.Module):
    """Scores each class by the word that speaks most for it."""

    takes = "text"

    num_outputs: int
    vocabulary_size: int
    embedding_dim: int = 4

    @nn.compact
    def __call__(self, texts, *, train=False):
        vectors = WordVectors(self.vocabulary_size, self.embedding_dim)(texts.words)
        return MaxPooling(texts.num_texts)(Linear(self.num_outputs)(vectors), texts.owner)


def sign_descent(learning_rate, decay=0.9):
    """Steps along the sign of an average of the gradients.

    Args:
      learning_rate: the step size.
      decay: of the average.
    """
    return optax.chain(optax.trace(decay), optax.scale_by_sign(), optax.scale_by_learning_rate(learning_rate))


def halving(progress, halvings=3.0):
    """Halves the rate `halvings` times over the training."""
    return 0.5 ** (halvings * progress)


def identity_like(key, shape, dtype=jnp.float32):
    """Ones on the diagonal, with a little noise."""
    return (jnp.eye(*shape) + 0.1 * jax.random.normal(key, shape)).astype(dtype)


def bent(x):
    """A leaky ramp."""
    return jnp.where(x > 0, x, 0.3 * x)


class Smoothed(Softmax):
    """Softmax with labels smoothed by a tenth."""

    def losses(self, logits, labels):
        """The cross-entropy with the smoothed labels."""
        targets = optax.smooth_labels(jax.nn.one_hot(labels, logits.shape[-1]), 0.1)
        return optax.softmax_cross_entropy(logits, targets)


def circle(num_examples=64, radius=0.5):
    """Points of a square, labelled by whether they lie in a circle."""
    generator = np.random.default_rng(0)

    def split(size):
        points = generator.uniform(-1, 1, (size, 2)).astype(np.float32)
        return Split(points, ((points**2).sum(axis=1) < radius**2).astype(np.int32))

    return Dataset("circle", split(num_examples), split(20), split(20), ("outside", "inside"))
