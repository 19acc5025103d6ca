"""Initializers of the linear maps. Which one a run uses is traced: one program trains runs with different ones."""

import math
import zlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxnets import names

NAMES = ("he", "xavier", "glorot", "pytorch", "zeros", "model")


def index(name: str) -> int:
    """The number by which a run knows its initializer.

    >>> index("xavier")
    1

    Raises:
      UserError: if there is none of that name.
    """
    if name not in NAMES:
        raise names.unknown("--initializer", name, NAMES)
    return NAMES.index(name)


def initialize(
    choice: Int[Array, ""], scale: Float[Array, ""], params: Mapping[str, Any], key: PRNGKeyArray
) -> dict[str, Any]:
    """Draws every `kernel` of a tree of parameters anew, and the `bias` beside it; the others stay as they are.

    With fan_in the numbers that enter a unit and fan_out those that a number enters:

    - `he`: N(0, 2 / fan_in). Source: He et al. (2015), equation 10.
    - `xavier`: N(0, 1 / fan_in), the form that is often taught.
    - `glorot`: N(0, 2 / (fan_in + fan_out)). Source: Glorot and Bengio (2010), equation 12.
    - `pytorch`: uniform in ±1 / sqrt(fan_in), biases too. Source: `torch.nn.Linear.reset_parameters`.
    - `zeros`: all zero.
    - `model`: what the model's own code has drawn.

    Biases are zero but for `pytorch` and `model`. Normals are plain, not truncated.

    Args:
      choice: from `index`.
      scale: a factor on the drawn kernels.
      params: nested dicts as a Flax module makes them; a kernel's last axis is that of its outputs.
      key: each array gets a stream of its own, folded from its path.
    """
    drawn: dict[str, Any] = {}
    for name, value in params.items():
        own_key = jax.random.fold_in(key, zlib.crc32(name.encode()))
        if isinstance(value, Mapping):
            drawn[name] = initialize(choice, scale, value, own_key)
        elif name == "kernel":
            drawn[name] = _kernel(choice, scale, value, own_key)
        elif name == "bias" and "kernel" in params:
            drawn[name] = _bias(choice, value, _fans(params["kernel"])[0], own_key)
        else:
            drawn[name] = value
    return drawn


def _fans(kernel: Array) -> tuple[int, int]:
    """The numbers that enter a unit, and those that a number enters; the receptive field counts in both."""
    return math.prod(kernel.shape[:-1]), math.prod(kernel.shape[:-2]) * kernel.shape[-1]


def _kernel(choice: Array, scale: Array, own: Array, key: PRNGKeyArray) -> Array:
    fan_in, fan_out = _fans(own)
    variance = {"he": 2 / fan_in, "xavier": 1 / fan_in, "glorot": 2 / (fan_in + fan_out)}
    deviation = jnp.array([variance.get(name, 0.0) ** 0.5 for name in NAMES], own.dtype)[choice]
    normal = deviation * jax.random.normal(key, own.shape, own.dtype)
    drawn = scale * jnp.where(choice == index("pytorch"), _uniform(own, fan_in, key), normal)
    return jnp.where(choice == index("model"), own, drawn.astype(own.dtype))


def _bias(choice: Array, own: Array, fan_in: int, key: PRNGKeyArray) -> Array:
    drawn = jnp.where(choice == index("pytorch"), _uniform(own, fan_in, key), jnp.zeros_like(own))
    return jnp.where(choice == index("model"), own, drawn)


def _uniform(like: Array, fan_in: int, key: PRNGKeyArray) -> Array:
    return jax.random.uniform(key, like.shape, like.dtype, minval=-(fan_in**-0.5), maxval=fan_in**-0.5)
