"""What a benchmark task is: a data set, a net, a budget, and an accuracy to reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class BenchmarkTask:
    """A problem on which optimizers or models are compared."""

    name: str
    about: str
    values: Mapping[str, Any]
    target: float
    chance: float
    source: str
