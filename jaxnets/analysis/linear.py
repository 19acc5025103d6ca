"""What becomes of a stack of linear layers: one linear map; and what no linear map can do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import pandas as pd

from jaxnets.analysis import rounding
from jaxnets.analysis.rounding import Inputs, Labels, Layers, Outputs
from jaxnets.engine.results import Trained
from jaxnets.models.blocks import OUTPUT, hidden_layers, is_mlp
from jaxnets.plugins import ACTIVATION
from jaxnets.stats.selection import FINISHED

DISTANCES = ("error", "relative", "bend", "unexplained")


def layers(params: Mapping[str, Any]) -> Layers:
    """The kernels `[inputs, outputs]` and biases of an MLP's layers, the last one last, in float64."""
    return [
        (np.asarray(params[name]["kernel"], np.float64), np.asarray(params[name]["bias"], np.float64))
        for name in (*hidden_layers(params), OUTPUT)
    ]


def collapsed(params: Mapping[str, Any], inputs: Inputs) -> Outputs:
    """The logits of an MLP without its activations, by the product of its kernels; all NaN for another model."""
    if not is_mlp(params):
        return np.full((len(inputs), 1), np.nan)
    (kernel, bias), *others = layers(params)
    for next_kernel, next_bias in others:
        kernel, bias = kernel @ next_kernel, bias @ next_kernel + next_bias
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
    kept = trained.runs.assign(repeat=trained.runs.get("repeat", 0))[["repeat", *columns]]
    return kept.iloc[table["run"]].reset_index(drop=True).join(table).assign(test_share=trained.test_share)


def distances(
    params: Mapping[str, Any], inputs: Inputs, logits: Outputs, activation: Callable[[np.ndarray], np.ndarray]
) -> dict[str, float]:
    """How far an MLP is from linear maps.

    From its layers multiplied out: `error`, a share of what rounding may make, and `relative`, of the largest logit.
    From the best linear map by least squares: `bend`, in units of rounding, and `unexplained`, a share of the variance.
    """
    affine, targets = _affine(inputs), np.asarray(logits, np.float64)
    residuals = targets - affine @ np.linalg.lstsq(affine, targets, rcond=None)[0]
    left = float((residuals**2).sum() / ((targets - targets.mean(axis=0)) ** 2).sum())
    if not is_mlp(params):
        return dict.fromkeys(DISTANCES, float("nan")) | {"unexplained": left}
    stack, tiny, single = layers(params), np.finfo(np.float64).tiny, rounding.unit_roundoff("float32")
    # in the product each path is rounded twice as often at most: as part of a kernel, and with the inputs
    in_product = 2 * rounding.of_linear_layers(stack, inputs, rounding.unit_roundoff("float64"))
    bound = np.maximum(rounding.of_linear_layers(stack, inputs, single) + in_product, tiny)
    distance = np.abs(targets - collapsed(params, np.asarray(inputs, np.float64)))
    own = rounding.of_net(stack, inputs, activation, single)
    return {
        "error": float((distance / bound).max()),
        "relative": float(distance.max() / np.abs(logits).max()),
        "bend": float(np.linalg.norm(residuals) / max(np.linalg.norm(own), tiny)),
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


def margin(inputs: Inputs, labels: Labels) -> float:
    """How far a linear map can keep two classes apart: 0 if no hyperplane parts them.

    The linear program: the largest t for which weights in [-1, 1] and a bias have y (w·x + b) >= t for each example,
    with y = 1 or -1. Source: Mangasarian (1965), "Linear and nonlinear separation of patterns by linear programming".

    >>> margin(np.array([[0.0], [1.0]]), np.array([0, 1]))
    0.5
    """
    from scipy import optimize

    affine, signs = _affine(inputs), 2.0 * np.asarray(labels)[:, None] - 1
    bounds = [(-1, 1)] * (affine.shape[1] - 1) + [(None, None), (0, None)]
    constraints = np.column_stack([-signs * affine, np.ones(len(affine))])
    cost = np.eye(constraints.shape[1])[-1]
    return float(-optimize.linprog(-cost, constraints, np.zeros(len(affine)), bounds=bounds).fun)


def separable(inputs: Inputs, labels: Labels) -> bool:
    """Whether a hyperplane has all examples of one class on one side, and those of the other on the other."""
    return margin(inputs, labels) > 1e-9


def _affine(inputs: Inputs) -> np.ndarray:
    return np.column_stack([np.asarray(inputs, np.float64), np.ones(len(inputs))])
