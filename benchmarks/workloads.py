"""What the benchmarks train: data of a fixed shape, the values that train on it, and the arithmetic in a step."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxnets.config.presets import PRESETS
from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split
from jaxnets.data.texts import Texts

MLP_SIZES = (64, 128, 128, 10)
MLP_BATCH = 64
TEXT_BATCH, TEXT_WORDS, TEXT_DIM, TEXT_WIDTHS, TEXT_FILTERS, TEXT_VOCABULARY = 50, 56, 100, (3, 4, 5), 64, 5000

# Movie-review sentences: their number, the mean and deviation of their words, and the longest.
REVIEWS, REVIEW_MEAN, REVIEW_DEVIATION, LONGEST_REVIEW = 10_662, 21.0, 9.4, 59
REVIEW_VOCABULARY, REVIEW_DIM = 16_000, 300
DAN_HIDDEN = (300, 300)
KIM_WIDTHS, KIM_FILTERS = (3, 4, 5), 100


@dataclass(frozen=True)
class Workload:
    """One row of the benchmark.

    Attributes:
      values: of the configuration that jaxnets trains.
      flops: multiplications and additions in the matrix products of one step that no implementation can do without:
        forward, gradient of the weights, and gradient of the inputs but for those of the first layer of an MLP.
    """

    values: Mapping[str, Any]
    flops: int


def _mlp_flops() -> int:
    products = [2 * MLP_BATCH * a * b for a, b in itertools.pairwise(MLP_SIZES)]
    return 3 * sum(products) - products[0]


def _text_cnn_flops() -> int:
    windows = sum((TEXT_WORDS - width + 1) * width for width in TEXT_WIDTHS)
    return 3 * 2 * TEXT_BATCH * windows * TEXT_DIM * TEXT_FILTERS


def _dan_flops() -> int:
    sizes = (REVIEW_DIM, *DAN_HIDDEN, 2)
    return 3 * sum(2 * TEXT_BATCH * a * b for a, b in itertools.pairwise(sizes))


def _kim_flops() -> int:
    windows = sum(max(REVIEW_MEAN - width + 1, 1) * width for width in KIM_WIDTHS)
    return int(3 * 2 * TEXT_BATCH * windows * REVIEW_DIM * KIM_FILTERS)


WORKLOADS = {
    "mlp": Workload(
        {
            "dataset": "benchmarks.workloads:features",
            "model": "mlp",
            "hidden_units": MLP_SIZES[1:-1],
            "optimizer": "adam",
            "batch_size": MLP_BATCH,
        },
        _mlp_flops(),
    ),
    "text_cnn": Workload(
        {
            "dataset": "benchmarks.workloads:sentences",
            "model": "text_cnn",
            "embedding_dim": TEXT_DIM,
            "filter_widths": TEXT_WIDTHS,
            "num_filters": TEXT_FILTERS,
            "optimizer": "sgd",
            "batch_size": TEXT_BATCH,
        },
        _text_cnn_flops(),
    ),
    "dan": Workload(
        {
            "dataset": "benchmarks.workloads:reviews",
            "model": "dan",
            "embedding_dim": REVIEW_DIM,
            "hidden_units": DAN_HIDDEN,
            "optimizer": "adam",
            "batch_size": TEXT_BATCH,
        },
        _dan_flops(),
    ),
    "kim_cnn": Workload(
        {
            "dataset": "benchmarks.workloads:reviews",
            **{name: value for name, value in PRESETS["kim2014"].items() if name not in ("num_epochs", "select")},
        },
        _kim_flops(),
    ),
}


def features(num_examples: int = 1437) -> Dataset:
    """Random features of the shape of the digits; so few to evaluate on that only the steps count."""
    generator = np.random.default_rng(0)

    def split(size: int) -> Split:
        inputs = generator.normal(size=(size, MLP_SIZES[0])).astype(np.float32)
        return Split(inputs, generator.integers(0, MLP_SIZES[-1], size, dtype=np.int32))

    classes = tuple(str(label) for label in range(MLP_SIZES[-1]))
    return Dataset("features", split(num_examples), split(16), split(16), classes)


def reviews(num_examples: int = REVIEWS) -> Dataset:
    """Random texts with the lengths of movie-review sentences, their words as frequent as Zipf's law has it."""
    words, lengths, labels = review_stream(num_examples)
    texts = Texts(words, lengths)
    few = np.arange(5)
    small = Split(texts.take(few), labels[few])
    vocabulary = (PADDING, UNKNOWN, *(f"word{number}" for number in range(2, REVIEW_VOCABULARY)))
    return Dataset("reviews", Split(texts, labels), small, small, ("no", "yes"), vocabulary)


def review_stream(num_examples: int = REVIEWS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The words of `reviews` one after another, the length of each text, and the labels; all `int32`."""
    generator = np.random.default_rng(0)
    drawn = generator.gamma((REVIEW_MEAN / REVIEW_DEVIATION) ** 2, REVIEW_DEVIATION**2 / REVIEW_MEAN, num_examples)
    lengths = np.clip(np.round(drawn), 1, LONGEST_REVIEW).astype(np.int32)
    ranks = np.arange(2, REVIEW_VOCABULARY)
    words = generator.choice(ranks, int(lengths.sum()), p=(1 / ranks) / (1 / ranks).sum()).astype(np.int32)
    return words, lengths, generator.integers(0, 2, num_examples, dtype=np.int32)


def sentences(num_examples: int = 500) -> Dataset:
    """Random sentences, all of the same length."""
    generator = np.random.default_rng(0)

    def split(size: int) -> Split:
        words = generator.integers(2, TEXT_VOCABULARY, (size, TEXT_WORDS), dtype=np.int32)
        return Split(words, generator.integers(0, 2, size, dtype=np.int32))

    vocabulary = (PADDING, UNKNOWN, *(f"word{number}" for number in range(2, TEXT_VOCABULARY)))
    return Dataset("sentences", split(num_examples), split(5), split(5), ("no", "yes"), vocabulary)
