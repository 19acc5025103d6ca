"""Parts on disk: what is read is what was trained, and nothing else is taken for it."""

import jax
import numpy as np
import pandas as pd
import pytest
from flax import linen as nn

import jaxnets
from jaxnets import tensors
from jaxnets.engine import store
from jaxnets.engine.execute import execute
from jaxnets.engine.keep import Compiling, Record
from jaxnets.engine.results import Recorder
from jaxnets.engine.store import Parts
from jaxnets.engine.sweep import prepare
from jaxnets.inference import model

VALUES = {
    "dataset": "xor",
    "hidden_units": [(), (4,)],
    "learning_rate": [0.1, 1.0, 1e30],
    "num_seeds": 2,
    "num_steps": 12,
    "evaluate_every": 4,
    "batch_size": 0,
}


class Named(nn.Module):
    """Its layers have the names that separate others' names."""

    hidden_units: tuple[int, ...] = (4,)
    num_outputs: int = 2

    @nn.compact
    def __call__(self, inputs, train=False):
        for width, name in zip((*self.hidden_units, 3, 3), ("layer.0", "a/b", "100%2E"), strict=False):
            inputs = nn.relu(nn.Dense(width, name=name)(inputs))
        return nn.Dense(self.num_outputs, name="layer")(inputs)


def parts_of(sweep, folder):
    return Parts(folder, sweep.table, sweep.folds, sweep.options, sweep.placement.platform)


def carried_out(folder, **changed):
    """The tables, the kept parameters and the number of programs that something was left of to train."""
    sweep = prepare(jaxnets.Config(**VALUES | changed))
    recorder, compiled = Recorder(sweep), 0
    for event in execute(sweep.programs, sweep.folds, sweep.placement, sweep.options, parts_of(sweep, folder)):
        recorder.take(event)
        compiled += isinstance(event, Compiling)
    return recorder.trained(interrupted=False, seconds=0.0), compiled


KEPT = [{}, {"keep": "best"}, {"keep": "all", "predictions": True}, {"keep": "last", "model": Named}]


@pytest.mark.parametrize("changed", KEPT, ids=str)
def test_what_is_finished_is_read_to_the_last_bit(tmp_path, changed):
    (first, trained), (second, again) = (carried_out(tmp_path / "parts", **changed) for _ in range(2))
    assert (trained, again) == (2, 0)
    for name in ("runs", "curves", "predictions"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name), check_exact=True)
    assert first.kept.keys() == second.kept.keys()
    assert_equal_trees(dict(first.kept), dict(second.kept))
    assert (first.kept_model is None) == (second.kept_model is None)
    if first.kept_model is not None:
        assert first.kept_model.about == second.kept_model.about
        assert_equal_trees(first.kept_model.params, second.kept_model.params)


def assert_equal_trees(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_parameters_that_are_exported_keep_their_names(tmp_path):
    trained, _ = carried_out(tmp_path / "parts", model=Named, hidden_units=4, keep="last")
    params = trained.params(0)
    assert set(params) == {"layer.0", "a/b", "100%2E", "layer"}
    model.export(tmp_path / "net.safetensors", params)
    names = model.read_export(tmp_path / "net.safetensors")
    assert {"layer%2E0.kernel", "layer.kernel", "100%252E.bias"} <= set(names)
    assert_equal_trees(tensors.nested(names), params)


@pytest.mark.parametrize(
    "changed",
    [
        {"learning_rate": [0.1, 1.0, 2.0]},
        {"num_steps": 16},
        {"base_seed": 1},
        {"momentum": 0.5, "optimizer": "momentum"},
    ],
    ids=str,
)
def test_other_runs_are_not_taken_for_them(tmp_path, changed):
    carried_out(tmp_path)
    assert carried_out(tmp_path, **changed)[1] == 2


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-9], lambda content: content[:-1] + b"\x7f", lambda _: b""]
)
def test_a_damaged_part_is_trained_again(tmp_path, damage):
    first, _ = carried_out(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(damage(path.read_bytes()))
    second, again = carried_out(tmp_path)
    assert again == 2
    pd.testing.assert_frame_equal(
        first.runs.drop(columns="seconds"), second.runs.drop(columns="seconds"), check_exact=True
    )


def test_other_code_trains_again(tmp_path, monkeypatch):
    carried_out(tmp_path)
    monkeypatch.setattr(store, "code", lambda: "other")
    assert carried_out(tmp_path)[1] == 2


def test_all_fields_of_a_record_are_kept():
    assert set(Record.__dataclass_fields__) == {"program", "outcome", "params", *store._NUMBERS, *store._ARRAYS}


def test_chunks_lie_between_those_that_are_there(tmp_path):
    sweep = prepare(jaxnets.Config(**VALUES | {"num_seeds": 8}))
    (program, _), here = sweep.programs, parts_of(sweep, tmp_path)
    assert len(program.runs) == 24
    here.write(program, range(8, 12), store.serialize([]))
    for begun in (
        range(4),
        range(6, 10),
        range(12, 22),
    ):  # the second overlaps what is finished, the last is too long
        (tmp_path / f"{here._key(program, begun)}.begun").mkdir()
    (tmp_path / "strange-0-x-1.part").touch()
    assert [(one.start, one.stop) for one in here.chunks(program, 6)] == [(0, 4), (4, 8), (8, 12), (12, 18), (18, 24)]
