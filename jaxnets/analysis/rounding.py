"""How far rounding alone can take what is computed from what is exact: bounds, not estimates.

Source: Higham (2002), "Accuracy and Stability of Numerical Algorithms", chapter 3. The bounds hold in whatever order a
compiler adds, and with fused multiplications.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

FUNCTION = 8
"""The largest error of tanh, exp and log that is allowed for, in units of roundoff."""

Layers = Sequence[tuple[np.ndarray, np.ndarray]]
"""The kernel `[inputs, outputs]` and the bias of each layer, in float64."""


def unit_roundoff(dtype: str | type) -> float:
    """The largest relative error of one rounding.

    >>> unit_roundoff("float32") == 2.0**-24
    True
    """
    return float(np.finfo(dtype).eps) / 2


def gamma(operations: int, unit: float) -> float:
    """The largest relative error of as many roundings one after another: n u / (1 - n u), Lemma 3.1."""
    return operations * unit / (1 - operations * unit)


def of_linear_layers(
    layers: Layers, inputs: Float[np.ndarray, "examples inputs"], unit: float
) -> Float[np.ndarray, "examples outputs"]:
    """A bound on the error of linear layers one after another: gamma times the product of all absolute values.

    Every output is a sum over paths; on its way through a layer of n inputs a path is rounded n + 1 times at most.
    Source: section 3.5.
    """
    size = np.abs(np.asarray(inputs, np.float64))
    for kernel, bias in layers:
        size = size @ np.abs(kernel) + np.abs(bias)
    return gamma(sum(len(kernel) + 1 for kernel, _ in layers), unit) * size


def of_net(
    layers: Layers,
    inputs: Float[np.ndarray, "examples inputs"],
    activation: Callable[[np.ndarray], np.ndarray],
    unit: float,
) -> Float[np.ndarray, "examples outputs"]:
    """A bound on the error of layers with a non-linearity between them, from the values that there are on the way."""
    *hidden, (kernel, bias) = layers
    values = exact(inputs)
    for before, plus in hidden:
        values = monotone(product(values, exact(before), unit, plus), activation, unit)
    return product(values, exact(kernel), unit, bias).error


@dataclass(frozen=True)
class Bounded:
    """Exact values, and bounds on the absolute error with which they are computed; arrays of one shape."""

    value: np.ndarray
    error: np.ndarray

    @property
    def most(self) -> np.ndarray:
        """The largest absolute value that may be computed."""
        return np.abs(self.value) + self.error

    @property
    def transposed(self) -> "Bounded":
        """The same with rows and columns exchanged."""
        return Bounded(self.value.T, self.error.T)


def exact(value: np.ndarray) -> Bounded:
    """Values that are given without an error."""
    return Bounded(np.asarray(value, np.float64), np.zeros(np.shape(value)))


def product(left: Bounded, right: Bounded, unit: float, plus: np.ndarray | float = 0.0) -> Bounded:
    """A matrix product, and a vector that is added: (3.13) for factors that have errors of their own."""
    carried = np.abs(left.value) @ right.error + left.error @ right.most
    rounded = gamma(left.value.shape[1] + 1, unit) * (left.most @ right.most + np.abs(plus))
    return Bounded(left.value @ right.value + plus, carried + rounded)


def times(left: Bounded, right: Bounded, unit: float) -> Bounded:
    """An element-wise product."""
    carried = np.abs(left.value) * right.error + left.error * right.most
    return Bounded(left.value * right.value, carried + unit * left.most * right.most)


def tanh(x: Bounded, unit: float) -> Bounded:
    """The hyperbolic tangent, which makes no error larger."""
    value = np.tanh(x.value)
    return Bounded(value, x.error + FUNCTION * unit * np.minimum(np.abs(value) + x.error, 1))


def monotone(x: Bounded, function: Callable[[np.ndarray], np.ndarray], unit: float) -> Bounded:
    """A monotone function: its values lie between those at the ends, and where it is flat no error stays."""
    low, value, high = (np.asarray(function(x.value + shift), np.float64) for shift in (-x.error, 0, x.error))
    own = FUNCTION * unit * np.maximum(np.abs(low), np.abs(high))
    return Bounded(value, np.maximum(np.abs(value - low), np.abs(high - value)) + own)


def slope_of_tanh(y: Bounded, unit: float) -> Bounded:
    """1 - y² by three operations, in whatever form: also as (1 - y)(1 + y)."""
    value = 1 - y.value**2
    return Bounded(value, y.error * (np.abs(y.value) + y.most) + gamma(4, unit) * (1 + y.most**2))


def surprise(logits: Bounded, labels: Int[np.ndarray, "examples"], unit: float) -> Bounded:
    """The derivative of the mean cross-entropy by the logits: softmax less the label, over the number of examples.

    An error e of all logits changes the logarithm of a probability by 2 e at most.
    """
    count, classes = logits.value.shape
    shifted = logits.value - logits.value.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    of_logits = 2 * logits.error.max(axis=1, keepdims=True)
    of_shift = 2 * unit * (np.abs(shifted).max(axis=1, keepdims=True) + of_logits)
    relative = np.expm1(of_logits + of_shift + gamma(2 * FUNCTION + classes + 4, unit))
    target = np.eye(classes)[labels]
    return Bounded((p - target) / count, (p * relative + gamma(4, unit) * (p * (1 + relative) + target)) / count)


def of_gradient(
    layers: Layers, inputs: Float[np.ndarray, "examples inputs"], labels: Int[np.ndarray, "examples"], unit: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """A bound on the error of each number of a gradient by back-propagation, for tanh nets under cross-entropy."""
    activations = _forward(layers, inputs, unit)
    delta, bounds = surprise(activations[-1], labels, unit), list[tuple[np.ndarray, np.ndarray]]()
    ones = exact(np.ones((1, len(inputs))))
    for layer in reversed(range(len(layers))):
        kernel = product(activations[layer].transposed, delta, unit)
        bounds.insert(0, (kernel.error, product(ones, delta, unit).error[0]))
        if layer:
            back = product(delta, exact(layers[layer][0].T), unit)
            delta = times(back, slope_of_tanh(activations[layer], unit), unit)
    return bounds


def of_loss(
    layers: Layers, inputs: Float[np.ndarray, "examples inputs"], labels: Int[np.ndarray, "examples"], unit: float
) -> float:
    """A bound on the error of the mean cross-entropy of a tanh net; arguments as of `of_gradient`."""
    logits = _forward(layers, inputs, unit)[-1]
    count, classes = logits.value.shape
    shifted = logits.value - logits.value.max(axis=1, keepdims=True)
    total = np.log(np.exp(shifted).sum(axis=1))
    losses = total - shifted[np.arange(count), labels]
    of_logits = 2 * logits.error.max(axis=1)
    of_shift = 2 * unit * (np.abs(shifted).max(axis=1) + of_logits)
    of_log = gamma(FUNCTION + classes, unit) + FUNCTION * unit * total
    of_sums = gamma(count + 2, unit) * (np.abs(losses) + total + np.abs(shifted).max(axis=1))
    return float((of_logits + of_shift + of_log + of_sums).mean())


def _forward(layers: Layers, inputs: np.ndarray, unit: float) -> list[Bounded]:
    """The inputs, what each hidden layer gives, and the logits."""
    activations = [exact(inputs)]
    for number, (kernel, bias) in enumerate(layers):
        linear = product(activations[-1], exact(kernel), unit, bias)
        activations.append(linear if number == len(layers) - 1 else tanh(linear, unit))
    return activations


def largest_share(computed: Layers, by_hand: Layers, bounds: Layers) -> float:
    """How far the numbers of two gradients are apart, at most, as a share of what a bound allows.

    >>> one, bound = (np.array([[1.0]]), np.array([2.0])), (np.array([[0.5]]), np.array([0.5]))
    >>> largest_share([one], [(np.array([[1.25]]), np.array([2.0]))], [bound])
    0.5
    """
    tiny = np.finfo(np.float64).tiny  # where nothing can be rounded, the numbers must be equal
    arrays = zip(
        *(np.concatenate([part.ravel() for pair in of for part in pair]) for of in (computed, by_hand, bounds)),
        strict=True,
    )
    return float(max(abs(a - b) / max(bound, tiny) for a, b, bound in arrays))
