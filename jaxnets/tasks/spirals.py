"""Two spirals around each other, to be told apart."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="spirals",
    about="Two spirals around each other, to be told apart.",
    values={
        "dataset": "spirals",
        "model": "mlp",
        "hidden_units": (16, 16),
        "batch_size": 50,
        "num_steps": 540,
        "evaluate_every": 30,
    },
    target=0.97,
    chance=0.5,
    source="Lang and Witbrock (1988)",
)
