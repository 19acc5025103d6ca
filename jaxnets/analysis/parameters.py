"""The parameters of models by block: counted, and by formulas that know nothing of the modules."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn

from jaxnets.models.blocks import TextBatch
from jaxnets.models.layers import OUTPUT, linear_layer, window_layer


def counted(model: nn.Module, num_features: int | None = None) -> pd.DataFrame:
    """The blocks of a model as its own code makes them.

    Args:
      model: a Flax module of features, or of texts.
      num_features: the numbers of an example; None for a model of texts.

    Returns:
      A row for each block: `block`, its name; `shapes`, of its arrays; `parameters`, how many numbers they hold.
    """
    zero = jnp.zeros(1, jnp.int32)
    inputs: Any = TextBatch(zero, zero, zero) if num_features is None else jnp.zeros((1, num_features))
    params = jax.eval_shape(model.init, jax.random.key(0), inputs)["params"]
    return pd.DataFrame([_row(name, jax.tree.leaves(block)) for name, block in _blocks(params).items()])


def _blocks(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The innermost dictionaries of a tree, by their paths."""
    blocks: dict[str, Any] = {}
    for name, value in params.items():
        nested = any(isinstance(child, Mapping) for child in value.values())
        blocks |= _blocks(value, f"{prefix}{name}/") if nested else {f"{prefix}{name}": value}
    return blocks


def _row(name: str, arrays: Sequence[Any]) -> dict[str, Any]:
    largest_first = sorted(arrays, key=lambda array: -array.ndim)
    shapes = " + ".join("×".join(map(str, array.shape)) for array in largest_first)
    return {"block": name, "shapes": shapes, "parameters": sum(int(np.prod(array.shape)) for array in arrays)}


def linear(num_inputs: int, num_outputs: int) -> int:
    """The parameters of a linear block: n·m weights and m biases."""
    return num_inputs * num_outputs + num_outputs


def mlp(num_inputs: int, hidden_units: Sequence[int], num_outputs: int) -> dict[str, int]:
    """The parameters of each layer of an MLP.

    >>> mlp(2, (3,), 1)
    {'Linear_0': 9, 'output': 4}
    """
    sizes = [num_inputs, *hidden_units, num_outputs]
    names = [*map(linear_layer, range(len(hidden_units))), OUTPUT]
    return {name: linear(n, m) for name, n, m in zip(names, sizes, sizes[1:], strict=False)}


def dan(vocabulary_size: int, dim: int, hidden_units: Sequence[int], num_outputs: int) -> dict[str, int]:
    """The parameters of a DAN's blocks: |V|·d of the word vectors, and those of the MLP."""
    layers = {f"MLP_0/{name}": count for name, count in mlp(dim, hidden_units, num_outputs).items()}
    return {"WordVectors_0": vocabulary_size * dim, **layers}


def text_cnn(
    vocabulary_size: int, dim: int, widths: Sequence[int], num_filters: int, num_outputs: int
) -> dict[str, int]:
    """The parameters of a text CNN's blocks: word vectors, windows of each width (k·d·f + f), the last layer."""
    windows = {window_layer(width): linear(width * dim, num_filters) for width in widths}
    last = linear(len(widths) * num_filters, num_outputs)
    return {"WordVectors_0": vocabulary_size * dim, **windows, OUTPUT: last}


def equal_width(num_inputs: int, depth: int, num_outputs: int, num_parameters: int) -> int:
    """The width of the hidden layers, all alike, whose MLP comes closest to a number of parameters.

    >>> equal_width(64, 1, 10, sum(mlp(64, (100,), 10).values()))
    100
    """

    def total(width: int) -> int:
        return sum(mlp(num_inputs, [width] * depth, num_outputs).values())

    sizes = range(1, num_parameters // (num_inputs + num_outputs) + 2)
    return min(sizes, key=lambda width: abs(total(width) - num_parameters))
