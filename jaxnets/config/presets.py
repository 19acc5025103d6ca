"""Settings of papers, for `preset`: the values that make a run that of the paper."""

from collections.abc import Mapping
from typing import Any

from jaxnets.errors import unknown

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Iyyer et al. (2015), section 4: three hidden layers of 300, word dropout 0.3, Adagrad, batches of 50, L2 1e-5
    "dan2015": {
        "model": "dan",
        "embedding_dim": 300,
        "hidden_units": (300, 300, 300),
        "activation": "relu",
        "word_dropout_rate": 0.3,
        "optimizer": "adagrad",
        "learning_rate": 0.05,
        "weight_decay": 1e-5,
        "batch_size": 50,
        "train_word_vectors": True,
    },
    # Kim (2014), section 3.1: widths 3, 4, 5 with 100 filters each, max over time, dropout 0.5, norm 3, Adadelta,
    # batches of 50, at most 25 passes, judged on dev; Zeiler's Adadelta has no learning rate (1) and decays by 0.95
    "kim2014": {
        "model": "text_cnn",
        "embedding_dim": 300,
        "vector_range": 0.25,
        "filter_widths": (3, 4, 5),
        "num_filters": 100,
        "pooling": "max",
        "activation": "relu",
        "dropout_rate": 0.5,
        "max_norm": 3.0,
        "optimizer": "adadelta",
        "rho": 0.95,
        "eps": 1e-6,
        "learning_rate": 1.0,
        "batch_size": 50,
        "num_epochs": 25.0,
        "select": "best",
        "train_word_vectors": True,
        "word_vector_updates": "dense",
    },
}


def values(name: str) -> Mapping[str, Any]:
    """The values of a preset."""
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name]
