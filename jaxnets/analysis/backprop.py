"""The gradient of an MLP in three ways that do not know of each other: by hand, and by finite differences."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

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
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for layer in reversed(range(len(layers))):
        found.insert(0, (activations[layer].T @ delta, delta.sum(axis=0)))
        if layer:  # through the kernel, then through tanh, whose derivative is 1 - tanh²
            delta = (delta @ layers[layer][0].T) * (1 - activations[layer] ** 2)
    return found


def finite_differences(
    layers: Layers,
    inputs: Float[np.ndarray, "examples inputs"],
    labels: Int[np.ndarray, "examples"],
    places: Sequence[tuple[int, int]],
    step: float,
    kind: Literal["central", "one-sided"],
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


def _activations(layers: Layers, inputs: np.ndarray) -> list[np.ndarray]:
    """The inputs, what each hidden layer gives, and the logits."""
    found = [np.asarray(inputs, layers[0][0].dtype)]
    for number, (kernel, bias) in enumerate(layers):
        linear = found[-1] @ kernel + bias
        found.append(linear if number == len(layers) - 1 else np.tanh(linear))
    return found


def _log_probabilities(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
