"""JAX's settings that change numbers, or what may be computed: jaxnets has its own, whatever the process has set.

So a run gives the same bits beside code that has switched on 64 bits or looks for NaN, and that code goes on with its
settings. `jax_default_matmul_precision` stays as it is set, for accelerators: programs of two precisions are two.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax

_OWN: dict[str, tuple[Any, Any]] = {
    "jax_enable_x64": (jax.enable_x64, False),
    "jax_disable_jit": (jax.disable_jit, False),
    "jax_debug_nans": (jax.debug_nans, False),  # NaN marks what is not measured
    "jax_debug_infs": (jax.debug_infs, False),
    "jax_debug_key_reuse": (jax.debug_key_reuse, False),
    "jax_numpy_rank_promotion": (jax.numpy_rank_promotion, "allow"),
    "jax_numpy_dtype_promotion": (jax.numpy_dtype_promotion, "standard"),
    "jax_default_prng_impl": (jax.default_prng_impl, "threefry2x32"),
    "jax_threefry_partitionable": (jax.threefry_partitionable, True),
    "jax_legacy_prng_key": (jax.legacy_prng_key, "allow"),
    "jax_softmax_custom_jvp": (jax.softmax_custom_jvp, False),
    "jax_transfer_guard": (jax.transfer_guard, "allow"),
}
_PRECISION = "jax_default_matmul_precision"


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Computes under jaxnets' own settings, in this thread, and leaves those of the process as they were.

    >>> with jax.enable_x64(True), pinned():
    ...     str(jax.numpy.ones(1).dtype)
    'float32'
    """
    with contextlib.ExitStack() as held:
        for setting, value in _OWN.values():
            held.enter_context(setting(value))
        yield


def matmul_precision() -> str | None:
    """That of products of matrices, where the process has set one."""
    return getattr(jax.config, _PRECISION)


def described() -> dict[str, Any]:
    """The settings under which jaxnets computes, by name."""
    return {**{name: value for name, (_, value) in _OWN.items()}, _PRECISION: matmul_precision()}


def set_aside() -> tuple[str, ...]:
    """A note of what the process has set otherwise."""
    others = [name for name, (_, value) in _OWN.items() if getattr(jax.config, name) not in (value, None)]
    return (f"jaxnets computes under its own settings of JAX, and leaves aside {', '.join(others)}.",) if others else ()
