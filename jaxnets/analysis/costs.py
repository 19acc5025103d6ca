"""What non-linearities cost: alone with their derivatives, and in a step of training."""

from collections.abc import Callable, Mapping
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxnets.analysis import timing
from jaxnets.models import MLP
from jaxnets.models.blocks import Activation
from jaxnets.training.heads import Softmax

FUNCTIONS: Mapping[str, Activation] = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}


def alone(size: int) -> dict[str, Callable[[], Array]]:
    """A call of each function with its derivative on `size` numbers from -4 to 4: for `timing.in_turns`."""
    x = jnp.linspace(-4, 4, size)
    return {name: timing.with_derivative(function, x) for name, function in FUNCTIONS.items()}


def in_a_step(width: int, examples: int) -> dict[str, Callable[[], Array]]:
    """A step of gradient descent of an MLP with two hidden layers of each function: for `timing.in_turns`."""
    return {name: _step(function, width, examples) for name, function in FUNCTIONS.items()}


def _step(function: Activation, width: int, examples: int) -> Callable[[], Array]:
    inputs = jnp.sin(jnp.arange(examples * width, dtype=jnp.float32)).reshape(examples, width)
    labels = jnp.arange(examples) % 10
    model = MLP(10, (width, width), function)

    def loss(params: dict) -> Array:
        logits = jnp.asarray(model.apply({"params": params}, inputs))
        return Softmax().losses(logits, labels).mean()

    @jax.jit
    def step(params: dict) -> dict:
        return jax.tree.map(lambda value, slope: value - 0.1 * slope, params, jax.grad(loss)(params))

    return partial(step, model.init(jax.random.key(0), inputs)["params"])
