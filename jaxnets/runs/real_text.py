"""What of a real data set of texts the claims of a lecture are put to, so that it takes minutes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxnets.config.config import Config
from jaxnets.data.texts import Texts
from jaxnets.engine.sweep import load_folds
from jaxnets.errors import UserError
from jaxnets.plugins import DATASET

MOST_WORDS, MOST_TEST = 60, 2000


def limits(dataset: str) -> dict[str, Any]:
    """Values that cut texts to about 60 words, and dev and test to 2,000 examples; `num_train`, all that there are."""
    try:
        (fold, *_) = load_folds(Config(dataset=dataset), "text")
    except UserError as error:
        raise UserError(f"text_dataset: {str(error).removeprefix('dataset: ')}") from None
    texts = fold.train.inputs
    assert isinstance(texts, Texts)
    values: dict[str, Any] = {"num_train": len(fold.train), "num_test": MOST_TEST}
    short = float(np.mean(texts.lengths <= MOST_WORDS))
    if short < 1 and "length_percentile" in DATASET.find(dataset).arguments:
        values["length_percentile"] = max(1.0, round(100 * short, 1))
    return values


def fitted(values: Mapping[str, Any], limits: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a claim on real text within the limits; fewer training examples where the claim wants fewer.

    >>> fitted({"num_train": 5000}, {"num_train": 800, "num_test": 2000})
    {'num_train': 800, 'num_test': 2000}
    """
    fewest = min(values.get("num_train", limits["num_train"]), limits["num_train"])
    return {**values, **limits, "num_train": fewest}
