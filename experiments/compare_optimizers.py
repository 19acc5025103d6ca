"""Compares optimizers: each is tuned alike, and what it chose is confirmed on fresh seeds."""

from jaxnets.config.values import log_range
from jaxnets.runs.experiment import FINAL_SEEDS, LEVEL, MARGIN, OVER_EXAMPLES, TASKS, MethodComparison

CLAIM = "Compares optimizers: tuned alike, confirmed on fresh seeds, with the answer in sentences."

EXPERIMENT = MethodComparison(
    name="compare_optimizers",
    about=CLAIM,
    by="optimizer",
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "optimizer": ["sgd", "momentum", "adam"],
        "learning_rate": log_range(1e-4, 1, 9),
        "num_seeds": 8,
        "num_epochs": 30,
        "predictions": True,
    },
    drawn={"num_seeds": 1, "num_trials": 64},
    options=[FINAL_SEEDS, MARGIN, LEVEL, OVER_EXAMPLES, TASKS],
)
