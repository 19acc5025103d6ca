"""The paths of optimizers over functions of two variables that are hard in a way of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float

from jaxnets import jax_settings
from jaxnets.plugins import OPTIMIZER


@dataclass(frozen=True)
class Landscape:
    """A function to be made small."""

    function: Callable[[Float[Array, "2"]], Array]
    start: tuple[float, float]
    low: float
    window: tuple[tuple[float, float], tuple[float, float]]


LANDSCAPES = {
    "ravine": Landscape(  # curvatures 1 and 50
        lambda p: 0.5 * (p[0] ** 2 + 50 * p[1] ** 2),
        start=(-4.0, 1.0),
        low=1e-3,
        window=((-5, 2), (-1.5, 1.5)),
    ),
    "saddle": Landscape(  # at the origin the gradient is zero, and the way out is across
        lambda p: 0.5 * p[0] ** 2 - 0.5 * p[1] ** 2 + 0.25 * p[1] ** 4,
        start=(-1.5, 1e-3),
        low=-0.249,
        window=((-2, 1), (-0.6, 1.6)),
    ),
    "plateau": Landscape(  # far from the minimum there is hardly a gradient
        lambda p: 1 - jnp.exp(-(p[0] ** 2 + p[1] ** 2) / 2),
        start=(-3.0, 2.0),
        low=1e-3,
        window=((-3.6, 1.6), (-1.6, 2.6)),
    ),
    "two valleys": Landscape(  # the path begins in the one that is less deep
        lambda p: 0.25 * p[0] ** 4 - 0.5 * p[0] ** 2 + 0.15 * p[0] + 0.5 * p[1] ** 2,
        start=(1.8, 1.0),
        low=-0.38,
        window=((-2.1, 2.1), (-1.2, 1.2)),
    ),
}


@jax_settings.pinned()
def walk(landscape: Landscape, optimizer: Any, learning_rates: np.ndarray, num_steps: int) -> np.ndarray:
    """The points `float32[rates, steps + 1, 2]` that an optimizer comes to, for each learning rate."""
    plugin = OPTIMIZER.find(optimizer)
    arguments = {name: a.default for name, a in plugin.arguments.items() if a.default is not None}

    def one(rate: Array) -> Array:
        transformation = plugin.value(rate, **arguments)
        start = jnp.array(landscape.start)

        def step(carry: tuple, _: None) -> tuple[tuple, Array]:
            point, state = carry
            updates, state = transformation.update(jax.grad(landscape.function)(point), state, point)
            point = point + updates
            return (point, state), point

        _, points = jax.lax.scan(step, (start, transformation.init(start)), length=num_steps)
        return jnp.concatenate([start[None], points])

    return np.asarray(jax.jit(jax.vmap(one))(jnp.asarray(learning_rates, jnp.float32)))


@jax_settings.pinned()
def arrivals(landscape: Landscape, points: Float[np.ndarray, "rates points 2"]) -> Float[np.ndarray, "rates"]:
    """The steps after which each path is low for good; infinite if it never is."""
    values = np.asarray(jax.vmap(jax.vmap(landscape.function))(jnp.asarray(points)))
    high = ~(values <= landscape.low)  # what is not finite is not low
    last_high = high.shape[1] - 1 - np.argmax(high[:, ::-1], axis=1)
    steps = np.where(high.any(axis=1), last_high + 1, 0).astype(float)
    return np.where(steps > values.shape[1] - 1, np.inf, steps)


def best_paths(optimizers: Mapping[str, Any], learning_rates: np.ndarray, num_steps: int) -> pd.DataFrame:
    """For each landscape and optimizer, the path at the rate that arrives first."""
    tables = []
    for title, landscape in LANDSCAPES.items():
        for name, optimizer in optimizers.items():
            points = walk(landscape, optimizer, learning_rates, num_steps)
            steps = arrivals(landscape, points)
            best = int(np.argmin(steps))
            table = pd.DataFrame({"step": np.arange(num_steps + 1), "x": points[best, :, 0], "y": points[best, :, 1]})
            path: dict[str, Any] = {"landscape": title, "optimizer": name, "arriving": int(np.isfinite(steps).sum())}
            tables.append(table.assign(**path, learning_rate=learning_rates[best], arrival=steps[best]))
    return pd.concat(tables, ignore_index=True)


@jax_settings.pinned()
def heights(name: str, size: int = 81) -> pd.DataFrame:
    """A landscape over its window: `x`, `y` and `height` on a grid."""
    landscape = LANDSCAPES[name]
    x, y = (axis.ravel() for axis in np.meshgrid(*(np.linspace(*bounds, size) for bounds in landscape.window)))
    values = jax.vmap(landscape.function)(jnp.stack([x, y], axis=1))
    return pd.DataFrame({"landscape": name, "x": x, "y": y, "height": np.asarray(values, np.float64)})
