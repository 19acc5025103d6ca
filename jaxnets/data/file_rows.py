"""The rows of a .tsv, .csv or .jsonl file, plain or .gz, each with its line number."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxnets.basics.errors import UserError

FORMATS = (".tsv", ".csv", ".jsonl")
LONGEST_LINE = 1 << 20  # characters; a longer line is no text, but a file in another format
LONGEST_LABEL = 200  # characters


@dataclass(frozen=True)
class Columns:
    """The names of the columns of a .csv file or the keys of a .jsonl file."""

    label: str = "label"
    text: str = "text"


@dataclass(frozen=True)
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
    readers = {".tsv": _tsv, ".csv": _csv, ".jsonl": _jsonl}
    rows = list(readers[format_of(path)](path, _lines(path), columns))
    if not rows:
        raise UserError(f"{path}: the file is empty; it must have a label and a text in each line.")
    return rows


def format_of(path: Path) -> str:
    """The format of a file, such as `.tsv`.

    >>> format_of(Path("reviews/train.tsv.gz"))
    '.tsv'
    """
    return Path(path.name.removesuffix(".gz")).suffix


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers, without the line's end."""
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            buffered = io.BufferedReader(stream, 1 << 20)
            while line := buffered.readline(4 * LONGEST_LINE):
                number += 1
                if len(line) >= 4 * LONGEST_LINE:
                    raise UserError(f"{path}, line {number}: the line is longer than {LONGEST_LINE:,} characters.")
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if len(text) > LONGEST_LINE:
                    raise UserError(f"{path}, line {number}: the line is longer than {LONGEST_LINE:,} characters.")
                if "\0" in text:
                    raise UserError(f"{path}, line {number}: there is a zero byte; the file is no text.")
                yield number, text
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}, line {number}: byte {error.start + 1} is not UTF-8; convert it, for example with "
            f"'iconv -f latin1 -t utf8'."
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}, after line {number}: the .gz file is damaged or cut off ({error}).") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}.") from None


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
    return label
