import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnets import data, training
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset, Split
from jaxnets.engine.plan import plan, resolve
from jaxnets.engine.table import runs
from jaxnets.training import batches, run
from jaxnets.training.batches import Examples

RNG = np.random.default_rng(0)


def small(head="softmax", num_examples=11, num_classes=3):
    """A data set that no batch size divides."""
    classes = 2 if head == "sigmoid" else num_classes
    inputs = RNG.normal(size=(num_examples, 5)).astype(np.float32)
    split = Split(inputs, RNG.integers(0, classes, num_examples).astype(np.int32))
    return Dataset("small", split, split, split, tuple(map(str, range(classes))))


def prepare(dataset, **flags):
    """The task, hyperparameters and seed of one run."""
    flags = {"batch_size": 4, "hidden_units": (6, 5), "activation": "tanh", "initializer": "pytorch", **flags}
    if flags.get("model", "mlp") != "mlp":
        del flags["hidden_units"], flags["activation"]
    program = plan([resolve(run, dataset) for run in runs(Config(**flags))], dataset)[0]
    numbers = {name: jnp.asarray(values[0]) for name, values in program.hyperparameters.items()}
    return program.task, numbers, jnp.asarray(program.seeds[0])


def on_device(split):
    return Examples(jnp.asarray(split.inputs), jnp.asarray(split.labels))


def numpy_loss_and_gradient(params, inputs, labels, head):
    """Mean loss and its gradient by back-propagation written out, in float64; layers of kernel and bias."""
    hidden = [inputs.astype(np.float64)]
    for kernel, bias in params[:-1]:
        hidden.append(np.tanh(hidden[-1] @ kernel + bias))
    logits = hidden[-1] @ params[-1][0] + params[-1][1]
    if head == "sigmoid":
        p = 1 / (1 + np.exp(-logits[:, 0]))
        loss = -np.log(np.where(labels == 1, p, 1 - p)).mean()
        delta = (p - labels)[:, None] / len(labels)
    else:
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(labels)), labels]).mean()
        delta = (p - np.eye(p.shape[1])[labels]) / len(labels)
    gradient = []
    for layer in reversed(range(len(params))):
        gradient.insert(0, (hidden[layer].T @ delta, delta.sum(axis=0)))
        delta = (delta @ params[layer][0].T) * (1 - hidden[layer] ** 2) if layer else None
    return loss, gradient


def numpy_update(optimizer, p, g, memory, t, rate):
    """One update of one array by the papers' formulas; `memory` is its velocity, or its two moments."""
    if optimizer == "sgd":
        return p - rate * g, memory
    if optimizer in ("momentum", "nesterov"):
        velocity = 0.9 * memory[0] + g
        return p - rate * (velocity if optimizer == "momentum" else g + 0.9 * velocity), (velocity, 0.0)
    m, s = 0.9 * memory[0] + 0.1 * g, 0.999 * memory[1] + 0.001 * g**2
    return p - rate * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8), (m, s)


def layers(params):
    return [
        (np.asarray(params[name]["kernel"], np.float64), np.asarray(params[name]["bias"], np.float64))
        for name in sorted(params)
    ]


@pytest.mark.parametrize(
    ("optimizer", "head"), [("sgd", "softmax"), ("momentum", "sigmoid"), ("nesterov", "softmax"), ("adam", "sigmoid")]
)
def test_steps_against_float64(optimizer, head):
    dataset = small(head)
    task, numbers, seed = prepare(dataset, optimizer=optimizer, head=head, learning_rate=0.05)
    state = training.init(task, numbers, seed)
    step, params = jax.jit(partial(training.step, task)), layers(state.params)
    memory = [[(0.0, 0.0)] * 2 for _ in params]
    for t, rows in enumerate((slice(0, 4), slice(4, 8), slice(8, 11)), start=1):  # the last is filled up
        inputs, labels = dataset.train.inputs[rows], dataset.train.labels[rows]
        loss, gradient = numpy_loss_and_gradient(params, inputs, labels, head)
        missing = 4 - len(labels)
        batch = Examples(
            jnp.asarray(np.pad(inputs, ((0, missing), (0, 0)), constant_values=1e30)),
            jnp.asarray(np.pad(labels, (0, missing))),
            jnp.asarray(np.arange(4) < len(labels), jnp.float32),
        )
        state, metrics = step(state, batch)
        np.testing.assert_allclose(metrics.mean()[0], loss, rtol=1e-5)
        for layer in range(len(params)):
            updated = [
                numpy_update(optimizer, p, g, m, t, 0.05)
                for p, g, m in zip(params[layer], gradient[layer], memory[layer], strict=True)
            ]
            params[layer], memory[layer] = tuple(u[0] for u in updated), [u[1] for u in updated]
        for got, expected in zip(layers(state.params), params, strict=True):
            for ours, theirs in zip(got, expected, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-6)
    assert (int(state.step), int(state.diverged_step)) == (3, -1)


def test_training_in_parts_gives_the_same_bits_as_in_one():
    dataset = small()
    task, numbers, seed = prepare(dataset, optimizer="adam")
    examples = on_device(dataset.train)
    train = jax.jit(lambda state, first, last: training.train(task, state, examples, first, last)[0])
    start = training.init(task, numbers, seed)
    whole = train(start, jnp.int32(0), jnp.int32(10))
    parts = start
    for first, last in ((0, 1), (1, 5), (5, 10)):  # in the midst of epochs of three steps
        parts = train(parts, jnp.int32(first), jnp.int32(last))
    assert jax.tree.all(jax.tree.map(np.array_equal, whole, parts))


def test_evaluation_counts_each_example_once():
    dataset = data.load("digits")
    task, numbers, seed = prepare(dataset, batch_size=64, hidden_units=8)
    state = training.init(task, numbers, seed)
    loss, accuracy = training.evaluate(task, state, on_device(dataset.train)).mean()
    kernels = layers(state.params)
    hidden = np.tanh(dataset.train.inputs.astype(np.float64) @ kernels[0][0] + kernels[0][1])
    logits = hidden @ kernels[1][0] + kernels[1][1]
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert len(dataset.train) % batches.EVALUATION_BATCH != 0
    np.testing.assert_allclose(loss, -log_p[np.arange(len(log_p)), dataset.train.labels].mean(), rtol=1e-5)
    assert float(accuracy) == pytest.approx((logits.argmax(axis=1) == dataset.train.labels).mean(), abs=1e-6)


def test_divergence_is_marked_at_its_first_step():
    task, numbers, seed = prepare(small(), optimizer="sgd", learning_rate=1e30, activation="identity")
    step, state, losses = jax.jit(partial(training.step, task)), training.init(task, numbers, seed), []
    for _ in range(8):
        state, metrics = step(state, on_device(small().train))
        losses.append(float(metrics.loss))
    assert not np.isfinite(losses).all()
    assert int(state.diverged_step) == np.isfinite(losses).argmin() + 1


def test_streams_differ_by_purpose_and_index():
    keys = [training.stream(jnp.int32(1), purpose, index) for purpose in run.STREAMS for index in (0, 1)]
    assert len({tuple(np.asarray(jax.random.key_data(key)).tolist()) for key in keys}) == len(keys)


def test_dropout_reaches_training_but_not_evaluation():
    dataset = small()
    examples, evaluated, trained = on_device(dataset.train), [], []
    for flags in ({}, {"dropout_rate": 0.5}):
        task, numbers, seed = prepare(dataset, **flags)
        state = training.init(task, numbers, seed)
        evaluated.append(jax.jit(partial(training.evaluate, task))(state, examples).loss)
        trained.append(jax.jit(partial(training.step, task))(state, examples)[1].loss)
    assert evaluated[0] == evaluated[1]
    assert trained[0] != trained[1]


def test_the_steps_of_an_epoch_cover_the_set():
    dataset = small()
    task, _, _ = prepare(dataset, batch_size=0)
    assert task.batch_size == 11
    assert task.steps_per_epoch == 1
    assert dataclasses.replace(task, batch_size=5).steps_per_epoch == 3


def test_the_draws_are_in_the_order_of_the_models_parameters():
    task, numbers, seed = prepare(small(), initializer="pytorch")
    params = training.init(task, numbers, seed).params
    size = sum(leaf.size for leaf in jax.tree.leaves(params))
    drawn = jax.random.uniform(run.stream(seed, "initializer"), (size,), minval=-1.0)
    places = {
        ("Linear_0", "kernel"): 0,
        ("Linear_0", "bias"): 30,
        ("Linear_1", "kernel"): 36,
        ("output", "bias"): size - 3,
    }
    for (layer, name), place in places.items():
        leaf, fan_in = np.ravel(params[layer][name]), params[layer]["kernel"].shape[0]
        np.testing.assert_allclose(leaf, drawn[place : place + leaf.size] * fan_in**-0.5, rtol=1e-5, atol=1e-6)
