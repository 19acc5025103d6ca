"""MNIST-1D by an MLP of the published size."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="mnist1d_wide",
    about="MNIST-1D by an MLP of the published size.",
    values={
        "dataset": "mnist1d",
        "model": "mlp",
        "hidden_units": (100, 100),
        "batch_size": 100,
        "num_steps": 3600,
        "evaluate_every": 200,
    },
    target=0.645,
    chance=0.1,
    source="Greydanus and Kobak (2024)",
)
