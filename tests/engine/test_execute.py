import jax
import numpy as np
import optax
import pytest

from jaxnets import data
from jaxnets.config.config import Config
from jaxnets.config.values import log_range
from jaxnets.engine import active, devices, executables
from jaxnets.engine import results as results
from jaxnets.engine.execute import execute
from jaxnets.engine.keep import Compiled, Options, Record
from jaxnets.engine.layout import Layout, halved, layout
from jaxnets.engine.plan import plan, resolve
from jaxnets.engine.table import runs

DATA = {"digits": data.load("digits"), "xor": data.load("xor"), "ngrams": data.load("ngrams", num_sentences=120)}
DIGITS = {"dataset": "digits", "hidden_units": 32, "num_steps": 46, "evaluate_every": 23}
WIDE = {**DIGITS, "hidden_units": (128, 128)}
XOR = {
    "dataset": "xor",
    "hidden_units": 3,
    "activation": "tanh",
    "batch_size": 0,
    "num_steps": 40,
    "evaluate_every": 20,
}


def sweep(num_devices=2, memory_limit=0.0, **flags):
    """The tables of runs and curves, and the events."""
    config = Config(**flags)
    dataset = DATA[config.dataset]
    table = [resolve(run, dataset) for run in runs(config)]
    programs = plan(table, dataset)
    placement = devices.placement(num_devices)
    options = Options(config.evaluate_every, memory_limit)
    events = list(execute(programs, (dataset,), placement, options))
    records = [event for event in events if isinstance(event, Record)]
    return results.runs_table(results.hyperparameters(table), records), results.curves_table(records), events


def numbers(curves, run):
    """The bits of a run's curve."""
    rows = curves[curves["run"] == run].drop(columns="run")
    return rows.to_numpy(np.float64).tobytes()


@pytest.mark.usefixtures("fully_compiled")
@pytest.mark.parametrize(
    ("flags", "run", "alone"),
    [
        (
            WIDE | {"learning_rate": [0.001, 0.01], "optimizer": "adam", "num_seeds": 3},
            4,
            {"learning_rate": 0.01, "seed": 1},
        ),
        pytest.param(
            DIGITS | {"learning_rate": [0.001, 0.01], "optimizer": "momentum", "num_seeds": 5},
            8,
            {"learning_rate": 0.01, "seed": 3},
            marks=pytest.mark.slow,
        ),
        (
            XOR | {"learning_rate": [0.01, 0.1], "initializer": ["he", "pytorch"], "num_seeds": 40},
            157,
            {"learning_rate": 0.1, "initializer": "pytorch", "seed": 37},
        ),
        pytest.param(
            XOR | {"hidden_units": (), "learning_rate": [0.01, 0.1], "num_seeds": 70},
            75,
            {"learning_rate": 0.1, "seed": 5},
            marks=pytest.mark.slow,
        ),
    ],
    ids=["wide", "digits", "xor", "linear"],
)
def test_a_run_gives_the_same_bits_alone_in_any_sweep_chunk_and_on_one_or_two_devices(flags, run, alone):
    whole, curves, _ = sweep(**flags)
    expected = numbers(curves, run)
    one_device = sweep(num_devices=1, **flags)
    chunked = sweep(memory_limit=1e-6, **flags)
    assert sum(isinstance(event, Record) for event in chunked[2]) > 2
    by_itself = sweep(**{**flags, **alone})
    assert numbers(by_itself[1], 0) == expected
    for other in range(len(whole)):
        assert numbers(one_device[1], other) == numbers(chunked[1], other) == numbers(curves, other)
    final = ["train_loss", "train_accuracy", "dev_loss", "test_loss", "test_accuracy"]
    assert whole[final].equals(one_device[0][final])
    assert by_itself[0].loc[0, final].tolist() == whole.loc[run, final].tolist()


def test_the_compiler_is_called_once_per_program():
    executables.forget()
    calls = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration, **_: calls.append(event) if "backend_compile" in event else None
    )
    flags = XOR | {"optimizer": ["sgd", "momentum", "adam"], "learning_rate": log_range(0.0001, 1, 9)}
    _, _, events = sweep(**flags, initializer=["he", "xavier", "pytorch", "zeros"], num_seeds=8, memory_limit=1e-4)
    assert sum(isinstance(event, Compiled) for event in events) == 3
    assert len(calls) == 3


def test_a_diverged_run_is_marked_keeps_its_curve_and_disturbs_no_other():
    flags = XOR | {"activation": "identity", "optimizer": "sgd", "evaluate_every": 2, "num_seeds": 3}
    mixed, curves, _ = sweep(**flags, learning_rate=[0.01, 1e12])
    calm, calm_curves, _ = sweep(**flags, learning_rate=0.01)
    assert list(mixed["status"]) == ["finished"] * 3 + ["diverged"] * 3
    for run in range(3):
        assert numbers(curves, run) == numbers(calm_curves, run)
    for _, run in mixed[mixed["status"] == "diverged"].iterrows():
        steps = curves[curves["run"] == run["run"]]["step"]
        assert 0 < run["diverged_step"] <= 40
        assert (steps < run["diverged_step"]).all()
        assert len(steps) == (run["diverged_step"] - 1) // 2
        assert np.isnan(run["test_accuracy"])
    assert calm["diverged_step"].isna().all()


def test_xor_is_learned_with_a_hidden_layer_and_not_without():
    flags = XOR | {"num_steps": 500, "evaluate_every": 250, "learning_rate": 0.05, "num_seeds": 32}
    table, _, _ = sweep(**{**flags, "hidden_units": [(), 8]})
    assert table[table["hidden_units"] == "0"]["train_accuracy"].max() <= 0.75
    assert (table[table["hidden_units"] == "8"]["train_accuracy"] == 1).mean() > 0.9


@pytest.mark.parametrize(
    ("model", "flags"),
    [
        ("dan", {"embedding_dim": 8, "hidden_units": 8}),
        ("text_cnn", {"embedding_dim": 8, "filter_widths": 2, "num_filters": 8, "pooling": "mean"}),
    ],
)
def test_models_of_text_train(model, flags):
    table, curves, _ = sweep(
        dataset="ngrams", model=model, num_steps=120, batch_size=20, learning_rate=0.02, dropout_rate=0.1, **flags
    )
    assert (table["status"] == "finished").all()
    first, last = curves.groupby("run")["train_loss"].first(), curves.groupby("run")["train_loss"].last()
    assert (last < 0.8 * first).all()


@pytest.mark.slow
def test_an_optimizer_that_draws_noise_and_one_that_searches_a_line():
    table, _, _ = sweep(**XOR | {"optimizer": ["noisy_sgd", "lbfgs"], "num_seeds": 2, "learning_rate": 0.1})
    assert (table["status"] == "finished").all()
    assert table["train_loss"].nunique() == 4


def test_the_layout_fills_devices_evenly():
    dataset = DATA["digits"]
    table = [resolve(run, dataset) for run in runs(Config(**{**WIDE, "num_seeds": 5}))]
    plan_of_five = layout(plan(table, dataset)[0], devices.placement(2))
    assert plan_of_five.lanes == 1
    assert plan_of_five.shape == (6, 1)
    assert list(plan_of_five.counts(5)) == [3, 2]
    assert list(plan_of_five.place(np.arange(5))[:, 0]) == [0, 2, 4, 1, 3, 4]


def test_what_the_memory_does_not_hold_is_done_in_halves_and_no_run_twice(monkeypatch):
    flags = DIGITS | {"learning_rate": [0.001, 0.01], "num_seeds": 5}
    whole, curves, _ = sweep(**flags)
    dispatch, tried = active.ActiveRuns.dispatch, []

    def of_little_memory(runs, first, last):
        tried.append(runs.job.layout.size)
        if tried[-1] > 4:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1 bytes.")
        return dispatch(runs, first, last)

    monkeypatch.setattr(active.ActiveRuns, "dispatch", of_little_memory)
    again, others, events = sweep(**flags)
    assert (tried[0], tried[-1]) == (10, 4)
    assert sum(len(event.runs) for event in events if isinstance(event, Record)) == 10 * 2
    assert again.drop(columns="seconds").equals(whole.drop(columns="seconds"))
    assert others.equals(curves)


def test_where_not_even_the_smallest_chunk_fits_the_error_is_raised(monkeypatch):
    def no_memory(runs, first, last):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory.")

    monkeypatch.setattr(active.ActiveRuns, "dispatch", no_memory)
    with pytest.raises(jax.errors.JaxRuntimeError, match="RESOURCE_EXHAUSTED"):
        sweep(**DIGITS, num_seeds=4)


def test_halves_go_down_to_one_repeat_and_on_a_gpu_to_one_lane():
    wanted, sizes = Layout(64, 3, 9, 2, 2, [range(384)]), {}
    for platform in ("cpu", "gpu"):
        smaller, sizes[platform] = wanted, [wanted.size]
        while (smaller := halved(smaller, platform)) is not None:
            sizes[platform].append(smaller.size)
    assert sizes == {"cpu": [384, 128], "gpu": [384, 128, 64, 32, 16, 8, 4, 2]}


def test_a_state_with_arrays_without_numbers_goes_through_segments_and_ends():
    def empty(learning_rate):
        """Gradient descent that keeps empty arrays."""
        return optax.GradientTransformation(
            lambda params: {"log": jax.numpy.zeros((0, 3)), "keys": jax.random.split(jax.random.key(0), 0)},
            lambda updates, state, params=None: (jax.tree.map(lambda g: -learning_rate * g, updates), state),
        )

    flags = {**DIGITS, "learning_rate": [0.01, 1e9, 0.1], "evaluate_every": 12}
    table, _, _ = sweep(**flags, optimizer=empty)
    plain, _, _ = sweep(**flags, optimizer="sgd")
    assert table["status"].tolist() == ["finished", "diverged", "finished"]
    assert table["test_loss"].equals(plain["test_loss"])
