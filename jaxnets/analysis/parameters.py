"""The parameters of models by block: counted, and by formulas that know nothing of the modules."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn
from flax import traverse_util

from jaxnets import jax_settings
from jaxnets.data.dataset import Dataset
from jaxnets.engine.plan import example_batch, plan, resolve
from jaxnets.engine.table import Run
from jaxnets.models.blocks import OUTPUT, VECTORS, TextBatch, linear_layer, window_layer


@jax_settings.pinned()
def counted(model: nn.Module, num_features: int | None = None) -> pd.DataFrame:
    """The blocks of a model as its own code makes them."""
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


@jax_settings.pinned()
def learned(run: Run, dataset: Dataset) -> int:
    """How many numbers the model of a run learns; word vectors are left out, as they grow with the vocabulary alone."""
    program = plan([resolve(run, dataset)], dataset)[0]
    model = program.task.model({name: jnp.asarray(values[0]) for name, values in program.hyperparameters.items()})
    key = jax.random.key(0)
    shapes = jax.eval_shape(model.init, {"params": key, "dropout": key}, example_batch(program.task).inputs)["params"]
    flat = traverse_util.flatten_dict(shapes)
    return sum(math.prod(leaf.shape) for path, leaf in flat.items() if path[-1] != VECTORS)


def equal_width(count: Callable[[int], int], num_parameters: int) -> int:
    """The width whose number of parameters comes closest to a given one; of two, the smaller.

    >>> equal_width(lambda width: sum(mlp(64, (width,), 10).values()), linear(64, 100) + linear(100, 10))
    100
    """
    below, above = 0, 1
    while above < num_parameters and count(above) < num_parameters:
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if count(middle) < num_parameters else (below, middle)
    return min(range(max(below, 1), above + 1), key=lambda width: abs(count(width) - num_parameters))
