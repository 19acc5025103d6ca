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


def test_the_cost_of_a_gradient_is_told_for_each_block_and_round():
    blocks = [(jnp.full(3, value), 2.0) for value in (1.0, 4.0)]
    table = timing.gradient_cost(lambda weights, factor: factor * (weights**3).sum(), blocks, repetitions=2)
    assert table[["block", "round"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert (table["parameters"] == 3).all()
    assert (table[["forward", "gradient"]] > 0).all(axis=None)
    assert (table["operations"] > 1).all()
