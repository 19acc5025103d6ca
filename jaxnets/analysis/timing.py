"""How long things take, measured in turns, so that a busy machine slows all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import pandas as pd
from jaxtyping import Array, Float

CALLS = 5
"""Calls in a round of `gradient_cost`."""


def in_turns(functions: Mapping[str, Callable[[], Any]], repetitions: int, inner: int = 1) -> pd.DataFrame:
    """Seconds of each function, in rounds: every round calls each of them."""
    for function in functions.values():
        jax.block_until_ready(function())
    rows = []
    for _ in range(repetitions):
        row = {}
        for name, function in functions.items():
            start = time.perf_counter()
            for _ in range(inner):
                result = function()
            jax.block_until_ready(result)
            row[name] = (time.perf_counter() - start) / inner
        rows.append(row)
    return pd.DataFrame(rows)


def with_derivative(function: Callable[[Array], Array], x: Float[Array, "*shape"]) -> Callable[[], Array]:
    """A compiled call of an element-wise function forward and backward at `x`, with `x` as the cotangent as well."""
    both = jax.jit(lambda x: jax.vjp(function, x)[1](x)[0])
    return lambda: both(x)


def gradient_cost(loss: Callable[..., Array], blocks: Sequence[tuple[Any, ...]], repetitions: int) -> pd.DataFrame:
    """What a loss costs alone, and with its gradient."""
    forward, gradient = jax.jit(loss), jax.jit(jax.value_and_grad(loss))
    tables = []
    for block, arguments in enumerate(blocks):
        calls = {"forward": partial(forward, *arguments), "gradient": partial(gradient, *arguments)}
        times = in_turns(calls, repetitions * CALLS)
        # what else a machine does only adds to a time
        fastest = times.groupby(times.index // CALLS).min()
        tables.append(fastest.assign(block=block, round=range(repetitions)))
    ratio = operations(gradient, *blocks[0]) / operations(forward, *blocks[0])
    parameters = sum(leaf.size for leaf in jax.tree.leaves(blocks[0][0]))
    return pd.concat(tables, ignore_index=True).assign(parameters=parameters, operations=ratio)


def operations(function: Any, *arguments: Any) -> float:
    """How many floating-point operations the compiler counts in a jitted function.

    >>> operations(jax.jit(lambda x: x @ x), jax.numpy.ones((2, 2)))
    16.0
    """
    return float(function.lower(*arguments).compile().cost_analysis()["flops"])
