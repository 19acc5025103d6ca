"""What is valid, but may not be what was meant, is noted with the data set."""

import numpy as np
import pytest

from jaxnets import data
from jaxnets.data import encoding

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
