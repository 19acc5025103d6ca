"""What a benchmark task is: a data set, a net, a budget, and an accuracy to reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class BenchmarkTask:
    """A problem on which optimizers or models are compared.

    Attributes:
      name: what to call it.
      about: what is learned, in a sentence.
      values: data set, model, sizes and budget, as `jaxnets.Config` takes them.
      target: the test accuracy to reach.
      chance: the accuracy of guessing.
      source: where the data are from.
    """

    name: str
    about: str
    values: Mapping[str, Any]
    target: float
    chance: float
    source: str
