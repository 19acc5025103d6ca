"""How large activations and gradients are at each layer of an MLP, and of what rank its weights are."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from flax import traverse_util
from jaxtyping import Array, Float, Int

from jaxnets.models.blocks import nonlinearity


def centred_sigmoid(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The sigmoid less one half: as steep and as flat as the sigmoid, but zero at zero, as tanh is."""
    return jax.nn.sigmoid(x) - 0.5


def scales(
    params: Mapping[str, Any],
    inputs: Float[Array, "examples features"],
    labels: Int[Array, "examples"],
    activation: str,
) -> pd.DataFrame:
    """The signals of an MLP at its layers, forward and backward.

    Args:
      params: of `jaxnets.models.MLP`.
      inputs: of the examples.
      labels: of the examples.
      activation: the MLP's non-linearity, by name.

    Returns:
      A row for each hidden layer: `layer`, from 1; `activation`, the root mean square of what it gives; `gradient`, the
      root mean square of the gradient of the mean cross-entropy by its kernel.
    """
    names = sorted((name for name in params if name.startswith("Linear_")), key=lambda name: int(name[7:]))

    def loss(kernels: dict[str, Array]) -> tuple[Array, list[Array]]:
        hidden, seen = inputs, []
        for name in names:
            hidden = nonlinearity(activation)(hidden @ kernels[name] + params[name]["bias"])
            seen.append(jnp.sqrt((hidden**2).mean()))
        logits = hidden @ params["output"]["kernel"] + params["output"]["bias"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), seen

    kernels = {name: jnp.asarray(params[name]["kernel"]) for name in names}
    gradients, seen = jax.jit(jax.grad(loss, has_aux=True))(kernels)
    rows = [
        {
            "layer": layer + 1,
            "activation": float(seen[layer]),
            "gradient": float(jnp.sqrt((gradients[name] ** 2).mean())),
        }
        for layer, name in enumerate(names)
    ]
    return pd.DataFrame(rows)


def hidden_ranks(params: Any, tolerance: float = 1e-4) -> list[int]:
    """The rank of each kernel but those of the layer `output`: singular values above a share of the largest count."""
    flat = traverse_util.flatten_dict(params)
    kernels = [
        np.asarray(leaf, np.float64)
        for path, leaf in sorted(flat.items())
        if path[-1] == "kernel" and path[-2] != "output"
    ]
    return [_rank(kernel.reshape(-1, kernel.shape[-1]), tolerance) for kernel in kernels]


def _rank(kernel: np.ndarray, tolerance: float) -> int:
    if not np.isfinite(kernel).all():
        return -1
    values = np.linalg.svd(kernel, compute_uv=False)
    return int((values > tolerance * values[0]).sum()) if values[0] > 0 else 0
