"""A sample of what `python -m benchmarks.reliability.edges` tries."""

import random
import time

import pytest

from benchmarks.reliability import edges
from benchmarks.reliability.edges import EXPERIMENTS, Attempt
from jaxnets.errors import UserError

SEED, SAMPLE = 0, 100


@pytest.mark.slow
def test_flags_at_their_edges_are_understood_or_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sample = random.Random(SEED).sample(list(edges.attempts()), SAMPLE)
    found = {str(attempt): edges.outcome(attempt, tmp_path) for attempt in sample}
    assert {name: what for name, what in found.items() if what[0] not in edges.GOOD} == {}
    assert {what[0] for what in found.values()} == set(edges.GOOD)


def test_every_experiment_is_tried_with_its_own_flags():
    tried = {(attempt.experiment, attempt.flag) for attempt in edges.attempts()}
    for name, experiment in EXPERIMENTS.items():
        assert {(name, flag) for flag in ("seed", "output", *(one.name for one in experiment.options))} <= tried
    assert {("train", "memory_size"), ("train", "filter_widths"), ("train", "num_sentences")} <= tried


class SeveralLinesError(UserError):
    """What no `UserError` says: two lines."""

    def __str__(self):
        return "seed:\nno."


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (UserError("seed: no."), edges.REFUSED),
        (SeveralLinesError("seed: no."), edges.LINES),
        (KeyError("seed"), edges.RAISED),
        (SystemExit(0), edges.RAISED),
    ],
)
def test_what_would_be_wrong_is_noticed(raised, outcome, tmp_path, monkeypatch):
    def fails(*_):
        raise raised

    monkeypatch.setattr(edges, "_before_the_first_step", fails)
    assert edges.outcome(Attempt("train", "seed", "1"), tmp_path)[0] == outcome


def test_silence_and_what_is_left_behind_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(edges, "SOON", 1)
    monkeypatch.setattr(edges, "_before_the_first_step", lambda *_: time.sleep(5))
    assert edges.outcome(Attempt("train", "seed", "1"), tmp_path)[0] == edges.LATE
    monkeypatch.setattr(edges, "_before_the_first_step", lambda *_: (tmp_path / "half").mkdir())
    assert edges.outcome(Attempt("train", "seed", "1"), tmp_path)[0] == edges.LEFT
