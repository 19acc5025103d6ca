"""Optimizers by name: the four of the textbooks, every alias of Optax, and whatever an import path leads to."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import optax
from jaxtyping import Array, Float

from jaxnets import names
from jaxnets.arguments import Argument, arguments

Number = float | Float[Array, ""]
Factory = Callable[..., optax.GradientTransformation]


def sgd(learning_rate: Number) -> optax.GradientTransformation:
    """p <- p - learning_rate * g: stochastic gradient descent, without momentum. Source: Robbins and Monro (1951)."""
    return optax.sgd(learning_rate)


def momentum(learning_rate: Number, momentum: Number = 0.9, nesterov: bool = False) -> optax.GradientTransformation:
    """v <- momentum * v + g, p <- p - learning_rate * v. Source: Polyak (1964); Sutskever et al. (2013).

    With `nesterov` the step is g + momentum * v.
    """
    return optax.sgd(learning_rate, momentum, nesterov=nesterov)


def nesterov(learning_rate: Number, momentum: Number = 0.9) -> optax.GradientTransformation:
    """v <- momentum * v + g, p <- p - learning_rate * (g + momentum * v). Source: Sutskever et al. (2013)."""
    return optax.sgd(learning_rate, momentum, nesterov=True)


@functools.cache
def known() -> Mapping[str, Factory]:
    """The built-in optimizers and every alias of Optax, by name."""
    built_in = {function.__name__: function for function in (sgd, momentum, nesterov)}
    return {**_aliases(), **built_in}


def _aliases() -> dict[str, Factory]:
    """Optax's functions from a learning rate to a gradient transformation."""
    functions = {name: value for name, value in vars(optax).items() if inspect.isfunction(value)}
    return {
        name: function
        for name, function in functions.items()
        if "learning_rate" in inspect.signature(function).parameters and not name.startswith(("_", "scale_by_"))
    }


def find(name: str) -> Factory:
    """The optimizer of a name or import path: `factory(learning_rate, **arguments) -> GradientTransformation`.

    Raises:
      UserError: if there is none.
    """
    return names.lookup("--optimizer", name, known())


def hyperparameters(factory: Factory) -> dict[str, Argument]:
    """The arguments of an optimizer, each a flag; a float one whose default is None is used only where it is given."""
    # not numbers: pytrees or functions that select parameters, random keys
    skipped = ("learning_rate", "mask", "weight_decay_mask", "trust_ratio_mask", "key")
    return arguments(factory, skip=skipped)


def build(
    factory: Factory,
    learning_rate: Number,
    values: Mapping[str, Any],
    *,
    weight_decay: Number | None = None,
    gradient_clip: Number | None = None,
) -> optax.GradientTransformationExtraArgs:
    """The gradient transformation of a run: clipping, weight decay, and the optimizer.

    All floats may be traced.

    Args:
      factory: from `find`.
      learning_rate: with the schedule's factor.
      values: the factory's arguments.
      weight_decay: the factory's own, where it has an argument of that name, as the decoupled decay of AdamW
        (Loshchilov and Hutter, 2019); otherwise L2: `weight_decay * p` is added to the gradient. None for none.
      gradient_clip: the largest global norm of the gradient (Pascanu et al., 2013); None for none.
    """
    before = []
    if gradient_clip is not None:
        before.append(optax.clip_by_global_norm(gradient_clip))
    if weight_decay is not None and "weight_decay" in hyperparameters(factory):
        values = {**values, "weight_decay": weight_decay}
    elif weight_decay is not None:
        before.append(optax.add_decayed_weights(weight_decay))
    if "key" in inspect.signature(factory).parameters:  # of the noise that noisy_sgd adds
        values = {**values, "key": jax.random.key(0)}
    return optax.with_extra_args_support(optax.chain(*before, factory(learning_rate, **values)))

