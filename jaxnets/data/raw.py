"""A data set before its texts are encoded and its missing splits are drawn."""

from dataclasses import dataclass

from jaxnets.data.dataset import Split


@dataclass(frozen=True, eq=False)
class RawDataset:
    """A classification task as its source gives it.

    Attributes:
      name: what to call it.
      class_names: a name for each label.
      splits: `train`, and `dev` and `test` where the source has them; the inputs are strings or features.
      notes: sentences that the user should read about the source.
      label_type: of the labels as they were given; see `Dataset`.
    """

    name: str
    class_names: tuple[str, ...]
    splits: dict[str, Split]
    notes: tuple[str, ...] = ()
    label_type: str = ""
