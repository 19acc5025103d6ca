"""Folds and texts on the devices: packed texts against one text at a time, folds side by side against each alone."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnets
from jaxnets import data, training
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.engine import device_data, devices
from jaxnets.engine import results as results
from jaxnets.engine.execute import execute
from jaxnets.engine.keep import POLICIES, Compiled, Options, Record
from jaxnets.engine.plan import plan, resolve, with_folds
from jaxnets.engine.table import runs
from jaxnets.models.blocks import TextBatch
from jaxnets.training.batches import permutation

WORDS = ["good", "bad", "fine", "dull", "not", "very", "plot", "film", "scene", "the", "a", "an", "it", "is", "was"]


@pytest.fixture(scope="module")
def folds(tmp_path_factory):
    """Texts of 0 to 40 words, in 3 folds."""
    generator = np.random.default_rng(0)
    lines = []
    for number in range(97):
        words = generator.choice(WORDS, generator.integers(0, 41) if number % 9 else 0)
        lines.append(f"{int('good' in words)}\t{' '.join(words)}\n")
    path = tmp_path_factory.mktemp("texts") / "all.tsv"
    path.write_text("".join(lines))
    return data.load_folds(str(path), folds=3)


DAN = {
    "model": "dan",
    "embedding_dim": 5,
    "hidden_units": 4,
    "batch_size": 8,
    "learning_rate": 0.01,
    "num_steps": 24,
    "evaluate_every": 8,
    "word_vector_updates": "rows",
}


def trained(folds, select_best=False, predictions=False, keep="none", num_devices=2, only=None, **flags):
    flags = {**DAN, **flags}
    table = with_folds([resolve(run, folds[0]) for run in runs(Config(**flags))], len(folds))
    table = table if only is None else [table[only]]
    programs = plan(table, folds[0], select_best=select_best)
    options = Options(8, predictions=predictions, keeping=POLICIES[keep]())
    events = list(execute(programs, folds, devices.placement(num_devices), options))
    records = [event for event in events if isinstance(event, Record)]
    return results.runs_table(results.hyperparameters(table), records), records, table, events


@pytest.mark.usefixtures("fully_compiled")
def test_folds_are_runs_of_one_program_with_the_bits_that_each_has_alone(folds):
    whole, records, table, events = trained(folds, num_seeds=2)
    assert sum(isinstance(event, Compiled) for event in events) == 1
    assert [run["fold"] for run in table] == [0, 1, 2, 0, 1, 2]
    assert records[0].program.task.word_rows
    columns = ["train_loss", "dev_loss", "test_loss", "test_accuracy"]
    for only in (1, 5):
        alone, *_ = trained(folds, num_devices=1, only=only, num_seeds=2)
        assert alone.loc[0, columns].tolist() == whole.loc[only, columns].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dan", "text_cnn"])
def test_training_and_evaluation_are_those_of_one_text_at_a_time(folds, model):
    """The packed batches, of three budgets, give what each text gives by itself, to 1e-5."""
    flags = {"optimizer": "sgd", "learning_rate": 0.5, "batch_size": 8, "embedding_dim": 5, "num_steps": 12}
    dataset = folds[1]
    (run,) = runs(Config(model=model, **flags))
    (program,) = plan([resolve(run, dataset)], dataset)
    longest = int(np.sort(dataset.train.inputs.lengths)[-8:].sum())
    task = replace(program.task, budgets=(60, 180, longest))
    numbers = {name: jnp.asarray(values[0]) for name, values in program.hyperparameters.items()}
    state = training.init(task, numbers, jnp.int32(0))
    placed = jax.tree.map(lambda leaf: leaf[1], device_data.put(folds, devices.placement(1)).folds)
    after, sums = jax.jit(partial(training.train, task))(state, placed.train, jnp.int32(0), jnp.int32(12))

    gradient_of = jax.jit(jax.value_and_grad(partial(mean_loss, task, state)))
    losses, num_train = [], len(dataset.train)
    for step in range(12):
        epoch, number = divmod(step, task.steps_per_epoch)
        order = permutation(training.stream(state.seed, "shuffle", epoch), num_train)
        rows = np.asarray(order)[number * 8 : number * 8 + 8]
        loss, gradient = gradient_of(state.params, *one_by_one(dataset.train, rows))
        losses.append(float(loss) * len(rows))
        state = state.replace(params=jax.tree.map(lambda p, g: p - 0.5 * g, state.params, gradient))
    for one, other in zip(jax.tree.leaves(after.params), jax.tree.leaves(state.params), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(sums.loss, sum(losses), rtol=1e-5)
    metrics = jax.jit(partial(training.evaluate, task))(after, placed.test)
    expected = mean_loss(task, after, after.params, *one_by_one(dataset.test, range(len(dataset.test))))
    np.testing.assert_allclose(metrics.mean()[0], expected, rtol=1e-5)
    assert metrics.examples == len(dataset.test)


def one_by_one(split, rows):
    """Each text as a batch of its own, filled up to the longest, with its label."""
    words = np.zeros((len(rows), 41), np.int32)
    for place, row in enumerate(rows):
        text = split.inputs[int(row)]
        words[place, : len(text)] = text
    lengths = split.inputs.lengths[list(rows)]
    owner = (np.arange(41) >= lengths[:, None]).astype(np.int32)
    batches = TextBatch(*(jnp.asarray(values) for values in (words, owner, lengths[:, None])))
    return batches, jnp.asarray(split.labels[list(rows)])


def mean_loss(task, state, params, batches, labels):
    """The mean over texts that go through the model each by itself."""
    model = task.model(state.hyperparameters)
    logits = jax.vmap(lambda one: model.apply({"params": params}, one))(batches)[:, 0]
    return task.head.losses(logits, labels).mean()


def test_predictions_are_those_of_the_accuracy_and_of_the_judged_evaluation(folds):
    whole, records, table, _ = trained(folds, predictions=True, select_best=True, num_steps=40, learning_rate=0.05)
    partly = results.runs_table(results.hyperparameters(table), records[:1])
    assert (partly["status"] == "interrupted").all()
    assert partly[["test_accuracy", "dev_accuracy"]].isna().all(axis=None)
    predictions = results.predictions_table(table, records, folds)
    assert len(predictions) == 97  # each text is tested once
    for number, run in whole.iterrows():
        own = predictions[predictions["run"] == number]
        assert own["label"].tolist() == folds[number].test.labels.tolist()
        assert np.isclose((own["prediction"] == own["label"]).mean(), run["test_accuracy"])
        np.testing.assert_allclose(own.filter(regex="probability").sum(axis=1), 1, rtol=1e-5)
        best = results.curves_table(records).query("run == @number")["dev_accuracy"]
        assert run["dev_accuracy"] == best.max() == run["best_dev_accuracy"]
        assert run["judged_step"] == run["best_step"]


def test_the_parameters_that_are_kept_are_those_of_the_best_run(folds):
    whole, records, _, _ = trained(folds, keep="best", num_seeds=2)
    kept = [record.params for record in records if record.params]
    ((number, params),) = kept[-1].items()
    assert number == whole["dev_accuracy"].idxmax()
    program = records[0].program
    state = training.init(
        program.task, {name: jnp.asarray(v[number]) for name, v in program.hyperparameters.items()}, jnp.int32(0)
    )
    fold = number % 3
    test = jax.tree.map(lambda leaf: leaf[fold], device_data.put(folds, devices.placement(1)).folds.test)
    accuracy = training.evaluate(program.task, state.replace(params=params), test).mean()[1]
    assert np.isclose(accuracy, whole.loc[number, "test_accuracy"])


def test_texts_of_equal_shape_in_all_folds(folds):
    placed = device_data.put(folds, devices.placement(1))
    for fold, dataset in enumerate(folds):
        rows = placed.test_rows[fold]
        assert sorted(rows[rows >= 0]) == list(range(len(dataset.test)))
        batches = jax.tree.map(lambda leaf, fold=fold: np.asarray(leaf[fold]), placed.folds.test)
        assert isinstance(dataset.test.inputs, Texts)
        assert (batches.labels[rows >= 0] == dataset.test.labels[rows[rows >= 0]]).all()
        assert batches.weights.sum() == len(dataset.test)


def test_a_text_longer_than_a_batch_in_one_fold_alone():
    lengths = ([3, 5], [2, 3000])
    pairs = [
        (Texts(np.full(sum(of_fold), 2, np.int32), np.array(of_fold, np.int32)), np.arange(2)) for of_fold in lengths
    ]
    words = ("<pad>", "<unk>", "word")
    folds = [Dataset("long", *(Split(texts, labels),) * 3, ("no", "yes"), words) for texts, labels in pairs]
    placed = device_data.put(folds, devices.placement(1))
    for fold, of_fold in enumerate(lengths):
        found = np.asarray(placed.folds.test.inputs.lengths[fold])
        assert sorted(found[found > 0]) == sorted(of_fold)
        assert (np.asarray(placed.folds.test.inputs.words[fold]) == 2).sum() == sum(of_fold)


def test_folds_of_features_of_unequal_size_are_judged_as_each_alone():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(67, 3)).astype(np.float32)
    features = data.load_folds((inputs, (inputs[:, 0] > 0.2).astype(int)), folds=3)
    assert len({len(fold.test) for fold in features}) == 2
    settings = {"batch_size": 16, "num_epochs": 2, "learning_rate": 0.01}
    together = jaxnets.sweep(dataset=features, predictions=True, progress=False, **settings)
    for number, fold in enumerate(features):
        alone = jaxnets.sweep(dataset=fold, progress=False, **settings)
        for name in ("train_loss", "dev_loss", "test_loss", "dev_accuracy", "test_accuracy"):
            np.testing.assert_allclose(together.runs[name][number], alone.runs[name][0], rtol=1e-6)
        said = together.predictions[together.predictions["fold"] == number]
        assert (said["label"] == fold.test.labels).all()
        assert np.isclose((said["label"] == said["prediction"]).mean(), alone.runs["test_accuracy"][0])
