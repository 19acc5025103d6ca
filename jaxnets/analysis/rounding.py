"""How far rounding alone can take what is computed from what is exact: bounds, not estimates.

Source: Higham (2002), "Accuracy and Stability of Numerical Algorithms", chapter 3. The bounds hold in whatever order a
compiler adds, and with fused multiplications.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Int

FUNCTION = 8
"""The largest error of tanh, exp and log that is allowed for, in units of roundoff."""

Layers = Sequence[tuple[np.ndarray, np.ndarray]]
"""The kernel `[inputs, outputs]` and the bias of each layer."""
Inputs = Float[np.ndarray, "examples inputs"]
Labels = Int[np.ndarray, "examples"]
Outputs = Float[np.ndarray, "examples outputs"]


def unit_roundoff(dtype: str | type) -> float:
    """The largest relative error of one rounding: 2⁻²⁴ in float32."""
    return float(np.finfo(dtype).eps) / 2


def gamma(operations: int, unit: float) -> float:
    """The largest relative error of as many roundings one after another: n u / (1 - n u), Lemma 3.1."""
    return operations * unit / (1 - operations * unit)


@dataclass(frozen=True)
class Bounded:
    """Exact values, and bounds on the absolute error with which they are computed; arrays of one shape."""

    value: np.ndarray
    error: np.ndarray

    @property
    def most(self) -> np.ndarray:
        """The largest absolute value that may be computed."""
        return np.abs(self.value) + self.error


def exact(value: np.ndarray) -> Bounded:
    """Values that are given without an error."""
    return Bounded(np.asarray(value, np.float64), np.zeros(np.shape(value)))


def product(left: Bounded, right: Bounded, unit: float, plus: np.ndarray | float = 0.0) -> Bounded:
    """A matrix product, and a vector that is added: (3.13) for factors that have errors of their own."""
    carried = np.abs(left.value) @ right.error + left.error @ right.most
    rounded = gamma(left.value.shape[1] + 1, unit) * (left.most @ right.most + np.abs(plus))
    return Bounded(left.value @ right.value + plus, carried + rounded)


def tanh(x: Bounded, unit: float) -> Bounded:
    """The hyperbolic tangent, which makes no error larger."""
    value = np.tanh(x.value)
    return Bounded(value, x.error + FUNCTION * unit * np.minimum(np.abs(value) + x.error, 1))


def monotone(x: Bounded, unit: float, function: Callable[[np.ndarray], np.ndarray]) -> Bounded:
    """A monotone function: its values lie between those at the ends, and where it is flat no error stays."""
    low, value, high = (np.asarray(function(x.value + shift), np.float64) for shift in (-x.error, 0, x.error))
    own = FUNCTION * unit * np.maximum(np.abs(low), np.abs(high))
    return Bounded(value, np.maximum(np.abs(value - low), np.abs(high - value)) + own)


def _forward(
    layers: Layers, inputs: np.ndarray, unit: float, between: Callable[[Bounded, float], Bounded] = tanh
) -> list[Bounded]:
    """The inputs, what each hidden layer gives, and the logits."""
    activations = [exact(inputs)]
    for number, (kernel, bias) in enumerate(layers):
        linear = product(activations[-1], exact(kernel), unit, bias)
        activations.append(linear if number == len(layers) - 1 else between(linear, unit))
    return activations


def of_linear_layers(layers: Layers, inputs: Inputs, unit: float) -> Outputs:
    """A bound on the error of linear layers one after another: gamma times the product of all absolute values.

    Every output is a sum over paths; on its way through a layer of n inputs a path is rounded n + 1 times at most.
    Source: section 3.5.
    """
    size = np.abs(np.asarray(inputs, np.float64))
    for kernel, bias in layers:
        size = size @ np.abs(kernel) + np.abs(bias)
    return gamma(sum(len(kernel) + 1 for kernel, _ in layers), unit) * size


def of_net(layers: Layers, inputs: Inputs, activation: Callable[[np.ndarray], np.ndarray], unit: float) -> Outputs:
    """A bound on the error of the logits of layers with a monotone non-linearity between them."""
    return _forward(layers, inputs, unit, partial(monotone, function=activation))[-1].error


def of_gradient(layers: Layers, inputs: Inputs, labels: Labels, unit: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """A bound on the error of each number of a gradient by back-propagation, for tanh nets under cross-entropy."""
    activations, bounds = _forward(layers, inputs, unit), list[tuple[np.ndarray, np.ndarray]]()
    # the derivative by the logits: softmax less the label, over the number of examples
    shifted, of_shifted = _shifted(activations[-1], unit)
    count, classes = shifted.shape
    p, target = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True), np.eye(shifted.shape[1])[labels]
    relative = np.expm1(of_shifted + gamma(2 * FUNCTION + classes + 4, unit))
    delta = Bounded((p - target) / count, (p * relative + gamma(4, unit) * (p * (1 + relative) + target)) / count)
    ones = exact(np.ones((1, count)))
    for layer in reversed(range(len(layers))):
        y = activations[layer]
        kernel = product(Bounded(y.value.T, y.error.T), delta, unit)
        bounds.insert(0, (kernel.error, product(ones, delta, unit).error[0]))
        if layer:  # through the kernel, then through tanh: times 1 - y² by three operations, also as (1 - y)(1 + y)
            back = product(delta, exact(layers[layer][0].T), unit)
            slope = Bounded(1 - y.value**2, y.error * (np.abs(y.value) + y.most) + gamma(4, unit) * (1 + y.most**2))
            carried = np.abs(back.value) * slope.error + back.error * slope.most
            delta = Bounded(back.value * slope.value, carried + unit * back.most * slope.most)
    return bounds


def of_loss(layers: Layers, inputs: Inputs, labels: Labels, unit: float) -> float:
    """A bound on the error of the mean cross-entropy of a tanh net."""
    shifted, of_shifted = _shifted(_forward(layers, inputs, unit)[-1], unit)
    count, classes = shifted.shape
    total = np.log(np.exp(shifted).sum(axis=1))
    losses = total - shifted[np.arange(count), labels]
    of_log = gamma(FUNCTION + classes, unit) + FUNCTION * unit * total
    of_sums = gamma(count + 2, unit) * (np.abs(losses) + total + np.abs(shifted).max(axis=1))
    return float((of_shifted[:, 0] + of_log + of_sums).mean())


def _shifted(logits: Bounded, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits less the largest of their example, and by how much the logarithm of a probability may be off.

    An error e of all logits changes it by 2 e at most.
    """
    shifted = logits.value - logits.value.max(axis=1, keepdims=True)
    of_logits = 2 * logits.error.max(axis=1, keepdims=True)
    return shifted, of_logits + 2 * unit * (np.abs(shifted).max(axis=1, keepdims=True) + of_logits)


def largest_share(computed: Layers, by_hand: Layers, bounds: Layers) -> float:
    """How far the numbers of two gradients are apart, at most, as a share of what a bound allows."""
    ours, exactly, bound = (
        np.concatenate([part.ravel() for pair in of for part in pair]) for of in (computed, by_hand, bounds)
    )
    # where nothing can be rounded, the numbers must be equal
    return float((np.abs(ours - exactly) / np.maximum(bound, np.finfo(np.float64).tiny)).max())
