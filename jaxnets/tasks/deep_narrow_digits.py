"""Handwritten digits through six narrow layers, in which signals and gradients fade."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="deep_narrow_digits",
    about="Handwritten digits through six narrow layers, in which signals and gradients fade.",
    values={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": (12, 12, 12, 12, 12, 12),
        "batch_size": 64,
        "num_steps": 288,
        "evaluate_every": 16,
    },
    target=0.915,
    chance=0.1,
    source="Alpaydin and Kaynak (1998)",
)
