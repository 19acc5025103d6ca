"""Ten shapes of a line, moved, stretched and noisy."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="mnist1d",
    about="Ten shapes of a line, moved, stretched and noisy.",
    values={
        "dataset": "mnist1d",
        "model": "mlp",
        "hidden_units": (32, 32),
        "batch_size": 100,
        "num_steps": 810,
        "evaluate_every": 45,
    },
    target=0.555,
    chance=0.1,
    source="Greydanus and Kobak (2024)",
)
