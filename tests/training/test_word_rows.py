"""Updates of a batch's words against dense ones, and against PyTorch's rule for absent words."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optax import contrib

from jaxnets import data, models, training
from jaxnets.config.config import Config
from jaxnets.engine.plan import plan, resolve
from jaxnets.engine.sweep import prepare
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.models.blocks import TextBatch
from jaxnets.plugins import OPTIMIZER
from jaxnets.training import heads, probes, schedules, word_rows
from jaxnets.training.batches import Examples
from jaxnets.training.state import Bound, Task
from jaxnets.training.word_rows import GivenVectors

VOCABULARY = 12
HYPERPARAMETERS = {
    "learning_rate": jnp.float32(0.1),
    "warmup_steps": jnp.float32(0),
    "initializer": jnp.int32(0),
    "initializer_scale": jnp.float32(1),
}


def task(optimizer="sgd", rows=True, train_word_vectors=True, **static):
    static = {"num_outputs": 2, "vocabulary_size": VOCABULARY, "embedding_dim": 4, "hidden_units": (3,)} | static
    plugin = OPTIMIZER.find(optimizer)
    static_arguments = tuple((n, a.default) for n, a in plugin.arguments.items() if not a.traced)
    return Task(
        Bound(models.DAN, tuple(static.items())),
        Bound(plugin.value, static_arguments),
        Bound(schedules.constant),
        heads.KNOWN["softmax"],
        batch_size=2,
        num_steps=10,
        num_examples=2,
        input_shape=None,
        budgets=(8,),
        train_word_vectors=train_word_vectors,
        word_rows=rows,
    )


def batch(first, second, num_positions=8):
    words = [*first, *second]
    left = num_positions - len(words)
    owner = [0] * len(first) + [1] * len(second) + [2] * left
    lengths = jnp.array([len(first), len(second)])
    return Examples(TextBatch(jnp.array(words + [0] * left), jnp.array(owner), lengths), jnp.array([0, 1]))


BATCHES = [batch([2, 3, 3], [4, 5]), batch([6, 7], [2]), batch([2, 3], [3, 8, 9, 4])]


def trained(task, batches=BATCHES, vectors=None):
    state = training.init(task, HYPERPARAMETERS, jnp.int32(0), vectors)
    step = jax.jit(partial(training.step, task))
    for one in batches:
        state, _ = step(state, one)
    return state


def vectors_of(state):
    return np.asarray(state.params["WordVectors_0"]["vectors"])


@given(st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=30))
def test_distinct_words(words):
    rows, places = jax.jit(word_rows.distinct, static_argnums=1)(jnp.array(words), VOCABULARY)
    real = [row for row in rows.tolist() if row < VOCABULARY]
    assert sorted(real) == sorted(set(words))
    assert rows[: len(real)].tolist() == real  # what is left over comes last
    assert rows[places].tolist() == words


CNN = {"num_outputs": 2, "vocabulary_size": VOCABULARY, "embedding_dim": 4, "filter_widths": (2,), "num_filters": 3}


@pytest.mark.parametrize(
    ("optimizer", "model", "num_steps", "bounds"),
    [
        ("sgd", "dan", 3, {"rtol": 2e-5, "atol": 1e-6}),
        ("adagrad", "dan", 3, {"rtol": 2e-5, "atol": 1e-6}),
        ("adam", "dan", 1, {"rtol": 1e-4, "atol": 1e-6}),
        ("adam", "text_cnn", 1, {"rtol": 1e-4, "atol": 1e-6}),
    ],
)
def test_rows_are_equal_to_dense_updates_where_absent_words_would_rest(optimizer, model, num_steps, bounds):
    dense, rows = task(optimizer, rows=False), task(optimizer, rows=True)
    if model == "text_cnn":
        dense, rows = (replace(one, model=Bound(models.TextCNN, tuple(CNN.items()))) for one in (dense, rows))
    dense, rows = trained(dense, BATCHES[:num_steps]), trained(rows, BATCHES[:num_steps])
    for one, other in zip(jax.tree.leaves(dense.params), jax.tree.leaves(rows.params), strict=True):
        np.testing.assert_allclose(one, other, **bounds)
    assert jax.tree.structure(dense) == jax.tree.structure(rows)


def test_absent_words_rest_and_come_back_as_with_sparse_adam():
    """Adam's moments of a word change in its own steps alone; the bias correction counts all steps."""
    rate, b1, b2, epsilon = 0.1, 0.9, 0.999, 1e-8
    one = task("adam")
    step = jax.jit(partial(training.step, one))
    state = training.init(one, HYPERPARAMETERS, jnp.int32(0))
    first, second = np.zeros((VOCABULARY, 4)), np.zeros((VOCABULARY, 4))
    expected = vectors_of(state).astype(np.float64)
    for count, examples in enumerate(BATCHES, 1):
        gradient = np.asarray(_gradient(one, state, examples), np.float64)
        touched = np.unique(np.asarray(examples.inputs.words))
        first[touched] = b1 * first[touched] + (1 - b1) * gradient[touched]
        second[touched] = b2 * second[touched] + (1 - b2) * gradient[touched] ** 2
        moved = first / (1 - b1**count) / (np.sqrt(second / (1 - b2**count)) + epsilon)
        expected[touched] -= rate * moved[touched]
        state, _ = step(state, examples)
        np.testing.assert_allclose(vectors_of(state), expected, rtol=1e-3, atol=2e-5)
        expected = vectors_of(state).astype(np.float64)


def _gradient(one, state, examples):
    def loss(params):
        logits = one.model(state.hyperparameters).apply({"params": params}, examples.inputs)
        return one.head.losses(logits, examples.labels).mean()

    return jax.grad(loss)(state.params)["WordVectors_0"]["vectors"]


def test_fixed_vectors_stay_and_the_optimizer_keeps_nothing_for_them():
    given_vectors = GivenVectors(jnp.ones((VOCABULARY, 4)), jnp.arange(VOCABULARY) % 2 == 0, jnp.float32(3.0))
    state = trained(task("adam", rows=False, train_word_vectors=False), vectors=given_vectors)
    before = training.init(task("adam", rows=False), HYPERPARAMETERS, jnp.int32(0), given_vectors)
    np.testing.assert_array_equal(vectors_of(state), vectors_of(before))
    np.testing.assert_array_equal(vectors_of(state)[::2], 1.0)
    assert not np.array_equal(state.params["MLP_0"]["output"]["kernel"], before.params["MLP_0"]["output"]["kernel"])
    assert all(leaf.shape != (VOCABULARY, 4) for leaf in jax.tree.leaves(state.optimizer_state))


def test_words_without_a_vector_are_drawn_at_the_deviation_of_the_others():
    wide = task("sgd", vocabulary_size=2000, embedding_dim=50)
    vectors = GivenVectors(jnp.zeros((2000, 50)), jnp.zeros(2000, bool), jnp.float32(0.7))
    drawn = vectors_of(training.init(wide, HYPERPARAMETERS, jnp.int32(0), vectors))
    assert abs(drawn.std() - 0.7) < 0.01
    assert abs(drawn.mean()) < 0.01


def accumulating(learning_rate):
    return optax.MultiSteps(optax.sgd(learning_rate), 2)


def lookahead(learning_rate):
    return optax.lookahead(optax.sgd(learning_rate), 3, 0.5)


def schedule_free(learning_rate):
    return contrib.schedule_free(optax.sgd(learning_rate), learning_rate)


def bounded(learning_rate):
    return optax.chain(optax.adam(learning_rate), optax.clip_by_repeat_rms(0.1))


def clipped(learning_rate):
    return optax.chain(optax.clip_by_global_norm(0.1), optax.adam(learning_rate))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adagrad", "adadelta", "lion", contrib.adopt, clipped])
def test_rows_fit_optimizers_that_treat_each_row_by_itself(optimizer):
    assert probes.rows_fit(task(optimizer), HYPERPARAMETERS | {"gradient_clip": jnp.float32(0.1)})


@pytest.mark.parametrize(
    "optimizer",
    [
        *("lamb", "adafactor", "lbfgs", contrib.muon, contrib.prodigy, accumulating, lookahead, bounded),
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("lars", "fromage", "sm3", "novograd")),
        *(pytest.param(one, marks=pytest.mark.slow) for one in (contrib.dog, contrib.momo, schedule_free)),
    ],
)
def test_rows_do_not_fit_where_more_than_the_row_counts(optimizer):
    assert not probes.rows_fit(task(optimizer), HYPERPARAMETERS)


def test_auto_takes_rows_only_where_they_fit():
    ngrams = data.load("ngrams", num_sentences=60)
    shared = {"model": "dan", "batch_size": 1, "embedding_dim": 3, "hidden_units": 3}

    def in_rows(**flags):
        (program,) = plan([resolve(run, ngrams) for run in runs(Config(**shared, **flags))], ngrams)
        return program.task.word_rows

    assert len(ngrams.vocabulary) > 2 * max(map(len, ngrams.train.inputs))
    assert in_rows(optimizer="adam")
    assert not in_rows(optimizer="adam", word_vector_updates="dense")
    assert not in_rows(optimizer="lamb")
    assert in_rows(optimizer="lamb", word_vector_updates="rows")
    flags = {"dataset": "ngrams", "num_sentences": 60, "word_vector_updates": "rows", "num_steps": 1}
    for optimizer, num_notes in (("lamb", 1), ("sgd", 0)):
        notes = prepare(Config(**shared, **flags, optimizer=optimizer)).notes
        assert len([note for note in notes if f"what {optimizer} does to a word depends on more" in note]) == num_notes


@pytest.mark.parametrize(
    ("optimizer", "rests"), [("sgd", True), ("rmsprop", True), ("adadelta", True), ("adam", False)]
)
def test_absent_words_under_dense_updates(optimizer, rests):
    """As the table in docs/text.md has it."""
    present, absent = (
        trained(task(optimizer, rows=False), BATCHES[:1]),
        trained(task(optimizer, rows=False), BATCHES[:2]),
    )
    (word,) = {5} - set(np.asarray(BATCHES[1].inputs.words).tolist())
    assert np.array_equal(vectors_of(present)[word], vectors_of(absent)[word]) == rests


@pytest.mark.parametrize("optimizer", [schedule_free, lookahead])
def test_rows_are_judged_at_the_parameters_that_the_optimizer_defines(optimizer):
    """Where each word is in each batch, rows and dense updates are equal."""
    whole = [batch([0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11], 12)] * 4
    ends = [trained(task(optimizer, rows=rows), whole) for rows in (False, True)]
    judged = [training.judged(task(optimizer), end).params for end in ends]
    for one, other in zip(*map(jax.tree.leaves, judged), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)
    assert not np.allclose(vectors_of(ends[0]), judged[0]["WordVectors_0"]["vectors"], atol=1e-4)


def test_mistakes_are_told():
    with pytest.raises(UserError, match="embedding_dim: 4, but the word vectors given have 5 numbers"):
        trained(task(), [], GivenVectors(jnp.zeros((VOCABULARY, 5)), jnp.zeros(VOCABULARY, bool), jnp.float32(1)))
    with pytest.raises(UserError, match="take 'dense'"):
        trained(task("lbfgs"))
    with pytest.raises(UserError, match="take 'dense'"):
        trained(task("adafactor", embedding_dim=128, vocabulary_size=128))
