"""The convolutional network for sentences."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxnets.models.blocks import (
    OUTPUT,
    Activation,
    Dropout,
    Linear,
    MaxPooling,
    MeanPooling,
    Number,
    Pooling,
    TextBatch,
    Windows,
    WordDropout,
    WordVectors,
    window_layer,
    window_owner,
)
from jaxnets.models.mlp import MLP


class TextCNN(nn.Module):
    """Word vectors, windows of several widths, a non-linearity, pooling over the text, and a linear layer.

    With mean pooling it is a soft bag of n-grams; with max pooling it is the network of Kim (2014).

    Attributes:
      num_outputs: the number of logits.
      vocabulary_size: the number of word ids, padding included.
      embedding_dim: the length of a word vector.
      vector_range: word vectors start uniform within plus and minus this, unless they are given.
      filter_widths: how many neighbouring words each kind of window covers.
      num_filters: the number of filters of each width.
      pooling: `max` or `mean`, over the windows of a text.
      activation: the non-linearity after the filters.
      dropout_rate: dropout of the pooled features; no dropout if not given.
    """

    takes: ClassVar[str] = "text"
    limits: ClassVar[Mapping[str, Any]] = {
        "embedding_dim": {"least": 1},
        "vector_range": {"least": 0},
        "filter_widths": {"most": 64, "distinct": True},
        "num_filters": {"least": 1},
    }

    num_outputs: int
    vocabulary_size: int
    embedding_dim: int = 100
    vector_range: Number = 0.25
    filter_widths: tuple[int, ...] = (3, 4, 5)
    num_filters: int = 64
    pooling: Pooling = MaxPooling
    activation: Activation = jax.nn.relu
    dropout_rate: Number | None = None

    @nn.compact
    def __call__(self, texts: TextBatch, *, train: bool = False) -> Float[Array, "texts outputs"]:
        vectors = WordVectors(self.vocabulary_size, self.embedding_dim, self.vector_range)(texts.words)
        features = jnp.concatenate([self._pooled(vectors, texts, width) for width in self.filter_widths], axis=-1)
        if self.dropout_rate is not None:
            features = Dropout(self.dropout_rate)(features, train=train)
        return Linear(self.num_outputs, name=OUTPUT)(features)

    def _pooled(self, vectors: Array, texts: TextBatch, width: int) -> Array:
        windows = Windows(width, self.num_filters, name=window_layer(width))(vectors, texts.owner)
        features = self.activation(windows)
        # a name, so that what each text's features were before pooling can be asked for
        self.sow("intermediates", f"features_{width}", features)
        return self.pooling(texts.num_texts)(features, window_owner(texts, width))


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
