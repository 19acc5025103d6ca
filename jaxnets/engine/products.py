"""Matrix products: how many operations those of a step take, and how many the devices manage."""

import math
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import numpy as np

from jaxnets import training
from jaxnets.engine.devices import Placement
from jaxnets.engine.plan import Program
from jaxnets.models.blocks import TextBatch

_SIZE, _REPEATS = 512, 16


def step_flops(program: Program) -> int:
    """The multiplications and additions in the matrix products and convolutions of one step of one run.

    They are those of the traced step, for the word positions that most batches of texts take.
    """
    traced = jax.make_jaxpr(partial(training.step, program.task))(program.state, _batch(program))
    return sum(map(_flops, _equations(traced.jaxpr)))


def _batch(program: Program) -> training.Examples:
    """The shapes of a batch."""
    task, shape = program.task, jax.ShapeDtypeStruct
    labels, inputs = (
        shape((task.batch_size,), np.int32),
        shape((task.batch_size, *(task.input_shape or ())), np.float32),
    )
    if not task.budgets:
        return training.Examples(inputs, labels)  # type: ignore[arg-type]
    words = shape((task.budgets[0],), np.int32)
    return training.Examples(TextBatch(words, words, labels), labels)  # type: ignore[arg-type]


def _equations(jaxpr: Any) -> Iterator[Any]:
    """All equations, those of inner functions included; the body of a loop counts once."""
    for equation in jaxpr.eqns:
        yield equation
        for value in jax.tree.leaves(list(equation.params.values())):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from _equations(inner)


def _flops(equation: Any) -> int:
    """Two for each multiplication of a product: the size of the result times what is summed over.

    >>> matrix = np.ones((3, 5))
    >>> [_flops(equation) for equation in jax.make_jaxpr(lambda a, b: jax.lax.dot(a, b))(matrix, matrix.T).eqns]
    [90]
    """
    name, shapes = equation.primitive.name, [value.aval.shape for value in equation.invars]
    if name == "dot_general":
        (summed, _), _ = equation.params["dimension_numbers"]
        return 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(shapes[0][axis] for axis in summed)
    if name == "conv_general_dilated":
        kernel, numbers = shapes[1], equation.params["dimension_numbers"].rhs_spec
        return 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(kernel) // kernel[numbers[0]]
    return 0


def product_rate(placement: Placement, seconds: float = 0.3) -> float:
    """FLOPs a second of float32 matrix products on all devices that have runs: the best of several calls."""
    products = jax.jit(lambda a: jax.lax.fori_loop(0, _REPEATS, lambda _, c: (c @ a) * 1e-3, a))
    used = placement.mesh.devices.flat[: placement.num_devices]
    matrices = [jax.device_put(np.ones((_SIZE, _SIZE), np.float32), device) for device in used]
    jax.block_until_ready([products(matrix) for matrix in matrices])  # compiles
    best, end = float("inf"), time.perf_counter() + seconds
    while (start := time.perf_counter()) < end or best == float("inf"):
        jax.block_until_ready([products(matrix) for matrix in matrices])
        best = min(best, time.perf_counter() - start)
    return 2.0 * _SIZE**3 * _REPEATS * len(matrices) / best
