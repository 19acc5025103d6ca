"""A data set before its texts are encoded and its missing splits are drawn."""

from dataclasses import dataclass

from jaxnets.data.dataset import Split


@dataclass(frozen=True, eq=False)
class RawDataset:
    """A classification task as its source gives it."""

    name: str
    class_names: tuple[str, ...]
    splits: dict[str, Split]
    notes: tuple[str, ...] = ()
    label_type: str = ""
