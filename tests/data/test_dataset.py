import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split, random_generator, stratified, with_train_examples
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
