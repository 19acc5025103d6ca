"""Models that answer together, with the mean of their probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxnets.errors import UserError
from jaxnets.trained import predict
from jaxnets.trained.model import Model


@dataclass(frozen=True)
class Ensemble:
    """Trained models with the same classes and the same vocabulary, such as the seeds of a setting."""

    members: tuple[Model, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise UserError("an ensemble needs one model at least.")
        known = {
            (one.class_names, one.label_type, one.vocabulary, one.tokenizer, one.max_length) for one in self.members
        }
        if len(known) > 1:
            raise UserError(
                "the models of an ensemble must share their classes, their vocabulary and how texts are cut."
            )

    @property
    def first(self) -> Model:
        """A member, for what all of them share."""
        return self.members[0]

    def predict(self, inputs: Any) -> np.ndarray:
        """The class of each example that is most probable on average, as its label was given; see `probabilities`."""
        return predict.named(self.first, self.probabilities(inputs))

    def probabilities(self, inputs: Any) -> Float[np.ndarray, "examples classes"]:
        """The mean probability of each class, for features `[examples, features]` or texts."""
        if self.first.vocabulary:
            return self.of_members(predict.encode(self.first, predict.checked_strings(inputs))).mean(axis=0)
        return np.mean([predict.probabilities(one, inputs) for one in self.members], axis=0)

    def of_members(self, rows: Sequence[np.ndarray]) -> Float[np.ndarray, "members texts classes"]:
        """What each member says of texts given as word ids."""
        return np.stack([predict.class_probabilities(one, rows) for one in self.members])
