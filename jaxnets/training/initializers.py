"""Initializers of the linear maps. Which one a run uses is traced: one program trains runs with different ones."""

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import traverse_util
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxnets.models.blocks import Windows

Variance = Callable[[int, int], float]
"""From fan_in and fan_out to the variance of the numbers of a kernel."""
Initializer = Callable[..., Array]
"""A user-supplied one: `initializer(key, shape, dtype)` draws a kernel, as those of `jax.nn.initializers` do."""


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


class Kernel(NamedTuple):
    """What a layer makes of its kernel.

    Attributes:
      own_shape: of the kernel of one layer; where layers are stacked, as by `nn.scan`, their parameter has axes before.
      shape: as an initializer takes it: a matrix `(inputs, outputs)`, or a convolution's `(*window, inputs, outputs)`.
      fan_in: the numbers that enter a unit.
      fan_out: the units that a number enters; the receptive field counts in both.
    """

    own_shape: tuple[int, ...]
    shape: tuple[int, ...]
    fan_in: int
    fan_out: int


Kernels = Mapping[tuple[str, ...], Kernel | None]
"""What is known of kernels by their path; None of one whose fans are not known."""


@contextlib.contextmanager
def noting() -> Iterator[dict[tuple[str, ...], Kernel | None]]:
    """Notes the kernels of the Flax modules that are called meanwhile.

    >>> with noting() as kernels:
    ...     _ = jax.eval_shape(nn.DenseGeneral((8, 4)).init, jax.random.key(0), jnp.zeros((1, 32)))
    >>> kernels["kernel",].own_shape, kernels["kernel",].shape
    ((32, 8, 4), (32, 32))
    """
    kernels: dict[tuple[str, ...], Kernel | None] = {}

    def note(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
        result, module = call(*args, **kwargs), context.module
        if module.scope is not None and module.has_variable("params", "kernel"):
            kernel = nn.unbox(module.get_variable("params", "kernel"))
            if hasattr(kernel, "shape"):  # a submodule may be called so
                kernels[(*module.path, "kernel")] = _kernel_of(module, kernel.shape, args, kwargs)
        return result

    with nn.intercept_methods(note):
        yield kernels


def _kernel_of(module: nn.Module, shape: tuple[int, ...], args: tuple, kwargs: Mapping[str, Any]) -> Kernel | None:
    """What a module makes of its kernel; None if that is not known."""
    if isinstance(module, nn.DenseGeneral):
        num_outputs, num_inputs = (1 if isinstance(n, int) else len(n) for n in (module.features, module.axis))
        own_shape = shape[-num_outputs - num_inputs :]
        return _matrix(own_shape, math.prod(own_shape[:num_inputs]), math.prod(own_shape[num_inputs:]))
    if isinstance(module, nn.Einsum):
        texts = [one for one in (*args, *kwargs.values(), module.einsum_str) if isinstance(one, str)]
        return _of_einsum(texts[0], shape)  # what the call names comes before what the layer does
    if isinstance(module, nn.ConvLocal):  # a kernel for each position
        return _matrix(shape[-2:], *shape[-2:])
    if isinstance(module, nn.ConvTranspose) and module.transpose_kernel:
        *window, num_outputs, num_inputs = shape
        return Kernel(shape, shape, math.prod(window) * num_inputs, math.prod(window) * num_outputs)
    if len(shape) == 2 or hasattr(module, "kernel_size") or isinstance(module, Windows):
        return Kernel(shape, shape, math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1])
    return None


def _matrix(own_shape: tuple[int, ...], fan_in: int, fan_out: int) -> Kernel:
    return Kernel(own_shape, (fan_in, fan_out), fan_in, fan_out)


def _of_einsum(equation: str, shape: tuple[int, ...]) -> Kernel | None:
    """The kernel of an equation: what is not among its outputs is summed over."""
    inputs, _, rest = equation.replace(" ", "").partition(",")
    axes, _, outputs = rest.partition("->")
    if len(axes) != len(shape) or "." in axes:
        return None
    stacked = [axis for axis in axes if axis in inputs and axis in outputs]
    made = [axis for axis in axes if axis not in inputs]
    if [*axes[: len(stacked)]] != stacked or [*axes[len(axes) - len(made) :]] != made:
        return None  # its numbers are not those of matrices one after another
    sizes = dict(zip(axes, shape, strict=True))
    fan_in = math.prod(size for axis, size in sizes.items() if axis not in outputs)
    return _matrix(shape[len(stacked) :], fan_in, math.prod(sizes[axis] for axis in made))


def known_kernels(params: Mapping[str, Any], noted: Kernels) -> dict[tuple[str, ...], Kernel | None]:
    """What is known of each kernel of a tree of parameters; a matrix that nobody noted maps its rows to its columns."""
    kernels: dict[tuple[str, ...], Kernel | None] = {}
    for path, leaf in traverse_util.flatten_dict(params).items():
        if path[-1] == "kernel":
            kernel = noted.get(path, _matrix(leaf.shape, *leaf.shape) if leaf.ndim == 2 else None)
            fits = kernel is not None and leaf.shape[-len(kernel.own_shape) :] == kernel.own_shape
            kernels[path] = kernel if fits else None
    return kernels


def initialize(
    choice: Int[Array, ""],
    scale: Float[Array, ""],
    params: Mapping[str, Any],
    key: PRNGKeyArray,
    *,
    noted: Kernels | None = None,
    own: bool = True,
    guest: Initializer | None = None,
) -> dict[str, Any]:
    """Draws every `kernel` of a tree of parameters anew, and the `bias` beside it; the others stay as they are.

    Biases are zero but for `pytorch` and `model`. Normals are plain, not truncated. A kernel whose fans are not known
    stays as it is, and so does its bias.

    `choice` is from `index`, `noted` from `noting` while the module made them. `own` says whether `choice` may be
    `model`: if not, the compiler can leave out what the model's own code would draw. A `guest` draws all kernels.
    """
    flat, kernels = traverse_util.flatten_dict(params), known_kernels(params, noted or {})
    layers = {
        path: kernel
        for path in flat
        if path[-1] in ("kernel", "bias") and (kernel := kernels.get((*path[:-1], "kernel")))
    }
    if guest is not None:
        keys = jax.random.split(key, max(len(layers), 1))
        for (path, kernel), own_key in zip(layers.items(), keys, strict=False):
            leaf = flat[path]
            drawn = scale * _of_guest(guest, leaf, kernel, own_key) if path[-1] == "kernel" else jnp.zeros_like(leaf)
            flat[path] = drawn.astype(leaf.dtype)
        return traverse_util.unflatten_dict(flat)
    # One draw for all: a program compiles in half the time.
    sizes = [flat[path].size for path in layers]
    ends = list(itertools.accumulate(sizes))
    standard = jax.random.uniform(key, (sum(sizes),), minval=jnp.nextafter(jnp.float32(-1), jnp.float32(0)))
    for (path, kernel), size, end in zip(layers.items(), sizes, ends, strict=True):
        before, uniform = flat[path], standard[end - size : end].reshape(flat[path].shape)
        if path[-1] == "kernel":
            rules = [rule(kernel.fan_in, kernel.fan_out) ** 0.5 for rule in KNOWN.values()]
            deviation = jnp.array(rules, jnp.float32)[choice]
            # erfinv is the inverse of the normal distribution function, up to a scale
            normal = deviation * (2**0.5) * jax.lax.erf_inv(uniform)
            drawn = scale * jnp.where(choice == index("pytorch"), uniform * kernel.fan_in**-0.5, normal)
        else:
            drawn = jnp.where(choice == index("pytorch"), uniform * kernel.fan_in**-0.5, 0.0)
        drawn = drawn.astype(before.dtype)
        flat[path] = jnp.where(choice == index("model"), before, drawn) if own else drawn
    return traverse_util.unflatten_dict(flat)


def _of_guest(guest: Initializer, leaf: Array, kernel: Kernel, key: PRNGKeyArray) -> Array:
    if leaf.shape == kernel.shape:
        return guest(key, kernel.shape, leaf.dtype)
    keys = jax.random.split(key, leaf.size // math.prod(kernel.shape))  # one for each of those that are stacked
    return jnp.stack([guest(one, kernel.shape, leaf.dtype) for one in keys]).reshape(leaf.shape)
