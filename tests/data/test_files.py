import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from jaxnets import data
from jaxnets.basics.errors import UserError
from jaxnets.data import files
from jaxnets.data.file_rows import FORMATS, Columns

ROWS = [("good", "I like it, truly"), ("bad", 'so "dull"'), ("good", ""), ("fair", "naïve — fine")]


def write(path, content):
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def as_csv(rows, header="label,text"):
    quoted = ['{},"{}"'.format(label, text.replace('"', '""')) for label, text in rows]
    return "\n".join([header, *quoted]) + "\n"


CONTENT = {
    ".tsv": "".join(f"{label}\t{text}\n" for label, text in ROWS),
    ".csv": as_csv(ROWS),
    ".jsonl": "".join(json.dumps({"label": label, "text": text}) + "\n" for label, text in ROWS),
}


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("form", FORMATS)
def test_each_format_gives_the_same(tmp_path, form, packed):
    path = write(tmp_path / f"mine{form}{packed}", CONTENT[form])
    raw = files.read(path, Columns())
    assert raw.class_names == ("bad", "fair", "good")
    assert list(raw.splits) == ["train"]
    assert raw.splits["train"].inputs == [text for _, text in ROWS]
    assert raw.splits["train"].labels.tolist() == [2, 0, 2, 1]


def test_a_folder_has_splits_and_numbers_keep_their_order(tmp_path):
    write(tmp_path / "train.tsv", "10\ta\n2\tb\n0\tc\n")
    write(tmp_path / "dev.csv", "sentence,grade\nx,2\n")
    write(tmp_path / "test.jsonl.gz", '{"grade": 10, "sentence": "y"}\n\n')
    raw = files.read(tmp_path, Columns("grade", "sentence"))
    assert raw.class_names == ("0", "2", "10")
    assert {name: split.labels.tolist() for name, split in raw.splits.items()} == {
        "train": [2, 1, 0],
        "dev": [1],
        "test": [2],
    }


def test_windows_files_and_line_breaks_in_quotes(tmp_path):
    write(tmp_path / "a.csv", b'\xef\xbb\xbflabel,text\r\nx,"two\r\nlines"\r\ny,b\r\n')
    raw = files.read(tmp_path / "a.csv", Columns())
    assert raw.splits["train"].inputs == ["two\nlines", "b"]


GOOD = "a\tx\nb\ty\n"
MISTAKES = {
    "no tab": ("train.tsv", GOOD + "c z\n", "train.tsv, line 3: there is no tab"),
    "unknown label": ("test.tsv", "a\tx\nc\ty\n", "test.tsv, line 2: the label 'c' is not one of the training set's"),
    "one class": ("train.tsv", "a\tx\na\ty\n", "all labels are 'a'"),
    "empty": ("train.tsv", "", "train.tsv: the file is empty"),
    "empty gz": ("dev.tsv.gz", "", "dev.tsv.gz: the file is empty"),
    "empty label": ("train.tsv", GOOD + " \tz\n", "train.tsv, line 3: the label is empty"),
    "latin-1": ("dev.tsv", b"a\tx\nb\tcaf\xe9\n", "dev.tsv, line 2: byte 6 is not UTF-8"),
    "cut off": ("dev.tsv.gz", None, "dev.tsv.gz, after line"),
    "not gzip": ("dev.tsv.gz", b"plain", "damaged or cut off"),
    "long line": ("dev.tsv", "a\tx\na\t" + "long " * 2_000_000 + "\n", "dev.tsv, line 2: the line is longer than"),
    "zero byte": ("dev.tsv", "a\tx\0\n", "dev.tsv, line 1: there is a zero byte"),
    "no column": ("dev.csv", "label,body\na,x\n", "dev.csv, line 1: there is no column 'text' among label, body"),
    "short row": ("dev.csv", "label,text\na,x\nb\n", "dev.csv, line 3: there are 1 columns"),
    "long row": (
        "dev.csv",
        "label,text\na,x\nb,good, but long\n",
        'dev.csv, line 3: there are 3 columns, but the header has 2; a text with a comma must be quoted: "so, so"',
    ),
    "column twice": ("dev.csv", "label,text,text\na,x,y\n", "dev.csv, line 1: there are 2 columns 'text'"),
    "header": ("train.tsv", "Label\ttext\n" + GOOD * 3, "train.tsv, line 1: 'Label' is the header of a column"),
    "name before numbers": ("train.tsv", "kind\tof\n0\tx\n1\ty\n", "train.tsv, line 1: 'kind' is the header"),
    "header of test": ("test.tsv", "label\ttext\n" + GOOD, "line 1: the label 'label' is not one of the training"),
    "swapped": (
        "train.tsv",
        "".join(f"text {row}\ta\n" for row in range(30)),
        "30 examples have 30 different labels",
    ),
    "text as label": (
        "train.tsv",
        "long text " * 30 + "\tpos\n",
        "line 1: the label 'long text long text ...'",
    ),
    "open quote": ("dev.csv", 'label,text\na,"x\n', "dev.csv, line 2: not a .csv row"),
    "no key": ("dev.jsonl", '{"label": "a"}\n', "dev.jsonl, line 1: there is no key 'text'"),
    "no JSON": ("dev.jsonl", '{"label": "a", "text": "x"}\n{"lab\n', "dev.jsonl, line 2: not JSON"),
    "no object": ("dev.jsonl", "[1]\n", "dev.jsonl, line 1: must be an object"),
    "number as text": ("dev.jsonl", '{"label": "a", "text": 3}\n', "dev.jsonl, line 1: the text must be a string"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_in_one_line_with_file_and_line(tmp_path, mistake):
    name, content, fragment = MISTAKES[mistake]
    write(tmp_path / "train.tsv", GOOD)
    if content is None:
        random = np.random.default_rng(0).integers(97, 122, 3000, dtype=np.uint8).tobytes()
        (tmp_path / name).write_bytes(gzip.compress(b"a\tx\nb\t" + random + b"\n")[:-200])
    elif name == "dev.tsv.gz" and content == b"plain":
        (tmp_path / name).write_bytes(content)
    else:
        write(tmp_path / name, content)
    with pytest.raises(UserError) as error:
        data.load_folds(f"{tmp_path}/")
    assert fragment in str(error.value)
    assert "\n" not in str(error.value)


def test_columns_that_are_swapped_are_named_by_flags(tmp_path):
    rows = "".join(f'{{"label": "text {row}", "text": "pos"}}\n' for row in range(30))
    with pytest.raises(UserError, match="Are the columns swapped\\? Name them by label_column and text_column"):
        files.read(write(tmp_path / "mine.jsonl", rows), Columns())


def test_a_label_of_line_1_alone_is_noted(tmp_path):
    raw = files.read(write(tmp_path / "mine.tsv", "kind\tof\n" + GOOD * 3), Columns())
    assert raw.notes == ("The label 'kind' occurs only in line 1 of mine.tsv; is it a header?",)
    for usual in (GOOD * 3, "c\tx\nd\ty\n" + GOOD * 3, as_csv(ROWS)):
        form = ".csv" if usual.startswith("label,") else ".tsv"
        assert files.read(write(tmp_path / f"usual{form}", usual), Columns()).notes == ()


def test_notes_on_files_come_from_the_cache_too(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write(tmp_path / "mine.tsv", "kind\tof\n" + GOOD * 15)
    first, second = (data.load(str(path), folds=1).notes for _ in range(2))
    assert first == second
    assert "is it a header?" in first[0]


def test_labels_are_numbers_of_any_length(tmp_path):
    long = "9" * 190
    raw = files.read(write(tmp_path / "a.tsv", f"{long}\tx\n10\ty\n2\tz\n"), Columns())
    assert raw.class_names == ("2", "10", long)


def test_what_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        files.read(tmp_path / "private", Columns())


def test_what_is_not_there(tmp_path):
    write(tmp_path / "reviews.tsv", GOOD)
    for name, fragment in (
        (tmp_path / "review.tsv", "Did you mean"),
        (tmp_path / "none" / "such", "there is no file or folder"),
        (tmp_path, "has no training examples; it must hold train.tsv"),
    ):
        with pytest.raises(UserError, match=fragment):
            files.read(name, Columns())
    with pytest.raises(UserError, match=r"must end in \.tsv"):
        files.read(write(tmp_path / "a.xml", GOOD), Columns())
    write(tmp_path / "train.tsv", GOOD)
    write(tmp_path / "train.csv", GOOD)
    with pytest.raises(UserError, match=r"has both train\.tsv and train\.csv"):
        files.read(tmp_path, Columns())
