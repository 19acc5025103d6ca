"""Whether an odd number of five among sixteen bits is set."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="parity",
    about="Whether an odd number of five among sixteen bits is set.",
    values={
        "dataset": "parity",
        "num_bits": 16,
        "num_relevant": 5,
        "model": "mlp",
        "hidden_units": (32,),
        "batch_size": 50,
        "num_steps": 486,
        "evaluate_every": 27,
    },
    target=0.815,
    chance=0.5,
    source="Minsky and Papert (1969); Barak et al. (2022)",
)
