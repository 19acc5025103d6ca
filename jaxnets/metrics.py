"""The metrics: what each is called, how it is summed, shown and judged, and what a failed run counts as.

All that shows, stores, judges or exports a metric reads this list. A column of a table is a split and a metric, such as
`test_accuracy`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import inf, log
from typing import Literal

Kind = Literal["number", "share", "positive", "difference"]
"""What values are: any number; a share, from 0 to 1; a loss, time or ratio, above 0; a difference of shares."""

SPLITS = ("train", "final_train", "dev", "test")


@dataclass(frozen=True)
class Metric:
    """A number that says how good a run is on a split.

    `summed` is the field of `jaxnets.training.state.Metrics` whose sum over batches, divided by the examples, it is;
    `failed` is what a run without a result counts as, from the chance of the task and its number of classes.
    """

    name: str
    kind: Kind
    higher: bool
    form: str
    summed: str
    failed: Callable[[float, int], float]
    unit: str = ""

    @property
    def worst(self) -> float:
        """What a failed run counts as where nothing is known of the task."""
        return 0.0 if self.higher else inf

    def show(self, value: float) -> str:
        """A value as text."""
        return self.form.format(value)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("loss", "positive", False, "{:.3f}", "loss", lambda chance, classes: log(classes), unit="nats"),
        Metric("accuracy", "share", True, "{:.1%}", "correct", lambda chance, classes: chance),
    )
}
OF_TARGETS: dict[str, tuple[str, ...]] = {"class": ("loss", "accuracy")}
"""The metrics of each kind of target."""

SCORE = "dev_accuracy"
"""What chooses a setting, unless another column is named."""


def of_column(column: str) -> Metric | None:
    """The metric of a column; None for another number.

    >>> of_column("best_dev_accuracy").name, of_column("seconds")
    ('accuracy', None)
    """
    return METRICS.get(column.rpartition("_")[2])


def columns(splits: Collection[str] = SPLITS) -> list[str]:
    """The columns of all metrics, by split.

    >>> columns(["test"])
    ['test_loss', 'test_accuracy']
    """
    return [f"{split}_{name}" for split in splits for name in METRICS]
