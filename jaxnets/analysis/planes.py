"""What a net of two features sees: the plane of its inputs, and the space of its first hidden layer."""

import numpy as np
import pandas as pd

from jaxnets.engine.trained import Trained
from jaxnets.models.layers import OUTPUT, linear_layer
from jaxnets.plugins import ACTIVATION


def of_inputs(trained: Trained, run: int, low: float = -0.5, high: float = 1.5, count: int = 41) -> pd.DataFrame:
    """What a run with one logit says of a grid over the plane of its inputs.

    Args:
      trained: with its parameters.
      run: its number.
      low: where the grid begins, on both axes.
      high: where it ends.
      count: of the points along an axis.

    Returns:
      A row for each point: `x`, `y`, and the `probability` of class 1.
    """
    places = np.linspace(low, high, count)
    x, y = (axis.ravel() for axis in np.meshgrid(places, places))
    logits = trained.logits(run, np.stack([x, y], axis=1).astype(np.float32))[:, 0]
    return pd.DataFrame({"x": x, "y": y, "probability": 1 / (1 + np.exp(-logits))})


def of_hidden_layer(trained: Trained, run: int) -> pd.DataFrame:
    """The training examples as an MLP of one hidden layer with two units has them there, and the line that parts them.

    Args:
      trained: with its parameters, and one logit.
      run: its number.

    Returns:
      A row for each example: `input`, its features as text; `label`; `h1` and `h2`, the hidden units; and `a`, `b` and
      `c` of the line a h1 + b h2 + c = 0.
    """
    patterns, params = trained.dataset(run).train, trained.params(run)
    features = np.asarray(patterns.inputs)
    first, last = params[linear_layer(0)], params[OUTPUT]
    activation = ACTIVATION.find(trained.runs["activation"][run]).value
    units = np.asarray(activation(features @ first["kernel"] + first["bias"]))
    a, b = (float(weight) for weight in np.asarray(last["kernel"])[:, 0])
    inputs = ["".join(f"{bit:.0f}" for bit in pattern) for pattern in features]
    table = pd.DataFrame({"input": inputs, "label": patterns.labels, "h1": units[:, 0], "h2": units[:, 1]})
    return table.assign(a=a, b=b, c=float(last["bias"][0]))
