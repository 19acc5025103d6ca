"""Schedules of which the form is a traced number: a search over forms is one program."""

import jax.numpy as jnp

from jaxnets.training import schedules
from jaxnets.training.schedules import Number

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
            schedules.linear(progress, decay_end),
            schedules.cosine(progress, decay_end),
            schedules.exponential(progress, decay_end),
            schedules.inverse_time(progress, 1 / decay_end - 1),
            schedules.step(progress, jnp.sqrt(decay_end), 2.0),
        ]
    )
    form = jnp.clip(jnp.floor(decay_form), 0, len(FORMS) - 1).astype(int)
    return jnp.where(jnp.asarray(decays) > 0, factors[form], jnp.ones_like(progress))
