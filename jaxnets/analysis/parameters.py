"""The parameters of models: their number, counted and by formula; of nets of one size; of what rank and how large."""

import bisect
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn
from flax import traverse_util
from jaxtyping import Array, Float, PRNGKeyArray

from jaxnets import jax_settings
from jaxnets.data.dataset import Dataset
from jaxnets.engine.plan import plan, resolve
from jaxnets.engine.results import Trained
from jaxnets.engine.table import Run
from jaxnets.models.blocks import OUTPUT, TextBatch, linear_layer, window_layer

Units = tuple[int, ...]


@jax_settings.pinned()
def counted(model: nn.Module, num_features: int | None = None) -> pd.DataFrame:
    """The blocks of a model of features, or of texts, as its own code makes them; no array is made."""
    zero, key = jnp.zeros(1, jnp.int32), jax.random.key(0)
    inputs: Any = TextBatch(zero, zero, zero) if num_features is None else jnp.zeros((1, num_features))
    params = jax.eval_shape(model.init, {"params": key, "dropout": key}, inputs)["params"]
    blocks: dict[str, list[Any]] = {}
    for path, array in traverse_util.flatten_dict(params).items():
        blocks.setdefault("/".join(path[:-1]), []).append(array)
    rows = []
    for name, arrays in blocks.items():
        shapes = ["×".join(map(str, array.shape)) for array in sorted(arrays, key=lambda array: -array.ndim)]
        rows.append((name, " + ".join(shapes), sum(math.prod(array.shape) for array in arrays)))
    return pd.DataFrame(rows, columns=["block", "shapes", "parameters"])


def linear(num_inputs: int, num_outputs: int) -> int:
    """The parameters of a linear block: n·m weights and m biases."""
    return num_inputs * num_outputs + num_outputs


def mlp(num_inputs: int, hidden_units: Sequence[int], num_outputs: int) -> dict[str, int]:
    """The parameters of each layer of an MLP."""
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


class Pair(NamedTuple):
    """Two nets of features that grew out of one with a single hidden layer."""

    deeper: Units
    wider: Units
    extra: int
    """The parameters that the deeper one has more."""
    off: float
    """How far those of the wider one are from them, as a share of them."""


def deeper_or_wider(run: Run, dataset: Dataset, width: int, layers: int) -> Pair:
    """Some more hidden layers, or one wider layer with as many parameters."""

    def count(units: Units) -> int:
        program = plan([resolve({**run, "hidden_units": units}, dataset)], dataset)[0]
        model = program.task.model({name: jnp.asarray(values[0]) for name, values in program.hyperparameters.items()})
        return int(counted(model, np.asarray(dataset.train.inputs).shape[1])["parameters"].sum())

    deeper = (width,) * (1 + layers)
    wider = (equal_width(lambda units: count((units,)), count(deeper)),)
    extra, other = (count(units) - count((width,)) for units in (deeper, wider))
    return Pair(deeper, wider, extra, abs(other / extra - 1))


def equal_width(count: Callable[[int], int], num_parameters: int) -> int:
    """The width whose number of parameters comes closest to a given one; of two, the smaller."""
    above = 1 + bisect.bisect_left(range(1, num_parameters), num_parameters, key=count)
    return min(range(max(above - 1, 1), above + 1), key=lambda width: abs(count(width) - num_parameters))


def constant(key: PRNGKeyArray, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Float[Array, "*shape"]:
    """An initializer without chance: all weights are 1 / fan_in, so that a unit starts as the mean of its inputs."""
    return jnp.full(shape, 1 / math.prod(shape[:-1]), dtype)


def ranks(trained: Trained) -> pd.DataFrame:
    """The largest rank of a hidden kernel of each run, at its start and at the steps at which parameters were kept."""
    about = trained.runs[["run", "initializer", "activation"]]
    rows = [
        {"run": run, "step": step, "rank": max(hidden_ranks(trained.params(run, step)), default=0)}
        for run in about["run"]
        for step in (0, *trained.steps(run))
    ]
    return about.merge(pd.DataFrame(rows), on="run")


def hidden_ranks(params: Any, tolerance: float = 1e-4) -> list[int]:
    """The rank of each kernel but those of the layer `output`: singular values above a share of the largest count.

    It is -1 where a kernel is not finite.
    """
    found = []
    for kernel in _hidden_kernels(params):
        if np.isfinite(kernel).all():
            values = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)
            found.append(int((values > tolerance * values[0]).sum()) if values[0] > 0 else 0)
        else:
            found.append(-1)
    return found


def largest_weights(trained: Trained) -> pd.DataFrame:
    """The largest weight of each run before its first step, relative to the root mean square of its kernel's weights.

    The mean over the hidden kernels; NaN if there is none. A uniform distribution around zero gives at most the root
    of 3.
    """
    rows = trained.runs[["run", "initializer", "seed"]]
    largest = []
    for run in rows["run"]:
        sizes = [np.abs(kernel) for kernel in _hidden_kernels(trained.params(run, step=0))]
        shares = [size.max() / np.sqrt((size**2).mean()) for size in sizes]
        largest.append(float(np.mean(shares)) if shares else float("nan"))
    return rows.assign(largest=largest)


def _hidden_kernels(params: Any) -> list[np.ndarray]:
    flat = sorted(traverse_util.flatten_dict(params).items())
    return [np.asarray(leaf, np.float64) for path, leaf in flat if path[-1] == "kernel" and path[-2] != OUTPUT]
