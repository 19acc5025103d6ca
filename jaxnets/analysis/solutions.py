"""Solutions in pairs: how far apart two ends of training are, and the loss on the straight line between them."""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Array

from jaxnets.analysis import landscape
from jaxnets.models.layers import is_mlp

OTHER_OPTIMIZER, OTHER_SHUFFLE = "same start, other optimizer", "same start, other shuffle"
OTHER_START, ALIGNED = "other start", "other start, aligned"

Solutions = Mapping[tuple[str, int], Any]
"""Parameters after the last step, by optimizer and start."""


def pairs(ends: Solutions, again: Solutions, loss: Callable[[Any], Array], *, align: bool) -> pd.DataFrame:
    """The losses along the lines between solutions.

    Args:
      ends: of runs with the same batches for all optimizers of a start.
      again: of the same runs with their batches in another order.
      loss: from parameters to the loss.
      align: whether the hidden units of an MLP are also aligned with those of another start.

    Returns:
      A row for each point of each line: `share`, its place from 0 to 1; `loss`; and of the pair `kind`, `first` and
      `second`, the optimizers, `start`, `distance` and `barrier`.
    """
    lines = [
        _line(loss, a, b).assign(kind=kind, first=first, second=second, start=start)
        for kind, first, second, start, a, b in _compared(ends, again, align=align)
    ]
    columns = ["share", "loss", "kind", "first", "second", "start", "distance", "barrier"]
    return pd.concat(lines, ignore_index=True)[columns] if lines else pd.DataFrame(columns=columns)


def _compared(ends: Solutions, again: Solutions, *, align: bool) -> Iterator[tuple[str, str, str, int, Any, Any]]:
    """The pairs: their kind, both optimizers, the start, and both solutions."""
    optimizers, starts = list(dict.fromkeys(name for name, _ in ends)), sorted({start for _, start in ends})
    for start, other in zip(starts, starts[1:] + starts[:1], strict=True):
        of_start = [name for name in optimizers if (name, start) in ends]
        for first, second in combinations(of_start, 2):
            yield OTHER_OPTIMIZER, first, second, start, ends[first, start], ends[second, start]
        for name in of_start:
            end = ends[name, start]
            yield OTHER_SHUFFLE, name, name, start, end, again[name, start]
            if start == other or (name, other) not in ends:
                continue
            far = ends[name, other]
            yield OTHER_START, name, name, start, end, far
            if align and is_mlp(far):
                yield ALIGNED, name, name, start, end, landscape.aligned(far, end)


def _line(loss: Callable[[Any], Array], first: Any, second: Any) -> pd.DataFrame:
    losses = landscape.along_the_line(loss, first, second)
    apart = {"distance": landscape.distance(first, second), "barrier": landscape.barrier(losses)}
    return pd.DataFrame({"share": np.linspace(0, 1, len(losses)), "loss": losses, **apart})
