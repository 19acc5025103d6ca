"""Splits, folds and vocabulary of the user's own texts, from files to data sets."""

import numpy as np
import pytest

from jaxnets import data
from jaxnets.data import encoding
from jaxnets.errors import UserError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    return tmp_path / "set"


def write(folder, split, texts, labels=None):
    labels = [number % 2 for number in range(len(texts))] if labels is None else labels
    rows = [f"{label}\t{text}\n" for label, text in zip(labels, texts, strict=True)]
    (folder / f"{split}.tsv").write_text("".join(rows))


def texts_of(dataset, split):
    inputs = getattr(dataset, split).inputs
    return [dataset.decode(inputs[row]) for row in range(len(inputs))]


NUMBERED = [f"text number{row} word{row % 7}" for row in range(103)]


def test_folds_are_stratified_each_text_is_tested_once_and_training_sets_are_as_large(folder):
    labels = [0] * 70 + [1] * 33
    write(folder, "all", NUMBERED, labels)
    folds = data.load_folds(str(folder), folds=5)
    assert len(folds) == 5
    tested = np.concatenate([fold.test.labels for fold in folds])
    assert len(tested) == 103
    assert len({len(fold.train) for fold in folds}) == 1
    for fold in folds:
        assert len(fold.train) + len(fold.dev) + len(fold.test) == 103
        for split in (fold.train, fold.dev, fold.test):
            assert abs(split.labels.mean() - 33 / 103) < 0.07
    assert folds[0].vocabulary == folds[4].vocabulary
    again = data.load_folds(str(folder), folds=5)
    assert [fold.test.inputs.words.tolist() for fold in folds] == [fold.test.inputs.words.tolist() for fold in again]
    other = data.load_folds(str(folder), folds=5, split_seed=1)
    assert folds[0].test.inputs.words.tolist() != other[0].test.inputs.words.tolist()


def test_a_word_is_known_in_the_folds_that_learn_it(folder):
    write(folder, "all", NUMBERED)
    for fold in data.load_folds(str(folder), folds=5):
        seen = {word for text in texts_of(fold, "train") for word in text.split()}
        assert "<unk>" not in seen
        for text in texts_of(fold, "dev") + texts_of(fold, "test"):
            assert text.split()[1] == "<unk>"  # each text has a word of its own
            assert text.split()[0] == "text"


def test_given_splits_stay_and_dev_is_carved_off(folder):
    write(folder, "train", NUMBERED[:60])
    write(folder, "test", NUMBERED[60:70])
    dataset = data.load(str(folder), dev_share=0.2)
    assert [len(split) for split in (dataset.train, dataset.dev, dataset.test)] == [48, 12, 10]
    assert dataset.dev.labels.mean() == 0.5
    write(folder, "dev", NUMBERED[80:85])
    dataset = data.load(str(folder))
    assert [len(split) for split in (dataset.train, dataset.dev, dataset.test)] == [60, 5, 10]
    assert texts_of(dataset, "train") == NUMBERED[:60]


def test_one_fold_holds_out_a_tenth(folder):
    write(folder, "train", NUMBERED[:100])
    dataset = data.load(str(folder), folds=1)
    assert [len(split) for split in (dataset.train, dataset.dev, dataset.test)] == [81, 9, 10]


def test_rare_words_are_unknown_and_the_vocabulary_is_of_the_training_texts(folder):
    write(folder, "train", ["a a a b b c", "a b d"])
    write(folder, "dev", ["e a", "b"])
    write(folder, "test", ["c b", ""])
    assert data.load(str(folder)).vocabulary == ("<pad>", "<unk>", "a", "b", "c", "d")
    assert data.load(str(folder), min_count=2).vocabulary == ("<pad>", "<unk>", "a", "b")
    dataset = data.load(str(folder), max_vocabulary=1)
    assert dataset.vocabulary == ("<pad>", "<unk>", "a")
    assert texts_of(dataset, "dev") == ["<unk> a", "<unk>"]
    assert texts_of(dataset, "test") == ["<unk> <unk>", ""]


def test_a_word_with_a_vector_is_known_wherever_it_stands(folder, tmp_path):
    write(folder, "train", ["a b", "b"])
    write(folder, "dev", ["e", "f"])
    write(folder, "test", ["a", "b"])
    (tmp_path / "mine.vec").write_text("e 1 2\nb 3 4\nz 5 6\n")
    dataset = data.load(str(folder), word_vectors=str(tmp_path / "mine.vec"))
    assert texts_of(dataset, "dev") == ["e", "<unk>"]
    assert "z" not in dataset.vocabulary
    place = dataset.vocabulary.index("e")
    assert dataset.word_vectors.vectors[place].tolist() == [1, 2]
    assert dataset.word_vectors.given.sum() == 2


def test_notes_on_cut_texts_and_the_vocabulary(folder):
    write(folder, "train", ["a b c", "a b", "x", "y z"])
    write(folder, "dev", ["x", "q"])
    write(folder, "test", ["a b c d e f g", ""])
    notes = data.load(str(folder), length_percentile=90.0).notes
    assert "1 of 8 texts were cut to 3 words, 4 words in all." in notes
    assert "1 text has no words." in notes
    assert "The vocabulary has 6 words." in notes


def test_texts_without_a_word_are_refused(folder):
    write(folder, "all", [""] * 30)
    with pytest.raises(UserError, match="dataset: all texts of 'set' are empty"):
        data.load_folds(str(folder))


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ({"folds": 0}, "folds: 0 is below 1"),
        ({"folds": 90}, "folds: 103 examples are too few for 90 folds"),
        ({"dev_share": 1.0}, "dev_share: 1 is not between"),
        ({"min_count": 0}, "min_count: 0 is below 1"),
        ({"length_percentile": 0.0}, "length_percentile"),
        ({"split_seed": -1}, "split_seed: -1 is negative"),
        ({"tokenizer": "word"}, "tokenizer: 'word' is not known"),
    ],
)
def test_arguments_out_of_range(folder, arguments, fragment):
    write(folder, "all", NUMBERED)
    with pytest.raises(UserError) as error:
        data.load_folds(str(folder), **arguments)
    assert fragment in str(error.value)


def test_the_cache_is_used_and_notices_changed_files(folder, monkeypatch):
    write(folder, "all", NUMBERED)
    made = []
    monkeypatch.setattr(encoding, "tokenize", lambda *a, real=encoding.tokenize: made.append(1) or real(*a))
    first, second = data.load_folds(str(folder)), data.load_folds(str(folder))
    assert len(made) == 1
    assert first[0].vocabulary == second[0].vocabulary
    assert first[3].train.inputs.words.tolist() == second[3].train.inputs.words.tolist()
    data.load_folds(str(folder), lowercase=False)
    assert len(made) == 2
    write(folder, "all", [*NUMBERED[1:], "something else"])
    assert "something" in data.load_folds(str(folder))[0].vocabulary + data.load_folds(str(folder))[1].vocabulary
    assert len(made) == 3
    for file in (folder.parent / "cache" / "jaxnets" / "texts").iterdir():
        file.write_bytes(file.read_bytes()[:100])  # damaged: made anew
    data.load_folds(str(folder))
    assert len(made) == 4
