"""What the driver of a cluster and its workers do, without a cluster; `test_on_ray.py` has one."""

import importlib
import sys
import time
from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from jaxnets.cli import main as cli
from jaxnets.config.config import Config
from jaxnets.config.values import log_range
from jaxnets.engine import cluster, ray_cluster
from jaxnets.engine.cluster import Chunk
from jaxnets.engine.execute import Training, execute
from jaxnets.engine.keep import Compiled, Compiling, Record
from jaxnets.engine.ray_cluster import Workers
from jaxnets.engine.results import Recorder
from jaxnets.engine.store import Parts, around
from jaxnets.engine.sweep import prepare
from jaxnets.errors import UserError

VALUES = {
    "dataset": "digits",
    "num_train": 64,
    "num_test": 20,
    "batch_size": 32,
    "hidden_units": [12, 16],
    "learning_rate": [0.1, 0.02, 1e30],
    "num_seeds": 2,
    "num_steps": 6,
    "select": "best",
}


def carried_out(sweep, events):
    recorder, kinds = Recorder(sweep), []
    for event in events:
        recorder.take(event)
        kinds.append((type(event), event.program.label))
    return recorder.trained(interrupted=False, seconds=0.0), kinds


def trained_by(sweep):
    """Trains chunks as a worker does, in this process; Ray would call it in others."""
    training = Training(sweep.folds, sweep.placement, sweep.options)
    cluster._SWEEPS[:] = [cluster._Sweep("test", sweep.programs, training)]
    shared = cluster.Shared("test", "", None, None, "cpu", 2, None, sweep.options)
    return lambda chunk: cluster.train(shared, *chunk)


def assert_equal(one, other):
    for name in ("runs", "curves", "predictions"):
        tables = [getattr(trained, name).drop(columns="seconds", errors="ignore") for trained in (one, other)]
        pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert one.kept.keys() == other.kept.keys()
    jax.tree.map(np.testing.assert_array_equal, dict(one.kept), dict(other.kept))
    assert (one.kept_model is None) == (other.kept_model is None)
    if one.kept_model is not None:
        assert one.kept_model.about == other.kept_model.about
        jax.tree.map(np.testing.assert_array_equal, one.kept_model.params, other.kept_model.params)


@pytest.mark.parametrize(
    "changed", [{"keep": "best"}, {"keep": "all", "predictions": True}, {"keep": "seeds"}], ids=str
)
def test_chunks_in_whatever_order_give_what_one_machine_gives(changed, tmp_path):
    config = Config(**VALUES | changed)
    alone = prepare(config)
    expected, kinds = carried_out(alone, execute(alone.programs, alone.folds, alone.placement, alone.options))
    sweep = prepare(config)
    chunks = [Chunk(number, runs) for number in (0, 1) for runs in around((), 6, 2)]
    train = trained_by(sweep)
    finished = {chunk: train(chunk) for chunk in reversed(chunks)}
    parts = Parts(tmp_path, sweep.table, sweep.folds, sweep.options, "cpu")
    for chunk in chunks[1:3]:
        parts.write(sweep.programs[chunk.program], chunk.runs, finished.pop(chunk))
    events = cluster.in_order(sweep.programs, chunks, frozenset(finished), finished.__getitem__, parts)
    found, of_chunks = carried_out(sweep, events)
    assert_equal(found, expected)
    assert [kind for kind in of_chunks if kind[0] is not Record] == [kind for kind in kinds if kind[0] is not Record]
    assert [kind for kind, _ in of_chunks if kind is not Record] == [Compiling, Compiled] * 2
    assert list(dict.fromkeys(of_chunks)) == list(dict.fromkeys(kinds)) or of_chunks[0][0] is Record


def test_halving_on_a_worker_of_little_memory_is_that_of_one_machine():
    """There the program is one task, which the worker cuts."""
    values = VALUES | {"learning_rate": log_range(1e-3, 1), "num_trials": 12, "num_steps": 18, "evaluate_every": 2}
    sweep = prepare(Config(**values, search="halving", keep="seeds"))
    expected, _ = carried_out(sweep, execute(sweep.programs, sweep.folds, sweep.placement, sweep.options))
    small = replace(sweep, options=sweep.options._replace(memory_limit=1e-4))
    chunks = [Chunk(number, range(len(one.runs))) for number, one in enumerate(small.programs)]
    finished = {chunk: trained_by(small)(chunk) for chunk in chunks}
    events = list(cluster.in_order(small.programs, chunks, frozenset(chunks), finished.__getitem__, None))
    assert len({tuple(event.runs) for event in events if isinstance(event, Record) and event.step == 2}) > 2
    assert_equal(carried_out(small, events)[0], expected)


def test_this_machine_goes_on_with_the_parts_of_a_cluster(tmp_path):
    config = Config(**VALUES, keep="best")
    sweep = prepare(config)
    expected, _ = carried_out(sweep, execute(sweep.programs, sweep.folds, sweep.placement, sweep.options))
    sweep = prepare(config)
    train, parts = trained_by(sweep), Parts(tmp_path, sweep.table, sweep.folds, sweep.options, "cpu")
    for chunk in (Chunk(0, range(4, 6)), Chunk(1, range(2)), Chunk(1, range(2, 6))):
        parts.write(sweep.programs[chunk.program], chunk.runs, train(chunk))
    events = execute(sweep.programs, sweep.folds, sweep.placement, sweep.options, parts)
    found, kinds = carried_out(sweep, events)
    assert_equal(found, expected)
    assert [label for kind, label in kinds if kind is Compiling] == [sweep.programs[0].label]
    assert len(list(tmp_path.iterdir())) == 4


def test_each_worker_has_several_chunks_and_a_device_is_full():
    sweep = prepare(Config(**VALUES | {"num_seeds": 40}))
    program = sweep.programs[0]
    sizes = [cluster.chunk_size(program, Workers("local", "cpu", count), 240) for count in (1, 2, 4)]
    assert sizes == [30, 15, 8]
    assert cluster.chunk_size(program, Workers("local", "gpu", 4, 1), 240) == 128
    assert cluster.chunk_size(program, Workers("local", "cpu", 4), 240, halving=True) == 120
    small = prepare(Config(dataset="xor", hidden_units=2, batch_size=0, num_steps=2, num_seeds=100))
    assert cluster.chunk_size(small.programs[0], Workers("local", "cpu", 4), 100) == 64


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gpus_per_worker": 1}, "gpus_per_worker: it is for a cluster; give --cluster=local"),
        ({"cluster": "local", "platform": "cpu", "gpus_per_worker": 1}, "gpus_per_worker: 1 asked for, but platform"),
        ({"cluster": "nowhere"}, "cluster: 'nowhere' is no address; give local, auto, HOST:PORT or ray://HOST:PORT"),
        ({"cluster": "http://x:1"}, "cluster: 'http://x:1' is no address"),
    ],
)
def test_what_cannot_be_is_told_before_ray_is_asked(values, message):
    with pytest.raises(UserError, match=message):
        ray_cluster.workers(Config(**values))


def test_without_ray_the_line_says_what_to_install(monkeypatch, capsys):

    monkeypatch.setitem(sys.modules, "ray", None)
    command = ["run.py", "train", "--cluster=local", "--num_devices=2"]
    assert cli.main(command) == cli.USER_ERROR_STATUS
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: cluster: it needs Ray")
    assert line.endswith('pip install "jaxnets[cluster]".')


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9"])
def test_an_address_without_ray_is_told_soon(address, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setattr(ray_cluster, "_PATIENCE", 0.2)
    start = time.monotonic()
    with pytest.raises(UserError, match=f"cluster: no Ray answers at '{address}'"):
        ray_cluster.workers(Config(cluster=address))
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("address", "code", "message"),
    [
        ("head:6379", "UNAUTHENTICATED", "cluster: Ray at 'head:6379' asks for a token: set RAY_AUTH_MODE=token"),
        ("head:8000", "UNIMPLEMENTED", "cluster: what answers at 'head:8000' is not the head of a Ray cluster"),
    ],
)
def test_what_answers_otherwise_than_ray_is_told(address, code, message, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(UserError, match=message):
        ray_cluster._check_code(address, code)
    ray_cluster._check_code("ray://head:10001", "UNIMPLEMENTED")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    ray_cluster._check_code(address, "UNAUTHENTICATED")


def test_programs_that_are_sent_are_the_same_there():
    pytest.importorskip("ray")
    sweep = prepare(Config(**VALUES | {"activation": ["relu", "gelu"], "schedule": "cosine", "num_steps": 2}))
    for sent, program in zip(cluster.loaded(cluster.dumped(sweep.programs)), sweep.programs, strict=True):
        assert sent.task == program.task
        assert hash(sent.task) == hash(program.task)


def test_a_module_that_a_worker_does_not_find_is_named(tmp_path, monkeypatch):
    cloudpickle = pytest.importorskip("ray.cloudpickle")
    (tmp_path / "my_own_nets.py").write_text("def mine(key, shape, fan_in, fan_out):\n    return key\n")
    with monkeypatch.context() as patched:
        patched.syspath_prepend(tmp_path)
        content = cloudpickle.dumps(importlib.import_module("my_own_nets").mine)
    sys.modules.pop("my_own_nets")
    with pytest.raises(UserError, match="cluster: a worker finds no module 'my_own_nets': install it on each node"):
        cluster.loaded(content)
