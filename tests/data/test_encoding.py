"""From texts and labels to data sets: splits, folds, vocabulary, cache, and notes on what may not be meant."""

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


X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.arange(60) % 3
TEXTS = [f"text number{row} word{row % 7}" for row in range(60)]
NAMES = ["neg", "pos"] * 30


def test_plain_data_have_no_note():
    assert data.load((X, Y)).notes == ()
    assert data.load((TEXTS, NAMES)).notes == ("The vocabulary has 57 words.",)


@pytest.mark.parametrize(("inputs", "noun"), [(X, "example"), (TEXTS, "text")])
def test_examples_in_two_splits(inputs, noun):
    train, dev, test = (inputs[:40], NAMES[:40]), (inputs[38:50], NAMES[38:50]), (inputs[49:], NAMES[49:])
    noted = data.load((train, dev, test)).notes
    assert f"2 {noun}s of dev also occur in train." in noted
    assert f"1 {noun} of test also occurs in dev." in noted
    assert not any("of test also occurs in train" in note for note in noted)


@pytest.mark.parametrize(("inputs", "noun"), [(X, "example"), (TEXTS, "text")])
def test_equal_splits(inputs, noun):
    rest = (inputs[40:][::-1], NAMES[40:][::-1])
    noted = data.load(((inputs[:40], NAMES[:40]), (inputs[40:], NAMES[40:]), rest)).notes
    assert f"dev and test have the same {noun}s: test tells nothing that dev does not." in noted
    assert not any("also occur" in note for note in noted)


def test_repeated_texts_in_a_cross_validation():
    noted = data.load_folds(([*TEXTS[:58], TEXTS[0], TEXTS[1]], NAMES), folds=5)[0].notes
    assert "2 texts occur more than once, so splits may share them." in noted


def test_labels_that_differ_in_writing():
    labels = ["neg", "NEG", "very  good", "very good", "Fine"] * 12
    noted = data.load((X, labels)).notes
    assert "The labels 'NEG' and 'neg' differ only in case or white space, and are different classes." in noted
    assert any(note.startswith("The labels 'very  good' and 'very good'") for note in noted)
    assert not any("Fine" in note for note in noted)


def test_classes_with_few_examples():
    labels = ["rare"] * 2 + ["common"] * 30 + ["usual"] * 28
    (note,) = data.load((X, labels)).notes
    assert note.startswith("This class has fewer than 5 training examples: 'rare' (")
    many = [str(number) for number in range(25)] * 2 + ["0"] * 10
    (note,) = data.load((X, many)).notes
    assert note.endswith(" and 14 more.")


def test_empty_and_cut_texts():
    assert list(encoding._on_lengths(np.array([0, 3, 5, 0]), 3)) == [
        "2 texts have no words.",
        "1 of 4 texts were cut to 3 words, 2 words in all.",
    ]


@pytest.mark.parametrize(("inputs", "noun"), [(X, "example"), (TEXTS, "text")])
def test_examples_with_several_labels(inputs, noun):
    again = [*inputs, *inputs[:3]]
    again = np.array(again) if inputs is X else again
    for labels, fragment in (
        ([*NAMES, "neg", "neg", "pos"], f"2 {noun}s have two labels."),
        ([*NAMES, "neg", "neg", "neg"], f"1 {noun} has two labels."),
    ):
        assert fragment in data.load((again, labels)).notes
    assert not any("labels" in note for note in data.load((again, [*NAMES, *NAMES[:3]])).notes)
    thrice = np.array([*again, inputs[0]]) if inputs is X else [*again, inputs[0]]
    noted = data.load(
        (
            thrice,
            [*(NAMES * 2)[:60], "pos", *NAMES[1:3], "third"]
            if noun == "text"
            else [*NAMES, "pos", *NAMES[1:3], "third"],
        )
    ).notes
    assert f"1 {noun} has up to 3 labels." in noted


def test_control_characters_of_windows():
    texts = [f"don\x92t {word}" if row < 3 else word for row, word in enumerate(TEXTS)]
    for tokenizer in ("words", "whitespace"):
        assert any(
            note.startswith("The texts hold 3 control characters (U+0080 to U+009F)") and "iconv -f cp1252" in note
            for note in data.load((texts, NAMES), tokenizer=tokenizer).notes
        )
    assert not any("control" in note for note in data.load(([f"a\x85{text}" for text in TEXTS], NAMES)).notes)


def test_words_that_mostly_occur_once():
    once = [f"{row}很好{row}吃 {row}x" for row in range(3000)]
    noted = data.load((once, ["a", "b"] * 1500), tokenizer="whitespace").notes
    assert any(note.startswith("6,000 of 6,000 words occur once, as where a script") for note in noted)
    assert not any("occur once" in note for note in data.load((TEXTS * 50, NAMES * 50)).notes)
