"""Data sets as their files tell them: texts not yet split into words, splits that may be missing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RawSplit:
    """Examples in the order of their file.

    Attributes:
      inputs: texts, or features `float32[examples, features]`.
      labels: `int32[examples]`, from 0 to the number of classes - 1.
    """

    inputs: Sequence[str] | np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.labels)


@dataclass(frozen=True)
class RawDataset:
    """A classification task before its texts are encoded and the missing splits are carved off.

    Attributes:
      name: what to call it.
      class_names: a name for each label.
      train: always there.
      dev: None if there is none.
      test: None if there is none.
    """

    name: str
    class_names: tuple[str, ...]
    train: RawSplit
    dev: RawSplit | None = None
    test: RawSplit | None = None
