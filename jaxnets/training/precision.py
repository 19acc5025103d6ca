"""Numbers of less than 32 bits: what is computed from them is computed in float32, and rounded when it is stored."""

from typing import Any

import jax
import jax.numpy as jnp


def widened(tree: Any) -> Any:
    """Arrays of bfloat16 or float16 as float32; all others as they are.

    >>> [str(leaf.dtype) for leaf in widened([jnp.ones(2, jnp.bfloat16), jnp.ones(2), jnp.ones(2, int)])]
    ['float32', 'float32', 'int32']
    """
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if _is_narrow(leaf) else leaf, tree)


def narrowed(tree: Any, like: Any) -> Any:
    """Arrays in the dtypes of those of `like`, where these are bfloat16 or float16; the inverse of `widened`."""
    return jax.tree.map(lambda leaf, one: leaf.astype(one.dtype) if _is_narrow(one) else leaf, tree, like)


def _is_narrow(leaf: Any) -> bool:
    dtype = getattr(leaf, "dtype", jnp.float32)
    return jnp.issubdtype(dtype, jnp.floating) and jnp.finfo(dtype).bits < 32
