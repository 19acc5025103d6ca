"""Handwritten digits of which a fifth of the training labels are wrong."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="digits_noise",
    about="Handwritten digits of which a fifth of the training labels are wrong.",
    values={
        "dataset": "digits_noise",
        "label_noise": 0.2,
        "model": "mlp",
        "hidden_units": (64,),
        "batch_size": 64,
        "num_steps": 216,
        "evaluate_every": 12,
    },
    target=0.93,
    chance=0.1,
    source="Alpaydin and Kaynak (1998); noise as in Zhang et al. (2017)",
)
