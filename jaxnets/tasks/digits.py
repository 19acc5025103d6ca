"""Handwritten digits by an MLP of one layer."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="digits",
    about="Handwritten digits by an MLP of one layer.",
    values={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": (32,),
        "batch_size": 64,
        "num_steps": 72,
        "evaluate_every": 4,
    },
    target=0.955,
    chance=0.1,
    source="Alpaydin and Kaynak (1998)",
)
