import time

import jax.numpy as jnp

from jaxnets.analysis import timing


def test_each_round_calls_each_function_in_turn():
    calls = []
    table = timing.in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repetitions=2, inner=2)
    assert calls == ["a", "b", *["a", "a", "b", "b"] * 2]
    assert list(table.columns) == ["a", "b"]
    assert (table > 0).all(axis=None)


def test_seconds_are_per_call():
    table = timing.in_turns({"sleep": lambda: time.sleep(0.02)}, repetitions=1, inner=3)
    assert 0.02 <= table["sleep"][0] < 0.06


def test_with_derivative_multiplies_by_the_derivative():
    assert timing.with_derivative(jnp.square, jnp.array([1.0, 3.0]))().tolist() == [2, 18]
