"""Three cultivars by 13 measurements of their wines."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="wine",
    about="Three cultivars by 13 measurements of their wines.",
    values={
        "dataset": "wine",
        "model": "mlp",
        "hidden_units": (8, 8),
        "batch_size": 16,
        "num_steps": 36,
        "evaluate_every": 2,
    },
    target=0.94,
    chance=0.4,
    source="Aeberhard, Coomans and de Vel (1994)",
)
