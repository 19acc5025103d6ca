"""A chunk that is cut off goes on from its last whole checkpoint, to the same bits."""

import signal

import jax
import numpy as np
import pandas as pd
import pytest

import jaxnets
from jaxnets import io, tensors
from jaxnets.engine import active, store
from jaxnets.engine.execute import execute
from jaxnets.engine.interrupts import until_interrupted
from jaxnets.engine.keep import Record
from jaxnets.engine.results import Recorder
from jaxnets.engine.store import Parts
from jaxnets.engine.sweep import prepare

XOR = {"dataset": "xor", "hidden_units": 4, "batch_size": 0, "num_steps": 24, "evaluate_every": 2}
SWEEPS = {
    "best": XOR | {"learning_rate": [0.1, 1.0, 1e30], "num_seeds": 3, "keep": "best"},
    "all": XOR | {"learning_rate": [0.1, 1.0], "keep": "all", "predictions": True},
    "random keys": XOR | {"optimizer": "noisy_sgd", "learning_rate": [0.1, 0.2]},
    "halving": XOR
    | {"num_steps": 36, "learning_rate": jaxnets.log_range(0.01, 1, 3), "search": "halving", "num_trials": 9},
    "words": {"dataset": "ngrams", "num_sentences": 120, "model": "dan", "embedding_dim": 8, "hidden_units": 8}
    | {"num_steps": 24, "evaluate_every": 4, "batch_size": 20, "dropout_rate": 0.1, "num_seeds": 2},
}


def carry_out(folder, values, stop_after=None, signals=False):
    """The results, and the records that were trained or read before a given number of them; `stop_after` kills."""
    sweep = prepare(jaxnets.Config(**values))
    parts = Parts(folder, sweep.table, sweep.folds, sweep.options, sweep.placement.platform)
    recorder = Recorder(sweep)
    events = execute(sweep.programs, sweep.folds, sweep.placement, sweep.options, parts)
    records = 0
    for event in until_interrupted(events) if signals else events:
        recorder.take(event)
        records += isinstance(event, Record)
        if records == stop_after and isinstance(event, Record):
            if not signals:
                break
            signal.raise_signal(signal.SIGTERM)
    return recorder.trained(interrupted=False, seconds=0.0)


def assert_equal(one, other):
    for name in ("runs", "curves", "predictions"):
        left, right = (getattr(results, name).drop(columns="seconds", errors="ignore") for results in (one, other))
        pd.testing.assert_frame_equal(left, right, check_exact=True)
    assert one.kept.keys() == other.kept.keys()
    for key in one.kept:
        left, right = (jax.tree.leaves(results.kept[key]) for results in (one, other))
        assert all(map(np.array_equal, left, right))


def begun(folder):
    (found,) = folder.glob("*.begun")
    return found


def cut_off(folder, values, after, monkeypatch):
    """Trains until a number of records, with a checkpoint after each segment, and dies."""
    with monkeypatch.context() as patched:
        patched.setattr(store.Checkpoints, "due", lambda _: True)
        carry_out(folder, values, stop_after=after)
    steps = whole(folder)
    assert 1 <= len(steps) <= 2
    return steps


def whole(folder):
    """The steps of the checkpoints that count."""
    return sorted(int(path.name.partition("-")[0]) for path in begun(folder).glob("*.states"))


@pytest.mark.parametrize("name", SWEEPS)
def test_it_goes_on_to_the_same_bits(tmp_path, name, monkeypatch):
    values = SWEEPS[name]
    cut_off(tmp_path / "parts", values, 5, monkeypatch)
    steps = trained_steps(monkeypatch)
    again, whole = carry_out(tmp_path / "parts", values), carry_out(tmp_path / "other", values)
    assert_equal(again, whole)
    assert steps[0] > 0
    assert not list((tmp_path / "parts").glob("*.begun"))


def trained_steps(monkeypatch):
    """The first step of each segment that is trained from now on."""
    steps, dispatch = [], active.ActiveRuns.dispatch

    def noted(runs, first, last):
        steps.append(first)
        return dispatch(runs, first, last)

    monkeypatch.setattr(active.ActiveRuns, "dispatch", noted)
    return steps


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def states(begun, step):
    (path,) = begun.glob(f"{step}-*.states")
    return path


def records(begun, step):
    (path,) = begun.glob(f"{step}-*.records")
    return path


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def replace(path, change):
    """Puts other states in place of those of a step, the hash included, as a stranger might."""
    tensors.save(path, change(tensors.load(path)))
    path.rename(path.with_name(f"{path.name.partition('-')[0]}-{io.digest(path)[:32]}.states"))


DAMAGES = {
    "states are flipped": lambda begun, step: flip(states(begun, step)),
    "states are cut": lambda begun, step: cut(states(begun, step)),
    "states are missing": lambda begun, step: states(begun, step).unlink(),
    "states have lost their hash": lambda begun, step: states(begun, step).rename(begun / f"{step}.states"),
    "states of fewer runs": lambda begun, step: replace(
        states(begun, step), lambda tree: {name: leaf[:1] for name, leaf in tree.items()}
    ),
    "states of other names": lambda begun, step: replace(
        states(begun, step), lambda tree: {f"{name}_": leaf for name, leaf in tree.items()}
    ),
    "records are flipped": lambda begun, step: flip(records(begun, step)),
    "records are missing": lambda begun, step: records(begun, step).unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_checkpoint_before_a_damaged_one_is_taken(tmp_path, damage, monkeypatch):
    values = SWEEPS["all"]
    before, last = cut_off(tmp_path, values, 6, monkeypatch)
    DAMAGES[damage](begun(tmp_path), last)
    steps = trained_steps(monkeypatch)
    again = carry_out(tmp_path, values)
    assert steps[0] == before
    assert_equal(again, carry_out(tmp_path / "other", values))


def test_a_signal_leaves_a_checkpoint_of_the_last_segment(tmp_path, monkeypatch):
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(KeyboardInterrupt):
            carry_out(tmp_path, SWEEPS["best"], stop_after=3, signals=True)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert whole(tmp_path) == [8]
    steps = trained_steps(monkeypatch)
    again = carry_out(tmp_path, SWEEPS["best"])
    assert steps[0] == 8
    assert_equal(again, carry_out(tmp_path / "other", SWEEPS["best"]))


def test_they_are_due_after_their_time_and_take_a_small_share_of_it(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(store.time, "monotonic", lambda: now[0])
    never, soon = (store.Checkpoints(tmp_path, every, None) for every in (0, 5))
    assert not soon.due()
    now[0] = 6.0
    assert soon.due()
    assert not never.due()
    soon._rest = 40.0
    assert not soon.due()
