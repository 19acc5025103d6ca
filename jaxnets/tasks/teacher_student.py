"""The labels of a deep net with random weights."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="teacher_student",
    about="The labels of a deep net with random weights.",
    values={
        "dataset": "teacher_student",
        "model": "mlp",
        "hidden_units": (16, 16),
        "batch_size": 50,
        "num_steps": 540,
        "evaluate_every": 30,
    },
    target=0.92,
    chance=0.5,
    source="Seung, Sompolinsky and Tishby (1992)",
)
