"""Examples on the device, and the batches that are cut from them."""

from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from jaxnets.models.blocks import TextBatch

EVALUATION_BATCH = 256


class TextStream(NamedTuple):
    """Texts on the device: all their words, and where each text begins."""

    words: Int[Array, "words"]
    starts: Int[Array, "examples"]
    lengths: Int[Array, "examples"]


class Examples(NamedTuple):
    """Examples on the device. Without weights, each example counts once; an example of weight zero is padding.

    The inputs are features, `[examples, features]`; or as a batch a `TextBatch`, and as a whole a `TextStream`. All may
    have one more axis in front, that of batches: so a split of texts is laid out for evaluation.
    """

    inputs: Shaped[Array, "*batches examples features"] | TextBatch | TextStream
    labels: Int[Array, "*batches examples"]
    weights: Float[Array, "*batches examples"] | None = None

    @property
    def mask(self) -> Bool[Array, "*batches examples"]:
        """Which examples are no padding."""
        return jnp.ones(self.labels.shape, bool) if self.weights is None else self.weights > 0


def order(key: PRNGKeyArray, num_examples: int, batch_size: int) -> Int[Array, "examples"]:
    """The order of the examples in the epoch of a key, followed by enough padding for the last batch."""
    if batch_size == num_examples:
        return jnp.arange(num_examples)
    return jnp.pad(permutation(key, num_examples), (0, -num_examples % batch_size))


def order_at(
    key: PRNGKeyArray, places: Int[Array, "places"], num_examples: int, batch_size: int
) -> Int[Array, "places"]:
    """What stands at some places of `order`, without the others: its padding is example 0."""
    if batch_size == num_examples:
        return places
    return jnp.where(places < num_examples, permutation(key, num_examples, places), 0)


def rows(order: Int[Array, "examples"], place: Int[Array, ""], batch_size: int) -> Int[Array, "batch"]:
    """The examples of the batch at a place of an order of batches."""
    return jax.lax.dynamic_slice(order, (place * batch_size,), (batch_size,))


def weights(number: Int[Array, ""], num_examples: int, batch_size: int) -> Float[Array, "batch"] | None:
    """What the examples of the batch of a number within its epoch weigh: the last is filled up with those of zero."""
    if num_examples % batch_size == 0:
        return None
    return (number * batch_size + jnp.arange(batch_size) < num_examples).astype(jnp.float32)


def batch(examples: Examples, rows: Int[Array, "batch"], weights: Float[Array, "batch"] | None) -> Examples:
    """The batch of some rows of features."""
    return Examples(cast(Array, examples.inputs)[rows], examples.labels[rows], weights)


def text_batch(
    stream: TextStream, rows: Int[Array, "batch"], lengths: Int[Array, "batch"], num_positions: int
) -> TextBatch:
    """The texts of some rows, one after another in so many positions."""
    ends = jnp.cumsum(lengths)
    position = jnp.arange(num_positions)
    owner = jnp.searchsorted(ends, position, side="right", method="compare_all").astype(jnp.int32)
    begin = (stream.starts[rows] - (ends - lengths)).at[owner].get(mode="clip")
    words = stream.words.at[position + begin].get(mode="clip")
    return TextBatch(jnp.where(owner < len(rows), words, 0), owner, lengths)


def in_batches(split: Examples) -> Examples:
    """A split as a stack of batches of one size, the last filled up with examples of weight zero."""
    if isinstance(split.inputs, TextBatch):
        return split
    num_examples = split.labels.shape[0]
    size = min(num_examples, EVALUATION_BATCH)
    missing = -num_examples % size

    def stack(array: Array) -> Array:
        padded = jnp.pad(array, ((0, missing), *((0, 0),) * (array.ndim - 1)))
        return padded.reshape(-1, size, *array.shape[1:])

    weights = jnp.ones(num_examples) if split.weights is None else split.weights
    return Examples(stack(cast(Array, split.inputs)), stack(split.labels), stack(weights))


NUM_ROUNDS = 64


def permutation(key: PRNGKeyArray, length: int, places: Int[Array, "places"] | None = None) -> Int[Array, "places"]:
    """A random permutation of 0 to `length` - 1, each number computed by itself; or what stands at some of its places.

    Every round pairs x with (k - x) mod length for a random k, and swaps the pair if a random bit of the pair says so.
    On a CPU that is several times as fast as `jax.random.permutation`, which sorts.
    Source: Hoang, Morris and Rogaway (2012), "An enciphering scheme based on a card shuffle" (swap-or-not).
    """
    offset_key, bit_key = jax.random.split(key)
    offsets = jax.random.randint(offset_key, (NUM_ROUNDS,), 0, length)
    salts = jax.random.bits(bit_key, (NUM_ROUNDS,))

    def swap_or_not(i: Array, x: Array) -> Array:
        partner = offsets[i] - x
        partner = jnp.where(partner < 0, partner + length, partner)
        pair = jnp.maximum(x, partner).astype(jnp.uint32)
        return jnp.where(_mix(pair ^ salts[i]) >> 31, partner, x)

    return jax.lax.fori_loop(0, NUM_ROUNDS, swap_or_not, jnp.arange(length) if places is None else places)


def _mix(bits: Array) -> Array:
    """Spreads each bit over all 32: the finalizer of MurmurHash3 (Appleby, 2011)."""
    bits = (bits ^ (bits >> 16)) * jnp.uint32(0x85EBCA6B)
    bits = (bits ^ (bits >> 13)) * jnp.uint32(0xC2B2AE35)
    return bits ^ (bits >> 16)
