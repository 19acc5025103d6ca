"""Nets of one size and of different shapes: the same extra parameters, spent on depth or on width."""

from dataclasses import dataclass

from jaxnets.analysis import parameters
from jaxnets.data.dataset import Dataset
from jaxnets.engine.table import Run

Units = tuple[int, ...]


@dataclass(frozen=True)
class Pair:
    """Two nets that grew out of one with a single hidden layer."""

    base: Units
    deeper: Units
    wider: Units
    extra_deeper: int
    extra_wider: int

    @property
    def off(self) -> float:
        """How far the extra parameters of the wider net are from those of the deeper one, as a share of the latter."""
        return abs(self.extra_wider / self.extra_deeper - 1)


def deeper_or_wider(run: Run, dataset: Dataset, width: int, layers: int) -> Pair:
    """Some more hidden layers, or one wider layer with as many parameters."""

    def count(units: Units) -> int:
        return parameters.learned({**run, "hidden_units": units}, dataset)

    base, deeper = (width,), (width,) * (1 + layers)
    wider = (parameters.equal_width(lambda units: count((units,)), count(deeper)),)
    least = count(base)
    return Pair(base, deeper, wider, count(deeper) - least, count(wider) - least)
