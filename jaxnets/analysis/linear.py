"""What becomes of a stack of linear layers: one linear map; and what no linear map can do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from jaxnets.analysis import rounding
from jaxnets.engine.trained import Trained
from jaxnets.models.blocks import OUTPUT, hidden_layers, is_mlp
from jaxnets.plugins import ACTIVATION
from jaxnets.stats.selection import FINISHED

DISTANCES = ("error", "relative", "bend", "unexplained")


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


def examined(trained: Trained, columns: Sequence[str]) -> pd.DataFrame:
    """How near to a linear map those runs are that finished, on their test examples."""
    rows = []
    for run in map(int, np.flatnonzero(trained.runs["status"] == FINISHED)):
        inputs = np.asarray(trained.dataset(run).test.inputs)
        with jax.default_matmul_precision("highest"):  # an accelerator may otherwise multiply in less than float32
            logits = trained.logits(run, inputs)
        activation = trained.table[run].get("activation")
        of_net = ACTIVATION.find(activation).value if activation is not None else np.asarray
        rows.append({"run": run, **distances(trained.params(run), inputs, logits, of_net)})
    table = pd.DataFrame(rows, columns=["run", *DISTANCES])
    kept = trained.runs.assign(block=trained.runs.get("block", 0))[["block", *columns]]
    return kept.iloc[table["run"]].reset_index(drop=True).join(table).assign(test_share=trained.test_share)


def distances(
    params: Mapping[str, Any],
    inputs: Float[np.ndarray, "examples inputs"],
    logits: Float[np.ndarray, "examples outputs"],
    activation: Callable[[np.ndarray], np.ndarray],
) -> dict[str, float]:
    """How far an MLP is from linear maps."""
    left = unexplained(inputs, logits)
    if not is_mlp(params):
        return dict.fromkeys(DISTANCES, float("nan")) | {"unexplained": left}
    stack, tiny = layers(params), np.finfo(np.float64).tiny
    bound = np.maximum(_rounding(stack, inputs), tiny)
    distance = np.abs(np.asarray(logits, np.float64) - collapsed(params, np.asarray(inputs, np.float64)))
    residual = np.linalg.norm(_residuals(inputs, logits))
    own = rounding.of_net(stack, inputs, activation, rounding.unit_roundoff("float32"))
    return {
        "error": float((distance / bound).max()),
        "relative": float(distance.max() / np.abs(logits).max()),
        "bend": float(residual / max(np.linalg.norm(own), tiny)),
        "unexplained": left,
    }


def against_product(trained: Trained, nets: pd.DataFrame, count: int) -> pd.DataFrame:
    """The logits of one MLP of each architecture, and what its layers multiplied out would give in their place."""
    keys, parts = ["activation", "hidden_units"], []
    for (activation, units), own in nets.dropna(subset="error").groupby(keys, sort=False):
        run = int(own["run"].iloc[0])
        inputs = np.asarray(trained.dataset(run).test.inputs)[:count]
        both = {"net": trained.logits(run, inputs), "collapsed": collapsed(trained.params(run), inputs)}
        points = pd.DataFrame({name: logits.ravel() for name, logits in both.items()})
        parts.append(points.assign(activation=str(activation), hidden_units=str(units)))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["net", "collapsed", *keys])


def _rounding(stack: Sequence[tuple[np.ndarray, np.ndarray]], inputs: np.ndarray) -> np.ndarray:
    """What rounding can change in logits in float32, and in the product of the layers in float64.

    There each path is rounded twice as often at most: as part of a kernel, and with the inputs.
    """
    single, double = (rounding.of_linear_layers(stack, inputs, rounding.unit_roundoff(f"float{n}")) for n in (32, 64))
    return single + 2 * double


def margin(inputs: Float[np.ndarray, "examples inputs"], labels: Int[np.ndarray, "examples"]) -> float:
    """How far a linear map can keep two classes apart: 0 if no hyperplane parts them.

    The linear program: the largest t for which weights in [-1, 1] and a bias have y (w·x + b) >= t for each example,
    with y = 1 or -1. Source: Mangasarian (1965), "Linear and nonlinear separation of patterns by linear programming".

    >>> margin(np.array([[0.0], [1.0]]), np.array([0, 1]))
    0.5
    """
    from scipy import optimize

    signs = 2.0 * np.asarray(labels)[:, None] - 1
    affine = np.column_stack([np.asarray(inputs, np.float64), np.ones(len(inputs))])
    bounds = [(-1, 1)] * (affine.shape[1] - 1) + [(None, None), (0, None)]
    constraints = np.column_stack([-signs * affine, np.ones(len(affine))])
    cost = np.eye(constraints.shape[1])[-1]
    return float(-optimize.linprog(-cost, constraints, np.zeros(len(affine)), bounds=bounds).fun)


def unexplained(inputs: Float[np.ndarray, "examples inputs"], outputs: Float[np.ndarray, "examples outputs"]) -> float:
    """The share of the outputs' variance that the best linear map of the inputs, by least squares, leaves over."""
    targets = np.asarray(outputs, np.float64)
    return float((_residuals(inputs, outputs) ** 2).sum() / ((targets - targets.mean(axis=0)) ** 2).sum())


def _residuals(inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """What the best linear map of the inputs, with biases, leaves over of the outputs."""
    affine = np.column_stack([np.asarray(inputs, np.float64), np.ones(len(inputs))])
    targets = np.asarray(outputs, np.float64)
    return targets - affine @ np.linalg.lstsq(affine, targets, rcond=None)[0]
