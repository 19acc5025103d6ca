"""One training run as pure functions, `init`, `step` and `evaluate`, and what it is made of."""

from jaxnets.training.batches import Split
from jaxnets.training.run import (
    Metrics,
    Plugin,
    Task,
    TrainState,
    evaluate,
    init,
    limit_norm,
    mark_divergence,
    probabilities,
    step,
    stream,
    train,
)

__all__ = [
    "Metrics",
    "Plugin",
    "Split",
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
