"""The names of layers in the parameters of models: whoever asks for a layer asks here."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

OUTPUT = "output"
"""The last layer of a model that names it so, as all built-in models do."""
VECTORS = "vectors"
"""The parameter that holds a vector for each word of the vocabulary."""
_HIDDEN, _WINDOWS = "Linear_", "windows_"


def hidden_layers(params: Mapping[str, Any]) -> list[str]:
    """The names of an MLP's hidden layers, the first one first.

    >>> hidden_layers({"Linear_10": {}, "Linear_9": {}, "output": {}})
    ['Linear_9', 'Linear_10']
    """
    return sorted((name for name in params if name.startswith(_HIDDEN)), key=lambda name: int(name[len(_HIDDEN) :]))


def is_mlp(params: Mapping[str, Any]) -> bool:
    """Whether parameters are those of an MLP: linear layers one after another, and nothing else."""
    names = [*hidden_layers(params), OUTPUT]
    if set(params) != set(names) or any(set(params[name]) != {"kernel", "bias"} for name in names):
        return False
    shapes = [np.shape(params[name]["kernel"]) for name in names]
    return all(len(shape) == 2 for shape in shapes) and all(a[1] == b[0] for a, b in pairwise(shapes))


def window_layer(width: int) -> str:
    """The name of a text CNN's windows of a width."""
    return f"{_WINDOWS}{width}"


def has_windows(params: Mapping[str, Any]) -> bool:
    """Whether parameters are those of a text CNN: windows, and a last layer over what is pooled of them."""
    return any(name.startswith(_WINDOWS) for name in params) and OUTPUT in params


def linear_layer(layer: int) -> str:
    """The name of an MLP's hidden layer, counted from 0."""
    return f"{_HIDDEN}{layer}"
