"""Streamed training examples against resident ones: the same runs and curves, to the last bit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnets import data, training
from jaxnets.config.config import Config
from jaxnets.engine import devices, stream
from jaxnets.engine import results as results
from jaxnets.engine.execute import execute
from jaxnets.engine.keep import POLICIES, Options, Record
from jaxnets.engine.plan import plan, resolve
from jaxnets.engine.stream import WAITING, Room, Source
from jaxnets.engine.sweep import prepare
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.training import batches

DIGITS = {"hidden_units": 16, "num_steps": 30, "evaluate_every": 12, "batch_size": 60}
TEXTS = {"num_steps": 40, "evaluate_every": 17, "batch_size": 7, "num_seeds": 2, "dropout_rate": 0.2}
SETTINGS = {
    "mlp": DIGITS | {"learning_rate": [0.001, 0.01], "num_seeds": 3},
    "mlp_lanes": DIGITS | {"hidden_units": 2, "num_seeds": 5, "optimizer": "momentum"},
    "mlp_diverging": DIGITS | {"learning_rate": [0.01, 1e30], "optimizer": "sgd", "num_seeds": 2, "num_steps": 48},
    "dan": TEXTS | {"model": "dan", "embedding_dim": 8, "hidden_units": (8,)},
    "text_cnn": TEXTS | {"model": "text_cnn", "embedding_dim": 8, "num_filters": 4, "filter_widths": (1, 2)},
}


def load(name):
    return data.load("digits") if name.startswith("mlp") else data.load("ngrams", num_sentences=120)


def tables(dataset, flags, *, stream, memory_limit=0.0, **options):
    """The tables of runs and curves, and the parameters that were kept."""
    config = Config(**flags)
    programs = plan([resolve(run, dataset) for run in runs(config)], dataset)
    options = Options(config.evaluate_every, memory_limit, keeping=POLICIES["last"](), stream=stream, **options)
    events = list(execute(programs, (dataset,), devices.placement(2), options))
    records = [event for event in events if isinstance(event, Record)]
    params = {run: one for record in records for run, one in record.params.items()}
    table = results.runs_table(results.hyperparameters(runs(config)), records).drop(columns="seconds")
    return table, results.curves_table(records), params


def check_same(name, memory_limit, **options):
    dataset, flags = load(name), SETTINGS[name]
    resident = tables(dataset, flags, stream=False, **options)
    streamed = tables(dataset, flags, stream=True, memory_limit=memory_limit, **options)
    for before, now in zip(resident[:2], streamed[:2], strict=True):
        assert len(before)
        assert before.equals(now)
    assert resident[2].keys() == streamed[2].keys()
    for run, params in resident[2].items():
        jax.tree.map(np.testing.assert_array_equal, params, streamed[2][run])
    return streamed


@pytest.fixture
def waits():
    """How often the devices' next examples were waited for."""
    seconds = []

    def listen(event, duration, **_):
        seconds.extend([duration] * (event == WAITING))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield seconds
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize("name", ["mlp", "dan", pytest.param("text_cnn", marks=pytest.mark.slow)])
def test_streamed_runs_have_the_bits_of_resident_ones(name, waits):
    check_same(name, memory_limit=0.0005 if name == "mlp" else 0.0001)
    assert len(waits) > 3 + 1  # several groups for a segment, or for the last evaluation


@pytest.mark.slow
@pytest.mark.usefixtures("fully_compiled")
@pytest.mark.parametrize("name", SETTINGS)
def test_streamed_runs_have_the_bits_of_resident_ones_with_all_passes_of_the_compiler(name):
    check_same(name, memory_limit=0.001)


@pytest.mark.slow
def test_runs_that_diverge_leave_the_others_as_they_are():
    runs, *_ = check_same("mlp_diverging", memory_limit=0.001)
    assert set(runs["status"]) == {"finished", "diverged"}


def source(dataset, room, **flags):
    (program,) = plan([resolve(run, dataset) for run in runs(Config(**flags))], dataset)
    return Source(dataset.train, program.task, room), program


def test_a_group_holds_the_batches_of_its_steps_each_example_once():
    dataset = load("mlp")
    num_examples = len(dataset.train)
    read, program = source(dataset, Room(5, 2, 600, 0, 1), **DIGITS)
    seeds, first = np.array([3, 8], np.int32), program.task.steps_per_epoch - 2  # into the next epoch
    group = read.steps(seeds, first, first + 5)
    for seed, order in zip(seeds, group.orders, strict=True):
        epochs = [training.stream(jnp.asarray(seed), "shuffle", epoch) for epoch in (0, 1)]
        orders = [batches.order(key, num_examples, 60) for key in epochs]
        wanted = np.concatenate([orders[0][first * 60 :], orders[1][: 3 * 60]])
        np.testing.assert_array_equal(group.examples.inputs[order], dataset.train.inputs[wanted])
        np.testing.assert_array_equal(group.examples.labels[order], dataset.train.labels[wanted])
    used = np.unique(group.orders)
    assert len(used) < 600  # the seeds share some
    assert len(np.unique(dataset.train.inputs[wanted], axis=0)) <= len(used)
    assert not group.examples.inputs[len(used) :].any()


def test_the_room_of_a_group_is_bounded_by_the_memory():
    dataset = load("mlp")
    (program,) = plan([resolve(run, dataset) for run in runs(Config(**DIGITS, num_seeds=40))], dataset)
    placement = devices.placement(2)
    rooms_of = {
        limit: stream.plan(program, dataset.train, placement, Options(12, limit)) for limit in (1.0, 0.004, 0.0015)
    }
    layout, read = rooms_of[1.0]
    assert len(layout.chunks) == 1
    assert (read.room.steps, read.room.seeds, read.room.examples) == (12, 40, len(dataset.train))
    layout, read = rooms_of[0.004]
    assert read.room.steps < 12
    small, tiny = (len(rooms_of[limit][0].chunks) for limit in (0.004, 0.0015))
    assert small < tiny  # fewer seeds at a time
    with pytest.raises(UserError, match=r"^batch_size: the examples of one step of 2 runs take .* there\.$"):
        stream.plan(program, dataset.train, placement, Options(12, 1e-5))


def test_the_whole_set_as_one_batch_is_refused():
    dataset = load("mlp")
    whole = resolve(next(iter(runs(Config(**DIGITS | {"batch_size": 0})))), dataset)
    (program,) = plan([whole], dataset)
    with pytest.raises(UserError, match=r"^batch_size: a batch that is the whole training set cannot be streamed"):
        stream.plan(program, dataset.train, devices.placement(2), Options())


@pytest.fixture
def folder(tmp_path):
    """Features as .npy files: 400 KB of training inputs, of bytes."""
    generator = np.random.default_rng(0)
    for split, size in (("train", 1000), ("dev", 40), ("test", 40)):
        np.save(tmp_path / f"{split}_inputs.npy", generator.integers(0, 256, (size, 100), np.uint8))
        np.save(tmp_path / f"{split}_labels.npy", np.arange(size) % 3)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("data", "memory_limit", "streamed"),
    [(None, 0.01, False), (None, 0.0005, True), ("stream", 0.01, True), ("resident", 0.0005, False)],
)
def test_it_is_chosen_from_the_sizes_unless_it_is_asked_for(folder, data, memory_limit, streamed):
    sweep = prepare(Config(dataset=folder, data=data, memory_limit=memory_limit))
    assert sweep.options.stream == streamed
    assert ("The training examples are streamed: they are read as they are needed." in sweep.notes) == streamed
    assert (sweep.folds[0].train.inputs.dtype == np.float32) != streamed  # streamed ones stay in their file


def test_resident_data_that_do_not_fit_are_one_line(folder, monkeypatch):
    monkeypatch.setattr(stream.devices, "free_bytes", lambda device: 1000)
    with pytest.raises(UserError, match=r"^data: '.*' takes .* are free; data=stream reads it as it is needed\.$"):
        prepare(Config(dataset=folder, data="resident"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"dataset": "digits", "num_repeats": 2}, "data: stream takes one split of the data, and there are 2"),
        ({"dataset": "digits", "batch_size": 0}, "data: stream takes batches that are smaller than the training set"),
        ({"dataset": "ngrams", "model": "dan", "baselines": True}, "data: stream and baselines do not go together"),
    ],
)
def test_what_cannot_be_streamed_is_one_line(flags, message):
    with pytest.raises(UserError, match=f"^{message}"):
        prepare(Config(data="stream", **flags))
    assert not prepare(Config(memory_limit=1e-6, **flags)).options.stream  # and it is not chosen
