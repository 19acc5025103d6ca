"""Sentences with negations, by convolutions over words."""

from jaxnets.tasks.task import BenchmarkTask

TASK = BenchmarkTask(
    name="text_cnn_text",
    about="Sentences with negations, by convolutions over words.",
    values={
        "dataset": "ngrams",
        "num_sentences": 1000,
        "model": "text_cnn",
        "embedding_dim": 8,
        "filter_widths": (2, 3),
        "num_filters": 4,
        "batch_size": 32,
        "num_steps": 90,
        "evaluate_every": 10,
    },
    target=0.96,
    chance=0.5,
    source="generated sentences",
)
