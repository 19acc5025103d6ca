"""Learning-rate schedules: factors on the learning rate. All of their numbers may be traced."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Number = float | Float[Array, ""]
Family = Callable[..., Any]


def constant(progress: Number) -> Number:
    """1 throughout."""
    return jnp.ones_like(progress)


def step(progress: Number, schedule_rate: Number = 0.1, schedule_drops: Number = 2.0) -> Number:
    """Multiplied by `schedule_rate` at each of `schedule_drops` equally spaced points of the training.

    Args:
      progress: from 0 to 1.
      schedule_rate: the factor of each drop.
      schedule_drops: the number of drops.
    """
    # a drop that falls on a step must not miss it by a rounding error
    drops = progress * (schedule_drops + 1) + 1e-6
    return schedule_rate ** jnp.floor(jnp.minimum(drops, schedule_drops))


def exponential(progress: Number, schedule_rate: Number = 0.01) -> Number:
    """schedule_rate ** progress.

    Args:
      progress: from 0 to 1.
      schedule_rate: the factor at the end.
    """
    return schedule_rate**progress


def inverse_time(progress: Number, schedule_slope: Number = 9.0) -> Number:
    """1 / (1 + schedule_slope * progress). Source: Robbins and Monro (1951).

    Args:
      progress: from 0 to 1.
      schedule_slope: the factor at the end is 1 / (1 + schedule_slope).
    """
    return 1 / (1 + schedule_slope * progress)


def linear(progress: Number, schedule_end: Number = 0.0) -> Number:
    """From 1 in a straight line to `schedule_end`.

    Args:
      progress: from 0 to 1.
      schedule_end: the factor at the end.
    """
    return 1 + (schedule_end - 1) * progress


def cosine(progress: Number, schedule_end: Number = 0.0) -> Number:
    """From 1 to `schedule_end` along half a cosine. Source: Loshchilov and Hutter (2017), equation 5.

    Args:
      progress: from 0 to 1.
      schedule_end: the factor at the end.
    """
    return schedule_end + (1 - schedule_end) * (1 + jnp.cos(jnp.pi * progress)) / 2


KNOWN: dict[str, Family] = {
    family.__name__: family for family in (constant, step, exponential, inverse_time, linear, cosine)
}


def factor(
    family: Family,
    step: Int[Array, ""] | int,
    num_steps: Int[Array, ""] | int,
    warmup_steps: Number | int,
    values: Mapping[str, Any],
) -> Float[Array, ""]:
    """The factor on the learning rate at a step: a linear warm-up, then the family over the steps that are left.

    At step k of W warm-up steps the factor is (k + 1) / W (Goyal et al., 2017, section 2.2); 0 is no warm-up, and as
    many as `num_steps` or more leave the family no step. `family(progress, **values)` goes from progress 0 to 1.

    >>> [float(factor(linear, step, 6, 2, {})) for step in range(6)]
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    warmup = jnp.asarray(warmup_steps, jnp.float32)
    done = jnp.asarray(step, jnp.float32)
    progress = jnp.clip((done - warmup) / jnp.maximum(num_steps - warmup, 1), 0, 1)
    rising = (done + 1) / jnp.maximum(warmup, 1)
    return jnp.where(done < warmup, jnp.minimum(rising, 1), family(progress, **values))


FORMS = ("linear", "cosine", "exponential", "inverse_time", "step")


def decay(progress: Number, decays: Number = 1.0, decay_form: Number = 0.0, decay_end: Number = 0.01) -> Number:
    """From 1 to `decay_end` in one of five forms; see `jaxnets.training.schedules`.

    Args:
      progress: from 0 to 1.
      decays: 0 for a constant rate.
      decay_form: 0 linear, 1 cosine, 2 exponential, 3 inverse time, 4 two equal drops; what is between is rounded down.
      decay_end: the factor at the end.
    """
    factors = jnp.stack(
        [
            linear(progress, decay_end),
            cosine(progress, decay_end),
            exponential(progress, decay_end),
            inverse_time(progress, 1 / decay_end - 1),
            step(progress, jnp.sqrt(decay_end), 2.0),
        ]
    )
    form = jnp.clip(jnp.floor(decay_form), 0, len(FORMS) - 1).astype(int)
    return jnp.where(jnp.asarray(decays) > 0, factors[form], jnp.ones_like(progress))
