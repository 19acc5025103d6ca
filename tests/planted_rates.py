"""Optimizers and a schedule that are better or worse by how they are made."""

import jax
import jax.numpy as jnp
import optax


def momentum(learning_rate, momentum=0.9, lazy=1.0):
    """Polyak's momentum, where runs with momentum, or those without, see every 24th gradient alone.

    Args:
      learning_rate: the step size.
      momentum: the share of the velocity that is kept at each step.
      lazy: 1 if runs with momentum are lazy, 0 if those without are.
    """
    is_lazy = (jnp.asarray(momentum) > 0) == (jnp.asarray(lazy) > 0)

    def init(params):
        return jnp.zeros((), jnp.int32), jax.tree.map(jnp.zeros_like, params)

    def update(gradient, state, params=None):
        count, velocity = state
        awake = ~is_lazy | (count % 24 == 0)
        velocity = jax.tree.map(lambda v, g: jnp.where(awake, momentum * v + g, v), velocity, gradient)
        return jax.tree.map(lambda v: jnp.where(awake, -learning_rate * v, 0.0), velocity), (count + 1, velocity)

    return optax.GradientTransformation(init, update)


def deaf(learning_rate):
    """Gradient descent at a rate of 0.1, whatever it is told."""
    return optax.sgd(0.1 + 0 * jnp.asarray(learning_rate))


def stopping(progress, decays=1.0):
    """A constant rate, which for runs that do not decay is next to nothing after the first step.

    Args:
      progress: from 0 to 1.
      decays: 0 for runs that stop.
    """
    goes_on = (jnp.asarray(decays) > 0) | (jnp.asarray(progress) <= 0)
    return jnp.where(goes_on, 1.0, 1e-7)
