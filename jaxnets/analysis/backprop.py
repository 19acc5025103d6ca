"""The gradient of an MLP in ways that do not know of each other: by hand, by finite differences, and by autodiff."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Float

from jaxnets import jax_settings
from jaxnets.analysis import landscape, linear, rounding
from jaxnets.analysis.rounding import Inputs, Labels, Layers
from jaxnets.engine.results import Trained
from jaxnets.training.heads import Softmax

Kind = Literal["central", "one-sided"]


def loss(layers: Layers, inputs: Inputs, labels: Labels) -> float:
    """The mean cross-entropy of layers with tanh between them, in nats, in the dtype of the layers."""
    log_p = _log_probabilities(_activations(layers, inputs)[-1])
    return -log_p[np.arange(len(labels)), labels].mean()


def gradient(layers: Layers, inputs: Inputs, labels: Labels) -> list[tuple[np.ndarray, np.ndarray]]:
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


def finite_differences(
    layers: Layers, inputs: Inputs, labels: Labels, places: Sequence[tuple[int, int]], step: float, kind: Kind
) -> Float[np.ndarray, "places"]:
    """The gradient of `loss` at some places, by moving one weight at a time."""
    here = loss(layers, inputs, labels)

    def moved(layer: int, place: int, distance: float) -> float:
        kernel = layers[layer][0].copy()
        kernel.flat[place] += distance
        return loss([*layers[:layer], (kernel, layers[layer][1]), *layers[layer + 1 :]], inputs, labels)

    if kind == "central":
        return np.array([(moved(*at, step) - moved(*at, -step)) / (2 * step) for at in places])
    return np.array([(moved(*at, step) - here) / step for at in places])


def errors_by_step(layers: Layers, inputs: Inputs, labels: Labels, count: int, seed: int = 0) -> pd.DataFrame:
    """How far finite differences are from the gradient, over steps of 1e-14 to 1, at some places at random."""
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(layers), size=count)
    places = [(int(layer), int(generator.integers(layers[layer][0].size))) for layer in drawn]
    by_hand = gradient(layers, inputs, labels)
    exact = np.array([by_hand[layer][0].flat[place] for layer, place in places])
    weights = np.array([layers[layer][0].flat[place] for layer, place in places])
    unit = rounding.unit_roundoff("float64")
    of_loss, norm, rows = rounding.of_loss(layers, inputs, labels, unit), np.linalg.norm(exact), []
    for kind in get_args(Kind):
        for step in np.logspace(-14, 0, 29):
            derivatives = finite_differences(layers, inputs, labels, places, step, kind)
            error = np.linalg.norm(derivatives - exact) / norm
            # two losses are rounded, and the place to which the weight is moved
            bound = (
                2 * of_loss / (2 if kind == "central" else 1) + unit * (np.abs(weights) + step) * np.abs(exact)
            ) / step
            rows.append({"kind": kind, "step": step, "error": error, "rounding": np.linalg.norm(bound) / norm})
    return pd.DataFrame(rows)


def of_run(trained: Trained, run: int, num_examples: int = 64) -> tuple[Layers, np.ndarray, np.ndarray]:
    """The layers of a run's net, and inputs and labels of its first training examples, in float64."""
    data = trained.dataset(run).train
    inputs = np.asarray(data.inputs, np.float64)[:num_examples]
    return linear.layers(trained.params(run)), inputs, data.labels[:num_examples]


@jax_settings.pinned()
def autodiff_against_hand(trained: Trained, run: int, num_examples: int = 64) -> dict[str, float]:
    """The gradient of a run's net by autodiff in float32, against the one by hand in float64.

    Its relative error over all layers, and the largest share of a number's error in what rounding may make.
    """
    layers, inputs, labels = of_run(trained, run, num_examples)
    arrays = jnp.asarray(inputs, jnp.float32), jnp.asarray(labels)
    of_params = partial(landscape.mean_loss, trained.module(run), Softmax(), *arrays)
    with jax.default_matmul_precision("highest"):  # an accelerator may otherwise multiply in less than float32
        slopes = jax.grad(of_params)(jax.tree.map(jnp.asarray, trained.params(run)))
    computed, by_hand = linear.layers(slopes), gradient(layers, inputs, labels)
    single, double = (
        rounding.of_gradient(layers, inputs, labels, rounding.unit_roundoff(f"float{bits}")) for bits in (32, 64)
    )
    bounds = [(a + c, b + d) for (a, b), (c, d) in zip(single, double, strict=True)]
    pairs = [pair for ours, theirs in zip(computed, by_hand, strict=True) for pair in zip(ours, theirs, strict=True)]
    error = float((sum(((a - b) ** 2).sum() for a, b in pairs) / sum((b**2).sum() for _, b in pairs)) ** 0.5)
    return {"error": error, "share": rounding.largest_share(computed, by_hand, bounds)}
