"""How a text CNN sees windows of words: what its filters give for them, and how similar they are to it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxnets.engine.trained import Trained
from jaxnets.errors import UserError
from jaxnets.inference import explain, predict
from jaxnets.inference.model import Model
from jaxnets.models.blocks import has_windows
from jaxnets.stats import selection

KEYS = ["run", "block"]


def has_filters(model: Model) -> bool:
    """Whether a model has filters over windows of words, as a text CNN has."""
    return "filter_widths" in model.arguments and has_windows(model.params)


def features(model: Model, text: str) -> dict[int, np.ndarray]:
    """For each width the features `float64[windows, filters]` of a text's windows."""
    (row,) = predict.encode(model, [text])
    if len(row) == 0 or not has_filters(model):
        raise UserError(f"'{text}' has no windows: it has no words, or '{model.plugin.name}' is not a text CNN.")
    return {width: values[within] for width, (values, within) in explain.window_features(model, row).items()}


def similarity(model: Model, first: str, second: str) -> float:
    """The mean cosine of the features of two texts' windows at the same places, over all widths.

    Indicators of n-grams have a cosine of 1 for equal windows and 0 for all others. A window that no filter answers to
    has a cosine of 0 with every window.
    """
    cosines = []
    for one, other in zip(features(model, first).values(), features(model, second).values(), strict=True):
        if len(one) != len(other):
            raise UserError(
                f"'{first}' and '{second}' differ in their number of words; their windows cannot be compared."
            )
        sizes = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        cosines += list((one * other).sum(axis=1) / np.where(sizes > 0, sizes, 1))
    return float(np.mean(cosines))


def indicator_similarity(first: str, second: str, widths: Sequence[int]) -> float:
    """The similarity of two texts to indicators of n-grams: the share of equal windows at the same places."""
    equal = []
    for width in widths:
        pairs = zip(_windows(first.split(), width), _windows(second.split(), width), strict=True)
        equal += [one == other for one, other in pairs]
    return float(np.mean(equal))


def likeness(models: Sequence[Model], one: str, like: str, opposite: str) -> pd.DataFrame:
    """How similar two phrases are to another one, to the filters of models and to indicators of n-grams."""
    rows = [
        {
            "like": similarity(model, one, like),
            "opposite": similarity(model, one, opposite),
            "one": one,
            "other": like,
            "contrary": opposite,
            "indicators": indicator_similarity(one, like, model.arguments["filter_widths"]),
        }
        for model in models
        if has_filters(model)
    ]
    return pd.DataFrame(rows)


def likeness_by_block(trained: Trained, phrases: Sequence[str]) -> pd.DataFrame:
    """The likeness of phrases to the first net of each block that finished; see `likeness`."""
    runs = selection.finished(trained.runs)
    first = runs.assign(block=runs.get("block", 0)).drop_duplicates("block")
    tables = [likeness([trained.model(run)], *phrases).assign(block=block) for run, block in first[KEYS].to_numpy()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _windows(words: Sequence[str], width: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + width]) for start in range(max(len(words) - width + 1, 1))]
