"""What a text CNN makes of windows of words: how like each other they are to it, and what its filters look for."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxnets.basics.errors import UserError
from jaxnets.models.layers import OUTPUT, window_layer
from jaxnets.trained import explain, predict
from jaxnets.trained.model import Model


def features(model: Model, text: str) -> dict[int, np.ndarray]:
    """For each width the features `float64[windows, filters]` of a text's windows.

    Raises:
      UserError: if the text has no words, or the model is no text CNN.
    """
    row = predict.encode(model, text)
    if len(row) == 0 or "filter_widths" not in model.arguments:
        raise UserError(f"'{text}' has no windows: it has no words, or '{model.plugin.name}' is no text CNN.")
    return {width: found[within] for width, (found, within) in explain.window_features(model, row).items()}


def similarity(model: Model, first: str, second: str) -> float:
    """The mean cosine of the features of two texts' windows at the same places, over all widths.

    Indicators of n-grams have a cosine of 1 for equal windows and 0 for all others. A window that no filter answers to
    is like none.

    Raises:
      UserError: if the texts have not as many words; and as `features` does.
    """
    cosines = []
    for one, other in zip(features(model, first).values(), features(model, second).values(), strict=True):
        if len(one) != len(other):
            raise UserError(f"'{first}' and '{second}' must have as many words, to be compared window by window.")
        sizes = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        cosines += list((one * other).sum(axis=1) / np.where(sizes > 0, sizes, 1))
    return float(np.mean(cosines))


def indicator_similarity(first: str, second: str, widths: Sequence[int]) -> float:
    """The same of indicators of n-grams: the share of windows at the same places that are equal."""
    equal = []
    for width in widths:
        pairs = zip(_windows(first.split(), width), _windows(second.split(), width), strict=True)
        equal += [one == other for one, other in pairs]
    return float(np.mean(equal))


def _windows(words: Sequence[str], width: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + width]) for start in range(max(len(words) - width + 1, 1))]


def strongest(model: Model, texts: Sequence[np.ndarray], width: int, *, num_filters: int, count: int) -> pd.DataFrame:
    """The windows that the most weighty filters of a width answer to most.

    Args:
      model: a text CNN.
      texts: word ids of each, among which the windows are sought.
      width: of the windows.
      num_filters: how many filters, those with the largest weights in the last layer first.
      count: how many different windows of each.

    Returns:
      A row for each filter and window: `filter`, its number; `class`, the name of the class that the filter speaks
      for; `window`, its words; `feature`, what the filter gives for it.
    """
    before = sum(len(model.params[window_layer(w)]["bias"]) for w in _widths_before(model, width))
    kernel = np.asarray(model.params[OUTPUT]["kernel"])[before:][: len(model.params[window_layer(width)]["bias"])]
    weights = kernel if kernel.shape[1] > 1 else np.concatenate([-kernel, kernel], axis=1)
    weights = weights - weights.mean(axis=1, keepdims=True)
    found = _all_windows(model, texts, width)
    rows = []
    for place in np.argsort(-np.abs(weights).max(axis=1))[:num_filters]:
        best = sorted(found.items(), key=lambda item: -item[1][place])[:count]
        name = model.class_names[int(weights[place].argmax())]
        rows += [
            {"filter": int(place), "class": name, "window": words, "feature": value[place]} for words, value in best
        ]
    return pd.DataFrame(rows, columns=["filter", "class", "window", "feature"])


def _widths_before(model: Model, width: int) -> Sequence[int]:
    widths = list(model.arguments["filter_widths"])
    return widths[: widths.index(width)]


def _all_windows(model: Model, texts: Sequence[np.ndarray], width: int) -> dict[str, np.ndarray]:
    """The features of each different window."""
    found = {}
    for row in texts:
        if len(row) == 0:
            continue
        features_of_text, within = explain.window_features(model, np.asarray(row))[width]
        for place in np.flatnonzero(within):
            words = " ".join(model.vocabulary[word] for word in row[place : place + width])
            found[words] = features_of_text[place]
    return found
