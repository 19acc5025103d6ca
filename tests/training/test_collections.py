"""What a model keeps beside its parameters is carried, kept, resumed and used as they are."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
from flax import linen as nn

import jaxnets
from jaxnets import data, training
from jaxnets.engine import store
from jaxnets.engine.execute import execute
from jaxnets.engine.keep import Record
from jaxnets.engine.plan import plan, resolve
from jaxnets.engine.results import Recorder
from jaxnets.engine.store import Parts
from jaxnets.engine.sweep import prepare
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.training.state import COLLECTIONS, variables
from tests.guests import BestWord, Normed

WINE = {"dataset": "wine", "batch_size": 40, "num_steps": 8, "evaluate_every": 4, "optimizer": "sgd"}
SWEEP = WINE | {"model": Normed, "learning_rate": [0.03, 0.1, 0.3], "keep": "all"}
INPUTS = data.load("wine").test.inputs


class Counting(nn.Module):
    """Counts its steps in a collection of its own."""

    num_outputs: int
    grows: bool = False

    @nn.compact
    def __call__(self, inputs, *, train=False, mask=None):
        steps = self.variable("stats", "steps", jnp.zeros, (), jnp.int32)
        if train:
            steps.value = jnp.ones(2) if self.grows else steps.value + 1
        return nn.Dense(self.num_outputs)(inputs)


class Unmasked(Normed):
    """As if nothing were padding."""

    @nn.compact
    def __call__(self, inputs, *, train=False):
        return nn.Dense(self.num_outputs)(nn.BatchNorm(use_running_average=not train)(inputs))


class Summed(BestWord):
    """A model of texts with batch statistics, blind to padding."""

    @nn.compact
    def __call__(self, texts, *, train=False):
        return nn.BatchNorm(use_running_average=not train)(super().__call__(texts, train=train))


@pytest.fixture(scope="module")
def swept():
    return jaxnets.sweep(**SWEEP, progress=False)


def leaves(results, run, step=None):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(results.params(run, step))]


def test_training_is_that_of_a_plain_flax_loop():
    """The last batch of an epoch is smaller there, and filled up here."""
    wine = data.load("wine")
    (program,) = plan([resolve(run, wine) for run in runs(jaxnets.Config(**SWEEP | {"learning_rate": 0.1}))], wine)
    task, seed = program.task, jnp.int32(3)
    numbers = {name: jnp.asarray(values[0]) for name, values in program.hyperparameters.items()}
    examples = training.Examples(jnp.asarray(wine.train.inputs), jnp.asarray(wine.train.labels))
    assert task.num_examples % task.batch_size
    start = training.init(task, numbers, seed)
    train = jax.jit(lambda state, first, last: training.train(task, state, examples, first, last)[0])
    end = train(start, jnp.int32(0), jnp.int32(8))
    in_parts = train(train(start, jnp.int32(0), jnp.int32(5)), jnp.int32(5), jnp.int32(8))
    assert jax.tree.all(jax.tree.map(np.array_equal, end, in_parts))

    order = np.asarray(training.order_of_steps(task, seed, jnp.int32(0), 8)).reshape(8, -1)
    params, stats, module = start.params, start.collections["batch_stats"], Normed(3)
    for step, rows in enumerate(order):
        rows = rows[: min(40, len(wine.train) - step % task.steps_per_epoch * 40)]

        def loss(params, rows=rows, stats=stats):
            kept = {"params": params, "batch_stats": stats}
            logits, changed = module.apply(kept, examples.inputs[rows], train=True, mutable=["batch_stats"])
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, examples.labels[rows])
            return losses.mean(), changed["batch_stats"]

        gradient, stats = jax.grad(loss, has_aux=True)(params)
        params = jax.tree.map(lambda leaf, slope: leaf - 0.1 * slope, params, gradient)
    for got, expected in ((end.params, params), (end.collections["batch_stats"], stats)):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5), got, expected)
    assert not np.allclose(stats["BatchNorm_0"]["mean"], start.collections["batch_stats"]["BatchNorm_0"]["mean"])


def test_each_run_of_a_sweep_has_the_bits_that_it_has_alone(fully_compiled):
    together = jaxnets.sweep(**SWEEP, progress=False)
    for run, rate in enumerate(SWEEP["learning_rate"]):
        alone = jaxnets.sweep(**SWEEP | {"learning_rate": rate}, progress=False)
        for step in (0, 4, 8):
            assert all(map(np.array_equal, leaves(alone, 0, step), leaves(together, run, step)))
        assert alone.runs["test_loss"][0] == together.runs["test_loss"][run]


def test_a_run_that_is_cut_off_goes_on_to_the_same_bits(swept, tmp_path, monkeypatch):
    monkeypatch.setattr(store.Checkpoints, "due", lambda _: True)

    def carried_out(stop):
        sweep = prepare(jaxnets.Config(**SWEEP))
        recorder = Recorder(sweep)
        parts = Parts(tmp_path, sweep.table, sweep.folds, sweep.options, sweep.placement.platform)
        for event in execute(sweep.programs, sweep.folds, sweep.placement, sweep.options, parts):
            recorder.take(event)
            if stop and isinstance(event, Record):
                break
        return recorder.trained(interrupted=False, seconds=0.0)

    carried_out(stop=True)
    assert list(tmp_path.glob("*.begun"))
    resumed = carried_out(stop=False)
    shared = ["test_loss", "dev_loss", "train_loss"]
    pd.testing.assert_frame_equal(resumed.runs[shared], swept.runs[shared], check_exact=True)
    for run in range(3):
        assert all(map(np.array_equal, leaves(resumed, run), leaves(swept, run)))


def test_a_kept_model_predicts_by_the_running_averages(swept, tmp_path):
    kept = swept.params(1)
    stats = kept[COLLECTIONS]["batch_stats"]["BatchNorm_0"]
    assert not np.allclose(stats["mean"], 0)
    hidden = INPUTS.astype(np.float64) @ kept["Dense_0"]["kernel"] + kept["Dense_0"]["bias"]
    scaled = (hidden - stats["mean"]) / np.sqrt(stats["var"] + 1e-5)
    scaled = np.maximum(scaled * kept["BatchNorm_0"]["scale"] + kept["BatchNorm_0"]["bias"], 0)
    logits = scaled @ kept["output"]["kernel"] + kept["output"]["bias"]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    again = jaxnets.load(swept.save(tmp_path / "run"), trust=True)
    for results in (swept, again):
        np.testing.assert_allclose(results.probabilities(1, INPUTS), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(swept.logits(1, INPUTS), logits, rtol=1e-4, atol=1e-5)
    assert (expected.argmax(axis=1) == swept.folds[0].test.labels).mean() == pytest.approx(
        swept.runs["test_accuracy"][1]
    )
    assert set(variables(kept)) == {"params", "batch_stats"}


def test_a_collection_of_any_name_is_carried():
    results = jaxnets.sweep(**WINE, model=Counting, learning_rate=[0.1, 1e30], keep="all", progress=False)
    assert [int(results.params(0, step)[COLLECTIONS]["stats"]["steps"]) for step in (0, 4, 8)] == [0, 4, 8]
    plain = jaxnets.sweep(**WINE, hidden_units=(), learning_rate=0.1, keep="last", progress=False)
    assert set(plain.params(0)) == {"output"}


NGRAMS = {"dataset": "ngrams", "num_sentences": 40, "batch_size": 10, "num_steps": 3}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (WINE | {"model": Unmasked}, "keeps batch_stats, and the last batch of an epoch is filled up with padding"),
        (WINE | {"model": Unmasked}, "or take a batch_size that divides 106."),
        (NGRAMS | {"model": Summed}, "keeps batch_stats, and batches of texts are filled up"),
        (
            WINE | {"model": Counting, "grows": True},
            r"makes float32\(2,\) of \['stats'\]\['steps'\] in a step, which starts as int32\(\)",
        ),
    ],
)
def test_what_cannot_be_carried_is_refused_in_one_line(values, message):
    with pytest.raises(UserError, match=message) as error:
        jaxnets.sweep(**values, progress=False)
    assert "\n" not in str(error.value)


def test_without_padding_no_mask_is_needed():
    assert jaxnets.sweep(**WINE | {"batch_size": 53}, model=Unmasked, progress=False).runs["status"][0] == "finished"
