"""Whether means over draws are what theory has them to be."""

import pandas as pd

from jaxnets.claims.verdicts import Fact


def as_expected(noise: pd.DataFrame, most: float) -> Fact:
    """Whether variances are what they are expected to be, within the error of the draws.

    >>> as_expected(pd.DataFrame({"variance": [1.0], "error": [0.1], "expected": [1.2]}), most=5).holds
    True
    """
    noise = noise[noise["expected"] > 0]  # a batch of all examples has no noise
    away = (noise["variance"] - noise["expected"]).abs()
    errors = (away / noise["error"]).max()
    text = f"in {len(noise)} cases off by {errors:.1f} standard errors of the draws at most"
    return Fact(bool(errors <= most) if len(noise) else None, text)
