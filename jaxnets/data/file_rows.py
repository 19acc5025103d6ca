"""The rows of a .tsv, .csv or .jsonl file, plain or .gz, each with its line number."""

import csv
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxnets.basics.errors import UserError
from jaxnets.basics.limits import LONGEST_LABEL
from jaxnets.data import text_lines

FORMATS = (".tsv", ".csv", ".jsonl")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Columns:
    """The names of the columns of a .csv file or the keys of a .jsonl file."""

    label: str = "label"
    text: str = "text"


@dataclass(frozen=True, slots=True)
class Row:
    """An example as its file has it; the label has no white space around it."""

    line: int
    label: str
    text: str


def read_rows(path: Path, columns: Columns) -> list[Row]:
    """The rows of a file, in order.

    Raises:
      UserError: for the first mistake, with its line, or if there are no rows.
    """
    return list(rows_of(path, columns))


def rows_of(path: Path, columns: Columns) -> Iterator[Row]:
    """The rows of a file, in order, one at a time; see `read_rows`."""
    readers = {".tsv": _tsv, ".csv": _csv, ".jsonl": _jsonl}
    is_empty = True
    for row in readers[format_of(path)](path, text_lines.read(path), columns):
        is_empty = False
        yield row
    if is_empty:
        raise UserError(f"{path}: the file is empty; it must have a label and a text in each line.")


def format_of(path: Path) -> str:
    """The format of a file, such as `.tsv`.

    >>> format_of(Path("reviews/train.tsv.gz"))
    '.tsv'
    """
    return Path(path.name.removesuffix(".gz")).suffix


def _tsv(path: Path, lines: Iterator[tuple[int, str]], columns: Columns) -> Iterator[Row]:
    for number, line in lines:
        label, tab, text = line.partition("\t")
        if not tab:
            raise UserError(f"{path}, line {number}: there is no tab; a line is a label, a tab, and a text.")
        yield Row(number, _label(label, path, number), text)


def _csv(path: Path, lines: Iterator[tuple[int, str]], columns: Columns) -> Iterator[Row]:
    last_line = 0

    def counted() -> Iterator[str]:
        nonlocal last_line
        for number, line in lines:
            last_line = number
            yield line + "\n"

    table = csv.reader(counted(), strict=True)
    try:
        header = next(table, [])
        places = [_column(name, header, path) for name in (columns.label, columns.text)]
        for cells in table:
            if not cells:
                continue
            if len(cells) <= max(places) or len(cells) > len(header):
                raise _uneven(path, last_line, len(cells), len(header))
            yield Row(last_line, _label(cells[places[0]], path, last_line), cells[places[1]])
    except csv.Error as error:
        raise UserError(f"{path}, line {last_line}: not a .csv row: {error}.") from None


def _uneven(path: Path, line: int, num_cells: int, num_columns: int) -> UserError:
    hint = '; a text with a comma must be quoted: "so, so"' if num_cells > num_columns else ""
    return UserError(f"{path}, line {line}: there are {num_cells} columns, but the header has {num_columns}{hint}.")


def _column(name: str, header: Sequence[str], path: Path) -> int:
    if header.count(name) > 1:
        raise UserError(f"{path}, line 1: there are {header.count(name)} columns '{name}'; rename all but one.")
    if name in header:
        return header.index(name)
    listed = ", ".join(header) or "none"
    raise UserError(
        f"{path}, line 1: there is no column '{name}' among {listed}; name it by label_column or text_column."
    )


def _jsonl(path: Path, lines: Iterator[tuple[int, str]], columns: Columns) -> Iterator[Row]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}, line {number}: not JSON: {error}.") from None
        if not isinstance(content, dict):
            raise UserError(f"{path}, line {number}: must be an object with '{columns.label}' and '{columns.text}'.")
        for name, field in ((columns.label, "label_column"), (columns.text, "text_column")):
            if name not in content:
                raise UserError(f"{path}, line {number}: there is no key '{name}' ({field}).")
        label, text = content[columns.label], content[columns.text]
        if not isinstance(text, str) or isinstance(label, bool | float | list | dict) or label is None:
            raise UserError(f"{path}, line {number}: the text must be a string, the label a string or a whole number.")
        if _SURROGATE.search(text) or _SURROGATE.search(str(label)):
            raise UserError(f"{path}, line {number}: there is half a character, a lone surrogate such as \\ud800.")
        yield Row(number, _label(str(label), path, number), text)


def _label(text: str, path: Path, line: int) -> str:
    label = text.strip()
    if not label:
        raise UserError(f"{path}, line {line}: the label is empty.")
    if len(label) > LONGEST_LABEL:
        raise UserError(
            f"{path}, line {line}: the label '{label[:20]}...' has {len(label):,} characters; "
            f"are label and text swapped?"
        )
    return sys.intern(label)  # there are many rows, and few classes
