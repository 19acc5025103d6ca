"""One training run as pure functions, `init`, `step` and `evaluate`, and what it is made of."""

from jaxnets.training.batches import Examples
from jaxnets.training.run import (
    evaluate,
    init,
    limit_norm,
    mark_divergence,
    probabilities,
    step,
    stream,
    train,
)
from jaxnets.training.state import Bound, Metrics, Task, TrainState

__all__ = [
    "Bound",
    "Examples",
    "Metrics",
    "Task",
    "TrainState",
    "evaluate",
    "init",
    "limit_norm",
    "mark_divergence",
    "probabilities",
    "step",
    "stream",
    "train",
]
