"""The peers train the runs that jaxnets trains: from equal parameters, on equal batches, they have equal losses."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util

from benchmarks import many_runs
from benchmarks.many_runs import MODELS, Problem
from jaxnets import training
from jaxnets.config.config import Config
from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.engine.plan import plan, resolve
from jaxnets.engine.table import runs
from jaxnets.training import batches

EXAMPLES, BATCH, STEPS, RATES = 40, 8, 12, [0.01, 0.03]
VALUES = {
    "mlp": {"hidden_units": (7, 6), "optimizer": "adam"},
    "dan": {"hidden_units": (7, 6), "embedding_dim": 5, "optimizer": "adam", "word_vector_updates": "dense"},
    "text_cnn": {"filter_widths": (2, 3), "num_filters": 4, "embedding_dim": 5, "optimizer": "sgd"},
}
TORCH_VALUES = {**VALUES, "dan": VALUES["dan"] | {"word_vector_updates": "rows"}}


def dataset(model: str) -> Dataset:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, EXAMPLES).astype(np.int32)
    if model == "mlp":
        split = Split(generator.normal(size=(EXAMPLES, 5)).astype(np.float32) + np.float32(labels)[:, None], labels)
        return Dataset("small", split, split, split, ("no", "yes"))
    lengths = generator.integers(1, 9, EXAMPLES) if model == "dan" else np.full(EXAMPLES, 6)
    words = generator.integers(2, 11, lengths.sum()) + 9 * np.repeat(labels, lengths)
    split = Split(Texts(words.astype(np.int32), lengths.astype(np.int32)), labels)
    vocabulary = (PADDING, UNKNOWN, *(f"word{number}" for number in range(2, 20)))
    return Dataset("small", split, split, split, ("no", "yes"), vocabulary)


def by_jaxnets(model: str, values: dict, rates: list[float]) -> tuple[Problem, np.ndarray, np.ndarray]:
    """A small problem with the parameters of jaxnets, an order of its examples, and the losses `[runs, steps]`."""
    data = dataset(model)
    config = Config(model=model, learning_rate=rates, batch_size=BATCH, num_steps=STEPS, **values)
    (program,) = plan([resolve(run, data) for run in runs(config)], data)
    numbers = {name: jnp.asarray(of_runs) for name, of_runs in program.hyperparameters.items()}
    states = jax.jit(jax.vmap(partial(training.init, program.task)))(numbers, jnp.asarray(program.seeds))
    inputs, lengths = np.asarray(data.train.inputs) if model == "mlp" else None, None
    if inputs is None:
        lengths = np.asarray(data.train.inputs.lengths)
        inputs = many_runs.padded(np.asarray(data.train.inputs.words), lengths)
    flat = {"/".join(path): np.asarray(leaf) for path, leaf in traverse_util.flatten_dict(states.params).items()}
    problem = Problem(model, flat, inputs, lengths, data.train.labels, np.float32(rates), BATCH, values["optimizer"])
    orders = many_runs.orders(problem, num_epochs=3)[:, :STEPS]
    return (
        problem,
        orders,
        np.stack(
            [
                _losses(program.task, jax.tree.map(lambda leaf, run=run: leaf[run], states), problem, orders[run], data)
                for run in range(len(rates))
            ]
        ),
    )


def _losses(task, state, problem: Problem, order: np.ndarray, data: Dataset) -> list[float]:
    def batch(rows: jax.Array) -> training.Examples:
        if problem.lengths is None:
            return training.Examples(jnp.asarray(problem.inputs)[rows], jnp.asarray(problem.labels)[rows])
        texts = data.train.inputs
        stream = batches.TextStream(jnp.asarray(texts.words), jnp.asarray(texts.starts), jnp.asarray(texts.lengths))
        packed = batches.text_batch(stream, rows, jnp.asarray(texts.lengths)[rows], task.budgets[-1])
        return training.Examples(packed, jnp.asarray(problem.labels)[rows])

    step, losses = jax.jit(lambda state, rows: training.step(task, state, batch(rows))), []
    for rows in order:
        state, metrics = step(state, jnp.asarray(rows))
        losses.append(float(metrics.loss / metrics.examples))
    return losses


@pytest.mark.parametrize("model", ["mlp", *(pytest.param(one, marks=pytest.mark.slow) for one in ("dan", "text_cnn"))])
def test_the_jax_peers_have_the_losses_of_jaxnets(model):
    problem, orders, expected = by_jaxnets(model, VALUES[model], RATES)
    workload = many_runs.problem(model, 2)
    assert workload.num_runs == 2
    assert {name for name in problem.params if "windows" not in name} <= set(workload.params)
    of_epoch = many_runs.orders(problem, 2).reshape(2, 2, -1)
    assert (np.sort(of_epoch, axis=-1) == np.arange(EXAMPLES)).all()
    for system in ("jax_vmap", "jax_loop"):
        peer = many_runs.make(system, problem)
        found = np.concatenate([peer(orders[:, :6]), peer(orders[:, 6:])], axis=1)
        np.testing.assert_allclose(found, expected, rtol=2e-4, err_msg=system)
    assert (expected[:, -3:].mean(axis=1) < expected[:, :3].mean(axis=1)).all()


@pytest.mark.parametrize("model", VALUES)
def test_the_torch_peers_have_the_losses_of_jaxnets(model):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    rates = RATES[:1] * 2 if model == "dan" else RATES  # rows of one table have one learning rate
    values = TORCH_VALUES[model]
    problem, orders, expected = by_jaxnets(model, values, rates[:1] if model == "dan" else rates)
    for system in ("torch_stacked", "torch_cores", "torch_grouped"):
        if model in MODELS[system]:
            peer = many_runs.make(system, problem)
            found = np.concatenate([peer(orders[:, :6]), peer(orders[:, 6:])], axis=1)
            np.testing.assert_allclose(found, expected, rtol=2e-4, err_msg=system)


def test_a_peer_is_timed():
    assert 0 < many_runs.microseconds("jax_vmap", "mlp", 2, stretch=0.02) < 1e6
