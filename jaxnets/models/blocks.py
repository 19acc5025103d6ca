"""The blocks that models are built from: linear, non-linearity, word vectors, pooling, windows, dropout.

The texts of a batch are one stream of words without padding between them: see `TextBatch`.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Float, Int

Number = float | Float[Array, ""]
Activation = Callable[[Array], Array]
"""An element-wise function."""
Pooling = Callable[[int], nn.Module]
"""From the number of texts to the block that pools over the positions of each."""

# The starts that blocks have of themselves, outside of a run with its `--initializer`.
_he_normal = nn.initializers.variance_scaling(2.0, "fan_in", "normal")


class TextBatch(NamedTuple):
    """The texts of a batch, one after another.

    Attributes:
      words: the id of the word at each position.
      owner: the number of the text that each position belongs to, ascending; `num_texts` where nothing is.
      lengths: the words of each text; 0 for an empty one.

    >>> TextBatch(jnp.array([5, 2, 9]), jnp.array([0, 0, 1]), jnp.array([2, 1])).num_texts
    2
    """

    words: Int[Array, "positions"]
    owner: Int[Array, "positions"]
    lengths: Int[Array, "texts"]

    @property
    def num_texts(self) -> int:
        """The texts of the batch, empty ones included."""
        return self.lengths.shape[-1]


def _takes_one_array(function: Callable) -> bool:
    parameters = list(inspect.signature(function).parameters.values())
    required = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    return len(required) == 1 and parameters[0].name == "x" and all(p.name != "axis" for p in parameters)


@cache
def nonlinearities() -> dict[str, Callable]:
    """The element-wise functions by name: `identity` and those of `jax.nn`."""
    functions = {name: function for name, function in vars(jax.nn).items() if callable(function)}
    elementwise = {name: f for name, f in functions.items() if not isinstance(f, type) and _takes_one_array(f)}
    return elementwise | {"identity": lambda x: x, "tanh": jnp.tanh}


class Linear(nn.Module):
    """An affine map, `inputs @ kernel + bias`.

    The kernel starts as He et al. (2015) propose and the bias at zero; a run draws both anew by its `--initializer`.

    >>> Linear(2).apply({"params": {"kernel": jnp.eye(2), "bias": jnp.ones(2)}}, jnp.array([[3.0, 4.0]])).tolist()
    [[4.0, 5.0]]
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

    >>> rngs = {"dropout": jax.random.key(0)}
    >>> sorted(set(Dropout(0.5).apply({}, jnp.ones(100), train=True, rngs=rngs).tolist()))
    [0.0, 2.0]
    """

    rate: Number

    @nn.compact
    def __call__(self, inputs: Float[Array, "*shape"], *, train: bool = False) -> Float[Array, "*shape"]:
        if not train:
            return inputs
        keep = 1.0 - self.rate
        kept = jax.random.bernoulli(self.make_rng("dropout"), keep, inputs.shape)
        return jnp.where(kept, inputs / keep, 0.0)


class WordDropout(nn.Module):
    """Takes each word out of its text with probability `rate` in training; `owner` no longer ascends then.

    Source: Iyyer et al. (2015), section 3.
    """

    rate: Number

    @nn.compact
    def __call__(self, texts: TextBatch, *, train: bool = False) -> TextBatch:
        if not train:
            return texts
        kept = jax.random.bernoulli(self.make_rng("dropout"), 1.0 - self.rate, texts.words.shape)
        owner = jnp.where(kept, texts.owner, texts.num_texts)
        lengths = jax.ops.segment_sum(jnp.ones_like(owner), owner, texts.num_texts)
        return TextBatch(texts.words, owner, lengths)


class WordVectors(nn.Module):
    """A vector for each word of the vocabulary, looked up by word id.

    They start uniform in ±`start_range`, unless a run is given vectors; 0.25 is that of Kim (2014). A word that never
    occurs in training keeps its start, so that a small range makes it weigh little.
    """

    vocabulary_size: int
    dim: int
    start_range: Number = 0.25

    @nn.compact
    def __call__(self, words: Int[Array, "*positions"]) -> Float[Array, "*positions dim"]:
        vectors = self.param(VECTORS, self._start, (self.vocabulary_size, self.dim))
        return jnp.take(vectors, words, axis=0)

    def _start(self, key: Array, shape: tuple[int, ...]) -> Array:
        return self.start_range * jax.random.uniform(key, shape, minval=-1.0, maxval=1.0)


class MeanPooling(nn.Module):
    """Averages vectors over the positions of each text (the composition function of the DAN).

    A position whose owner is `num_texts` takes no part; a text without positions gives the zero vector.
    Source: Iyyer et al. (2015), section 2.

    >>> MeanPooling(3).apply({}, jnp.array([[1.0], [3.0], [8.0]]), jnp.array([0, 0, 1])).tolist()
    [[2.0], [8.0], [0.0]]
    """

    num_texts: int

    @nn.compact
    def __call__(
        self, vectors: Float[Array, "positions dim"], owner: Int[Array, "positions"]
    ) -> Float[Array, "texts dim"]:
        count = jax.ops.segment_sum(jnp.ones(owner.shape, vectors.dtype), owner, self.num_texts)
        return jax.ops.segment_sum(vectors, owner, self.num_texts) / jnp.maximum(count, 1)[:, None]


class MaxPooling(nn.Module):
    """The largest number at each coordinate over the positions of each text.

    A position whose owner is `num_texts` takes no part; a text without positions gives the zero vector. The gradient
    of equally large numbers is shared out among them, as that of `jnp.max`.
    Source: Collobert et al. (2011), section 3.2.2; Kim (2014).

    >>> MaxPooling(2).apply({}, jnp.array([[1.0, 5.0], [3.0, 4.0], [8.0, 0.0]]), jnp.array([0, 0, 1])).tolist()
    [[3.0, 5.0], [8.0, 0.0]]
    """

    num_texts: int

    @nn.compact
    def __call__(
        self, vectors: Float[Array, "positions dim"], owner: Int[Array, "positions"]
    ) -> Float[Array, "texts dim"]:
        return _largest(self.num_texts, vectors, owner)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _largest(num_texts: int, vectors: Array, owner: Array) -> Array:
    largest = jax.ops.segment_max(vectors, owner, num_texts)
    return jnp.where(jnp.isneginf(largest), 0.0, largest)


def _largest_forward(num_texts: int, vectors: Array, owner: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    largest = _largest(num_texts, vectors, owner)
    return largest, (vectors, owner, largest)


def _largest_backward(num_texts: int, saved: tuple[Array, Array, Array], gradient: Array) -> tuple[Array, None]:
    vectors, owner, largest = saved
    real = (owner < num_texts)[:, None]
    winner = ((vectors == largest[owner]) & real).astype(vectors.dtype)
    share = gradient / jnp.maximum(jax.ops.segment_sum(winner, owner, num_texts), 1)
    return winner * share[owner], None


_largest.defvjp(_largest_forward, _largest_backward)

POOLINGS = {"mean": MeanPooling, "max": MaxPooling}


class Windows(nn.Module):
    """A linear map of every window of `width` neighbouring words: a convolution over the words of a text.

    A window that starts at position t covers t to t + width - 1; beyond its text there are zeros.
    The windows' vectors are laid side by side and multiplied once: on a CPU that is many times as fast as XLA's
    convolution, forward and backward. Source: Kim (2014), equation 2, before the non-linearity.

    >>> add = {"params": {"kernel": jnp.ones((2, 1, 1)), "bias": jnp.zeros(1)}}
    >>> Windows(2, 1).apply(add, jnp.array([[1.0], [2.0], [4.0]]), jnp.array([0, 0, 1])).tolist()
    [[3.0], [2.0], [4.0]]
    """

    width: int
    num_filters: int

    @nn.compact
    def __call__(
        self, vectors: Float[Array, "positions dim"], owner: Int[Array, "positions"]
    ) -> Float[Array, "positions filters"]:
        dim = vectors.shape[-1]
        kernel = self.param("kernel", _he_normal, (self.width, dim, self.num_filters))
        bias = self.param("bias", nn.initializers.zeros, (self.num_filters,))
        neighbours = [_within(owner, k)[:, None] * _shifted(vectors, k) for k in range(1, self.width)]
        side_by_side = jnp.concatenate([vectors, *neighbours], axis=-1)
        return side_by_side @ kernel.reshape(self.width * dim, self.num_filters) + bias


def _shifted(array: Array, count: int) -> Array:
    """What stands `count` positions further; zeros beyond the end."""
    return jnp.pad(array[count:], ((0, min(count, len(array))), *((0, 0),) * (array.ndim - 1)))


def _within(owner: Array, count: int) -> Array:
    """Whether the position `count` further is of the same text."""
    return _shifted(owner + 1, count) == owner + 1


def window_owner(texts: TextBatch, width: int) -> Int[Array, "positions"]:
    """The text that the window at each position belongs to; `num_texts` if it reaches beyond its text.

    A text shorter than the window has the one that starts at its first word.

    >>> texts = TextBatch(jnp.array([5, 2, 9]), jnp.array([0, 0, 1]), jnp.array([2, 1]))
    >>> window_owner(texts, 2).tolist()
    [0, 2, 1]
    """
    first = jnp.pad(texts.owner[:-1], (1, 0), constant_values=-1) != texts.owner
    return jnp.where(_within(texts.owner, width - 1) | first, texts.owner, texts.num_texts)


OUTPUT = "output"
"""The last layer of a model that names it so, as all built-in models do."""
VECTORS = "vectors"
"""The parameter that holds a vector for each word of the vocabulary."""
_HIDDEN, _WINDOWS = "Linear_", "windows_"


def hidden_layers(params: Mapping[str, Any]) -> list[str]:
    """The names of an MLP's hidden layers, the first one first.

    >>> hidden_layers({"Linear_10": {}, "Linear_9": {}, "output": {}})
    ['Linear_9', 'Linear_10']
    """
    return sorted((name for name in params if name.startswith(_HIDDEN)), key=lambda name: int(name[len(_HIDDEN) :]))


def is_mlp(params: Mapping[str, Any]) -> bool:
    """Whether parameters are those of an MLP: linear layers one after another, and nothing else."""
    names = [*hidden_layers(params), OUTPUT]
    if set(params) != set(names) or any(set(params[name]) != {"kernel", "bias"} for name in names):
        return False
    shapes = [np.shape(params[name]["kernel"]) for name in names]
    return all(len(shape) == 2 for shape in shapes) and all(a[1] == b[0] for a, b in pairwise(shapes))


def window_layer(width: int) -> str:
    """The name of a text CNN's windows of a width."""
    return f"{_WINDOWS}{width}"


def has_windows(params: Mapping[str, Any]) -> bool:
    """Whether parameters are those of a text CNN: windows, and a last layer over what is pooled of them."""
    return any(name.startswith(_WINDOWS) for name in params) and OUTPUT in params


def linear_layer(layer: int) -> str:
    """The name of an MLP's hidden layer, counted from 0."""
    return f"{_HIDDEN}{layer}"
