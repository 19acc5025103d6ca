"""The user's own texts: a folder with `train`, `dev` and `test`, or one file, as .tsv, .csv or .jsonl, plain or .gz."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from jaxnets.basics.characters import printable
from jaxnets.basics.errors import UserError, nearest
from jaxnets.basics.files import file_errors
from jaxnets.data.dataset import Split
from jaxnets.data.file_rows import FORMATS, Columns, Row, format_of, read_rows
from jaxnets.data.labels import class_names, unknown_label
from jaxnets.data.raw import RawDataset

_MOST_NEARBY = 1000  # names that are compared with one that is not there
# fmt: off
HEADERS = (
    "category", "class", "gold_label", "id", "idx", "index", "label", "labels", "polarity", "rating", "review", "score",
    "sentence", "sentiment", "stars", "target", "text",
)
# fmt: on


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

    Args:
      path: a folder that holds `train`, `dev`, `test` (or `all`) in one of the formats; or one file.
      columns: of .csv and .jsonl files.

    Raises:
      UserError: for the first mistake, with its file and line.
    """
    files = files_of(path)
    rows = {split: read_rows(file, columns) for split, file in files.items()}
    notes, names = checked_classes([row.label for row in rows["train"]], files["train"])
    splits = {split: _split(of_split, names, files[split]) for split, of_split in rows.items()}
    return RawDataset(name_of(path), names, splits, notes)


def name_of(path: Path) -> str:
    """What the data set of a file or folder is called."""
    return printable(path.name or path.resolve().name)


def checked_classes(labels: Sequence[str], path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes on the training labels of a file, and the classes.

    Raises:
      UserError: if the labels are no classes.
    """
    return tuple(_on_header(labels, path)), class_names(labels, str(path), _swapped_hint(path))


def sources(path: Path) -> list[Path]:
    """The files that `read` reads.

    Raises:
      UserError: if there are none.
    """
    return list(files_of(path).values())


def files_of(path: Path) -> dict[str, Path]:
    """The file of each split.

    Raises:
      UserError: if there is none for training.
    """
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
    candidates = {split: _file_of(path, split) for split in ("train", "dev", "test", "all")}
    files = {split: file for split, file in candidates.items() if file is not None}
    if "train" in files and "all" in files:
        raise UserError(f"dataset: '{path}' has both {files['train'].name} and {files['all'].name}; keep one.")
    if "all" in files:
        files["train"] = files.pop("all")
    if "train" not in files:
        forms = ", ".join(f"train{form}" for form in FORMATS)
        raise UserError(f"dataset: '{path}' has no training examples; it must hold {forms}, or all.tsv (.gz too).")
    return files


def _file_of(folder: Path, split: str) -> Path | None:
    candidates = [folder / f"{split}{form}{packed}" for form in FORMATS for packed in ("", ".gz")]
    existing = [candidate for candidate in candidates if candidate.is_file()]
    if len(existing) > 1:
        raise UserError(f"dataset: '{folder}' has both {existing[0].name} and {existing[1].name}; keep one.")
    return existing[0] if existing else None


def _on_header(labels: Sequence[str], path: Path) -> Iterator[str]:
    """A note if the label of the first line may be a header: it occurs nowhere else, and all others occur again.

    Raises:
      UserError: if it certainly is one: it is a usual name of a column, or the only label that is no number.
    """
    first, counts = labels[0], Counter(labels)
    if format_of(path) != ".tsv" or counts.pop(first) > 1 or not counts:
        return
    only_name = not _is_number(first) and all(map(_is_number, counts))
    if first.casefold() in HEADERS or only_name:
        raise UserError(
            f"{path}, line 1: '{first}' is the header of a column and no label; remove this line, "
            f"as a .tsv file has no header."
        )
    if min(counts.values()) > 1:
        yield f"The label '{first}' occurs only in line 1 of {path.name}; is it a header?"


def _is_number(label: str) -> bool:
    return label.isascii() and label.removeprefix("-").isdigit()


def _swapped_hint(path: Path) -> str:
    """What to do if there are nearly as many labels as examples."""
    if format_of(path) == ".tsv":
        return " Are the columns swapped? A line is a label, a tab, and a text."
    return " Are the columns swapped? Name them by label_column and text_column."


def _split(rows: Sequence[Row], names: Sequence[str], path: Path) -> Split:
    labels = [row.label for row in rows]
    lines = {row.label: row.line for row in reversed(rows)}
    return Split([row.text for row in rows], numbered(labels, lines, names, path))


def numbered(labels: Sequence[str], lines: Mapping[str, int], names: Sequence[str], path: Path) -> np.ndarray:
    """Labels as the numbers of their classes, `int32[examples]`.

    Args:
      labels: of a file.
      lines: the first line with each label.
      names: of the classes.
      path: of the file.

    Raises:
      UserError: for the first label that is none of them.
    """
    numbers = {name: number for number, name in enumerate(names)}
    for label, line in sorted(lines.items(), key=lambda item: item[1]):
        if label not in numbers:
            header = line == 1 and label.casefold() in HEADERS
            hint = " A .tsv file has no header; remove this line." if header else ""
            raise unknown_label(f"{path}, line {line}", label, names, hint)
    return np.array([numbers[label] for label in labels], np.int32)
