"""From a name, path, import path, function or object to a data set."""

import functools
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from jaxnets import data, plugins
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

SPLITS = ("train", "dev", "test")
SPLIT = Split(np.zeros((2, 3), np.float32), np.array([0, 1], np.int32))


def my_loader(flip: bool = False):
    return Dataset("mine", SPLIT, SPLIT, SPLIT, ("b", "a") if flip else ("a", "b"))


def my_wrong_loader():
    return {"train": SPLIT}


NOT_A_LOADER = 3


def test_a_loader_of_ones_own_is_found_by_its_import_path():
    assert data.find("digits") is data.KNOWN["digits"]
    assert data.load(f"{__name__}:my_loader", flip=True).class_names == ("b", "a")


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("digit", "Did you mean 'digits'?"),
        (f"{__name__}:my_wrong_loader", "the loader gave a dict; it must give a jaxnets Dataset"),
        (f"{__name__}:NOT_A_LOADER", "is an int, not a function"),
    ],
)
def test_a_wrong_loader_is_reported(name, fragment):
    with pytest.raises(UserError) as error:
        data.load(name)
    assert str(error.value).startswith("dataset: ")
    assert fragment in str(error.value)


@pytest.mark.parametrize("name", sorted(data.KNOWN))
def test_every_known_data_set_is_valid_as_it_is_and_the_same_each_time(name):
    made, checked, again = data.KNOWN[name](), data.load(name), data.load(name)
    assert made.name == name
    for split in SPLITS:
        for part in ("inputs", "labels"):
            first, second, third = (_array(getattr(getattr(d, split), part)) for d in (checked, made, again))
            np.testing.assert_array_equal(first, second, strict=True)
            np.testing.assert_array_equal(first, third, strict=True)
        assert set(getattr(checked, split).labels) == set(range(checked.num_classes))


def _array(values):
    """An array to compare: of texts, their words; padding is none of them."""
    if isinstance(values, Texts):
        return values.words
    return values[values != 0] if np.issubdtype(values.dtype, np.integer) and values.ndim == 2 else values


def test_arguments_of_data_sets_are_no_settings():
    taken = {field.name for field in fields(Config)}
    names = {name for loader in data.KNOWN.values() for name in plugins.arguments(loader)}
    assert names == {
        "num_sentences", "num_examples", "num_turns", "num_bits", "num_relevant", "num_features", "num_layers",
        "noise", "label_noise", "negated_share", "distance", "data_seed", "split_seed", "word_vectors",
    }  # fmt: skip
    assert not names & taken


def test_the_room_needs_neither_jax_nor_scikit_learn():
    program = "import sys; from jaxnets import data; [data.load(name) for name in data.KNOWN]; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "jaxnets.data.toy" in loaded
    assert not loaded & {"jax", "jaxlib", "flax", "sklearn", "scipy", "pandas"}


def test_special_values_have_a_loader_and_names_and_functions_have_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    (tmp_path / "mine").mkdir()
    for value in ("digits", "unheard_of", "my_lab.data:load", my_loader, functools.partial(my_loader, flip=True)):
        assert data.loader_of(value) is None
    for value in ("mine", "mine/", tmp_path / "digits", "tfds:mnist", (np.eye(4), [0, 1] * 2), my_loader()):
        assert callable(data.loader_of(value))
    assert data.loader_of("x" * 5000) is None
    assert data.find("digits") is data.KNOWN["digits"]


@pytest.mark.parametrize("name", ["a/" + "x" * 5000, "a/\0"])
def test_a_path_that_cannot_be_is_reported(name):
    with pytest.raises(UserError, match=r"dataset: .*cannot be read|there is no file or folder"):
        data.load_folds(name)


def test_a_function_may_give_folds_or_data_in_memory():
    inputs, labels = np.arange(60.0).reshape(30, 2), [0, 1] * 15
    folds = data.load_folds(lambda: (my_loader(), my_loader(flip=True)))
    assert [fold.class_names for fold in folds] == [("a", "b"), ("b", "a")]
    given = data.load(lambda: (inputs, labels))
    direct = data.load((inputs, labels))
    np.testing.assert_array_equal(given.train.inputs, direct.train.inputs)
    with pytest.raises(UserError, match="'mine' has 2 folds; take load_folds"):
        data.load([my_loader(), my_loader()])
    with pytest.raises(UserError, match="dataset: the loader gave None; it must give a jaxnets Dataset"):
        data.load(lambda: None)


def test_arguments_that_a_loader_does_not_take_are_reported():
    with pytest.raises(UserError, match=r"'my_loader' cannot be called with these arguments: .*'folds'"):
        data.load(my_loader, folds=3)
    with pytest.raises(UserError, match=r"'arrays' cannot be called with these arguments: .*'tokenizer'"):
        data.load((np.eye(30), [0, 1] * 15), tokenizer="words")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train": Split(np.zeros((3, 3), np.float32), np.array([0, 1, 1], np.int32))}, "training examples: 2 and 3"),
        ({name: Split(np.zeros((2, 4), np.float32), SPLIT.labels) for name in SPLITS}, "number of features: 3 and 4"),
        ({"class_names": ("a", "b", "c")}, "number of classes: 2 and 3"),
    ],
)
def test_folds_differ_in_their_examples_alone(changed, message):
    fold = my_loader()
    with pytest.raises(UserError, match=f"folds 0 and 1 of 'mine' differ in .*{message}"):
        data.load_folds([fold, replace(fold, **changed)])


SEEDED = [name for name in sorted(data.KNOWN) if name not in ("xor", "negation")]


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_draws_other_data_and_a_negative_one_is_reported(name):
    seed = next(one for one in ("data_seed", "split_seed") if one in plugins.arguments(data.KNOWN[name]))
    first, other = (data.load(name, **{seed: number}).test.inputs for number in (0, 1))
    assert not np.array_equal(_array(first), _array(other))
    with pytest.raises(UserError, match=f"{seed}: -1 is negative"):
        data.load(name, **{seed: -1})


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("digits_noise", {"label_noise": -0.1}, "label_noise: -0.1 is not between 0 and 1"),
        ("digits_noise", {"label_noise": 1.5}, "label_noise: 1.5 is not between 0 and 1"),
        ("spirals", {"num_examples": 19}, "num_examples: 19 are too few to split; take 20 or more"),
        ("spirals", {"num_turns": -1.0}, "num_turns: -1 is negative"),
        ("spirals", {"noise": -0.5}, "noise: -0.5 is negative"),
        ("parity", {"num_relevant": 0}, "num_relevant: of 12 bits 0 count"),
        ("parity", {"num_relevant": 13}, "num_relevant: of 12 bits 13 count"),
        ("parity", {"num_bits": 25}, "of 25 bits 3 count; 1 to all of at most 24 can"),
        ("parity", {"num_bits": 10}, "num_examples: 10 bits make 1,024 rows that differ, not 2,000"),
        ("teacher_student", {"num_features": 0}, "num_features: 0 is below 1"),
        ("teacher_student", {"num_layers": -1}, "num_layers: -1 is below 0"),
        ("mnist1d", {"num_examples": 100}, "num_examples: 100 are too few to split; take 110 or more"),
        ("ngrams", {"num_sentences": -1}, "num_sentences: -1"),
        *(
            (name, {"num_sentences": 19}, "num_sentences: 19 are too few to split; take 20 or more")
            for name in ("ngrams", "mixed_negations", "word_order", "unseen_negations", "unseen_ngrams")
        ),
        ("mixed_negations", {"negated_share": -0.1}, "negated_share: -0.1 is not a share"),
        ("mixed_negations", {"negated_share": 1.5}, "negated_share: 1.5 is not a share"),
        ("word_order", {"num_sentences": 101}, "num_sentences: 101 is odd"),
        ("word_order", {"distance": 5}, "distance: 5 is not from 1 to 4"),
        ("unseen_ngrams", {"word_vectors": "file"}, "word_vectors: 'file' is not known"),
    ],
)
def test_arguments_out_of_range_are_reported(name, given, message):
    with pytest.raises(UserError) as error:
        data.load(name, **given)
    assert message in str(error.value)
