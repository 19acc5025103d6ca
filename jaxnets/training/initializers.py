"""Initializers of the linear maps. Which one a run uses is traced: one program trains runs with different ones."""

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import traverse_util
from jaxtyping import Array, Float, Int, PRNGKeyArray

Variance = Callable[[int, int], float]
"""From fan_in and fan_out to the variance of the numbers of a kernel."""
Initializer = Callable[..., Array]
"""A guest's: `initializer(key, shape, dtype)` draws a kernel, as those of `jax.nn.initializers` do."""


def he(fan_in: int, fan_out: int) -> float:
    """N(0, 2 / fan_in). Source: He et al. (2015), equation 10."""
    return 2 / fan_in


def xavier(fan_in: int, fan_out: int) -> float:
    """N(0, 1 / fan_in), the form that is often taught."""
    return 1 / fan_in


def glorot(fan_in: int, fan_out: int) -> float:
    """N(0, 2 / (fan_in + fan_out)). Source: Glorot and Bengio (2010), equation 12."""
    return 2 / (fan_in + fan_out)


def pytorch(fan_in: int, fan_out: int) -> float:
    """Uniform in ±1 / sqrt(fan_in), biases too; not normal. Source: `torch.nn.Linear.reset_parameters`."""
    return 0.0


def zeros(fan_in: int, fan_out: int) -> float:
    """All zero."""
    return 0.0


def model(fan_in: int, fan_out: int) -> float:
    """What the model's own code draws, kernels and biases."""
    return 0.0


KNOWN: dict[str, Variance] = {rule.__name__: rule for rule in (he, xavier, glorot, pytorch, zeros, model)}
_NAMES = tuple(KNOWN)


def index(name: str) -> int:
    """The number by which a run knows a built-in initializer.

    >>> index("xavier")
    1
    """
    return _NAMES.index(name)


def initialize(
    choice: Int[Array, ""],
    scale: Float[Array, ""],
    params: Mapping[str, Any],
    key: PRNGKeyArray,
    *,
    own: bool = True,
    guest: Initializer | None = None,
) -> dict[str, Any]:
    """Draws every `kernel` of a tree of parameters anew, and the `bias` beside it; the others stay as they are.

    Biases are zero but for `pytorch` and `model`. Normals are plain, not truncated.

    Args:
      choice: from `index`.
      scale: a factor on the drawn kernels.
      params: nested dicts as a Flax module makes them; a kernel's last axis is that of its outputs.
      key: of all draws.
      own: whether `choice` may be `model`. If not, the compiler can leave out what the model's own code would draw.
      guest: draws all kernels, in the place of the built-in initializers.
    """
    flat = traverse_util.flatten_dict(params)
    fans = {path: _fans(flat[(*path[:-1], "kernel")]) for path in flat if _is_drawn(path, flat)}
    if guest is not None:
        return traverse_util.unflatten_dict(flat | _of_guest(guest, scale, {path: flat[path] for path in fans}, key))
    # One draw for all: a program compiles in half the time.
    sizes = [flat[path].size for path in fans]
    ends = list(itertools.accumulate(sizes))
    standard = jax.random.uniform(key, (sum(sizes),), minval=jnp.nextafter(jnp.float32(-1), jnp.float32(0)))
    for (path, (fan_in, fan_out)), size, end in zip(fans.items(), sizes, ends, strict=True):
        before, uniform = flat[path], standard[end - size : end].reshape(flat[path].shape)
        is_kernel = path[-1] == "kernel"
        drawn = _kernel(choice, scale, uniform, fan_in, fan_out) if is_kernel else _bias(choice, uniform, fan_in)
        drawn = drawn.astype(before.dtype)
        flat[path] = jnp.where(choice == index("model"), before, drawn) if own else drawn
    return traverse_util.unflatten_dict(flat)


def _of_guest(guest: Initializer, scale: Array, params: Mapping[tuple, Array], key: PRNGKeyArray) -> dict[tuple, Array]:
    """Each kernel from a key of its own, the biases zero."""
    keys = jax.random.split(key, max(len(params), 1))
    return {
        path: scale * guest(own_key, leaf.shape, leaf.dtype) if path[-1] == "kernel" else jnp.zeros_like(leaf)
        for (path, leaf), own_key in zip(params.items(), keys, strict=False)
    }


def _is_drawn(path: tuple[str, ...], flat: Mapping[tuple[str, ...], Array]) -> bool:
    return path[-1] == "kernel" or (path[-1] == "bias" and (*path[:-1], "kernel") in flat)


def _fans(kernel: Array) -> tuple[int, int]:
    """The numbers that enter a unit, and those that a number enters; the receptive field counts in both."""
    return math.prod(kernel.shape[:-1]), math.prod(kernel.shape[:-2]) * kernel.shape[-1]


def _kernel(choice: Array, scale: Array, uniform: Array, fan_in: int, fan_out: int) -> Array:
    """A kernel from numbers that are uniform in (-1, 1)."""
    deviation = jnp.array([rule(fan_in, fan_out) ** 0.5 for rule in KNOWN.values()], jnp.float32)[choice]
    # erfinv is the inverse of the normal distribution function, up to a scale
    normal = deviation * (2**0.5) * jax.lax.erf_inv(uniform)
    return scale * jnp.where(choice == index("pytorch"), uniform * fan_in**-0.5, normal)


def _bias(choice: Array, uniform: Array, fan_in: int) -> Array:
    return jnp.where(choice == index("pytorch"), uniform * fan_in**-0.5, 0.0)
