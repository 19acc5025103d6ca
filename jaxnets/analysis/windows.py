"""How a text CNN sees windows of words: how similar they are to it, and what its filters look for."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from jaxnets.basics.errors import UserError
from jaxnets.engine.trained import Trained
from jaxnets.evidence import choosing
from jaxnets.models.layers import OUTPUT, has_windows, window_layer
from jaxnets.trained import explain, predict
from jaxnets.trained.model import Model

KEYS = ["run", "block"]


def has_filters(model: Model) -> bool:
    """Whether a model has filters over windows of words, as a text CNN has."""
    return "filter_widths" in model.arguments and has_windows(model.params)


def features(model: Model, text: str) -> dict[int, np.ndarray]:
    """For each width the features `float64[windows, filters]` of a text's windows.

    Raises:
      UserError: if the text has no words, or the model is not a text CNN.
    """
    row = predict.encode(model, text)
    if len(row) == 0 or not has_filters(model):
        raise UserError(f"'{text}' has no windows: it has no words, or '{model.plugin.name}' is not a text CNN.")
    return {width: values[within] for width, (values, within) in explain.window_features(model, row).items()}


def similarity(model: Model, first: str, second: str) -> float:
    """The mean cosine of the features of two texts' windows at the same places, over all widths.

    Indicators of n-grams have a cosine of 1 for equal windows and 0 for all others. A window that no filter answers to
    has a cosine of 0 with every window.

    Raises:
      UserError: if the texts differ in their number of words; and as `features` does.
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
    """How similar two phrases are to another one, to the filters of models and to indicators of n-grams.

    Args:
      models: those without filters are left out.
      one: a phrase.
      like: a phrase of similar meaning, of as many words.
      opposite: a phrase of opposite meaning, of as many words.

    Returns:
      A row for each model: `like` and `opposite`, see `similarity`; `one`, `other` and `contrary`, the phrases; and
      `indicators`, see `indicator_similarity`.

    Raises:
      UserError: as `similarity` does.
    """
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
    """The likeness of phrases to the first net of each block that finished; see `likeness`.

    Args:
      trained: nets whose parameters were kept.
      phrases: one, one like it, and one opposed to it.

    Returns:
      The table of `likeness`, with the column `block`.

    Raises:
      UserError: as `similarity` does.
    """
    runs = choosing.finished(trained.runs)
    first = runs.assign(block=runs.get("block", 0)).drop_duplicates("block")
    tables = [likeness([trained.model(run)], *phrases).assign(block=block) for run, block in first[KEYS].to_numpy()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _windows(words: Sequence[str], width: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + width]) for start in range(max(len(words) - width + 1, 1))]


def strongest(model: Model, texts: Sequence[np.ndarray], *, num_filters: int, count: int) -> pd.DataFrame:
    """The windows that the weightiest filters of the last width answer to most.

    Args:
      model: of texts; the table is empty unless it is a text CNN.
      texts: word ids of each, among which the windows are sought.
      num_filters: how many filters, those with the largest weights in the last layer first.
      count: how many different windows of each.

    Returns:
      A row for each filter and window: `filter`, its number; `class`, the name of the class that the filter speaks
      for; `window`, its words; `feature`, what the filter gives for it.
    """
    columns = ["filter", "class", "window", "feature"]
    if not has_filters(model):
        return pd.DataFrame(columns=columns)
    *before, width = model.arguments["filter_widths"]
    weights = _class_weights(model, before, width)
    values = _all_windows(model, texts, width)
    rows = []
    for place in np.argsort(-np.abs(weights).max(axis=1))[:num_filters]:
        best = sorted(values, key=lambda window: -values[window][place])[:count]
        name = model.class_names[int(weights[place].argmax())]
        rows += [(int(place), name, window, values[window][place]) for window in best]
    return pd.DataFrame(rows, columns=columns)


def _class_weights(model: Model, before: Sequence[int], width: int) -> Float[np.ndarray, "filters classes"]:
    """The weights of the filters of a width in the last layer, about the mean over the classes."""
    num_filters = [len(model.params[window_layer(one)]["bias"]) for one in (*before, width)]
    first = sum(num_filters[:-1])
    kernel = np.asarray(model.params[OUTPUT]["kernel"])[first : first + num_filters[-1]]
    weights = kernel if kernel.shape[1] > 1 else np.concatenate([-kernel, kernel], axis=1)
    return weights - weights.mean(axis=1, keepdims=True)


def _all_windows(model: Model, texts: Sequence[np.ndarray], width: int) -> dict[str, np.ndarray]:
    """The features of each different window."""
    values = {}
    for row in texts:
        if len(row) == 0:
            continue
        features_of_text, within = explain.window_features(model, np.asarray(row))[width]
        for place in np.flatnonzero(within):
            words = " ".join(model.vocabulary[word] for word in row[place : place + width])
            values[words] = features_of_text[place]
    return values
