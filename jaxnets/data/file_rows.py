"""The rows of a .tsv, .csv or .jsonl file, plain or .gz, each with its line number."""

import csv
import itertools
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jaxnets.data import text_lines
from jaxnets.errors import UserError, nearest
from jaxnets.io import LONGEST_LABEL, LONGEST_LINE, shown

FORMATS = (".tsv", ".csv", ".jsonl")
_NOT_LINES = (".json", ".jsonlines", ".ndjson", ".parquet", ".psv", ".tab", ".xls", ".xlsx", ".xml")
# fmt: off
HEADERS = (
    "body", "category", "class", "class_label", "comment", "content", "document", "gold_label", "id", "idx", "index",
    "intent", "label", "labels", "message", "polarity", "rating", "review", "score", "sentence", "sentiment", "stars",
    "target", "text", "title", "topic", "tweet", "utterance",
)
# fmt: on
_SURROGATE = re.compile("[\ud800-\udfff]")
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_MOST_LISTED, _LONGEST_LISTED = 20, 40  # columns, and characters of a cell


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
        if form == ".tsv" and not (self.label or self.text):
            return False
        return not all(map(_is_number, self.names if self.labelled or self.label else self.names[1:]))

    def may_lack(self, names: Collection[str]) -> bool:
        """Whether no label is read from a file with columns or keys of these names."""
        return self.label is None or not (self.labelled or self.label or self.names[0] in names)


@dataclass(frozen=True, slots=True)
class Row:
    """An example as its file has it; the label has no white space around it, and may have been a number of JSON."""

    line: int
    label: str
    text: str
    is_number: bool = False


def read_rows(path: Path, columns: Columns) -> list[Row]:
    """The rows of a file, in order."""
    return list(rows_of(path, columns))


def rows_of(path: Path, columns: Columns) -> Iterator[Row]:
    """The rows of a file, in order, one at a time; see `read_rows`."""
    readers = {".tsv": _tsv, ".csv": _csv, ".jsonl": _jsonl}
    is_empty = True
    for row in readers[format_of(path)](path, text_lines.read(path), columns):
        is_empty = False
        yield row
    if is_empty:
        what = "a label and a text" if columns.labelled else "a text"
        raise UserError(f"{path}: the file is empty; it must have {what} in each line.")


def asked_rows(path: Path, text_column: str = "", label_column: str | None = None) -> list[Row]:
    """The rows of a file that a model is asked about; of a file in none of the formats, each line is a text."""
    form = format_of(path)
    if form in FORMATS:
        label = None if label_column == "" else label_column or ""
        return read_rows(path, Columns(label, text_column, labelled=False))
    if form.lower() in (*FORMATS, *_NOT_LINES):
        raise UserError(
            f"file: '{shown(path)}' is in no form that is read: {', '.join(FORMATS)}, or these with .gz, or a text in "
            f"each line, as in a .txt."
        )
    if text_column or label_column:
        name = "text_column" if text_column else "label_column"
        raise UserError(f"{name}: '{shown(path)}' has no columns; each of its lines is a text.")
    return lines_of(text_lines.read(path, "file"))


def lines_of(lines: Iterable[tuple[int, str]]) -> list[Row]:
    """Lines as rows without labels."""
    return [Row(number, "", text) for number, text in lines]


def format_of(path: Path) -> str:
    """The format of a file, such as `.tsv`.

    >>> format_of(Path("reviews/train.tsv.gz"))
    '.tsv'
    """
    return Path(path.name.removesuffix(".gz")).suffix


def _tsv(path: Path, lines: Iterator[tuple[int, str]], columns: Columns) -> Iterator[Row]:
    if columns.label or columns.text:
        yield from _table(path, ((number, line.split("\t")) for number, line in lines), columns, "\t")
        return
    if not columns.labelled:
        number, line = next(lines, (0, ""))
        first_cells, lines = _stripped(line.split("\t")), itertools.chain([(number, line)] if number else [], lines)
        if columns.names[1] in first_cells:  # a header
            columns = replace(columns, text=columns.names[1])
            yield from _table(path, ((number, line.split("\t")) for number, line in lines), columns, "\t")
            return
        if len(first_cells) == 1:
            yield from _column_of_texts(path, lines)
            return
    first_cells = []
    widths = set()
    for number, line in lines:
        label, tab, text = line.partition("\t")
        if not tab:
            raise UserError(f"{path}, line {number}: there is no tab; a line is a label, a tab, and a text.")
        if not first_cells:
            first_cells = line.split("\t")
            _check_no_header(first_cells, f"{path}, line {number}")
        widths.add(line.count("\t") + 1)
        if widths == {len(first_cells)} != {2} and not 0 < len(label.strip()) <= LONGEST_LABEL:
            break
        if "\ufeff" in text and "\t" in text[text.index("\ufeff") :]:
            raise UserError(
                f"{path}, line {number}: a byte order mark within the line; were files joined without a line break?"
            )
        yield Row(number, _label(label, path, number, columns), text)
    if widths and widths == {len(first_cells)} != {2}:
        raise UserError(
            f"{path}: there are {len(first_cells)} columns: {_listed(first_cells)}. Give label_column and text_column: "
            f"their numbers, or their names if line 1 is a header."
        )


def _column_of_texts(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    """The rows of a .tsv file of one column without a header."""
    for place, (number, line) in enumerate(lines):
        if place == 0 and line.strip().casefold() in HEADERS:
            raise UserError(f"{path}, line {number}: this is a header: '{line.strip()}'. Give it as text_column.")
        if "\t" in line:
            raise UserError(f"{path}, line {number}: there is a tab, but in the line before there is none.")
        yield Row(number, "", line)


def _csv(path: Path, lines: Iterator[tuple[int, str]], columns: Columns) -> Iterator[Row]:
    number, first = next(lines, (0, ""))
    if not number:
        return
    if first.startswith("sep=") and first[4:] in _SEPARATORS:  # Excel's own
        separator = first[4:]
    else:
        found = (one for one in _SEPARATORS if _has_columns(first, one, columns))
        separator = next(found, max(_SEPARATORS, key=first.count))
        lines = itertools.chain([(number, first)], lines)
    spaced = separator in first and first.count(separator) == first.count(f"{separator} ")
    yield from _table(path, _csv_cells(path, lines, separator, spaced=spaced), columns, separator)


def _has_columns(line: str, separator: str, columns: Columns) -> bool:
    """Whether the columns are found in a first line if it is cut at a separator."""
    try:
        return bool(_places(next(csv.reader([line], delimiter=separator, skipinitialspace=True)), columns, ".csv", ""))
    except (UserError, csv.Error):
        return False


def _csv_cells(
    path: Path, lines: Iterator[tuple[int, str]], separator: str, *, spaced: bool
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a .csv file, each with its last line; `spaced` if a space follows each separator."""
    last, begin, is_escaped = 0, 1, False

    def counted() -> Iterator[str]:
        nonlocal last, is_escaped
        for number, line in lines:
            last, is_escaped = number, is_escaped or '\\"' in line
            yield line + "\n"

    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
    try:
        for cells in csv.reader(counted(), delimiter=separator, skipinitialspace=spaced, strict=True):
            if cells:
                yield last, cells
            begin, is_escaped = last + 1, False
    except csv.Error as error:
        since = f", which begins in line {begin}" if last > begin else ""
        raise UserError(
            f"{path}, line {last}: not a .csv row{since}: {_in_words(str(error), is_escaped=is_escaped)}."
        ) from None


def _in_words(error: str, *, is_escaped: bool) -> str:
    """What the csv module says, as a user can mend it."""
    if "expected after" in error:
        return 'a quote within a cell is written twice ("")' + (', not as \\"' if is_escaped else "")
    if "unexpected end" in error or "field limit" in error:
        return "a quote is not closed"
    if "new-line" in error:
        return "there is a carriage return outside of quotes; the lines of a text file end in line feeds"
    return error


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
    widths = set()
    for number, cells in rows if header else itertools.chain([(begin, first)], rows):
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


def _check_no_header(first: Sequence[str], where: str) -> None:
    """Checks that a first row is not several usual names of columns."""
    if sum(cell.casefold() in HEADERS for cell in _stripped(first)) > 1:
        raise UserError(
            f"{where}: this is a header: {_listed(first)}. Give label_column and text_column the names of its columns."
        )


def _stripped(cells: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def _places(first: Sequence[str], columns: Columns, form: str, where: str) -> tuple[int | None, int]:
    """The places of label and text in the cells of the first row; None where no label is read."""
    header = _stripped(first) if columns.in_header(form) else []
    label, text = (
        None if name == columns.names[0] and columns.may_lack(header) else _place(name, first, header, where)
        for name in columns.names
    )
    assert text is not None
    if label == text:
        raise UserError(f"{where}: label_column and text_column are both column {label + 1}.")
    return label, text


def _place(name: str, first: Sequence[str], header: Sequence[str], where: str) -> int:
    if header.count(name) > 1:
        raise UserError(f"{where}: there are {header.count(name)} columns '{name}'; rename all but one.")
    if name in header:
        return header.index(name)
    if _is_number(name):
        if 1 <= int(name) <= len(first):
            return int(name) - 1
        raise UserError(f"{where}: there is no column {name} among these: {_listed(first)}.")
    listed = ", ".join(_shortened(header)) or "none"
    raise UserError(
        f"{where}: there is no column '{name}' among {listed}.{nearest(name, header)} Give label_column and "
        f"text_column: names in the header, or numbers from 1 if there is none."
    )


def _is_number(name: str) -> bool:
    """Whether a name is that of a column by its number."""
    return name.isascii() and name.isdigit() and len(name) < 6


def _listed(cells: Sequence[str]) -> str:
    return ", ".join(f"{number} '{cell}'" for number, cell in enumerate(_shortened(cells), 1))


def _shortened(cells: Sequence[str]) -> list[str]:
    cut = [cell if len(cell) <= _LONGEST_LISTED else f"{cell[:_LONGEST_LISTED]}..." for cell in cells[:_MOST_LISTED]]
    return cut + ["..."] * (len(cells) > _MOST_LISTED)


def _jsonl(path: Path, lines: Iterator[tuple[int, str]], columns: Columns) -> Iterator[Row]:
    names = columns.names
    for number, line in lines:
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            hint = " A .jsonl file has an object in each line, and no list around them." if line[:1] == "[" else ""
            raise UserError(f"{path}, line {number}: not JSON: {error}.{hint}") from None
        if not isinstance(content, dict):
            raise UserError(f"{path}, line {number}: must be an object with '{names[0]}' and '{names[1]}'.")
        lacks_label = columns.may_lack(content)
        for name, field in zip(names, ("label_column", "text_column"), strict=True):
            if name not in content and not (lacks_label and name == names[0]):
                listed = ", ".join(_shortened(list(content))) or "none"
                raise UserError(
                    f"{path}, line {number}: there is no key '{name}' ({field}) among {listed}.{nearest(name, content)}"
                )
        label, text = "" if lacks_label else content[names[0]], content[names[1]]
        label = "" if label is None and not columns.labelled else label
        if not isinstance(text, str) or isinstance(label, bool | float | list | dict) or label is None:
            raise UserError(f"{path}, line {number}: the text must be a string, the label a string or a whole number.")
        if _SURROGATE.search(text) or _SURROGATE.search(str(label)):
            raise UserError(f"{path}, line {number}: there is half a character, a lone surrogate such as \\ud800.")
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
