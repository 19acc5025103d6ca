"""Word vectors among the parameters of a run: given ones, fixed ones, and updates of a batch's words alone.

A parameter named `vectors` holds a vector for each word of the vocabulary. A batch has few of the words, so a step may
take their rows out, of the vectors and of what the optimizer keeps for them; run on these as if they were all; and put
them back. The optimizer is the unmodified one. What differs from dense updates is what it does to rows without a
gradient: `sgd` and `adagrad` nothing, so both are equal; moments of absent words, and their weight decay, rest until
the word comes again, while Adam's bias correction counts all steps, as PyTorch's `SparseAdam` does.
"""

import operator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import traverse_util
from jaxtyping import Array, Bool, Float, Int

from jaxnets.errors import UserError
from jaxnets.models.blocks import VECTORS


class GivenVectors(NamedTuple):
    """Vectors for some words; the others are drawn with the same standard deviation."""

    vectors: Float[Array, "vocabulary dim"]
    given: Bool[Array, "vocabulary"]
    deviation: Float[Array, ""]


def start_from(given: GivenVectors, params: Any) -> Any:
    """Parameters with the given vectors in place of the drawn ones, which are scaled where none is given.

    Source: Kim (2014), section 4.3: words without a vector start at the variance of those with one.
    """

    def with_given(drawn: Array) -> Array:
        if drawn.shape != given.vectors.shape:
            length = given.vectors.shape[-1]
            raise UserError(f"embedding_dim: {drawn.shape[-1]}, but the word vectors given have {length} numbers.")
        others = drawn * (given.deviation / jnp.maximum(drawn.std(), 1e-12))
        return jnp.where(given.given[:, None], given.vectors, others).astype(drawn.dtype)

    flat = traverse_util.flatten_dict(params)
    if not any(path[-1] == VECTORS for path in flat):
        raise UserError("word_vectors: the model has no word vectors.")
    return traverse_util.unflatten_dict(
        {path: with_given(leaf) if path[-1] == VECTORS else leaf for path, leaf in flat.items()}
    )


def partition(params: Any, train_word_vectors: bool) -> tuple[Any, Any]:
    """The parameters that learn and those that do not, each with None where the other has an array."""
    flat = traverse_util.flatten_dict(params)
    learns = {path: train_word_vectors or path[-1] != VECTORS for path in flat}
    trained = {path: leaf if learns[path] else None for path, leaf in flat.items()}
    fixed = {path: None if learns[path] else leaf for path, leaf in flat.items()}
    return traverse_util.unflatten_dict(trained), traverse_util.unflatten_dict(fixed)


def combine(trained: Any, fixed: Any) -> Any:
    """The inverse of `partition`."""
    is_none = partial(operator.is_, None)
    return jax.tree.map(lambda mine, other: other if mine is None else mine, trained, fixed, is_leaf=is_none)


def distinct(
    words: Int[Array, "positions"], vocabulary_size: int
) -> tuple[Int[Array, "rows"], Int[Array, "positions"]]:
    """The distinct words of a batch, and where each position's word is among them.

    There are as many rows as there can be distinct words; `vocabulary_size` stands where there are fewer.
    """
    num_positions = words.shape[0]
    num_rows = min(num_positions, vocabulary_size)
    position = jnp.arange(num_positions, dtype=jnp.int32)
    # the last position of each word stands for it: no sort, which takes ten times as long
    last = jnp.zeros(vocabulary_size, jnp.int32).at[words].max(position)[words]
    stands = last == position
    place = jnp.cumsum(stands, dtype=jnp.int32) - 1
    rows = jnp.full(num_rows, vocabulary_size, jnp.int32)
    rows = rows.at[jnp.where(stands, place, num_rows)].set(words, mode="drop")
    return rows, place[last]


def gather(state: Any, rows: Int[Array, "rows"], optimizer: optax.GradientTransformation) -> Any:
    """The state of a run whose vocabulary are these rows."""

    def take(of_words: bool, leaf: Array) -> Array:
        return leaf.at[rows].get(mode="clip") if of_words else leaf

    return _map(take, state, optimizer)


def scatter(state: Any, updated: Any, rows: Int[Array, "rows"], optimizer: optax.GradientTransformation) -> Any:
    """The updated state with its rows put back among all."""

    def put(of_words: bool, leaf: Array, new: Array) -> Array:
        return leaf.at[rows].set(new, mode="drop", unique_indices=True) if of_words else new

    return _map(put, state, optimizer, updated)


def _map(function: Any, state: Any, optimizer: optax.GradientTransformation, *others: Any) -> Any:
    """The last of some states with `function(of_words, *leaves)` of its parameters and optimizer state."""
    of_words = traverse_util.path_aware_map(lambda path, _: path[-1] == VECTORS, state.params)
    refusal = UserError("word_vector_updates: the optimizer does not keep a row for each word; take 'dense'.")

    def is_of_words(leaf: Array, param: Array, of_words: bool) -> bool:
        if of_words and leaf.shape != param.shape:
            raise refusal
        return of_words

    try:
        in_optimizer = optax.tree_utils.tree_map_params(
            optimizer, is_of_words, state.optimizer_state, state.params, of_words, transform_non_params=lambda _: False
        )
    except (AttributeError, IndexError, TypeError, ValueError):  # what it keeps has not even the parameters' form
        raise refusal from None
    states = (state, *others)
    return states[-1].replace(
        params=jax.tree.map(function, of_words, *(one.params for one in states)),
        optimizer_state=jax.tree.map(function, in_optimizer, *(one.optimizer_state for one in states)),
    )
