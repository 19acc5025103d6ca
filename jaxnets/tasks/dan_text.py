"""Sentences with negations, by a deep averaging network."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="dan_text",
    about="Sentences with negations, by a deep averaging network.",
    values={
        "dataset": "ngrams",
        "model": "dan",
        "embedding_dim": 8,
        "hidden_units": (16,),
        "batch_size": 32,
        "num_steps": 243,
        "evaluate_every": 27,
    },
    target=0.75,
    chance=0.5,
    source="generated sentences",
)
