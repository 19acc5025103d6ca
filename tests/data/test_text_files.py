import gzip
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from jaxnets import data
from jaxnets.data import text_files
from jaxnets.data.text_files import FORMATS, Columns
from jaxnets.errors import UserError

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
    raw = text_files.read(path, Columns())
    assert raw.class_names == ("bad", "fair", "good")
    assert list(raw.splits) == ["train"]
    assert raw.splits["train"].inputs == [text for _, text in ROWS]
    assert raw.splits["train"].labels.tolist() == [2, 0, 2, 1]


def test_a_folder_has_splits_and_numbers_keep_their_order(tmp_path):
    write(tmp_path / "train.tsv", "sentence\tgrade\na\t10\nb\t2\nc\t0\n")
    write(tmp_path / "dev.csv", "sentence,grade\nx,2\n")
    write(tmp_path / "test.jsonl.gz", '{"grade": 10, "sentence": "y"}\n\n')
    raw = text_files.read(tmp_path, Columns("grade", "sentence"))
    assert raw.class_names == ("0", "2", "10")
    assert {name: split.labels.tolist() for name, split in raw.splits.items()} == {
        "train": [2, 1, 0],
        "dev": [1],
        "test": [2],
    }


def test_windows_files_and_line_breaks_in_quotes(tmp_path):
    write(tmp_path / "a.csv", b'\xef\xbb\xbflabel,text\r\nx,"two\r\nlines"\r\ny,b\r\n')
    raw = text_files.read(tmp_path / "a.csv", Columns())
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
    "header": (
        "train.tsv",
        "Label\ttext\n" + GOOD * 3,
        "train.tsv, line 1: this is a header: 1 'Label', 2 'text'. Give",
    ),
    "name before numbers": ("train.tsv", "kind\tof\n0\tx\n1\ty\n", "train.tsv, line 1: 'kind' is the header"),
    "header of one known word": ("train.tsv", "Label\tof\n" + GOOD * 3, "line 1: 'Label' is the header of a column"),
    "header of test": ("test.tsv", "label\ttext\n" + GOOD, "test.tsv, line 1: this is a header: 1 'label', 2 'text'"),
    "half a header of test": ("test.tsv", "label\tof\n" + GOOD, "the label 'label' is not one of the training"),
    "swapped": ("train.tsv", "".join(f"text {row}\ta\n" for row in range(30)), "30 examples have 30 different labels"),
    "text as label": ("train.tsv", "long text " * 30 + "\tpos\n", "line 1: the label 'long text long text ...'"),
    "open quote": ("dev.csv", 'label,text\na,"x\n', "dev.csv, line 2: not a .csv row: a quote is not closed"),
    "open quote before": (
        "dev.csv",
        'label,text\na,"x\nb,y\na,z\n',
        "dev.csv, line 4: not a .csv row, which begins in line 2: a quote is not closed",
    ),
    "backslash": (
        "dev.csv",
        'label,text\na,"x \\"y\\" z"\n',
        'dev.csv, line 2: not a .csv row: a quote within a cell is written twice (""), not as \\".',
    ),
    "old Mac": ("dev.csv", "label,text\ra,x\r", "dev.csv: its lines end in carriage returns alone, as on old Macs"),
    "backslash at the end": (
        "dev.csv",
        'label,text\na,"x \\""\nb,"y"\n',
        'line 3: not a .csv row, which begins in line 2: a quote within a cell is written twice (""), not as \\".',
    ),
    "half an old Mac": (
        "dev.csv",
        "label,text\na,x\rb,y\n",
        "line 2: not a .csv row: there is a carriage return outside",
    ),
    "Latin alphabet of Windows": (
        "dev.csv",
        b"label,text\na,it\x92s\n",
        "line 2: byte 5 is not UTF-8; convert the file",
    ),
    "joined": ("dev.tsv", "a\tx\ufeffb\ty\na\tx\n", "dev.tsv, line 1: a byte order mark within the line; were files"),
    "list": (
        "dev.jsonl",
        "[\n{}]",
        "dev.jsonl, line 1: not JSON: Expecting value: line 1 column 2 (char 1). A .jsonl file has",
    ),
    "columns of a .tsv": (
        "dev.tsv",
        "1\ta\tx\n2\tb\ty\n",
        "dev.tsv: there are 3 columns: 1 '1', 2 'a', 3 'x'. Give label",
    ),
    "index of a .tsv": ("dev.tsv", "\tkind\tof\n0\ta\tx\n", "dev.tsv: there are 3 columns: 1 '', 2 'kind', 3 'of'."),
    "no key": (
        "dev.jsonl",
        '{"label": "a", "txt": "x"}\n',
        "line 1: there is no key 'text' (text_column) among label, txt. Did",
    ),
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
        text_files.read(write(tmp_path / "mine.jsonl", rows), Columns())


def test_a_label_of_line_1_alone_is_noted(tmp_path):
    raw = text_files.read(write(tmp_path / "mine.tsv", "kind\tof\n" + GOOD * 3), Columns())
    assert raw.notes == ("The label 'kind' occurs only in line 1 of mine.tsv; is it a header?",)
    for usual in (GOOD * 3, "c\tx\nd\ty\n" + GOOD * 3, as_csv(ROWS)):
        form = ".csv" if usual.startswith("label,") else ".tsv"
        assert text_files.read(write(tmp_path / f"usual{form}", usual), Columns()).notes == ()


def test_notes_on_files_come_from_the_cache_too(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write(tmp_path / "mine.tsv", "kind\tof\n" + GOOD * 15)
    first, second = (data.load(str(path), folds=1).notes for _ in range(2))
    assert first == second
    assert "is it a header?" in first[0]


def test_labels_are_numbers_of_any_length(tmp_path):
    long = "9" * 190
    raw = text_files.read(write(tmp_path / "a.tsv", f"{long}\tx\n10\ty\n2\tz\n"), Columns())
    assert raw.class_names == ("2", "10", long)


def test_what_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        text_files.read(tmp_path / "private", Columns())


def test_what_is_not_there(tmp_path):
    write(tmp_path / "reviews.tsv", GOOD)
    for name, fragment in (
        (tmp_path / "review.tsv", "Did you mean"),
        (tmp_path / "none" / "such", "there is no file or folder"),
        (tmp_path, "has no training examples; it must hold train.tsv"),
    ):
        with pytest.raises(UserError, match=fragment):
            text_files.read(name, Columns())
    with pytest.raises(UserError, match=r"must end in \.tsv"):
        text_files.read(write(tmp_path / "a.xml", GOOD), Columns())
    write(tmp_path / "train.tsv", GOOD)
    write(tmp_path / "train.csv", GOOD)
    with pytest.raises(UserError, match=r"has both train\.tsv and train\.csv"):
        text_files.read(tmp_path, Columns())


TABLE = [("id", "stance", "comment"), ("7", "good", "the lamp"), ("8", "bad", "so\tso"), ("9", "good", "the end")]


def table(form, rows, separator="\t"):
    if form == ".jsonl":
        return "".join(json.dumps(dict(zip(TABLE[0], row, strict=True))) + "\n" for row in rows[1:])
    return "".join(separator.join(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("form", "separator"), [(".tsv", "\t"), (".csv", ","), (".csv", ";"), (".csv", "|"), (".jsonl", "")]
)
def test_named_columns_are_found_in_every_format_or_refused(tmp_path, form, separator):
    path = write(tmp_path / f"mine{form}", table(form, TABLE, separator))
    raw = text_files.read(path, Columns("stance", "comment"))
    assert raw.class_names == ("bad", "good")
    assert raw.splits["train"].inputs == ["the lamp", "so\tso", "the end"]
    for columns, fragment in (
        (Columns("stand", "comment"), "Did you mean 'stance'?"),
        (Columns("stance"), "there is no (column|key) 'text'.* among id, stance, comment"),
        (Columns("", "comment"), "there is no (column|key) 'label'.* among id, stance, comment"),
    ):
        with pytest.raises(UserError, match=fragment):
            text_files.read(path, columns)


@pytest.mark.parametrize(("form", "separator"), [(".tsv", "\t"), (".csv", ","), (".csv", ";")])
def test_columns_without_a_header_are_numbered_from_1(tmp_path, form, separator):
    path = write(tmp_path / f"mine{form}", table(form, TABLE[1:], separator))
    raw = text_files.read(path, Columns("2", "3"))
    assert raw.class_names == ("bad", "good")
    assert raw.splits["train"].inputs == ["the lamp", "so\tso", "the end"]
    for columns, fragment in (
        (Columns("0", "1"), "line 1: there is no column 0 among these: 1 '7', 2 'good'"),
        (Columns("2", "4"), "line 1: there is no column 4 among these: 1 '7', 2 'good', 3 'the lamp'"),
        (Columns("stance", "comment"), "line 1: there is no column 'stance' among 7, good, the lamp.*numbers from 1"),
        (Columns("2", "02"), "label_column and text_column are both column 2"),
    ):
        with pytest.raises(UserError, match=fragment):
            text_files.read(path, columns)


def test_numbers_for_a_file_that_has_a_header(tmp_path):
    path = write(tmp_path / "mine.csv", "id,label,text\n1,a,x\n2,b,y\n")
    with pytest.raises(UserError, match=r"mine.csv, line 1: this is a header: 1 'id', 2 'label', 3 'text'"):
        text_files.read(path, Columns("2", "3"))


def test_tabs_are_of_the_text_where_lines_differ_in_their_number(tmp_path):
    raw = text_files.read(write(tmp_path / "a.tsv", "a\tso\tso\nb\ty\n"), Columns())
    assert raw.splits["train"].inputs == ["so\tso", "y"]
    with pytest.raises(UserError, match="all rows have 3 columns, but the header has 2"):
        text_files.read(write(tmp_path / "b.tsv", "x\ty\na\tso\tso\nb\ty\tz\n"), Columns("x", "y"))
    with pytest.raises(UserError, match="line 2: there are 2 columns, but the first row has 3"):
        text_files.read(write(tmp_path / "a.tsv", "a\tso\tso\nb\ty\n"), Columns("1", "2"))


@pytest.mark.parametrize("form", FORMATS)
def test_the_text_is_not_the_label(tmp_path, form):
    path = write(tmp_path / f"mine{form}", CONTENT[form])
    for columns in ({"text_column": "label"}, {"label_column": "text"}, {"label_column": "x", "text_column": " x"}):
        with pytest.raises(UserError, match="label_column: the label and the text are both"):
            data.load(str(path), **columns)


@pytest.mark.parametrize(
    "content",
    [
        "sep=,\nlabel,text\na,x\nb,y\n",
        "sep=;\nlabel;text\na;x\nb;y\n",
        "label, text\na,x\nb,y\n",
        '"label", "text"\na, "x"\nb, y\n',
        "label\ttext\na\tx\nb\ty\n",
        "\ufefflabel,text\na,x\n\ufefflabel,text\nb,y\n",
    ],
    ids=[
        "Excel's line",
        "its semicolon",
        "spaces in the header",
        "spaces before quotes",
        "tabs",
        "two files of Excel joined",
    ],
)
def test_habits_of_others_in_csv_files(tmp_path, content):
    raw = text_files.read(write(tmp_path / "a.csv", content), Columns())
    assert raw.class_names == ("a", "b")
    assert raw.splits["train"].inputs == ["x", "y"]


def test_byte_order_marks_begin_no_label(tmp_path):
    raw = text_files.read(write(tmp_path / "a.tsv", "\ufeffa\tx\nb\ty\n\ufeffa\tz\n"), Columns())
    assert raw.class_names == ("a", "b")


def test_texts_may_be_as_long_as_a_line(tmp_path):
    text = "x" * 1_048_500
    for form, content in ((".csv", f"label,text\na,{text}\nb,y\n"), (".tsv", f"a\t{text}\nb\ty\n")):
        assert text_files.read(write(tmp_path / f"a{form}", content), Columns()).splits["train"].inputs == [text, "y"]
    with pytest.raises(UserError, match="line 2: the line is longer"):
        text_files.read(write(tmp_path / "a.csv", f"label,text\na,{text * 2}\n"), Columns())


@pytest.mark.parametrize("form", [".csv", ".tsv.gz"])
@pytest.mark.parametrize(
    ("dev", "test"), [("validation", "testing"), ("valid", "eval"), ("val", "evaluation"), ("Dev", "Test")]
)
def test_a_split_has_the_names_that_are_usual(tmp_path, dev, test, form):
    for name in ("train", dev, test):
        write(tmp_path / f"{name}{form}", GOOD if ".tsv" in form else "label,text\na,x\nb,y\n")
    raw = text_files.read(tmp_path, Columns())
    assert list(raw.splits) == ["train", "dev", "test"]
    assert raw.notes == ()
    write(tmp_path / ("dev.jsonl" if dev != "Dev" else "val.jsonl"), "")
    with pytest.raises(UserError, match=r"has both .* keep one"):
        text_files.read(tmp_path, Columns())


def test_files_that_are_not_read_are_noted(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    for name in ("train", "test"):
        write(tmp_path / "set" / f"{name}.tsv", GOOD * 10)
    load = partial(text_files.load, tmp_path / "set")
    assert not any("Not read" in note for note in load()[0].notes)
    write(tmp_path / "set" / "holdout.csv", "")
    write(tmp_path / "set" / "extra.jsonl.gz", "")
    write(tmp_path / "set" / "README.md", "")
    assert load()[0].notes[0] == "Not read, as no split is called so: holdout.csv, extra.jsonl.gz."
    (tmp_path / "set" / "train.tsv").unlink()
    with pytest.raises(UserError, match=r"no training examples.* Not read, as no split is called so: holdout\.csv"):
        load()
