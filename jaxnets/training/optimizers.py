"""Optimizers: the four of the textbooks, and every alias of Optax."""

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray
from optax.contrib import SAMState, ScheduleFreeState, schedule_free_eval_params
from optax.schedules import InjectStatefulHyperparamsState

from jaxnets import logs
from jaxnets.errors import UserError

Number = float | Float[Array, ""]
Factory = Callable[..., optax.GradientTransformation]

RATE = 0.001
"""The learning rate of an optimizer that has none of its own."""
_SCALED_BY_ONE = (optax.adadelta, optax.lbfgs)  # their learning rate of None is 1

_LIMITS: Mapping[str, Mapping[str, Any]] = {
    **{name: {"below": 1} for name in ("b1", "b2", "b3", "rho", "decay")},  # shares of what was before, in averages
    "momentum": {"most": 1},
    "memory_size": {"least": 1, "most": 1000},
}

_DECAYS = ("weight_decay", "weight_decay_rate")  # as Adafactor calls its own


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
    """The built-in optimizers and every alias of Optax, by name: its functions of a learning rate."""
    aliases = {
        name: value
        for name, value in vars(optax).items()
        if isinstance(value, types.FunctionType | functools.partial)
        and "learning_rate" in inspect.signature(value).parameters
        and not name.startswith(("_", "scale_by_"))
        and name != "optimistic_adam"  # deprecated
    }
    return aliases | {function.__name__: function for function in (sgd, momentum, nesterov, adam)}


def is_built_in(factory: Any) -> bool:
    """Whether an optimizer is one of those that are known by name."""
    return any(factory is one for one in known().values())


def own_rate(factory: Factory) -> float | None:
    """The learning rate that an optimizer has by default; None where it has none, or one that is no number.

    >>> own_rate(optax.adadelta), own_rate(optax.adam), own_rate(lambda learning_rate=0.3: optax.sgd(learning_rate))
    (1.0, None, 0.3)
    """
    default = 1.0 if factory in _SCALED_BY_ONE else _default_rate(factory)
    is_number = isinstance(default, int | float) or (hasattr(default, "dtype") and jnp.ndim(default) == 0)
    return float(default) if is_number else None


def names_no_rate(factory: Factory) -> bool:
    """Whether an optimizer can go without a learning rate, but does not say what it is then, as Adafactor."""
    return own_rate(factory) is None and _default_rate(factory) is not inspect.Parameter.empty


def _default_rate(factory: Factory) -> Any:
    return inspect.signature(factory).parameters["learning_rate"].default


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
    scheduled: bool = True,
) -> optax.GradientTransformationExtraArgs:
    """The gradient transformation of a run: clipping, weight decay, and the optimizer.

    All floats may be traced, so that it is built anew at each step with that step's learning rate. Weight decay is the
    factory's own where it has an argument for it, as the decoupled decay of AdamW (Loshchilov and Hutter, 2019), or
    that of Adafactor, which the learning rate does not multiply; otherwise L2: `weight_decay * p` is added to the
    clipped gradient (clipping: Pascanu et al., 2013). The key is that of a factory which draws noise.
    """
    takes = inspect.signature(factory).parameters
    before = []
    if gradient_clip is not None:
        before.append(optax.clip_by_global_norm(gradient_clip))
    decay = next((name for name in _DECAYS if name in takes), None)
    if weight_decay is not None and decay is not None:
        values = {**values, decay: weight_decay}
    elif weight_decay is not None:
        before.append(optax.add_decayed_weights(weight_decay))
    if key is not None and "key" in takes:
        values = {**values, "key": key}
    if takes["learning_rate"].kind is inspect.Parameter.KEYWORD_ONLY:  # as functools.partial makes it
        own = factory(learning_rate=learning_rate, **values)
    else:
        own = factory(learning_rate, **values)
    return cast(optax.GradientTransformationExtraArgs, optax.chain(*before, _of_parameters(own, scheduled)))


class WithSlow(NamedTuple):
    """The state of Lookahead with its slow parameters, which Optax keeps beside the fast ones."""

    state: Any
    slow: Any


def _of_parameters(own: Any, scheduled: bool) -> optax.GradientTransformationExtraArgs:
    """An optimizer of plain parameters, which takes those extra arguments of `update` that it knows.

    Where the rate is scheduled, `optax.inject_hyperparams` takes that of the step instead of the one in its state.
    """

    def init(params: Any) -> Any:
        with logs.quiet_absl():  # Lookahead warns of plain parameters
            state = own.init(params)
        if not any(True for _ in _found(state, optax.LookaheadState)):
            return state
        return WithSlow(own.init(optax.LookaheadParams.init_synced(params)), params)

    def update(gradient: Any, state: Any, params: Any = None, **extras: Any) -> tuple[Any, Any]:
        if scheduled and any(True for _ in _found(state, InjectStatefulHyperparamsState)):
            state = jax.tree.map(
                lambda old, new: old._replace(hyperparams=new.hyperparams) if _is_injected(old) else old,
                *(state, init(params)),
                is_leaf=_is_injected,
            )
        if not isinstance(state, WithSlow):
            return _with_known(own.update, extras, gradient, state, params)
        both = optax.LookaheadParams(fast=params, slow=state.slow)
        updates, inner = _with_known(own.update, extras, gradient, state.state, both)
        return updates.fast, WithSlow(inner, optax.apply_updates(state.slow, updates.slow))

    return optax.GradientTransformationExtraArgs(init, update)


def without_injected(state: Any) -> Any:
    """The state of an optimizer without the numbers that `inject_hyperparams` keeps there, to be changed."""
    return jax.tree.map(
        lambda node: node._replace(hyperparams={}) if _is_injected(node) else node, state, is_leaf=_is_injected
    )


def _is_injected(node: Any) -> bool:
    return isinstance(node, InjectStatefulHyperparamsState)


def _with_known(update: Callable[..., Any], extras: Mapping[str, Any], *arguments: Any) -> Any:
    """`update` with those of the extra arguments that no part of it refuses: a chain hides the signatures within."""
    given = dict(extras)
    while True:
        try:
            # apart, so that what is given up leaves nothing in the computation
            jax.eval_shape(functools.partial(update, **given), *arguments)
            return update(*arguments, **given)
        except TypeError as error:
            _, told, refused = str(error).partition("nexpected keyword argument")
            names = {name for name in given if told and f"'{name}'" in refused}
            if not names:
                raise
            given = {name: value for name, value in given.items() if name not in names}


def _found(state: Any, *kinds: type) -> Iterator[Any]:
    """The outermost states of some kinds within an optimizer's."""
    leaves = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, kinds))
    return (leaf for leaf in leaves if isinstance(leaf, kinds))


_JUDGED = (ScheduleFreeState, WithSlow, SAMState)


def judges(factory: Factory, state: Any) -> bool:
    """Whether an optimizer defines other parameters to be judged at than those that its gradients are taken at."""
    return hasattr(factory, "eval_params") or any(True for _ in _found(state, *_JUDGED))


def eval_params(factory: Factory, state: Any, params: Any) -> Any:
    """The parameters that a run is evaluated and kept at: those of its steps, unless the optimizer defines others.

    A factory that has an attribute `eval_params` is asked, by `eval_params(state, params)`.
    """
    if hasattr(factory, "eval_params"):
        return factory.eval_params(state[-1], params)
    for part in _found(state, *_JUDGED):
        params = _judged(part, params)
    return params


def _judged(part: Any, params: Any) -> Any:
    """The average of Schedule-Free (Defazio et al., 2024), the slow parameters of Lookahead (Zhang et al., 2019), or
    the parameters of SAM (Foret et al., 2021) before its steps uphill.
    """
    if isinstance(part, WithSlow):
        return part.slow
    kept = part.z if isinstance(part, ScheduleFreeState) else part.cache
    if kept is None:
        return params

    def is_masked(node: Any) -> bool:
        return isinstance(node, optax.MaskedNode)

    def judged(mine: Any, now: Any) -> Any:
        if is_masked(mine):
            return now
        if isinstance(part, ScheduleFreeState):
            return schedule_free_eval_params(part._replace(z=mine), now)
        return jnp.where(part.steps_since_sync == 0, now, mine)

    try:
        return jax.tree.map(judged, kept, params, is_leaf=is_masked)
    except ValueError:
        raise UserError(
            "optimizer: what it keeps does not have the form of the parameters, so those to be judged at are not known."
        ) from None
