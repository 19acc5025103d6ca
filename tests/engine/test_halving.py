"""Work not done twice: runs that diverged or were dropped cost nothing more, and leave the bits of all others."""

import jax
import numpy as np
import pandas as pd
import pytest

from jaxnets.config.config import Config
from jaxnets.config.values import log_range
from jaxnets.engine import active, executables, halving, store
from jaxnets.engine.execute import execute
from jaxnets.engine.keep import Compiled, Record
from jaxnets.engine.results import Recorder
from jaxnets.engine.store import Parts
from jaxnets.engine.sweep import again, prepare
from jaxnets.statuses import STATUSES

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(160, 5)).astype(np.float32)
LABELS = (FEATURES[:, 0] > 0).astype(int) + (FEATURES[:, 1] > 0.5)
WIDE = {"hidden_units": 24, "batch_size": 64}  # one run after another
NARROW = {"hidden_units": 3, "batch_size": 16}  # 64 side by side
VALUES = {"dataset": (FEATURES, LABELS), "optimizer": "sgd", "activation": "identity", "evaluate_every": 2}
SEARCH = {"num_trials": 18, "learning_rate": log_range(1e-3, 1), "num_steps": 18, "num_seeds": 2}
STOPPED = [status.name for status in STATUSES].index("stopped")
SCORES = ["status", "train_loss", "dev_loss", "dev_accuracy", "test_loss", "test_accuracy"]


def configured(**values):
    """A small sweep, on one split if not in repeats."""
    return Config(**{**VALUES, **({} if "num_repeats" in values else {"folds": 1}), **values})


def carried_out(**values):
    """What a sweep gives, and its records."""
    return of_sweep(prepare(configured(**values)))


def of_sweep(sweep):
    recorder, records = Recorder(sweep), []
    for event in execute(sweep.programs, sweep.folds, sweep.placement, sweep.options):
        recorder.take(event)
        records += [event] if isinstance(event, Record) else []
    return recorder.trained(interrupted=False, seconds=0.0), records


def test_the_rungs_are_the_evaluations_nearest_to_a_ninth_and_a_third():
    assert halving.rungs(90, 7) == (7, 28)
    assert halving.rungs(30, 10) == (10,)
    assert halving.rungs(30, 30) == ()


def test_the_best_third_of_each_repeat_survives():
    """Means over the seeds by hand: 0.6, 0.9 and 0.6 in the first repeat, of equal ones the smaller loss is ahead."""
    settings, repeats = np.array([0, 0, 1, 1, 2, 2, 3, 0]), np.array([0] * 6 + [1, 1])
    accuracy = np.array([0.3, 0.9, 0.9, 0.9, 0.6, 0.6, 0.2, 0.1])
    loss = np.array([1.0, 1.0, 0.1, 0.1, 0.5, 0.5, 1.0, 0.1])
    survive = halving.survivors(settings, repeats, accuracy, loss)
    assert survive.tolist() == [False, False, True, True, False, False, True, False]
    equal = halving.survivors(np.arange(3), np.zeros(3), np.full(3, 0.5), np.array([np.inf, 2.0, 3.0]))
    assert equal.tolist() == [False, True, False]


@pytest.mark.usefixtures("fully_compiled")
@pytest.mark.parametrize(
    "sizes",
    [pytest.param(sizes, marks=pytest.mark.slow) for sizes in (WIDE, NARROW)],
    ids=["one after another", "side by side"],
)
def test_halving_keeps_the_bits_and_the_best_and_drops_two_thirds_twice(sizes):
    trials = {"num_trials": 72} if sizes is NARROW else {}
    values = {**sizes, **SEARCH, **trials, "predictions": True, "select": "best"}
    full, _ = carried_out(**values, search="random")
    for extra in ({}, {"memory_limit": 1e-5}, {"num_devices": 1}):
        half, records = carried_out(**values, search="halving", **extra)
        ended = half.runs["status"] == "finished"
        assert half.runs[ended][SCORES].equals(full.runs[ended][SCORES])
        chosen = full.predictions[full.predictions["run"].isin(half.runs["run"][ended])].reset_index(drop=True)
        pd.testing.assert_frame_equal(half.predictions, chosen, check_exact=True)
        assert half.runs.loc[half.runs["status"] == "stopped", SCORES[1:]].isna().all(axis=None)
        merged = half.curves.merge(full.curves, on=["run", "step"], suffixes=("", "_full"))
        assert len(merged) == len(half.curves)
        assert (merged["dev_loss"] == merged["dev_loss_full"]).all()
        assert half.steps_taken + half.steps_saved == len(half.runs) * 18
        dropped = {
            step: sum(int((one.status == STOPPED).sum()) for one in records if one.step == step) for step in (2, 6)
        }
        assert dropped == ({2: 2 * 48, 6: 2 * 16} if sizes is NARROW else {2: 2 * 12, 6: 2 * 4})
        if "memory_limit" not in extra:
            assert half.steps_taken < (0.6 if sizes is NARROW else 0.4) * len(half.runs) * 18


KEPT = {"keep": "last", "select": "last"}
CUT = {**WIDE, **SEARCH, **KEPT, "search": "halving", "optimizer": "momentum", "num_seeds": 3}


@pytest.fixture(scope="module")
def uncut():
    return carried_out(**CUT)[0]


def assert_same(one, other):
    for name in ("runs", "curves"):
        tables = [getattr(trained, name).drop(columns="seconds", errors="ignore") for trained in (one, other)]
        pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert one.kept.keys() == other.kept.keys()
    jax.tree.map(np.testing.assert_array_equal, dict(one.kept), dict(other.kept))
    assert one.steps_taken + one.steps_saved == len(one.runs) * 18


@pytest.mark.parametrize("extra", [{"memory_limit": 3e-4}, {"memory_limit": 1e-5}, {"num_devices": 1}], ids=str)
def test_halving_drops_the_same_runs_in_any_chunk_and_on_one_or_two_devices(extra, uncut):
    """A chunk may even end between two seeds of a setting."""
    cut, records = carried_out(**CUT, **extra)
    assert (len({tuple(record.runs) for record in records if record.step == 2}) > 1) == ("memory_limit" in extra)
    assert_same(cut, uncut)
    assert (cut.runs["status"] == "finished").sum() == 2 * 3


@pytest.mark.parametrize("fails_from", [0, 2, 4])
def test_halving_drops_the_same_runs_where_the_memory_gives_out(fails_from, uncut, monkeypatch):
    """The memory holds 8 runs only, from the beginning or once some chunks wait at the first or the second rung."""
    dispatch, sizes = active.ActiveRuns.dispatch, []

    def of_little_memory(runs, first, last):
        sizes.append(len(runs._runs))
        if first >= fails_from and runs.job.layout.size > 8:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory.")
        return dispatch(runs, first, last)

    monkeypatch.setattr(active.ActiveRuns, "dispatch", of_little_memory)
    assert_same(carried_out(**CUT)[0], uncut)
    assert max(sizes) == 54


@pytest.mark.parametrize("limit", [0.0, 3e-4])
def test_halving_goes_on_after_a_kill_to_the_same_runs(limit, uncut, tmp_path, monkeypatch):
    """Killed again and again, with and without a checkpoint after each segment."""
    sweep = prepare(configured(**CUT, memory_limit=limit))
    for attempt in range(40):
        stored = Parts(tmp_path, sweep.table, sweep.folds, sweep.options, sweep.platform)
        monkeypatch.setattr(store.Checkpoints, "due", lambda _, often=attempt % 3: often > 0)
        recorder, trained = Recorder(sweep), 0
        events = execute(sweep.programs, sweep.folds, sweep.placement, sweep.options, stored)
        for event in events:
            recorder.take(event)
            trained += isinstance(event, Compiled)
            if trained and isinstance(event, Record) and event.step > 2 * attempt and attempt < 9:
                break
        else:
            break
        events.close()
    assert attempt == 9
    assert_same(recorder.trained(interrupted=False, seconds=0.0), uncut)


def test_halving_ranks_each_repeat_by_the_means_of_its_settings(monkeypatch):
    seen = []
    rule = halving.survivors
    monkeypatch.setattr(halving, "survivors", lambda *columns: seen.append(columns) or rule(*columns))
    half, _ = carried_out(**WIDE, **{**SEARCH, "num_trials": 6}, search="halving", num_repeats=2)
    ended = half.runs[half.runs["status"] == "finished"]
    assert ended.groupby("repeat")["learning_rate"].nunique().tolist() == [1, 1]
    assert ended.groupby("repeat")["seed"].unique().map(list).tolist() == [[0, 1], [2, 3]]
    first, second = seen
    assert sorted(set(first[1])) == sorted(set(second[1])) == [0, 1]
    assert (len(first[0]), len(second[0])) == (24, 8)


@pytest.mark.parametrize("keep", ["none", "last", "all"])
def test_what_diverged_costs_nothing_more_and_leaves_the_others_bits(keep):
    rates = [1e9, 0.1, 1e10, 0.2, 0.01, 1e11]
    values = {**WIDE, "num_steps": 40, "num_seeds": 3, "keep": keep}
    mixed, records = carried_out(**values, learning_rate=rates)
    calm, _ = carried_out(**values, learning_rate=[0.1, 0.2, 0.01])
    diverged = mixed.runs["status"] == "diverged"
    assert mixed.runs.loc[diverged, "learning_rate"].min() == 1e9
    assert mixed.runs[~diverged][SCORES].reset_index(drop=True).equals(calm.runs[SCORES])
    assert set(records[-1].runs) == set(mixed.runs["run"][~diverged])
    assert mixed.steps_saved >= 9 * (40 - 2 * (mixed.runs["diverged_step"].max() // 2 + 2))
    assert calm.steps_saved == 0
    assert mixed.notes[-1].startswith("Divergence saved ")
    if keep != "none":
        runs = mixed.runs["run"][~diverged]
        for one, other in zip(runs, calm.runs["run"], strict=True):
            same = jax.tree.map(lambda a, b: np.array_equal(a, b), mixed.params(one), calm.params(other))
            assert all(jax.tree.leaves(same))
        dead = int(mixed.runs["run"][diverged].iloc[0])
        assert mixed.steps(dead)[-1] < 40


def test_a_sweep_in_which_all_diverge_ends():
    nothing, records = carried_out(**WIDE, num_steps=40, num_seeds=3, learning_rate=1e12)
    assert (nothing.runs["status"] == "diverged").all()
    assert nothing.steps_taken + nothing.steps_saved == 3 * 40
    assert records[-1].step < 40


def test_states_with_random_keys_are_moved():
    values = {**WIDE, "optimizer": "noisy_sgd", "num_steps": 12, "num_seeds": 2}
    mixed, _ = carried_out(**values, learning_rate=[1e20, 0.1, 1e21, 0.2])
    calm, _ = carried_out(**values, learning_rate=[0.1, 0.2])
    assert mixed.steps_saved > 0
    ended = mixed.runs[mixed.runs["status"] == "finished"]
    assert ended[SCORES].reset_index(drop=True).equals(calm.runs[SCORES])


@pytest.mark.usefixtures("fully_compiled")
def test_the_same_runs_again_compile_nothing_and_have_new_seeds():
    executables.forget()
    sweep = prepare(configured(**WIDE, **SEARCH, optimizer=["sgd", "adam"], search="halving"))
    trained, _ = of_sweep(sweep)
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration, **_: compiled.append(event) if "backend_compile" in event else None
    )
    rows = [(3, 7), (3, 8), (40, 7), (40, 9)]
    repeated, _ = of_sweep(again(sweep, rows))
    assert (trained.num_programs, repeated.num_programs) == (2, 0)
    assert compiled == []
    assert list(zip(repeated.runs["learning_rate"], repeated.runs["seed"], strict=True)) == [
        (sweep.table[run]["learning_rate"], seed) for run, seed in rows
    ]
    assert (repeated.runs["status"] == "finished").all()
    rate = sweep.table[3]["learning_rate"]
    alone, _ = carried_out(**WIDE, num_steps=18, learning_rate=rate, seed=8)
    assert alone.runs[SCORES].iloc[0].equals(repeated.runs[SCORES].iloc[1])
