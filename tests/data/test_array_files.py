import numpy as np
import pytest

from jaxnets import data
from jaxnets.data import files
from jaxnets.data.dataset import fingerprint, in_memory
from jaxnets.errors import UserError


def write(folder, splits, dtype=np.float32, names=("no", "yes")):
    generator = np.random.default_rng(0)
    for split, size in splits.items():
        np.save(folder / f"{split}_inputs.npy", generator.integers(0, 9, (size, 3)).astype(dtype))
        np.save(folder / f"{split}_labels.npy", np.array(names)[np.arange(size) % len(names)])


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_training_inputs_stay_in_their_file(tmp_path, dtype):
    write(tmp_path, {"train": 30, "dev": 6, "test": 8}, dtype)
    dataset = data.load(str(tmp_path))
    assert files.is_mapped(dataset.train.inputs)
    assert dataset.train.inputs.dtype == dtype
    assert not files.is_mapped(dataset.dev.inputs)
    assert dataset.class_names == ("no", "yes")
    assert dataset.train.labels.tolist() == [0, 1] * 15
    assert fingerprint([dataset]) == fingerprint([in_memory(dataset)])
    assert in_memory(dataset).train.inputs.dtype == np.float32


def test_missing_splits_are_held_out(tmp_path):
    write(tmp_path, {"train": 40})
    dataset = data.load(str(tmp_path))
    assert [len(split) for split in (dataset.train, dataset.dev, dataset.test)] == [32, 4, 4]


def test_mistakes_are_told_with_their_row(tmp_path):
    write(tmp_path, {"train": 30, "dev": 6, "test": 8})
    inputs = np.load(tmp_path / "train_inputs.npy")
    inputs[20, 1] = np.nan
    np.save(tmp_path / "train_inputs.npy", inputs)
    with pytest.raises(UserError, match=r", train, row 20: feature 1 is nan; it must be a finite float32 number\.$"):
        data.load(str(tmp_path))


def test_labels_and_files_that_do_not_fit_are_one_line(tmp_path):
    write(tmp_path, {"train": 30, "dev": 6, "test": 8})
    np.save(tmp_path / "dev_labels.npy", np.array(["no", "maybe", "yes", "no", "no", "no"]))
    with pytest.raises(UserError, match=r"dev_labels.npy', row 1: the label 'maybe' is not one of the training set's"):
        data.load(str(tmp_path))
    np.save(tmp_path / "dev_labels.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"dev_labels.npy' is not a .npy file of numbers: .*objects in dtype"):
        data.load(str(tmp_path))
    (tmp_path / "train_inputs.npy").write_bytes((tmp_path / "train_inputs.npy").read_bytes()[:-10])
    with pytest.raises(UserError, match=r"^dataset: '.*train_inputs.npy' is not a .npy file of numbers"):
        data.load(str(tmp_path))
