"""One training run as pure functions, `init`, `step` and `evaluate`, and what it is made of.

>>> import jax.numpy as jnp
>>> from jaxnets.models import MLP
>>> from jaxnets.training import heads, optimizers, schedules
>>> model, optimizer, schedule = Bound(MLP, (("num_outputs", 2),)), Bound(optimizers.adam), Bound(schedules.constant)
>>> task = Task(model, optimizer, schedule, heads.Softmax(), 4, num_steps=100, num_examples=4, input_shape=(2,))
>>> numbers = {"learning_rate": 0.01, "warmup_steps": 0.0, "initializer_scale": 1.0}
>>> hyperparameters = {"initializer": jnp.int32(0), **{name: jnp.float32(number) for name, number in numbers.items()}}
>>> xor = Examples(jnp.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), jnp.array([0, 1, 1, 0]))
>>> state = init(task, hyperparameters, jnp.int32(0))
>>> state, metrics = step(task, state, xor)
>>> state, metrics = train(task, state, xor, jnp.int32(1), jnp.int32(100))
>>> loss, accuracy = evaluate(task, state, xor).mean()
>>> int(state.step), float(accuracy)
(100, 1.0)
"""

from jaxnets.training.batches import Examples
from jaxnets.training.run import (
    check_collections,
    evaluate,
    evaluate_batches,
    init,
    judged,
    mark_divergence,
    no_metrics,
    order_of_steps,
    probabilities,
    step,
    stream,
    total,
    train,
    train_on,
)
from jaxnets.training.state import Bound, Metrics, Task, TrainState

__all__ = [
    "Bound",
    "Examples",
    "Metrics",
    "Task",
    "TrainState",
    "check_collections",
    "evaluate",
    "evaluate_batches",
    "init",
    "judged",
    "mark_divergence",
    "no_metrics",
    "order_of_steps",
    "probabilities",
    "step",
    "stream",
    "total",
    "train",
    "train_on",
]
