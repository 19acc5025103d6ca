"""What starts do to the hidden weights: of what rank they are while a net trains, and how large the largest is."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import traverse_util
from jaxtyping import Array, Float, PRNGKeyArray

from jaxnets.engine.trained import Trained
from jaxnets.models.blocks import OUTPUT


def constant(key: PRNGKeyArray, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Float[Array, "*shape"]:
    """An initializer without chance: all weights are 1 / fan_in, so that a unit starts as the mean of its inputs."""
    return jnp.full(shape, 1 / math.prod(shape[:-1]), dtype)


def largest_weights(trained: Trained) -> pd.DataFrame:
    """The `largest_weight` of each run of a sweep before its first step: `run`, `initializer`, `seed`, `largest`."""
    about = trained.runs[["run", "initializer", "seed"]]
    return about.assign(largest=[largest_weight(trained.params(run, step=0)) for run in about["run"]])


def ranks(trained: Trained) -> pd.DataFrame:
    """The `largest_rank` of each run of a sweep at its start and at the steps at which its parameters were kept."""
    about = trained.runs[["run", "initializer", "activation"]]
    rows = [
        {"run": run, "step": step, "rank": largest_rank(trained.params(run, step))}
        for run in about["run"]
        for step in (0, *trained.steps(run))
    ]
    return about.merge(pd.DataFrame(rows), on="run")


def largest_rank(params: Any) -> int:
    """The largest rank of a hidden kernel; 0 if there is none. See `hidden_ranks`."""
    return max(hidden_ranks(params), default=0)


def hidden_ranks(params: Any, tolerance: float = 1e-4) -> list[int]:
    """The rank of each kernel but those of the layer `output`: singular values above a share of the largest count."""
    return [_rank(kernel.reshape(-1, kernel.shape[-1]), tolerance) for kernel in _hidden_kernels(params)]


def _hidden_kernels(params: Any) -> list[np.ndarray]:
    flat = sorted(traverse_util.flatten_dict(params).items())
    return [np.asarray(leaf, np.float64) for path, leaf in flat if path[-1] == "kernel" and path[-2] != OUTPUT]


def _rank(kernel: np.ndarray, tolerance: float) -> int:
    if not np.isfinite(kernel).all():
        return -1
    values = np.linalg.svd(kernel, compute_uv=False)
    return int((values > tolerance * values[0]).sum()) if values[0] > 0 else 0


def largest_weight(params: Any) -> float:
    """The largest size of a weight in a hidden kernel, in units of the root mean square of that kernel's weights.

    The mean over the kernels; NaN if there is none. A uniform distribution around zero gives at most the root of 3.
    """
    sizes = [np.abs(kernel) for kernel in _hidden_kernels(params)]
    return float(np.mean([size.max() / np.sqrt((size**2).mean()) for size in sizes])) if sizes else float("nan")
