"""What becomes of a stack of linear layers: one linear map."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxnets.models.layers import OUTPUT, hidden_layers, is_mlp


def layers(params: Mapping[str, Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The kernels `[inputs, outputs]` and biases of an MLP's layers, the last one last, in float64."""
    return [
        (np.asarray(params[name]["kernel"], np.float64), np.asarray(params[name]["bias"], np.float64))
        for name in (*hidden_layers(params), OUTPUT)
    ]


def multiplied_out(
    stack: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[Float[np.ndarray, "inputs outputs"], Float[np.ndarray, "outputs"]]:
    """One kernel and bias that do what linear layers do one after another: the product of their kernels."""
    kernel, bias = stack[0]
    for next_kernel, next_bias in stack[1:]:
        kernel, bias = kernel @ next_kernel, bias @ next_kernel + next_bias
    return kernel, bias


def collapsed(
    params: Mapping[str, Any], inputs: Float[np.ndarray, "examples inputs"]
) -> Float[np.ndarray, "examples outputs"]:
    """The logits of an MLP if its activations were left out; all NaN for another model, which has no such layers."""
    if not is_mlp(params):
        return np.full((len(inputs), 1), np.nan)
    kernel, bias = multiplied_out(layers(params))
    return inputs @ kernel + bias


def unexplained(inputs: Float[np.ndarray, "examples inputs"], outputs: Float[np.ndarray, "examples outputs"]) -> float:
    """The share of the outputs' variance that the best linear map of the inputs, by least squares, leaves over."""
    affine = np.column_stack([np.asarray(inputs, np.float64), np.ones(len(inputs))])
    targets = np.asarray(outputs, np.float64)
    fitted = affine @ np.linalg.lstsq(affine, targets, rcond=None)[0]
    return float(((targets - fitted) ** 2).sum() / ((targets - targets.mean(axis=0)) ** 2).sum())
