"""The blocks that models are built from: linear, non-linearity, word vectors, pooling, windows, dropout.

Texts are arrays of word ids, `Int[Array, "batch words"]`; id 0 is padding and takes no part in anything.
"""

import inspect
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Bool, Float, Int

from jaxnets import names

PADDING = 0

Number = float | Float[Array, ""]

# The starts that blocks have of themselves, outside of a run with its `--initializer`.
_he_normal = nn.initializers.variance_scaling(2.0, "fan_in", "normal")


def _uniform_quarter(key: Array, shape: tuple[int, ...]) -> Array:
    return jax.random.uniform(key, shape, minval=-0.25, maxval=0.25)


def _takes_one_array(function: Callable) -> bool:
    parameters = list(inspect.signature(function).parameters.values())
    required = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    return len(required) == 1 and parameters[0].name == "x" and all(p.name != "axis" for p in parameters)


def nonlinearities() -> dict[str, Callable]:
    """The element-wise functions by name: `identity` and those of `jax.nn`."""
    functions = {name: function for name, function in vars(jax.nn).items() if callable(function)}
    elementwise = {name: f for name, f in functions.items() if not isinstance(f, type) and _takes_one_array(f)}
    return elementwise | {"identity": lambda x: x, "tanh": jnp.tanh}


def nonlinearity(name: str) -> Callable[[Array], Array]:
    """The element-wise function of a name or import path.

    >>> float(nonlinearity("relu")(-1.0))
    0.0

    Raises:
      UserError: if there is none of that name.
    """
    return names.lookup_function("--activation", name, nonlinearities())


class Linear(nn.Module):
    """An affine map, `inputs @ kernel + bias`.

    The kernel starts as He et al. (2015) propose and the bias at zero; a run draws both anew by its `--initializer`.
    """

    num_outputs: int

    @nn.compact
    def __call__(self, inputs: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        kernel = self.param("kernel", _he_normal, (inputs.shape[-1], self.num_outputs))
        bias = self.param("bias", nn.initializers.zeros, (self.num_outputs,))
        return inputs @ kernel + bias


class Dropout(nn.Module):
    """Sets each number to zero with probability `rate` in training, and scales the others by 1 / (1 - rate).

    Unlike Flax's, the rate may be traced. Source: Srivastava et al. (2014), in the inverted form.
    """

    rate: Number

    @nn.compact
    def __call__(self, inputs: Float[Array, "*shape"], *, train: bool = False) -> Float[Array, "*shape"]:
        if not train:
            return inputs
        keep = 1.0 - self.rate
        kept = jax.random.bernoulli(self.make_rng("dropout"), keep, inputs.shape)
        return jnp.where(kept, inputs / keep, 0.0)


class WordVectors(nn.Module):
    """A vector for each word of the vocabulary, looked up by word id.

    They start uniform in ±0.25, as do the words without a given vector in Kim (2014).
    """

    vocabulary_size: int
    dim: int

    @nn.compact
    def __call__(self, words: Int[Array, "batch words"]) -> Float[Array, "batch words dim"]:
        vectors = self.param("vectors", _uniform_quarter, (self.vocabulary_size, self.dim))
        return jnp.take(vectors, words, axis=0)


class MeanPooling(nn.Module):
    """Averages vectors over the positions of each text (the composition function of the DAN).

    Padding takes no part: an empty text gives the zero vector.
    Source: Iyyer et al. (2015), section 2.
    """

    @nn.compact
    def __call__(
        self, vectors: Float[Array, "batch words dim"], mask: Bool[Array, "batch words"]
    ) -> Float[Array, "batch dim"]:
        count = jnp.maximum(mask.sum(axis=-1, keepdims=True), 1)
        return jnp.where(mask[..., None], vectors, 0.0).sum(axis=-2) / count


class MaxPooling(nn.Module):
    """The largest number at each coordinate over the positions of each text; an empty text gives the zero vector.

    Source: Collobert et al. (2011), section 3.2.2; Kim (2014).
    """

    @nn.compact
    def __call__(
        self, vectors: Float[Array, "batch words dim"], mask: Bool[Array, "batch words"]
    ) -> Float[Array, "batch dim"]:
        largest = jnp.where(mask[..., None], vectors, -jnp.inf).max(axis=-2)
        return jnp.where(mask.any(axis=-1, keepdims=True), largest, 0.0)


POOLINGS = {"mean": MeanPooling, "max": MaxPooling}


def pooling(name: str) -> nn.Module:
    """The pooling block of a name, `mean` or `max`, or of an import path."""
    return names.lookup_function("--pooling", name, POOLINGS)()


class Windows(nn.Module):
    """A linear map of every window of `width` neighbouring words: a convolution over the words of a text.

    A window that starts at word t covers words t to t + width - 1; beyond the text there are zeros.
    The windows' vectors are laid side by side and multiplied once: on a CPU that is many times as fast as XLA's
    convolution, forward and backward. Source: Kim (2014), equation 2, before the non-linearity.
    """

    width: int
    num_filters: int

    @nn.compact
    def __call__(self, vectors: Float[Array, "batch words dim"]) -> Float[Array, "batch words filters"]:
        num_words, dim = vectors.shape[-2:]
        kernel = self.param("kernel", _he_normal, (self.width, dim, self.num_filters))
        bias = self.param("bias", nn.initializers.zeros, (self.num_filters,))
        beyond = jnp.zeros((*vectors.shape[:-2], self.width - 1, dim), vectors.dtype)
        padded = jnp.concatenate([vectors, beyond], axis=-2)
        side_by_side = jnp.concatenate([padded[..., k : k + num_words, :] for k in range(self.width)], axis=-1)
        return side_by_side @ kernel.reshape(self.width * dim, self.num_filters) + bias


def window_mask(mask: Bool[Array, "batch words"], width: int) -> Bool[Array, "batch words"]:
    """Which windows lie within the text; a text shorter than the window has the one that starts at its first word."""
    num_words = mask.shape[-1]
    last_word = jnp.pad(mask, ((0, 0), (0, width - 1)))[:, width - 1 : width - 1 + num_words]
    return last_word | (mask & (jnp.arange(num_words) == 0))
