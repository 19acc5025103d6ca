"""The user's own data: a folder with `train`, `dev` and `test`, or one file, as .tsv, .csv or .jsonl, plain or .gz."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxnets.basics import errors
from jaxnets.basics.errors import UserError
from jaxnets.data.raw import RawDataset, RawSplit

FORMATS = (".tsv", ".csv", ".jsonl")
LONGEST_LINE = 1 << 20  # characters; a longer one is no text, but a file in another form


@dataclass(frozen=True)
class Columns:
    """The names of the columns of a .csv file or the keys of a .jsonl file."""

    label: str = "label"
    text: str = "text"


@dataclass(frozen=True)
class _Row:
    line: int
    label: str
    text: str


def is_path(name: str) -> bool:
    """Whether the name of a data set is that of a file or folder.

    >>> is_path("reviews/"), is_path("mine.csv.gz"), is_path("digits"), is_path("my_lab.data:load")
    (True, True, False, False)
    """
    return "/" in name or name.removesuffix(".gz").endswith(FORMATS) or (":" not in name and Path(name).exists())


def read(path: Path, columns: Columns) -> RawDataset:
    """Reads a data set: the texts as they stand, the labels as numbers.

    Labels that are the whole numbers from 0 keep their values; all others are names, numbered in their order.

    Args:
      path: a folder that holds `train`, `dev`, `test` (or `all`) in one of the formats; or one file.
      columns: of .csv and .jsonl files.

    Raises:
      UserError: for the first mistake, with its file and line.
    """
    files = _files(path)
    rows = {split: _rows(file, columns) for split, file in files.items()}
    class_names = _class_names([row.label for row in rows["train"]], files["train"])
    numbers = {name: number for number, name in enumerate(class_names)}
    splits = {split: _split(of_split, numbers, files[split]) for split, of_split in rows.items()}
    return RawDataset(path.name or path.resolve().name, class_names, **splits)


def sources(path: Path) -> list[Path]:
    """The files that `read` reads.

    Raises:
      UserError: if there are none.
    """
    return list(_files(path).values())


def _files(path: Path) -> dict[str, Path]:
    """The file of each split."""
    if path.is_file():
        if not path.name.removesuffix(".gz").endswith(FORMATS):
            raise UserError(f"dataset: '{path}' must end in {', '.join(FORMATS)}, or these with .gz.")
        return {"train": path}
    if not path.is_dir():
        raise _no_such_path(path)
    found = {split: _file_of(path, split) for split in ("train", "dev", "test", "all")}
    files = {split: file for split, file in found.items() if file is not None}
    if "train" in files and "all" in files:
        raise UserError(f"dataset: '{path}' has both {files['train'].name} and {files['all'].name}; keep one.")
    if "all" in files:
        files["train"] = files.pop("all")
    if "train" not in files:
        forms = ", ".join(f"train{form}" for form in FORMATS)
        raise UserError(f"dataset: '{path}' has no training examples; it must hold {forms}, or all.tsv (.gz too).")
    return files


def _no_such_path(path: Path) -> UserError:
    nearby = [str(path.parent / one.name) for one in path.parent.iterdir()] if path.parent.is_dir() else []
    error = str(errors.unknown("dataset", str(path), nearby))
    hint = error[error.index("Did") : error.index("Known")] if "Did you mean" in error else ""
    return UserError(f"dataset: there is no file or folder '{path}'. {hint}".rstrip())


def _file_of(folder: Path, split: str) -> Path | None:
    candidates = [folder / f"{split}{form}{packed}" for form in FORMATS for packed in ("", ".gz")]
    found = [candidate for candidate in candidates if candidate.is_file()]
    if len(found) > 1:
        raise UserError(f"dataset: '{folder}' has both {found[0].name} and {found[1].name}; keep one.")
    return found[0] if found else None


def _rows(path: Path, columns: Columns) -> list[_Row]:
    """The rows of a file, in order."""
    readers = {".tsv": _tsv, ".csv": _csv, ".jsonl": _jsonl}
    form = Path(path.name.removesuffix(".gz")).suffix
    rows = list(readers[form](path, _lines(path), columns))
    if not rows:
        raise UserError(f"{path}: the file is empty; it must have a label and a text in each line.")
    return rows


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


def _tsv(path: Path, lines: Iterator[tuple[int, str]], columns: Columns) -> Iterator[_Row]:
    for number, line in lines:
        label, tab, text = line.partition("\t")
        if not tab:
            raise UserError(f"{path}, line {number}: there is no tab; a line is a label, a tab, and a text.")
        yield _Row(number, _label(label, path, number), text)


def _csv(path: Path, lines: Iterator[tuple[int, str]], columns: Columns) -> Iterator[_Row]:
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
            if len(cells) <= max(places):
                raise UserError(
                    f"{path}, line {last_line}: there are {len(cells)} columns, but the header has {len(header)}."
                )
            yield _Row(last_line, _label(cells[places[0]], path, last_line), cells[places[1]])
    except csv.Error as error:
        raise UserError(f"{path}, line {last_line}: not a .csv row: {error}.") from None


def _column(name: str, header: Sequence[str], path: Path) -> int:
    if name in header:
        return header.index(name)
    flag = "label_column or text_column"
    raise UserError(
        f"{path}, line 1: there is no column '{name}' among {', '.join(header) or 'none'}; name it by {flag}."
    )


def _jsonl(path: Path, lines: Iterator[tuple[int, str]], columns: Columns) -> Iterator[_Row]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}, line {number}: not JSON: {error}.") from None
        if not isinstance(content, dict):
            raise UserError(f"{path}, line {number}: must be an object with '{columns.label}' and '{columns.text}'.")
        for name, flag in ((columns.label, "label_column"), (columns.text, "text_column")):
            if name not in content:
                raise UserError(f"{path}, line {number}: there is no key '{name}' ({flag}).")
        label, text = content[columns.label], content[columns.text]
        if not isinstance(text, str) or isinstance(label, bool | float | list | dict) or label is None:
            raise UserError(f"{path}, line {number}: the text must be a string, the label a string or a whole number.")
        yield _Row(number, _label(str(label), path, number), text)


def _label(text: str, path: Path, line: int) -> str:
    label = text.strip()
    if not label:
        raise UserError(f"{path}, line {line}: the label is empty.")
    return label


def _class_names(labels: Sequence[str], path: Path) -> tuple[str, ...]:
    """The classes: whole numbers from 0 in their order, or names in theirs."""
    distinct = set(labels)
    if len(distinct) < 2:
        raise UserError(f"{path}: all labels are '{labels[0]}'; a classifier needs two classes or more.")
    if all(label.isascii() and label.isdigit() for label in distinct):
        return tuple(sorted(distinct, key=lambda label: (int(label), label)))
    return tuple(sorted(distinct))


def _split(rows: Sequence[_Row], numbers: dict[str, int], path: Path) -> RawSplit:
    for row in rows:
        if row.label not in numbers:
            known = ", ".join(numbers) if len(numbers) <= 20 else f"{len(numbers)} classes"
            raise UserError(
                f"{path}, line {row.line}: the label '{row.label}' is not one of the training set's ({known})."
            )
    labels = np.array([numbers[row.label] for row in rows], np.int32)
    return RawSplit([row.text for row in rows], labels)
