"""The user's own texts: a folder with `train`, `dev` and `test`, or one file, as .tsv, .csv or .jsonl, plain or .gz."""

import csv
import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxnets import io
from jaxnets.data import files
from jaxnets.data.dataset import Dataset, Split, class_names, listed_some, unknown_label
from jaxnets.data.encoding import Encoding, RawDataset, assemble_texts, cached, keywords
from jaxnets.data.splits import Splitting
from jaxnets.errors import UserError, nearest, printable
from jaxnets.io import LONGEST_LABEL, LONGEST_LINE

FORMATS = (".tsv", ".csv", ".jsonl")
SPLITS = {
    "train": ("train", "training"),
    "dev": ("dev", "val", "valid", "validation"),
    "test": ("test", "testing", "eval", "evaluation"),
    "all": ("all",),
}
"""What the file of a split may be called; `all` stands for train, of which the others are drawn."""
# fmt: off
HEADERS = (
    "body", "category", "class", "class_label", "comment", "content", "document", "gold_label", "id", "idx", "index",
    "intent", "label", "labels", "message", "polarity", "rating", "review", "score", "sentence", "sentiment", "stars",
    "target", "text", "title", "topic", "tweet", "utterance",
)
# fmt: on
_NOT_LINES = (".json", ".jsonlines", ".ndjson", ".parquet", ".psv", ".tab", ".xls", ".xlsx", ".xml")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_NOT_READ = "Not read, as no split is called so: {}."
_NAME_THEM = "Give label_column and text_column: names in the header, or numbers from 1 if there is none."


@dataclass(frozen=True)
class Columns:
    """Which columns of a file, or keys of a .jsonl file, hold label and text.

    Each is a name in the header, or a number from 1. If both are numbers, there is no header. Where neither is given,
    they are `label` and `text`, and a .tsv file, which then has no header, holds the label before the first tab.
    """

    label: str | None = ""
    text: str = ""
    labelled: bool = True

    def __post_init__(self) -> None:
        """Refuses one column for both: what is learned would be the label itself."""
        label, text = self.names
        if label == text:
            raise UserError(f"label_column: the label and the text are both '{label}'; name two different columns.")

    @property
    def names(self) -> tuple[str, str]:
        """Of the label and of the text."""
        return (self.label or "").strip() or "label", self.text.strip() or "text"

    def in_header(self, form: str) -> bool:
        """Whether a file of a format has a header in which they are named."""
        if form == ".jsonl" or (form == ".tsv" and not (self.label or self.text)):
            return form == ".jsonl"
        return not all(map(_is_number, self.names if self.labelled or self.label else self.names[1:]))

    def may_lack(self, names: Collection[str]) -> bool:
        """Whether no label is read from a file with columns or keys of these names."""
        return self.label is None or not (self.labelled or self.label or self.names[0] in names)


class Row(NamedTuple):
    """An example as its file has it; the label has no white space around it, and may have been a number of JSON."""

    line: int
    label: str
    text: str
    is_number: bool = False


@keywords(splitting=Splitting(), encoding=Encoding())
def load(
    path: Path, label_column: str = "", text_column: str = "", *, splitting: Splitting, encoding: Encoding
) -> tuple[Dataset, ...]:
    """The texts of a folder or file; the folds of a cross-validation if there is no test split."""
    columns = Columns(label_column, text_column)
    sources, unread = files_of(path)
    options = (path.name, columns, unread)
    tokenized = cached(list(sources.values()), options, encoding.splitter, lambda: read(path, columns))
    return assemble_texts(tokenized, splitting, encoding)


def read(path: Path, columns: Columns) -> RawDataset:
    """Reads a data set: the texts as they are, the labels as numbers.

    Labels that are whole numbers are numbered in numerical order, all others in alphabetical order.
    """
    sources, unread = files_of(path)
    rows = {split: read_rows(file, columns) for split, file in sources.items()}
    labels = [row.label for row in rows["train"]]
    notes = [_NOT_READ.format(listed_some(unread))] if unread else []
    if not columns.in_header(format_of(sources["train"])):
        notes += _on_header(labels, sources["train"])
    hint = " Are the columns swapped? Name them by label_column and text_column, or number them from 1."
    names = class_names(labels, str(sources["train"]), hint)
    numbers, splits = {name: number for number, name in enumerate(names)}, {}
    for split, of_split in rows.items():
        for row in of_split:
            if row.label not in numbers:
                header = row.line == 1 and row.label.casefold() in HEADERS
                hint = " Is it a header? Give label_column and text_column the names of columns." if header else ""
                raise unknown_label(f"{sources[split]}, line {row.line}", row.label, names, hint)
        of_rows = np.array([numbers[row.label] for row in of_split], np.int32)
        splits[split] = Split([row.text for row in of_split], of_rows)
    label_type = "int" if all(row.is_number for row in rows["train"]) else "str"
    return RawDataset(printable(path.name or path.resolve().name), names, splits, tuple(notes), label_type)


def is_path(name: str) -> bool:
    """Whether the name of a data set is that of a file or folder.

    >>> is_path("reviews/"), is_path("mine.csv.gz"), is_path("digits"), is_path("my_lab.data:load")
    (True, True, False, False)
    """
    if "/" in name or name.removesuffix(".gz").endswith(FORMATS):
        return True
    try:
        return ":" not in name and Path(name).exists()
    except (OSError, ValueError):  # such as a name that is too long, or has a zero byte
        return False


def format_of(path: Path) -> str:
    """The format of a file, such as `.tsv`.

    >>> format_of(Path("reviews/train.tsv.gz"))
    '.tsv'
    """
    return Path(path.name.removesuffix(".gz")).suffix


def files_of(path: Path) -> tuple[dict[str, Path], list[str]]:
    """The file of each split, and the names of a folder's files that have a known form, but no name of a split."""
    with io.file_errors(path, "read", "dataset"):
        if path.is_file():
            if format_of(path) not in FORMATS:
                raise UserError(f"dataset: '{path}' must end in {', '.join(FORMATS)}, or these with .gz.")
            return {"train": path}, []
        if not path.is_dir():
            if path.exists():
                raise UserError(f"dataset: '{path}' is neither a file nor a folder.")
            beside = itertools.islice(path.parent.iterdir(), 1000) if path.parent.is_dir() else ()
            nearby = nearest(str(path), [str(path.parent / one.name) for one in beside])
            raise UserError(f"dataset: there is no file or folder '{path}'.{nearby}")
        known = [file for file in path.iterdir() if format_of(file) in FORMATS and not file.name.startswith(".")]
        known = sorted(filter(Path.is_file, known), key=lambda file: (FORMATS.index(format_of(file)), file.name))
    of_name = {name: split for split, names in SPLITS.items() for name in names}
    found: dict[str, Path] = {}
    unread = []
    for file in known:
        split = of_name.get(file.name.removesuffix(".gz").removesuffix(format_of(file)).lower())
        if split is None:
            unread.append(file.name)
        elif (first := found.setdefault("train" if split == "all" else split, file)) != file:
            raise UserError(f"dataset: '{path}' has both {first.name} and {file.name}; keep one.")
    if "train" not in found:
        forms, others = ", ".join(f"train{form}" for form in FORMATS), ""
        if unread:
            others = f" {_NOT_READ.format(listed_some(unread))}"
        raise UserError(
            f"dataset: '{path}' has no training examples; it must hold {forms}, or all.tsv (.gz too).{others}"
        )
    return {split: found[split] for split in SPLITS if split in found}, unread


def _on_header(labels: Sequence[str], path: Path) -> Iterator[str]:
    """A note if the label of the first line may be a header: it occurs nowhere else, and all others occur again."""
    first, counts = labels[0], Counter(labels)
    if counts.pop(first) > 1 or not counts:
        return
    whole = re.compile(r"-?[0-9]+")
    if first.casefold() in HEADERS or (not whole.fullmatch(first) and all(map(whole.fullmatch, counts))):
        raise UserError(
            f"{path}, line 1: '{first}' is the header of a column and no label; give label_column and text_column the "
            f"names of columns."
        )
    if min(counts.values()) > 1:
        yield f"The label '{first}' occurs only in line 1 of {path.name}; is it a header?"


def asked_rows(path: Path, text_column: str = "", label_column: str | None = None) -> list[Row]:
    """The rows of a file that a model is asked about; of a file in none of the formats, each line is a text."""
    form = format_of(path)
    if form in FORMATS:
        label = None if label_column == "" else label_column or ""
        return read_rows(path, Columns(label, text_column, labelled=False))
    if form.lower() in (*FORMATS, *_NOT_LINES):
        raise UserError(
            f"file: '{io.shown(path)}' is in no form that is read: {', '.join(FORMATS)}, or these with .gz, or a "
            f"text in each line, as in a .txt."
        )
    if text_column or label_column:
        name = "text_column" if text_column else "label_column"
        raise UserError(f"{name}: '{io.shown(path)}' has no columns; each of its lines is a text.")
    return [Row(number, "", text) for number, text in files.lines(path, "file")]


def read_rows(path: Path, columns: Columns) -> list[Row]:
    """The rows of a file, in order."""
    readers = {".tsv": _tsv, ".csv": _csv, ".jsonl": _jsonl}
    rows = list(readers[format_of(path)](path, files.lines(path), columns))
    if not rows:
        what = "a label and a text" if columns.labelled else "a text"
        raise UserError(f"{path}: the file is empty; it must have {what} in each line.")
    return rows


def _tsv(path: Path, source: Iterator[tuple[int, str]], columns: Columns) -> Iterator[Row]:
    """The rows of a table if columns are named; otherwise labels before the first tab, and texts behind it."""
    start, line = next(source, (0, ""))
    if not start:
        return
    first, source = line.split("\t"), itertools.chain([(start, line)], source)
    if not columns.labelled and not columns.label and columns.names[1] in _stripped(first):  # a header
        columns = replace(columns, text=columns.names[1])
    if columns.label or columns.text:
        yield from _table(path, ((number, line.split("\t")) for number, line in source), columns, "\t")
        return
    _check_no_header(first, f"{path}, line {start}")
    of_texts = not columns.labelled and len(first) == 1
    if of_texts and first[0].strip().casefold() in HEADERS:
        raise UserError(f"{path}, line {start}: this is a header: '{first[0].strip()}'. Give it as text_column.")
    widths = set()
    for number, line in source:
        label, tab, text = line.partition("\t")
        if of_texts and tab:
            raise UserError(f"{path}, line {number}: there is a tab, but in the line before there is none.")
        if not of_texts and not tab:
            raise UserError(f"{path}, line {number}: there is no tab; a line is a label, a tab, and a text.")
        widths.add(line.count("\t") + 1)
        if widths == {len(first)} != {2} and not of_texts and not 0 < len(label.strip()) <= LONGEST_LABEL:
            break
        if "\ufeff" in text and "\t" in text[text.index("\ufeff") :]:
            raise UserError(
                f"{path}, line {number}: a byte order mark within the line; were files joined without a line break?"
            )
        yield Row(number, "", line) if of_texts else Row(number, _label(label, path, number, columns), text)
    if widths == {len(first)} != {2} and not of_texts:
        raise UserError(
            f"{path}: there are {len(first)} columns: {_listed(first)}. Give label_column and text_column: their "
            f"numbers, or their names if line 1 is a header."
        )


def _csv(path: Path, source: Iterator[tuple[int, str]], columns: Columns) -> Iterator[Row]:
    number, first = next(source, (0, ""))
    if not number:
        return

    def has_columns(separator: str) -> bool:
        try:
            _places(next(csv.reader([first], delimiter=separator, skipinitialspace=True)), columns, ".csv", "")
        except (UserError, csv.Error):
            return False
        return True

    if first.startswith("sep=") and first[4:] in _SEPARATORS:  # Excel's own
        separator = first[4:]
    else:
        separator = next(filter(has_columns, _SEPARATORS), max(_SEPARATORS, key=first.count))
        source = itertools.chain([(number, first)], source)
    spaced = separator in first and first.count(separator) == first.count(f"{separator} ")
    read: list[tuple[int, str]] = []  # the lines of a row

    def lines() -> Iterator[str]:
        for line in source:
            read.append(line)
            yield line[1] + "\n"

    def cells() -> Iterator[tuple[int, list[str]]]:
        """The rows, each with its last line."""
        for found in csv.reader(lines(), delimiter=separator, skipinitialspace=spaced, strict=True):
            if found:
                yield read[-1][0], found
            read.clear()

    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
    try:
        yield from _table(path, cells(), columns, separator)
    except csv.Error as error:
        (begin, _), (last, _) = read[0], read[-1]
        since = f", which begins in line {begin}" if last > begin else ""
        is_escaped = any('\\"' in line for _, line in read)
        told = {  # what the csv module says, as a user can mend it
            "expected after": 'a quote within a cell is written twice ("")' + (', not as \\"' if is_escaped else ""),
            "unexpected end": "a quote is not closed",
            "field limit": "a quote is not closed",
            "new-line": "there is a carriage return outside of quotes; the lines of a text file end in line feeds",
        }
        reason = next((words for part, words in told.items() if part in str(error)), str(error))
        raise UserError(f"{path}, line {last}: not a .csv row{since}: {reason}.") from None


def _table(path: Path, rows: Iterator[tuple[int, list[str]]], columns: Columns, separator: str) -> Iterator[Row]:
    """The examples of rows of cells, of which the first may be a header."""
    begin, first = next(rows, (0, []))
    if not begin:
        return
    form = format_of(path)
    label, text = _places(first, columns, form, f"{path}, line {begin}")
    header = _stripped(first) if columns.in_header(form) else []
    if not header:
        _check_no_header(first, f"{path}, line {begin}")
        rows = itertools.chain([(begin, first)], rows)
    widths = set()
    for number, cells in rows:
        widths.add(len(cells))
        if form == ".tsv" and text == len(first) - 1 and len(cells) > len(first):  # tabs within the text
            cells[text:] = ["\t".join(cells[text:])]
        least = len(first) if form == ".tsv" else max(text, text if label is None else label) + 1
        if not least <= len(cells) <= len(first):
            hint = ""
            if len(cells) > len(first) and form == ".csv":
                hint = f'; a text with a {_SEPARATORS[separator]} must be quoted: "so{separator} so"'
            raise UserError(
                f"{path}, line {number}: there are {len(cells)} columns, but the {'header' if header else 'first row'} "
                f"has {len(first)}{hint}."
            )
        if len(header) < 2 or _stripped(cells) != header:  # else another file was joined to the first
            yield Row(number, "" if label is None else _label(cells[label], path, number, columns), cells[text])
    if len(widths) == 1 and min(widths) > len(first):
        raise UserError(f"{path}: all rows have {min(widths)} columns, but the header has {len(first)}.")


def _places(first: Sequence[str], columns: Columns, form: str, where: str) -> tuple[int | None, int]:
    """The places of label and text in the cells of the first row; None where no label is read."""
    header = _stripped(first) if columns.in_header(form) else []

    def place(name: str) -> int:
        if header.count(name) > 1:
            raise UserError(f"{where}: there are {header.count(name)} columns '{name}'; rename all but one.")
        if name in header:
            return header.index(name)
        if _is_number(name) and 1 <= int(name) <= len(first):
            return int(name) - 1
        if _is_number(name):
            raise UserError(f"{where}: there is no column {name} among these: {_listed(first)}.")
        listed = ", ".join(_shortened(header)) or "none"
        raise UserError(f"{where}: there is no column '{name}' among {listed}.{nearest(name, header)} {_NAME_THEM}")

    label = None if columns.may_lack(header) else place(columns.names[0])
    text = place(columns.names[1])
    if label == text:
        raise UserError(f"{where}: label_column and text_column are both column {text + 1}.")
    return label, text


def _jsonl(path: Path, source: Iterator[tuple[int, str]], columns: Columns) -> Iterator[Row]:
    label_name, text_name = columns.names
    for number, line in source:
        where = f"{path}, line {number}"
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            hint = " A .jsonl file has an object in each line, and no list around them." if line[:1] == "[" else ""
            raise UserError(f"{where}: not JSON: {error}.{hint}") from None
        if not isinstance(content, dict):
            raise UserError(f"{where}: must be an object with '{label_name}' and '{text_name}'.")
        lacks_label = columns.may_lack(content)
        for name, field in ((text_name, "text_column"), *([] if lacks_label else [(label_name, "label_column")])):
            if name not in content:
                listed = ", ".join(_shortened(list(content))) or "none"
                raise UserError(f"{where}: there is no key '{name}' ({field}) among {listed}.{nearest(name, content)}")
        label, text = "" if lacks_label else content[label_name], content[text_name]
        label = "" if label is None and not columns.labelled else label
        if not isinstance(text, str) or isinstance(label, bool) or not isinstance(label, str | int):
            raise UserError(f"{where}: the text must be a string, the label a string or a whole number.")
        if _SURROGATE.search(text + str(label)):
            raise UserError(f"{where}: there is half a character, a lone surrogate such as \\ud800.")
        yield Row(number, _label(str(label), path, number, columns), text, isinstance(label, int))


def _label(text: str, path: Path, line: int, columns: Columns) -> str:
    if columns.label is None:
        return ""
    label = text.strip()
    if not label and columns.labelled:
        raise UserError(f"{path}, line {line}: the label is empty.")
    if len(label) > LONGEST_LABEL:
        raise UserError(
            f"{path}, line {line}: the label '{label[:20]}...' has {len(label):,} characters; "
            f"are label and text swapped?"
        )
    return sys.intern(label)  # there are many rows, and few classes


def _check_no_header(first: Sequence[str], where: str) -> None:
    """Checks that a first row is not several usual names of columns."""
    if sum(cell.casefold() in HEADERS for cell in _stripped(first)) > 1:
        raise UserError(
            f"{where}: this is a header: {_listed(first)}. Give label_column and text_column the names of its columns."
        )


def _is_number(name: str) -> bool:
    """Whether a name is that of a column by its number."""
    return name.isascii() and name.isdigit() and len(name) < 6


def _stripped(cells: Iterable[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def _listed(cells: Sequence[str]) -> str:
    return ", ".join(f"{number} '{cell}'" for number, cell in enumerate(_shortened(cells), 1))


def _shortened(cells: Sequence[str]) -> list[str]:
    cut = [cell if len(cell) <= 40 else f"{cell[:40]}..." for cell in cells[:20]]
    return cut + ["..."] * (len(cells) > 20)
