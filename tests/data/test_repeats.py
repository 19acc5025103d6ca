"""Repeats: new splits of the same examples, or newly made data; each as if it were the only one."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from jaxnets import data, plugins
from jaxnets.data import encoding
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.splits import Splitting
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

SPLITS = ("train", "dev", "test")
X = np.random.default_rng(0).normal(3, 2, size=(200, 3)).astype(np.float32)
Y = (np.arange(200) % 10 < 3).astype(np.int32)
TEXTS = [f"shared number{row}" for row in range(60)]


def keys(split):
    """Something that tells each example of a split from all others."""
    inputs = split.inputs
    return [(inputs[row].tobytes(), int(label)) for row, label in enumerate(split.labels)]


def all_keys(dataset):
    return [key for split in SPLITS for key in keys(getattr(dataset, split))]


def sizes(dataset):
    return [len(getattr(dataset, split)) for split in SPLITS]


def guest():
    parts = np.split(np.arange(200), [120, 150])
    return Dataset("guest", *(Split(X[rows], Y[rows].astype(np.int32)) for rows in parts), ("a", "b"))


def own_repeats(num_repeats=1):
    return tuple(guest() for _ in range(min(num_repeats, 3)))


CASES = {  # what is given, arguments, the sizes of the splits
    "digits": ("digits", {}, [1437, 180, 180]),
    "three splits": (((X[:100], Y[:100]), (X[100:160], Y[100:160]), (X[140:], Y[140:])), {}, [100, 60, 60]),
    "two splits": (((X[:150], Y[:150]), (X[120:], Y[120:])), {"dev_share": 0.2}, [120, 30, 80]),
    "one split": ((X, Y), {}, [162, 18, 20]),
    "Dataset": (guest(), {}, [120, 30, 50]),
    "function": (guest, {}, [120, 30, 50]),
    "function of arrays": (lambda: (X, Y), {}, [162, 18, 20]),
}


@pytest.mark.parametrize("case", CASES)
def test_each_repeat_has_all_examples_once_in_splits_of_the_sizes_given(case):
    value, arguments, expected = CASES[case]
    repeats = data.load_repeats(value, 4, **arguments)
    assert [sizes(repeat) for repeat in repeats] == [expected] * 4
    labels = [np.sort(np.concatenate([getattr(repeat, split).labels for split in SPLITS])) for repeat in repeats]
    for repeat, of_repeat in zip(repeats, labels, strict=True):
        np.testing.assert_array_equal(of_repeat, labels[0])
        share = np.bincount(of_repeat) / len(of_repeat)
        for split in SPLITS:
            counts = np.bincount(getattr(repeat, split).labels, minlength=repeat.num_classes)
            assert (np.abs(counts - share * counts.sum()) < 1.5).all()
    if case not in ("three splits", "two splits"):  # these give some examples twice
        assert len(set(all_keys(repeats[0]))) == sum(expected)
    if case != "digits":  # which are standardized anew
        assert all(sorted(all_keys(repeat)) == sorted(all_keys(repeats[0])) for repeat in repeats)
    tests = [frozenset(keys(repeat.test)) for repeat in repeats]
    assert len(set(tests)) == 4


@pytest.mark.parametrize("case", CASES)
def test_repeats_repeat_and_one_more_leaves_the_others_as_they_are(case):
    value, arguments, _ = CASES[case]
    first, again = data.load_repeats(value, 3, **arguments), data.load_repeats(value, 4, **arguments)
    assert [all_keys(repeat) for repeat in first] == [all_keys(repeat) for repeat in again[:3]]


@pytest.mark.parametrize("value", ["digits", (X, Y)])
def test_another_seed_draws_other_repeats(value):
    first, other = (data.load_repeats(value, 2, split_seed=seed) for seed in (0, 5))
    assert all(keys(one.test) != keys(two.test) for one in first for two in other)


def test_the_test_examples_of_repeats_overlap_as_those_of_independent_draws():
    repeats = data.load_repeats((X, Y), 60)
    tests = [set(keys(repeat.test)) for repeat in repeats]
    common = [len(one & two) for place, one in enumerate(tests) for two in tests[:place]]
    assert abs(np.mean(common) - 20 * 20 / 200) < 0.15  # the pairs are not independent; seen: 2.00


def test_features_are_standardized_by_the_training_examples_of_their_repeat():
    splits = {"train": Split(X[:150], Y[:150]), "test": Split(X[150:], Y[150:])}
    splitting = Splitting(num_repeats=3)
    plain, scaled = (
        encoding.assemble(
            encoding.RawDataset("r", ("a", "b"), splits), splitting, encoding.Encoding(), standardize=scale
        )
        for scale in (False, True)
    )
    for one, other in zip(plain, scaled, strict=True):
        scaler = StandardScaler().fit(one.train.inputs)
        for split in SPLITS:
            expected = scaler.transform(getattr(one, split).inputs)
            np.testing.assert_allclose(getattr(other, split).inputs, expected, atol=1e-5)
    assert len({other.train.inputs[0].tobytes() for other in scaled}) == 3


def test_texts_have_one_vocabulary_but_a_repeat_knows_the_words_of_its_own_training_texts():
    repeats = data.load_repeats((TEXTS, ["no", "yes"] * 30), 5)
    assert len({repeat.vocabulary for repeat in repeats}) == 1
    for repeat in repeats:
        known = set(repeat.train.inputs.words) - {1}
        assert {repeat.vocabulary[word] for word in known} >= {"shared"}
        assert len(known) == len(repeat.train) + 1  # each text has a word of its own
        for split in (repeat.dev, repeat.test):
            assert set(split.inputs.words) == {1, repeat.vocabulary.index("shared")}


@pytest.mark.parametrize(("name", "seed"), [("digits", "split_seed"), ("ngrams", "data_seed")])
def test_a_loader_with_a_seed_is_called_once_for_each_repeat(name, seed):
    repeats = data.load_repeats(name, 3, **{seed: 4})
    expected = [data.load(name, **{seed: 4 + repeat}) for repeat in range(3)]
    assert [all_keys(repeat) for repeat in repeats] == [all_keys(one) for one in expected]


@pytest.mark.parametrize("vectors", ["", "made"])
def test_generated_texts_of_different_words_get_one_vocabulary(vectors):
    seeds = [data.load("unseen_ngrams", num_sentences=40, word_vectors=vectors, data_seed=seed) for seed in range(3)]
    assert len({one.vocabulary for one in seeds}) == 3
    repeats = data.load_repeats("unseen_ngrams", 3, num_sentences=40, word_vectors=vectors)
    assert len({repeat.vocabulary for repeat in repeats}) == 1
    for repeat, one in zip(repeats, seeds, strict=True):
        for split in SPLITS:
            mine, own = getattr(repeat, split).inputs, getattr(one, split).inputs
            assert [repeat.decode(mine[row]) for row in range(len(mine))] == [
                one.decode(own[row]) for row in range(len(own))
            ]
    if vectors:
        given = seeds[0].word_vectors
        assert all(repeat.word_vectors is repeats[0].word_vectors for repeat in repeats)
        np.testing.assert_array_equal(repeats[0].word_vectors.vectors[: len(given.given)], given.vectors)
        assert repeats[0].word_vectors.given.sum() == given.given.sum()


@pytest.mark.parametrize("name", ["xor", "negation"])
def test_data_that_are_judged_on_what_is_learned_stay_as_they_are(name):
    for repeat in data.load_repeats(name, 3):
        assert [keys(getattr(repeat, split)) for split in SPLITS] == [keys(data.load(name).train)] * 3


def test_a_dev_split_that_is_the_test_split_stays_so():
    rows = Split(X[150:], Y[150:].astype(np.int32))
    dataset = Dataset("mine", Split(X[:150], Y[:150].astype(np.int32)), rows, rows, ("a", "b"))
    for repeat in data.load_repeats(dataset, 2):
        assert (len(repeat.train), keys(repeat.dev)) == (150, keys(repeat.test))
        assert sorted(keys(repeat.train) + keys(repeat.dev)) == sorted(keys(dataset.train) + keys(rows))


def test_texts_of_a_guest_keep_their_words():
    inputs = Texts.of([[2, row + 3] for row in range(30)])
    parts = [Split(inputs.take(rows), (rows % 2).astype(np.int32)) for rows in np.split(np.arange(30), [20, 25])]
    vocabulary = ("<pad>", "<unk>", "the", *map(str, range(30)))
    dataset = Dataset("mine", *parts, ("even", "odd"), vocabulary)
    for repeat in data.load_repeats(dataset, 3):
        assert sizes(repeat) == [20, 5, 5]
        for split in SPLITS:
            part = getattr(repeat, split)
            for row, label in enumerate(part.labels):
                assert int(repeat.decode(part.inputs[row]).split()[1]) % 2 == label


@pytest.mark.parametrize("value", ["digits", "ngrams", guest(), ((X, Y), (X, Y), (X, Y))])
def test_a_single_repeat_is_the_data_set_as_it_is(value):
    (repeat,), (fold,) = data.load_repeats(value, 1), data.load_folds(value)
    assert all_keys(repeat) == all_keys(fold)


def test_a_single_repeat_of_a_cross_validation_is_one_split(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lines = [f"{row % 2}\t{text}\n" for row, text in enumerate(TEXTS)]
    (tmp_path / "mine.tsv").write_text("".join(lines))
    path = str(tmp_path / "mine.tsv")
    assert [sizes(repeat) for repeat in data.load_repeats(path, 2)] == [[49, 5, 6]] * 2
    (repeat,) = data.load_repeats(path, 1)
    assert all_keys(repeat) == all_keys(data.load(path, folds=1))
    assert len(data.load_repeats([guest(), guest()], 1)) == 1


def test_a_loader_may_draw_its_repeats_itself():
    assert len(data.load_repeats(own_repeats, 3)) == 3
    with pytest.raises(UserError, match="num_repeats: the loader of 'guest' gave 3 of 4 repeats"):
        data.load_repeats(own_repeats, 4)


@pytest.mark.parametrize(
    ("value", "num_repeats", "arguments", "message"),
    [
        ("digits", 0, {}, "num_repeats: 0 is below 1"),
        ((X, Y), 2, {"folds": 5}, "num_repeats: repeats take the place of folds; leave out folds=5"),
        ((X[4:9], Y[4:9]), 2, {}, "all labels are '0'"),
        ((X[:12], [0, 1] * 6), 2, {}, "12 examples are too few to hold out a tenth for test"),
        ((X, Y), 2, {"split_seed": -1}, "split_seed: -1 is negative"),
        ("ngrams", 2, {"data_seed": -1}, "data_seed: -1 is negative"),
        ("digits", 2, {"seed": 1}, "'digits' cannot be called with these arguments"),
    ],
)
def test_mistakes_are_reported(value, num_repeats, arguments, message):
    with pytest.raises(UserError) as error:
        data.load_repeats(value, num_repeats, **arguments)
    assert message in str(error.value)


def test_repeats_that_differ_in_size_are_reported():
    def growing(data_seed: int = 0):
        return (X[: 100 + 10 * data_seed], Y[: 100 + 10 * data_seed])

    with pytest.raises(UserError, match="repeats 0 and 1 of 'arrays' differ in their number of training examples"):
        data.load_repeats(growing, 2)


@pytest.mark.parametrize("value", ["reviews/", "tfds:mnist", (X, Y)])
def test_the_number_of_repeats_is_no_keyword_of_a_data_set(value):
    taken = plugins.DATASET.find(value).arguments
    assert "split_seed" in taken
    assert "num_repeats" not in taken
