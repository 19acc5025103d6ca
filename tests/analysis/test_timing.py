import time

import jax
import jax.numpy as jnp
import numpy as np

from jaxnets.analysis import timing
from jaxnets.config.config import Config
from jaxnets.data.toy import digits
from jaxnets.engine.results import Recorder
from jaxnets.engine.sweep import prepare


def test_each_round_calls_each_function_in_turn_and_seconds_are_per_call():
    calls = []
    functions = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    table = timing.in_turns(functions, repetitions=2, inner=2)
    assert calls == ["a", "b", *["a", "a", "b", "b"] * 2]
    assert list(table.columns) == ["a", "b"]
    assert (table > 0).all(axis=None)
    assert 0.02 <= timing.in_turns({"sleep": lambda: time.sleep(0.02)}, 1, inner=3)["sleep"][0] < 0.06


def test_a_non_linearity_alone_gives_its_derivative_times_the_numbers():
    x = np.linspace(-4, 4, 9)
    given = {name: np.asarray(call()) for name, call in timing.activation_calls(9).items()}
    sigmoid = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(given["sigmoid"], x * sigmoid * (1 - sigmoid), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(given["tanh"], x * (1 - np.tanh(x) ** 2), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(given["relu"], np.maximum(x, 0), rtol=1e-6)


def test_a_step_lowers_the_loss_of_a_net():
    call = timing.step_calls(width=6, examples=12)["relu"]
    before, after = call.args[0], call()
    assert jax.tree.map(jnp.shape, before) == jax.tree.map(jnp.shape, after)
    inputs = np.sin(np.arange(72.0)).reshape(12, 6)
    assert loss(after, inputs) < loss(before, inputs)


def loss(params, inputs):
    """The mean cross-entropy in float64."""
    hidden = inputs
    for name in ("Linear_0", "Linear_1"):
        hidden = np.maximum(hidden @ np.float64(params[name]["kernel"]) + np.float64(params[name]["bias"]), 0)
    logits = hidden @ np.float64(params["output"]["kernel"]) + np.float64(params["output"]["bias"])
    return float((np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(12), np.arange(12) % 10]).mean())


def test_the_cost_of_a_gradient_is_that_of_each_width_in_each_repeat():
    table = timing.gradient_costs([digits()] * 2, [4, 8], repetitions=2, num_examples=16)
    assert table["width"].tolist() == [4] * 4 + [8] * 4
    assert table["repeat"].tolist() == [0, 0, 1, 1] * 2
    assert table["round"].tolist() == [0, 1] * 4
    assert table["parameters"].tolist()[::4] == [65 * 4 + 5 * 4 + 5 * 10, 65 * 8 + 9 * 8 + 9 * 10]
    assert (table[["forward", "gradient"]] > 0).all(axis=None)
    assert (table["operations"] > 1).all()


def test_a_run_of_some_examples_takes_steps_on_all():
    small = {"num_steps": 2, "hidden_units": 2, "num_train": 50, "num_repeats": 2}
    sweep = prepare(Config(dataset="wine", optimizer="sgd", batch_size=[8, 0], **small))
    planned = Recorder(sweep).trained(interrupted=False, seconds=0.0)  # nothing is trained
    whole = timing.on_all_examples(planned)
    assert len(planned.dataset(0).train) == 50
    assert len(whole.dataset(0).train) == len(whole.dataset(3).train) == 106
    sizes = {program.task.batch_size: program.task.num_examples for program in whole.programs}
    assert sizes == {8: 106, 106: 106}
    first, other = (one.start(0).params["output"]["kernel"] for one in (planned, whole))
    np.testing.assert_array_equal(first, other)
    table = timing.size_seconds(planned, rounds=2, steps=2)
    assert table.groupby("method")["round"].apply(list).to_dict() == {8: [0, 1], 50: [0, 1]}
    assert (table["seconds"] > 0).all()
