"""Random permutations without a sort: cheap enough to draw one per run and epoch."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

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
