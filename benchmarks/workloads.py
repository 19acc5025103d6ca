"""What the benchmarks train: data of a fixed shape, the flags that train on it, and the arithmetic in a step."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split

MLP_SIZES = (64, 128, 128, 10)
MLP_BATCH = 64
TEXT_BATCH, TEXT_WORDS, TEXT_DIM, TEXT_WIDTHS, TEXT_FILTERS, TEXT_VOCABULARY = 50, 56, 100, (3, 4, 5), 64, 5000


@dataclass(frozen=True)
class Workload:
    """One row of the benchmark.

    Attributes:
      flags: of the configuration that jaxnets trains.
      flops: multiplications and additions in the matrix products of one step that no implementation can do without:
        forward, gradient of the weights, and gradient of the inputs but for those of the first layer of an MLP.
    """

    flags: Mapping[str, str]
    flops: int


def _mlp_flops() -> int:
    products = [2 * MLP_BATCH * a * b for a, b in itertools.pairwise(MLP_SIZES)]
    return 3 * sum(products) - products[0]


def _text_cnn_flops() -> int:
    windows = sum((TEXT_WORDS - width + 1) * width for width in TEXT_WIDTHS)
    return 3 * 2 * TEXT_BATCH * windows * TEXT_DIM * TEXT_FILTERS


WORKLOADS = {
    "mlp": Workload(
        {
            "dataset": "benchmarks.workloads:features",
            "model": "mlp",
            "hidden_units": "128x128",
            "optimizer": "adam",
            "batch_size": str(MLP_BATCH),
        },
        _mlp_flops(),
    ),
    "text_cnn": Workload(
        {
            "dataset": "benchmarks.workloads:sentences",
            "model": "text_cnn",
            "embedding_dim": str(TEXT_DIM),
            "filter_widths": "x".join(map(str, TEXT_WIDTHS)),
            "num_filters": str(TEXT_FILTERS),
            "optimizer": "sgd",
            "batch_size": str(TEXT_BATCH),
        },
        _text_cnn_flops(),
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


def sentences(num_examples: int = 500) -> Dataset:
    """Random sentences, all of the same length."""
    generator = np.random.default_rng(0)

    def split(size: int) -> Split:
        words = generator.integers(2, TEXT_VOCABULARY, (size, TEXT_WORDS), dtype=np.int32)
        return Split(words, generator.integers(0, 2, size, dtype=np.int32))

    vocabulary = (PADDING, UNKNOWN, *(f"word{number}" for number in range(2, TEXT_VOCABULARY)))
    return Dataset("sentences", split(num_examples), split(5), split(5), ("no", "yes"), vocabulary)
