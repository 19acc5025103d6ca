"""The gradient of an MLP in ways that do not know of each other, by hand and by finite differences; and its cost."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxnets.analysis import timing
from jaxnets.data.dataset import Dataset
from jaxnets.models import MLP
from jaxnets.training.heads import Softmax

Kind = Literal["central", "one-sided"]
Layers = Sequence[tuple[np.ndarray, np.ndarray]]
"""The kernel `[inputs, outputs]` and the bias of each layer; tanh between them."""


def loss(layers: Layers, inputs: Float[np.ndarray, "examples inputs"], labels: Int[np.ndarray, "examples"]) -> float:
    """The mean cross-entropy of softmax, in nats, in the dtype of the layers."""
    log_p = _log_probabilities(_activations(layers, inputs)[-1])
    return -log_p[np.arange(len(labels)), labels].mean()


def gradient(
    layers: Layers, inputs: Float[np.ndarray, "examples inputs"], labels: Int[np.ndarray, "examples"]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The gradient of `loss` by back-propagation, derived by hand. Source: Rumelhart, Hinton and Williams (1986)."""
    activations = _activations(layers, inputs)
    delta = np.exp(_log_probabilities(activations[-1]))
    delta[np.arange(len(labels)), labels] -= 1
    delta /= len(labels)
    gradients: list[tuple[np.ndarray, np.ndarray]] = []
    for layer in reversed(range(len(layers))):
        gradients.insert(0, (activations[layer].T @ delta, delta.sum(axis=0)))
        if layer:  # through the kernel, then through tanh, whose derivative is 1 - tanh²
            delta = (delta @ layers[layer][0].T) * (1 - activations[layer] ** 2)
    return gradients


def finite_differences(
    layers: Layers,
    inputs: Float[np.ndarray, "examples inputs"],
    labels: Int[np.ndarray, "examples"],
    places: Sequence[tuple[int, int]],
    step: float,
    kind: Kind,
) -> Float[np.ndarray, "places"]:
    """The gradient of `loss` at some places, by moving one weight at a time.

    Args:
      layers: of the net.
      inputs: of the examples.
      labels: of the examples.
      places: layer, and the place in its flattened kernel.
      step: by how much a weight is moved; on both sides if central.
      kind: `central` has an error of order step², `one-sided` of order step.
    """
    here = loss(layers, inputs, labels)

    def moved(layer: int, place: int, distance: float) -> float:
        kernel = layers[layer][0].copy()
        kernel.flat[place] += distance
        return loss([*layers[:layer], (kernel, layers[layer][1]), *layers[layer + 1 :]], inputs, labels)

    if kind == "central":
        return np.array([(moved(*at, step) - moved(*at, -step)) / (2 * step) for at in places])
    return np.array([(moved(*at, step) - here) / step for at in places])


def errors_by_step(
    layers: Layers, inputs: Float[np.ndarray, "examples inputs"], labels: Int[np.ndarray, "examples"], count: int
) -> pd.DataFrame:
    """How far finite differences are from the gradient, over steps of 1e-14 to 1, at some places at random.

    Args:
      layers: of the net.
      inputs: of the examples.
      labels: of the examples.
      count: the number of places.

    Returns:
      A row for each `kind` and `step`, with the relative `error` over all places.
    """
    by_hand, generator = gradient(layers, inputs, labels), np.random.default_rng(0)
    places = []
    for _ in range(count):
        layer = int(generator.integers(len(layers)))
        places.append((layer, int(generator.integers(layers[layer][0].size))))
    exact = np.array([by_hand[layer][0].flat[place] for layer, place in places])
    rows = []
    for kind in get_args(Kind):
        for step in np.logspace(-14, 0, 29):
            derivatives = finite_differences(layers, inputs, labels, places, step, kind)
            error = np.linalg.norm(derivatives - exact) / np.linalg.norm(exact)
            rows.append({"kind": kind, "step": step, "error": error})
    return pd.DataFrame(rows)


def relative_error(layers: Layers, exact: Layers) -> float:
    """The distance of one gradient from another, over all layers, relative to the norm of the other.

    >>> relative_error([(np.array([[3.0]]), np.array([4.0]))], [(np.array([[0.0]]), np.array([4.0]))])
    0.75
    """
    pairs = [pair for ours, theirs in zip(layers, exact, strict=True) for pair in zip(ours, theirs, strict=True)]
    return float((sum(((a - b) ** 2).sum() for a, b in pairs) / sum((b**2).sum() for _, b in pairs)) ** 0.5)


def jax_loss(model: nn.Module, inputs: Any, labels: Any, params: Any) -> Array:
    """`loss` as a function of a Flax module and its parameters, for autodiff."""
    logits: Any = model.apply({"params": params}, jnp.asarray(inputs))
    return Softmax().losses(logits, jnp.asarray(labels)).mean()


def costs(dataset: Dataset, widths: Sequence[int], repetitions: int, num_examples: int = 256) -> pd.DataFrame:
    """What the gradient costs in MLPs of two hidden layers, by their width.

    Returns:
      The tables of `jaxnets.analysis.timing.gradient_cost`, one below the other, with the `width`.
    """
    tables = []
    features = np.asarray(dataset.train.inputs)
    inputs, labels = jax.device_put((features[:num_examples], dataset.train.labels[:num_examples]))
    for width in widths:
        model = MLP(dataset.num_classes, (width, width), jnp.tanh)
        params = model.init(jax.random.key(0), inputs)["params"]
        cost = timing.gradient_cost(partial(jax_loss, model, inputs, labels), params, repetitions)
        tables.append(cost.assign(width=width))
    return pd.concat(tables)


def _activations(layers: Layers, inputs: np.ndarray) -> list[np.ndarray]:
    """The inputs, what each hidden layer gives, and the logits."""
    activations = [np.asarray(inputs, layers[0][0].dtype)]
    for number, (kernel, bias) in enumerate(layers):
        linear = activations[-1] @ kernel + bias
        activations.append(linear if number == len(layers) - 1 else np.tanh(linear))
    return activations


def _log_probabilities(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
