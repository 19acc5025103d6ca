"""Optimizers: the four of the textbooks, and every alias of Optax."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import optax
from jaxtyping import Array, Float, PRNGKeyArray

Number = float | Float[Array, ""]
Factory = Callable[..., optax.GradientTransformation]

_LIMITS: Mapping[str, Mapping[str, Any]] = {
    **{name: {"below": 1} for name in ("b1", "b2", "b3", "rho", "decay")},  # shares of what was before, in averages
    "momentum": {"most": 1},
    "memory_size": {"least": 1, "most": 1000},
}

# Optax says so only by a warning when they are called.
_DEPRECATED = ("optimistic_adam",)


def sgd(learning_rate: Number) -> optax.GradientTransformation:
    """`p <- p - learning_rate * g`: gradient descent without momentum. Source: Robbins and Monro (1951)."""
    return optax.sgd(learning_rate)


def momentum(learning_rate: Number, momentum: Number = 0.9, nesterov: bool = False) -> optax.GradientTransformation:
    """`v <- momentum * v + g`, `p <- p - learning_rate * v`. Source: Polyak (1964); Sutskever et al. (2013).

    Args:
      learning_rate: the step size.
      momentum: the share of the velocity that is kept at each step.
      nesterov: whether the step is along `g + momentum * v`.
    """
    return optax.sgd(learning_rate, momentum, nesterov=nesterov)


def nesterov(learning_rate: Number, momentum: Number = 0.9) -> optax.GradientTransformation:
    """`v <- momentum * v + g`, `p <- p - learning_rate * (g + momentum * v)`. Source: Sutskever et al. (2013).

    Args:
      learning_rate: the step size.
      momentum: the share of the velocity that is kept at each step.
    """
    return optax.sgd(learning_rate, momentum, nesterov=True)


adam = optax.adam  # Source: Kingma and Ba (2015), algorithm 1.


@functools.cache
def known() -> Mapping[str, Factory]:
    """The built-in optimizers and every alias of Optax, by name."""
    built_in = {function.__name__: function for function in (sgd, momentum, nesterov, adam)}
    return {**_aliases(), **built_in}


def _aliases() -> dict[str, Factory]:
    """Optax's functions from a learning rate to a gradient transformation."""
    functions = {name: value for name, value in vars(optax).items() if inspect.isfunction(value)}
    return {
        name: function
        for name, function in functions.items()
        if "learning_rate" in inspect.signature(function).parameters
        and not name.startswith(("_", "scale_by_"))
        and name not in _DEPRECATED
    }


def is_provided(name: str) -> bool:
    """Whether an argument of an optimizer is no number of a run: what selects parameters, a dtype, a random key."""
    return name in ("learning_rate", "key") or name.endswith("mask") or "dtype" in name


def limits(argument: str) -> Mapping[str, Any]:
    """What an optimizer's argument of a name keeps to: none is negative, and the share of an average is below 1.

    >>> limits("b2"), limits("eps")
    ({'least': 0, 'below': 1}, {'least': 0})
    """
    return {"least": 0, **_LIMITS.get(argument, {})}


def build(
    factory: Factory,
    learning_rate: Number,
    values: Mapping[str, Any],
    *,
    weight_decay: Number | None = None,
    gradient_clip: Number | None = None,
    key: PRNGKeyArray | None = None,
) -> optax.GradientTransformationExtraArgs:
    """The gradient transformation of a run: clipping, weight decay, and the optimizer.

    All floats may be traced, so that it is built anew at each step with that step's learning rate.

    Args:
      factory: `factory(learning_rate, **values)` gives the gradient transformation.
      learning_rate: with the schedule's factor. `rprop` reads it only in `init`, as its first step size.
      values: the factory's arguments.
      weight_decay: the factory's own, where it has an argument of that name, as the decoupled decay of AdamW
        (Loshchilov and Hutter, 2019); otherwise L2: `weight_decay * p` is added to the clipped gradient. A line search,
        such as that of `lbfgs`, looks at the loss without it. The factory's default, or none, if None.
      gradient_clip: the largest global norm of the gradient (Pascanu et al., 2013); no clipping if None.
      key: of the random numbers of a factory that has an argument `key`, as `noisy_sgd` has; read only in `init`.
        None for the factory's own, with which all runs draw the same noise.

    Returns:
      Its `update(gradient, state, params, value=..., grad=..., value_fn=...)` takes what a line search needs.
    """
    takes = inspect.signature(factory).parameters
    before = []
    if gradient_clip is not None:
        before.append(optax.clip_by_global_norm(gradient_clip))
    if weight_decay is not None and "weight_decay" in takes:
        values = {**values, "weight_decay": weight_decay}
    elif weight_decay is not None:
        before.append(optax.add_decayed_weights(weight_decay))
    if key is not None and "key" in takes:
        values = {**values, "key": key}
    return optax.with_extra_args_support(optax.chain(*before, factory(learning_rate, **values)))
