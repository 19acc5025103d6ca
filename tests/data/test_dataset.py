"""What a data set is and must be: every mistake is reported with its split and row."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.data.dataset import (
    PADDING,
    UNKNOWN,
    Dataset,
    Split,
    as_array,
    random_generator,
    stratified,
    validate,
    with_train_examples,
)
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

SPLIT = Split(np.zeros((2, 3), np.float32), np.array([0, 1], np.int32))
WORD_SPLIT = Split(np.zeros((2, 3), np.int32), np.array([0, 1], np.int32))
WORDS = (PADDING, UNKNOWN, "word0", "word1")


def test_properties_and_words_of_a_row():
    dataset = Dataset("mine", WORD_SPLIT, WORD_SPLIT, WORD_SPLIT, ("a", "b", "c"), WORDS)
    assert (len(dataset.train), dataset.num_classes, dataset.is_text) == (2, 3, True)
    assert dataset.decode(np.array([3, 1, 2, 0, 0])) == "word1 <unk> word0"
    assert dataset.kind == "text"
    features = Dataset("mine", SPLIT, SPLIT, SPLIT, ("a", "b"))
    assert (features.is_text, features.kind) == (False, "features")


@pytest.mark.parametrize("as_texts", [False, True])
def test_smaller_training_sets_are_nested_in_larger_ones(as_texts):
    numbers = np.arange(2, 62, dtype=np.int32)
    inputs = Texts.of(numbers[:, None]) if as_texts else numbers[:, None].astype(np.float32)
    split = Split(inputs, np.arange(60, dtype=np.int32) % 3)
    dataset = Dataset("mine", split, split, split, ("a", "b", "c"))
    kept = set()
    for count in (3, 20, 59, 60):
        train = with_train_examples(dataset, count).train
        values = train.inputs.words if as_texts else train.inputs[:, 0]
        assert len(train) == count
        assert kept <= set(values.tolist())
        np.testing.assert_array_equal(train.labels, (values - 2) % 3)
        kept = set(values.tolist())
    with pytest.raises(UserError, match="num_train: 61 asked for, but 'mine' has 60 training examples"):
        with_train_examples(dataset, 61)


@given(st.lists(st.integers(0, 4), min_size=4, max_size=60), st.integers(0, 2**32 - 1), st.data())
def test_stratified_rows_are_distinct_and_in_proportion(labels, seed, drawn):
    labels = np.array(labels)
    train = drawn.draw(st.integers(0, len(labels)))
    dev = (len(labels) - train) // 2
    sizes = [train, dev, len(labels) - train - dev]
    parts = stratified(labels, sizes, np.random.default_rng(seed))
    assert [len(part) for part in parts] == sizes
    assert sorted(np.concatenate(parts)) == list(range(len(labels)))
    quota = np.bincount(labels) * train / len(labels)
    assert (np.abs(np.bincount(labels[parts[0]], minlength=len(quota)) - quota) < 1).all()
    left = np.bincount(labels[np.concatenate(parts[1:])], minlength=len(quota))
    for part in parts[1:]:
        assert (
            np.abs(np.bincount(labels[part], minlength=len(quota)) - left * len(part) / max(left.sum(), 1)) < 1
        ).all()


def test_a_seed_is_not_negative():
    with pytest.raises(UserError, match=r"my_seed: -1 is negative"):
        random_generator("my_seed", -1)
    numbers = np.random.Generator(np.random.PCG64(5)).integers(100, size=9)
    np.testing.assert_array_equal(random_generator("my_seed", 5).integers(100, size=9), numbers)


SPLITS = ("train", "dev", "test")


def words_of(size):
    return (PADDING, UNKNOWN, *(f"word{number}" for number in range(size - 2)))


@st.composite
def datasets(draw):
    """Valid data, some as text, some as features, in the dtypes that training takes."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    num_classes, width = draw(st.integers(2, 5)), draw(st.integers(1, 4))
    vocabulary = words_of(draw(st.integers(2, 6))) if draw(st.booleans()) else ()

    def split():
        rows = draw(st.integers(1, 6))
        ids = generator.integers(max(len(vocabulary), 1), size=(rows, width))
        inputs = ids.astype(np.int32) if vocabulary else generator.normal(size=(rows, width)).astype(np.float32)
        return Split(inputs, generator.integers(num_classes, size=rows).astype(np.int32))

    return Dataset("mine", split(), split(), split(), tuple("abcde"[:num_classes]), vocabulary)


def put(array, row, value, dtype):
    """A copy of the array with one value of a row, and of all rows after it, replaced."""
    array = array.astype(dtype)
    array[row:, ...] = value
    return array


def spoil(dataset, split, row, mistake):
    """The split with a mistake from `row` on, and what the error must tell."""
    inputs, labels, num_words = split.inputs, split.labels, len(dataset.vocabulary)
    at = f"row {row}: "
    of_features = {
        "nan": (put(inputs, row, np.nan, np.float64), labels, at + "feature 0 is nan"),
        "infinite": (put(inputs, row, -np.inf, np.float32), labels, at + "feature 0 is -inf"),
        "beyond float32": (put(inputs, row, 1e200, np.float64), labels, at + "feature 0 is 1e+200"),
        "text": (inputs.astype(str), labels, "must be numbers"),
        "complex": (inputs.astype(complex), labels, "must be numbers"),
        "truth": (inputs.astype(bool), labels, "must be numbers"),
    }
    of_words = {
        "unknown id": (put(inputs, row, num_words, np.int64), labels, f"{at}word id {num_words} is not one of 0"),
        "negative id": (put(inputs, row, -1, np.int64), labels, at + "word id -1 is not one of 0"),
        "huge id": (put(inputs, row, 2**32, np.int64), labels, f"{at}word id {2**32} is not one of 0"),
        "fraction": (inputs.astype(np.float32), labels, "inputs must be word ids"),
    }
    num_classes = dataset.num_classes
    of_both = {
        "label too large": (
            inputs,
            put(labels, row, num_classes, np.int64),
            f"{at}label {num_classes} must be one of 0",
        ),
        "label negative": (inputs, put(labels, row, -1, np.int64), at + "label -1 must be one of 0"),
        "label huge": (inputs, put(labels, row, 2**32, np.int64), f"{at}label {2**32} must be one of 0"),
        "label fraction": (inputs, labels.astype(np.float32), "labels must be a row of whole numbers"),
        "label text": (inputs, labels.astype(str), "labels must be a row of whole numbers"),
        "labels too many": (inputs, np.append(labels, 0), f"{len(labels)} inputs and {len(labels) + 1} labels"),
        "labels in columns": (inputs, labels[:, None], "labels must be a row of whole numbers"),
        "no examples": (inputs[:0], labels[:0], "there are no examples"),
        "flat": (inputs[:, 0], labels, "inputs must be an array [examples, "),
        "cube": (inputs[..., None], labels, "inputs must be an array [examples, "),
        "no width": (inputs[:, :0], labels, "inputs must be an array [examples, "),
        "ragged": ([[0], [0, 1]], labels, "all rows of one length"),
    }
    return (of_both | (of_words if dataset.is_text else of_features))[mistake]


BOTH = (
    "label too large", "label negative", "label huge", "label fraction", "label text", "labels too many",
    "labels in columns", "no examples", "flat", "cube", "no width", "ragged",
)  # fmt: skip
FEATURES = ("nan", "infinite", "beyond float32", "text", "complex", "truth")
WORDS_ALONE = ("unknown id", "negative id", "huge id", "fraction")


@given(datasets())
def test_valid_data_pass_unchanged(dataset):
    checked = validate(dataset)
    assert (checked.name, checked.class_names, checked.vocabulary) == ("mine", dataset.class_names, dataset.vocabulary)
    for name in SPLITS:
        before, after = getattr(dataset, name), getattr(checked, name)
        if dataset.is_text:
            assert [list(row) for row in after.inputs] == [[word for word in row if word] for row in before.inputs]
        else:
            np.testing.assert_array_equal(after.inputs, before.inputs, strict=True)
        np.testing.assert_array_equal(after.labels, before.labels, strict=True)


@pytest.mark.parametrize("mistake", BOTH + FEATURES + WORDS_ALONE)
@given(drawn=st.data())
def test_a_mistake_is_reported_in_one_line_with_data_set_split_and_first_row(mistake, drawn):
    dataset = drawn.draw(datasets().filter(lambda d: mistake in BOTH or d.is_text == (mistake in WORDS_ALONE)))
    name = drawn.draw(st.sampled_from(SPLITS))
    split = getattr(dataset, name)
    row = drawn.draw(st.integers(0, len(split) - 1))
    inputs, labels, fragment = spoil(dataset, split, row, mistake)
    with pytest.raises(UserError) as error:
        validate(replace(dataset, **{name: Split(inputs, labels)}))
    message = str(error.value)
    assert message.startswith(f"dataset: 'mine', {name}")
    assert fragment in message
    assert "\n" not in message


@given(datasets().filter(lambda d: not d.is_text), st.sampled_from(SPLITS))
def test_splits_of_different_widths_are_reported(dataset, name):
    split = getattr(dataset, name)
    wider = np.concatenate([split.inputs, split.inputs[:, :1]], axis=1)
    with pytest.raises(UserError, match=f"must be of one width.*{wider.shape[1]} in {name}"):
        validate(replace(dataset, **{name: Split(wider, split.labels)}))


@pytest.mark.parametrize(
    ("dataset", "fragment"),
    [
        ((SPLIT, SPLIT, SPLIT), "the loader gave a tuple; it must give a jaxnets Dataset"),
        (None, "the loader gave a NoneType"),
        (Dataset("mine", SPLIT, SPLIT, SPLIT, ("only",)), "'mine' has 1 class; a classifier needs two or more"),
        (
            Dataset("mine", SPLIT, (SPLIT.inputs, SPLIT.labels), SPLIT, ("a", "b")),
            "'mine', dev: must be a jaxnets Split",
        ),
        (
            Dataset("mine", *[WORD_SPLIT] * 3, ("a", "b"), ("the", "a")),
            "begins with 'the', 'a'; it must begin with '<pad>'",
        ),
        (Dataset("mine", *[WORD_SPLIT] * 3, ("a", "b"), (PADDING,)), "begins with '<pad>'; it must begin with"),
    ],
)
def test_what_is_no_data_set_is_reported(dataset, fragment):
    with pytest.raises(UserError) as error:
        validate(dataset)
    assert fragment in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64, np.uint8])
def test_features_and_labels_take_the_dtypes_of_training(dtype):
    split = Split(np.array([[1, 2], [3, 4]], dtype), np.array([0, 1], np.int64))
    checked = validate(Dataset("mine", split, split, split, ["a", "b"]))
    assert (checked.train.inputs.dtype, checked.train.labels.dtype) == (np.float32, np.int32)
    np.testing.assert_array_equal(checked.train.inputs, [[1, 2], [3, 4]])
    assert checked.class_names == ("a", "b")


def test_word_ids_become_int32_and_lists_become_arrays():
    split = Split([[2, 1, 0], [1, 0, 0]], [1, 0])
    checked = validate(Dataset("mine", split, split, split, ("a", "b"), np.array(words_of(3))))
    texts = checked.dev.inputs
    assert (texts.words.dtype, texts.lengths.dtype, checked.dev.labels.dtype) == (np.int32, np.int32, np.int32)
    assert (texts.words.tolist(), texts.lengths.tolist()) == ([2, 1, 1], [2, 1])
    assert checked.is_text


class Unwilling:
    def __array__(self, *arguments, **keywords):
        raise RuntimeError("copy me\nto the host first")


def test_an_array_that_cannot_be_made_is_reported_in_one_line():
    with pytest.raises(UserError, match=r"^these must be an array, .*: copy me to the host first\.$"):
        as_array(Unwilling(), "these")
    with pytest.raises(UserError, match="all rows of one length"):
        as_array([[1, 2], [3, 4], []], "these")
