"""Whether training examples are streamed: as asked for, or chosen from the sizes."""

import numpy as np
import pytest

from jaxnets.config.config import Config
from jaxnets.engine import placing
from jaxnets.engine.sweep import prepare
from jaxnets.errors import UserError


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
    monkeypatch.setattr(placing.devices, "free_bytes", lambda device: 1000)
    with pytest.raises(UserError, match=r"^data: '.*' takes .* are free; data=stream reads it as it is needed\.$"):
        prepare(Config(dataset=folder, data="resident"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"dataset": "digits", "num_blocks": 2}, "data: stream takes one split of the data, and there are 2"),
        ({"dataset": "digits", "batch_size": 0}, "data: stream takes batches that are smaller than the training set"),
        ({"dataset": "ngrams", "model": "dan", "baselines": True}, "data: stream and baselines do not go together"),
    ],
)
def test_what_cannot_be_streamed_is_one_line(flags, message):
    with pytest.raises(UserError, match=f"^{message}"):
        prepare(Config(data="stream", **flags))
    assert not prepare(Config(memory_limit=1e-6, **flags)).options.stream  # and it is not chosen


def test_the_bytes_above_which_texts_stay_on_disk():
    assert placing.stream_above(Config(data="stream")) == 0
    assert placing.stream_above(Config(data="resident")) is None
    assert placing.stream_above(Config(memory_limit=2)) == 2 << 30
