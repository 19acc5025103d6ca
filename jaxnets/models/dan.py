"""The Deep Averaging Network."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
from flax import linen as nn
from jaxtyping import Array, Float

from jaxnets.models.blocks import Activation, MeanPooling, Number, TextBatch, WordDropout, WordVectors
from jaxnets.models.mlp import MLP


class DAN(nn.Module):
    """Word vectors, their mean, and an MLP. Source: Iyyer et al. (2015).

    Attributes:
      num_outputs: the number of logits.
      vocabulary_size: the number of word ids, padding included.
      embedding_dim: the length of a word vector.
      vector_range: word vectors start uniform within plus and minus this, unless they are given.
      hidden_units: the width of each hidden layer of the MLP.
      activation: the MLP's non-linearity.
      word_dropout_rate: the share of words that are taken out of the texts in training; no dropout if not given.
      dropout_rate: the MLP's dropout; no dropout if not given.
    """

    takes: ClassVar[str] = "text"
    limits: ClassVar[Mapping[str, Any]] = {"embedding_dim": {"least": 1}, "vector_range": {"least": 0}}

    num_outputs: int
    vocabulary_size: int
    embedding_dim: int = 100
    vector_range: Number = 0.25
    hidden_units: tuple[int, ...] = (100, 100)
    activation: Activation = jax.nn.relu
    word_dropout_rate: Number | None = None
    dropout_rate: Number | None = None

    @nn.compact
    def __call__(self, texts: TextBatch, *, train: bool = False) -> Float[Array, "texts outputs"]:
        vectors = WordVectors(self.vocabulary_size, self.embedding_dim, self.vector_range)(texts.words)
        if self.word_dropout_rate is not None:
            texts = WordDropout(self.word_dropout_rate)(texts, train=train)
        average = MeanPooling(texts.num_texts)(vectors, texts.owner)
        return MLP(self.num_outputs, self.hidden_units, self.activation, self.dropout_rate)(average, train=train)
