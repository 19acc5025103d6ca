"""How large activations and gradients are at each layer of an MLP, and of what rank its weights are."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import traverse_util
from jaxtyping import Array, Float, Int

from jaxnets.engine.trained import Trained
from jaxnets.models.blocks import Activation
from jaxnets.models.layers import OUTPUT, hidden_layers, is_mlp
from jaxnets.plugins import ACTIVATION

Losses = Callable[[Array, Array], Array]
NUM_EXAMPLES = 256
"""The training examples on which `at_start` looks at signals."""


def centred_sigmoid(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The sigmoid less one half: as steep and as flat as the sigmoid, but zero at zero, as tanh is."""
    return jax.nn.sigmoid(x) - 0.5


def at_start(trained: Trained, run: int) -> pd.DataFrame:
    """The signals of a run before its first step, by `scales`; no rows if its model is not an MLP."""
    params = trained.params(run, step=0)
    if not is_mlp(params):
        return pd.DataFrame({"layer": [], "activation": [], "gradient": []})
    examples, task = trained.dataset(run).train, trained.program(run)[0].task
    inputs, labels = jnp.asarray(examples.inputs)[:NUM_EXAMPLES], jnp.asarray(examples.labels)[:NUM_EXAMPLES]
    activation = ACTIVATION.find(trained.values(run, "activation")["activation"]).value
    return scales(params, inputs, labels, activation, task.head.losses)


def scales(
    params: Mapping[str, Any],
    inputs: Float[Array, "examples features"],
    labels: Int[Array, "examples"],
    activation: Activation,
    losses: Losses,
) -> pd.DataFrame:
    """The signals of an MLP at its layers, forward and backward.

    Args:
      params: of `jaxnets.models.MLP`.
      inputs: of the examples.
      labels: of the examples.
      activation: the MLP's non-linearity.
      losses: from logits and labels to the loss of each example.

    Returns:
      A row for each hidden layer: `layer`, from 1; `activation`, the root mean square of what it gives; `gradient`, the
      root mean square of the gradient of the mean loss by its kernel.
    """
    names = hidden_layers(params)
    sizes, gradients = _signals(jax.tree.map(jnp.asarray, dict(params)), inputs, labels, activation, losses)
    rows = [
        {"layer": layer + 1, "activation": float(size), "gradient": float(jnp.sqrt((gradients[name] ** 2).mean()))}
        for layer, (name, size) in enumerate(zip(names, sizes, strict=True))
    ]
    return pd.DataFrame(rows)


@partial(jax.jit, static_argnames=("activation", "losses"))  # compiled once for nets of one shape
def _signals(
    params: dict[str, Any], inputs: Array, labels: Array, activation: Activation, losses: Losses
) -> tuple[list[Array], dict[str, Array]]:
    """The root mean square of what each hidden layer gives, and the gradients by their kernels."""
    names = hidden_layers(params)

    def loss(kernels: dict[str, Array]) -> tuple[Array, list[Array]]:
        hidden, sizes = inputs, []
        for name in names:
            hidden = activation(hidden @ kernels[name] + params[name]["bias"])
            sizes.append(jnp.sqrt((hidden**2).mean()))
        logits = hidden @ params[OUTPUT]["kernel"] + params[OUTPUT]["bias"]
        return losses(logits, labels).mean(), sizes

    gradients, sizes = jax.grad(loss, has_aux=True)({name: params[name]["kernel"] for name in names})
    return sizes, gradients


def largest_rank(params: Any) -> int:
    """The largest rank of a hidden kernel; 0 if there is none. See `hidden_ranks`."""
    return max(hidden_ranks(params), default=0)


def hidden_ranks(params: Any, tolerance: float = 1e-4) -> list[int]:
    """The rank of each kernel but those of the layer `output`: singular values above a share of the largest count."""
    flat = traverse_util.flatten_dict(params)
    kernels = [
        np.asarray(leaf, np.float64)
        for path, leaf in sorted(flat.items())
        if path[-1] == "kernel" and path[-2] != OUTPUT
    ]
    return [_rank(kernel.reshape(-1, kernel.shape[-1]), tolerance) for kernel in kernels]


def _rank(kernel: np.ndarray, tolerance: float) -> int:
    if not np.isfinite(kernel).all():
        return -1
    values = np.linalg.svd(kernel, compute_uv=False)
    return int((values > tolerance * values[0]).sum()) if values[0] > 0 else 0
