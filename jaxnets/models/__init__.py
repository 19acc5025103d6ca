"""Models: Flax linen modules that map a batch of inputs to logits, and the blocks that they are built from."""

from collections.abc import Mapping
from typing import Any

from flax import linen as nn

from jaxnets.models.mlp import MLP
from jaxnets.models.text import DAN, TextCNN

KNOWN: dict[str, type[nn.Module]] = {"mlp": MLP, "dan": DAN, "text_cnn": TextCNN}

GIVEN = ("num_outputs", "vocabulary_size")
"""What jaxnets itself gives to a model that asks for it, from the data set and the head."""


def limits(argument: str) -> Mapping[str, Any]:
    """What a model's argument of a name keeps to: shares that are dropped are from 0 to below 1.

    >>> limits("word_dropout_rate"), limits("embedding_dim")
    ({'least': 0, 'below': 1}, {})
    """
    return {"least": 0, "below": 1} if argument.endswith("dropout_rate") else {}
