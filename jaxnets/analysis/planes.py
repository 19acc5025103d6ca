"""What a net of two features sees: the plane of its inputs, and the space of its first hidden layer."""

import numpy as np
import pandas as pd

from jaxnets.engine.trained import Trained
from jaxnets.models.blocks import OUTPUT, linear_layer
from jaxnets.plugins import ACTIVATION


def of_inputs(trained: Trained, run: int, low: float = -0.5, high: float = 1.5, count: int = 41) -> pd.DataFrame:
    """What a run with one logit says of a grid over the plane of its inputs."""
    places = np.linspace(low, high, count)
    x, y = (axis.ravel() for axis in np.meshgrid(places, places))
    logits = trained.logits(run, np.stack([x, y], axis=1).astype(np.float32))[:, 0]
    return pd.DataFrame({"x": x, "y": y, "probability": 1 / (1 + np.exp(-logits))})


def of_hidden_layer(trained: Trained, run: int) -> pd.DataFrame:
    """The training examples in the hidden layer (two units) of an MLP, and its decision line there."""
    patterns, params = trained.dataset(run).train, trained.params(run)
    features = np.asarray(patterns.inputs)
    first, last = params[linear_layer(0)], params[OUTPUT]
    activation = ACTIVATION.find(trained.runs["activation"][run]).value
    units = np.asarray(activation(features @ first["kernel"] + first["bias"]))
    a, b = (float(weight) for weight in np.asarray(last["kernel"])[:, 0])
    inputs = ["".join(f"{bit:.0f}" for bit in pattern) for pattern in features]
    table = pd.DataFrame({"input": inputs, "label": patterns.labels, "h1": units[:, 0], "h2": units[:, 1]})
    return table.assign(a=a, b=b, c=float(last["bias"][0]))
