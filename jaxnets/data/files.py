"""The user's own texts: a folder with `train`, `dev` and `test`, or one file, as .tsv, .csv or .jsonl, plain or .gz."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from jaxnets.data.dataset import Split
from jaxnets.data.file_rows import FORMATS, HEADERS, Columns, Row, format_of, read_rows
from jaxnets.data.labels import class_names, unknown_label
from jaxnets.data.notes import MOST_LISTED
from jaxnets.data.raw import RawDataset
from jaxnets.errors import UserError, nearest, printable
from jaxnets.io import file_errors

_MOST_NEARBY = 1000  # names that are compared with one that is not there
SPLITS = {
    "train": ("train", "training"),
    "dev": ("dev", "val", "valid", "validation"),
    "test": ("test", "testing", "eval", "evaluation"),
    "all": ("all",),
}
"""What the file of a split may be called; `all` stands for train, of which the others are drawn."""


def is_path(name: str) -> bool:
    """Whether the name of a data set is that of a file or folder.

    >>> is_path("reviews/"), is_path("mine.csv.gz"), is_path("digits"), is_path("my_lab.data:load")
    (True, True, False, False)
    """
    return "/" in name or name.removesuffix(".gz").endswith(FORMATS) or (":" not in name and _exists(name))


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # such as a name that is too long, or has a zero byte
        return False


def read(path: Path, columns: Columns) -> RawDataset:
    """Reads a data set: the texts as they are, the labels as numbers.

    Labels that are whole numbers are numbered in numerical order, all others in alphabetical order.
    """
    files = files_of(path)
    rows = {split: read_rows(file, columns) for split, file in files.items()}
    notes, names = checked_classes([row.label for row in rows["train"]], files["train"], columns)
    splits = {split: _split(of_split, names, files[split]) for split, of_split in rows.items()}
    numbers = label_type(row.is_number for row in rows["train"])
    return RawDataset(name_of(path), names, splits, (*on_unread(path), *notes), numbers)


def label_type(are_numbers: Iterable[bool]) -> str:
    """The type of the labels of a file: whole numbers if all are numbers of JSON."""
    return "int" if all(are_numbers) else "str"


def name_of(path: Path) -> str:
    """What the data set of a file or folder is called."""
    return printable(path.name or path.resolve().name)


def checked_classes(labels: Sequence[str], path: Path, columns: Columns) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes on the training labels of a file, and the classes."""
    has_header = format_of(path) == ".jsonl" or columns.in_header(format_of(path))
    hint = " Are the columns swapped? Name them by label_column and text_column, or number them from 1."
    return () if has_header else tuple(_on_header(labels, path)), class_names(labels, str(path), hint)


def sources(path: Path) -> list[Path]:
    """The files that `read` reads."""
    return list(files_of(path).values())


def files_of(path: Path) -> dict[str, Path]:
    """The file of each split."""
    with file_errors(path, "read", "dataset"):
        return {"train": _checked_format(path)} if path.is_file() else _files_of_folder(path)


def _checked_format(path: Path) -> Path:
    if format_of(path) not in FORMATS:
        raise UserError(f"dataset: '{path}' must end in {', '.join(FORMATS)}, or these with .gz.")
    return path


def _files_of_folder(path: Path) -> dict[str, Path]:
    if not path.is_dir():
        if path.exists():
            raise UserError(f"dataset: '{path}' is neither a file nor a folder.")
        beside = islice(path.parent.iterdir(), _MOST_NEARBY) if path.parent.is_dir() else ()
        nearby = [str(path.parent / one.name) for one in beside]
        raise UserError(f"dataset: there is no file or folder '{path}'.{nearest(str(path), nearby)}")
    found = _by_split(path)
    for several in found.values():
        if len(several) > 1:
            raise UserError(f"dataset: '{path}' has both {several[0].name} and {several[1].name}; keep one.")
    files = {split: of_split[0] for split, of_split in found.items()}
    if "train" in files and "all" in files:
        raise UserError(f"dataset: '{path}' has both {files['train'].name} and {files['all'].name}; keep one.")
    if "all" in files:
        files["train"] = files.pop("all")
    if "train" not in files:
        forms = ", ".join(f"train{form}" for form in FORMATS)
        others = "".join(on_unread(path))
        raise UserError(
            f"dataset: '{path}' has no training examples; it must hold {forms}, or all.tsv (.gz too). {others}".rstrip()
        )
    return files


def _by_split(folder: Path) -> dict[str, list[Path]]:
    """The files of each split, in the order of `SPLITS`."""
    files = _of_known_form(folder)
    found = {split: [file for file in files if _stem(file) in names] for split, names in SPLITS.items()}
    return {split: of_split for split, of_split in found.items() if of_split}


def _of_known_form(folder: Path) -> list[Path]:
    files = [file for file in folder.iterdir() if format_of(file) in FORMATS and not file.name.startswith(".")]
    return sorted(filter(Path.is_file, files), key=lambda file: (FORMATS.index(format_of(file)), file.name))


def _stem(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(format_of(file)).lower()


def on_unread(path: Path) -> Iterator[str]:
    """A note on the files of a folder that have a known form, but a name that no split has."""
    if path.is_dir():
        known = {name for names in SPLITS.values() for name in names}
        unread = [file.name for file in _of_known_form(path) if _stem(file) not in known]
        if unread:
            more = f" and {len(unread) - MOST_LISTED} more" if len(unread) > MOST_LISTED else ""
            yield f"Not read, as no split is called so: {', '.join(unread[:MOST_LISTED])}{more}."


def _on_header(labels: Sequence[str], path: Path) -> Iterator[str]:
    """A note if the label of the first line may be a header: it occurs nowhere else, and all others occur again."""
    first, counts = labels[0], Counter(labels)
    if counts.pop(first) > 1 or not counts:
        return
    only_name = not _is_number(first) and all(map(_is_number, counts))
    if first.casefold() in HEADERS or only_name:
        raise UserError(
            f"{path}, line 1: '{first}' is the header of a column and no label; give label_column and text_column the "
            f"names of columns."
        )
    if min(counts.values()) > 1:
        yield f"The label '{first}' occurs only in line 1 of {path.name}; is it a header?"


def _is_number(label: str) -> bool:
    return label.isascii() and label.removeprefix("-").isdigit()


def _split(rows: Sequence[Row], names: Sequence[str], path: Path) -> Split:
    labels = [row.label for row in rows]
    lines = {row.label: row.line for row in reversed(rows)}
    return Split([row.text for row in rows], numbered(labels, lines, names, path))


def numbered(labels: Sequence[str], lines: Mapping[str, int], names: Sequence[str], path: Path) -> np.ndarray:
    """Labels as the numbers of their classes, `int32[examples]`."""
    numbers = {name: number for number, name in enumerate(names)}
    for label, line in sorted(lines.items(), key=lambda item: item[1]):
        if label not in numbers:
            header = line == 1 and label.casefold() in HEADERS
            hint = " Is it a header? Give label_column and text_column the names of columns." if header else ""
            raise unknown_label(f"{path}, line {line}", label, names, hint)
    return np.array([numbers[label] for label in labels], np.int32)
