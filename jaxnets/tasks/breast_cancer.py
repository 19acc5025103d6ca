"""Malignant or benign tumours by 30 measurements of their cells."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="breast_cancer",
    about="Malignant or benign tumours by 30 measurements of their cells.",
    values={
        "dataset": "breast_cancer",
        "model": "mlp",
        "hidden_units": (16, 16),
        "batch_size": 32,
        "num_steps": 36,
        "evaluate_every": 2,
    },
    target=0.955,
    chance=0.63,
    source="Street, Wolberg and Mangasarian (1993)",
)
