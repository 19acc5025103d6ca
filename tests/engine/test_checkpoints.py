"""A chunk that is cut off goes on from its last whole checkpoint, to the same bits."""

import shutil
import signal

import jax
import numpy as np
import pandas as pd
import pytest

import jaxnets
from jaxnets import io
from jaxnets.engine.events import Record
from jaxnets.engine.execute import execute
from jaxnets.engine.interrupts import until_interrupted
from jaxnets.engine.parts import Parts
from jaxnets.engine.recorder import Recorder
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
    from jaxnets.engine import checkpoints

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints.Checkpoints, "due", lambda _: True)
        carry_out(folder, values, stop_after=after)
    steps = whole(folder)
    assert 1 <= len(steps) <= 2
    return steps


def whole(folder):
    """The steps of the checkpoints that count."""
    return sorted(int(path.parent.name.removeprefix("states-")) for path in begun(folder).glob(f"*/{io.CHECKSUMS}"))


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
    from jaxnets.engine import crew

    steps, dispatch = [], crew.Crew.dispatch

    def noted(runs, first, last):
        steps.append(first)
        return dispatch(runs, first, last)

    monkeypatch.setattr(crew.Crew, "dispatch", noted)
    return steps


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def largest(folder):
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def swap(begun, step):
    """Puts states of fewer runs in place of those of a step, checksums included, as a stranger might."""
    import orbax.checkpoint as ocp

    folder = begun / f"states-{step}"
    with ocp.StandardCheckpointer() as checkpointer:
        tree = checkpointer.restore(folder)
        shutil.rmtree(folder)
        checkpointer.save(folder, {name: leaf[:1] for name, leaf in tree.items()})
    io.write_checksums(folder, [path for path in folder.rglob("*") if path.is_file()])


DAMAGES = {
    "a state is flipped": lambda begun, step: flip(largest(begun / f"states-{step}")),
    "a state is cut": lambda begun, step: largest(begun / f"states-{step}").write_bytes(b"1"),
    "the checksums are cut": lambda begun, step: (begun / f"states-{step}" / io.CHECKSUMS).write_text('{"step": '),
    "the checksums are missing": lambda begun, step: (begun / f"states-{step}" / io.CHECKSUMS).unlink(),
    "states are missing": lambda begun, step: largest(begun / f"states-{step}").unlink(),
    "states of another step": lambda begun, step: swap(begun, step),
    "records are flipped": lambda begun, step: flip(next(begun.glob(f"step-{step}-*"))),
    "records are missing": lambda begun, step: next(begun.glob(f"step-{step}-*")).unlink(),
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
    from jaxnets.engine import checkpoints

    now = [0.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    never, soon = (checkpoints.Checkpoints(tmp_path, every) for every in (0, 5))
    assert not soon.due()
    now[0] = 6.0
    assert soon.due()
    assert not never.due()
    soon._rest = 40.0
    assert not soon.due()
