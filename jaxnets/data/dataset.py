"""What a data set is: three splits of examples with labels, as NumPy arrays; and its checks, to the split and row."""

import copy
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxnets.data import files
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

PADDING, UNKNOWN = "<pad>", "<unk>"
TYPES: dict[str, Callable[[str], str | int | bool]] = {"str": str, "int": int, "bool": "True".__eq__}
"""From the name of a class to its label, by the type in which the labels were given."""
_TYPE_NAMES = {"U": "text", "b": "booleans", "c": "complex numbers", "M": "dates"}
_MANY_CLASSES, _MOST_LISTED = 10, 10


@dataclass(frozen=True, eq=False)
class Split:
    """Examples with their labels.

    Attributes:
      inputs: `float32[examples, features]`, or texts as word ids. A loader may give the latter as an array
        `int[examples, words]` with 0 for padding. Before encoding, texts are strings.
      labels: `int32[examples]`, from 0 to the number of classes - 1.
    """

    inputs: np.ndarray | Texts | list[str]
    labels: np.ndarray

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A classification task.

    Attributes:
      name: what to call it.
      train: the examples to learn from.
      dev: the examples on which hyperparameters are chosen.
      test: the examples on which the choice is judged.
      class_names: a name for each label.
      vocabulary: the words by their ids, the first two `<pad>` and `<unk>`; empty if the inputs are features.
      word_vectors: vectors of some of the words; None if there are none.
      tokenizer: how a text is split into words, as JSON; empty if the inputs are features.
      notes: sentences that the user should read about how the data set was made.
      label_type: of the labels as they were given: `str`, `int` or `bool`; empty if that is not known.
      max_length: the number of words to which texts were cut; 0 if none is.
    """

    name: str
    train: Split
    dev: Split
    test: Split
    class_names: tuple[str, ...]
    vocabulary: tuple[str, ...] = ()
    word_vectors: "WordVectors | None" = None
    tokenizer: str = ""
    notes: tuple[str, ...] = ()
    label_type: str = ""
    max_length: int = 0

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    @property
    def is_text(self) -> bool:
        """Whether the inputs are word ids."""
        return bool(self.vocabulary)

    @property
    def kind(self) -> str:
        """Whether the inputs are `text` or `features`."""
        return "text" if self.is_text else "features"

    def decode(self, row: np.ndarray) -> str:
        """The words of a row of ids, without padding.

        >>> split = Split(np.array([[2, 1, 0]], np.int32), np.array([0], np.int32))
        >>> Dataset("one", split, split, split, ("no", "yes"), (PADDING, UNKNOWN, "hello")).decode(split.inputs[0])
        'hello <unk>'
        """
        return " ".join(self.vocabulary[word] for word in row if word != 0)


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Vectors of some words of a vocabulary."""

    vectors: np.ndarray
    given: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self.vectors.shape[1]

    @property
    def deviation(self) -> float:
        """The standard deviation of all given numbers; words without a vector are initialized with the same."""
        return float(self.vectors[self.given].std())


def random_generator(field: str, seed: int, *stream: int) -> np.random.Generator:
    """The random numbers of a seed: PCG64 by name, as NumPy may change its default."""
    if seed < 0:
        raise UserError(f"{field}: {seed} is negative; a seed is a whole number from 0.")
    return np.random.Generator(np.random.PCG64([seed, *stream]))


def stratified(labels: np.ndarray, sizes: Sequence[int], generator: np.random.Generator) -> list[np.ndarray]:
    """Draws the rows of splits of the given sizes, no row twice, each class in proportion to what is left of it.

    >>> labels = np.array([0] * 6 + [1] * 3)
    >>> [labels[rows].tolist() for rows in stratified(labels, [6, 3], np.random.default_rng(0))]
    [[0, 0, 0, 0, 1, 1], [0, 0, 1]]
    """
    pools = [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    splits = []
    for size in sizes:
        shares = _shares(np.array([len(pool) for pool in pools]), size)
        splits.append(np.sort(np.concatenate([pool[:share] for pool, share in zip(pools, shares, strict=True)])))
        pools = [pool[share:] for pool, share in zip(pools, shares, strict=True)]
    return splits


def _shares(counts: np.ndarray, size: int) -> np.ndarray:
    """Whole numbers that add up to `size` in proportion to `counts`: the largest remainders are rounded up."""
    shares, remainders = np.divmod(counts * size, max(counts.sum(), 1))
    shares[np.argsort(-remainders, kind="stable")[: size - shares.sum()]] += 1
    return shares


def with_train_examples(dataset: Dataset, count: int, seed: int = 0) -> Dataset:
    """Fewer training examples, the classes in proportion; smaller subsets are nested in larger ones."""
    if count > (known := len(dataset.train)):
        raise UserError(f"num_train: {count} asked for, but '{dataset.name}' has {known} training examples.")
    return replace(dataset, train=_some(dataset.train, count, "num_train", seed))


def with_test_examples(dataset: Dataset, count: int, seed: int = 0) -> Dataset:
    """The data set with at most so many dev examples and as many test examples, the classes in proportion.

    A split that is the training split too stays as it is.
    """
    cut: dict[str, Any] = {
        name: _some(split, count, "num_test", seed)
        for name, split in (("dev", dataset.dev), ("test", dataset.test))
        if len(split) > count and split.inputs is not dataset.train.inputs
    }
    return replace(dataset, **cut)


def _some(split: Split, count: int, name: str, seed: int) -> Split:
    """Some examples of a split, the classes in proportion."""
    (rows,) = stratified(split.labels, [count], random_generator(name, seed))
    inputs = split.inputs.take(rows) if isinstance(split.inputs, Texts) else np.asarray(split.inputs)[rows]
    return Split(inputs, split.labels[rows])


def in_memory(dataset: Dataset) -> Dataset:
    """The data set with training features `float32` that may be mapped, but are not of a type of their file's."""
    if dataset.is_text:
        return dataset
    return replace(dataset, train=replace(dataset.train, inputs=np.asarray(dataset.train.inputs, np.float32)))


def owned(dataset: Dataset) -> Dataset:
    """The data set with arrays of its own, which nobody else can change; those that are mapped stay in their file."""
    arrays = (split.inputs for split in (dataset.train, dataset.dev, dataset.test))
    return copy.deepcopy(dataset, {id(array): array for array in arrays if files.is_mapped(array)})


def fingerprint(datasets: Sequence[Dataset]) -> str:
    """Equal for equal examples in an equal order, on any machine."""
    digest = hashlib.sha256()
    for split in (split for dataset in datasets for split in (dataset.train, dataset.dev, dataset.test)):
        given = split.inputs
        arrays = (given.words, given.lengths) if isinstance(given, Texts) else (np.asarray(given),)
        for array in (*arrays, np.asarray(split.labels)):
            dtype = np.dtype(np.float32) if files.is_mapped(array) and array.ndim == 2 else array.dtype
            digest.update(f"{array.shape}{dtype}".encode())
            for _, piece in files.pieces(array):
                digest.update(np.ascontiguousarray(piece, dtype).data)
    return digest.hexdigest()[:16]


def class_names(labels: Sequence[str], where: str, hint: str = "") -> tuple[str, ...]:
    """The classes of the training labels: whole numbers from 0 in numerical order, names in alphabetical order.

    >>> class_names(["10", "2", "10"], "here"), class_names(["good", "bad"], "here")
    (('2', '10'), ('bad', 'good'))
    """
    distinct = set(labels)
    check_classes(len(distinct), labels, where, hint)
    if all(label.isascii() and label.isdigit() for label in distinct):
        return tuple(sorted(distinct, key=_numerical))
    return tuple(sorted(distinct))


def check_classes(num_classes: int, labels: Sequence, where: str, hint: str = "") -> None:
    """Checks that the labels are two classes or more, and not nearly one class for each example."""
    if num_classes < 2:
        raise UserError(f"{where}: all labels are '{labels[0]}'; a classifier needs two classes or more.")
    if num_classes >= _MANY_CLASSES and len(labels) < 2 * num_classes:
        raise UserError(f"{where}: {len(labels)} examples have {num_classes} different labels.{hint}")


def typed(class_names: Sequence[str], label_type: str) -> list[str | int | bool]:
    """The labels of classes as they were given; if the type is not known, whole numbers where all are written so.

    >>> typed(["0", "1"], "str"), typed(["0", "1"], "int"), typed(["0", "1"], ""), typed(["01", "1"], "")
    (['0', '1'], [0, 1], [0, 1], ['01', '1'])
    """
    if not label_type:
        label_type = "int" if all(_is_whole(name) for name in class_names) else "str"
    labels = [TYPES[label_type](name) for name in class_names]
    if tuple(map(str, labels)) != tuple(class_names):
        raise ValueError(f"the classes are not called as labels of the type {label_type} are")
    return labels


def _is_whole(name: str) -> bool:
    return name.removeprefix("-").isdecimal() and str(int(name)) == name


def unknown_label(where: str, label: str, known: Sequence[str], hint: str = "") -> UserError:
    """The error for a label that no training example has."""
    listed = ", ".join(known) if len(known) <= 20 else f"{len(known)} classes"
    return UserError(f"{where}: the label '{label}' is not one of the training set's ({listed}).{hint}")


def _numerical(label: str) -> tuple[int, str, str]:
    """A key that sorts whole numbers of any length by value, then by their leading zeros."""
    digits = label.lstrip("0")
    return len(digits), digits, label


def validate(dataset: Dataset) -> Dataset:
    """The data set in the dtypes that training takes, if nothing is wrong with it.

    Features become float32, word ids and labels int32; values do not change otherwise.
    """
    if not isinstance(dataset, Dataset):
        raise UserError(f"dataset: the loader gave a {type(dataset).__name__}; it must give a jaxnets Dataset.")
    dataset = replace(dataset, class_names=tuple(dataset.class_names), vocabulary=tuple(dataset.vocabulary))
    if dataset.num_classes < 2:
        raise UserError(f"dataset: '{dataset.name}' has {dataset.num_classes} class; a classifier needs two or more.")
    if dataset.is_text and dataset.vocabulary[:2] != (PADDING, UNKNOWN):
        first = ", ".join(map(repr, dataset.vocabulary[:2]))
        raise UserError(
            f"dataset: the vocabulary of '{dataset.name}' begins with {first}; it must begin with "
            f"'{PADDING}' (id 0) and '{UNKNOWN}' (id 1)."
        )
    try:
        labels = typed(dataset.class_names, dataset.label_type)
    except (KeyError, ValueError, AttributeError):
        raise UserError(
            f"dataset: '{dataset.name}' has the label_type {dataset.label_type!r}, which does not fit its class_names "
            f"{', '.join(map(repr, dataset.class_names[:3]))}; leave it out, or take one of {', '.join(TYPES)}."
        ) from None
    if twice := [label for label, count in Counter(labels).items() if count > 1]:
        raise UserError(f"dataset: '{dataset.name}' has several classes of the name {twice[0]!r}; give each its own.")
    splits = {name: _split(dataset, name) for name in ("train", "dev", "test")}
    check_widths({name: split.inputs for name, split in splits.items()}, f"dataset: '{dataset.name}'")
    return replace(dataset, train=splits["train"], dev=splits["dev"], test=splits["test"])


def validate_folds(folds: Sequence[Dataset], noun: str = "folds") -> tuple[Dataset, ...]:
    """The folds of a cross-validation, each as `validate` gives it, if they can be runs of one program."""
    checked = tuple(map(validate, folds))

    def shared(fold: Dataset) -> dict[str, Any]:
        width = fold.train.inputs.shape[1] if isinstance(fold.train.inputs, np.ndarray) else 0
        counts = {"training examples": len(fold.train), "features": width, "classes": fold.num_classes}
        return {**{f"number of {what}": count for what, count in counts.items()}, "vocabulary": fold.vocabulary}

    for number, fold in enumerate(checked):
        for (what, of_first), of_fold in zip(shared(checked[0]).items(), shared(fold).values(), strict=True):
            if of_first != of_fold:
                shown = f": {of_first} and {of_fold}" if isinstance(of_fold, int) else ""
                raise UserError(f"dataset: {noun} 0 and {number} of '{fold.name}' differ in their {what}{shown}.")
    return checked


def check_widths(inputs: dict[str, Any], where: str) -> None:
    """Checks that the features of all splits have one width; texts have none."""
    widths = {name: of_split.shape[1] for name, of_split in inputs.items() if isinstance(of_split, np.ndarray)}
    if len(set(widths.values())) > 1:
        listed = ", ".join(f"{width} in {name}" for name, width in widths.items())
        raise UserError(f"{where}: the inputs must be of one width, not {listed}.")


def check_lengths(inputs: Sequence | np.ndarray | Texts, labels: Sequence | np.ndarray, where: str) -> None:
    """Checks that there are examples, and a label for each."""
    if len(inputs) != len(labels):
        raise UserError(
            f"{where}: there are {len(inputs)} inputs and {len(labels)} labels; each input needs one label."
        )
    if len(labels) == 0:
        raise UserError(f"{where}: there are no examples.")


def checked_features(values: Any, where: str, columns: Sequence[str] = ()) -> np.ndarray:
    """Features `float32[examples, features]` from anything that NumPy makes an array of numbers of.

    Those that are mapped stay in their file, of their own type.
    """
    inputs = _rows(values, "examples, features", where)
    if inputs.dtype.kind not in "iuf":
        hint = "; convert them by inputs.astype(float)" if inputs.dtype.kind == "O" else ""
        raise UserError(
            f"{where}: inputs must be numbers, not {_TYPE_NAMES.get(inputs.dtype.kind, inputs.dtype)}{hint}."
        )
    for start, piece in files.pieces(inputs):
        with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite, which is reported
            wrong = ~np.isfinite(piece.astype(np.float32, copy=False))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            feature = f"'{columns[column]}'" if len(columns) else column
            finite = f"feature {feature} is {piece[row, column]}; it must be a finite float32 number"
            raise UserError(f"{where}, row {start + row}: {finite}.")
    return inputs if files.is_mapped(inputs) else inputs.astype(np.float32, copy=False)


def as_array(values: Any, what: str) -> np.ndarray:
    """The array of some values, which may be a list of rows."""
    try:
        return np.asarray(values)
    except Exception as error:  # NumPy's own for ragged rows; foreign arrays raise whatever they like
        told = " ".join(str(error).split())[:200].rstrip(".")
        raise UserError(f"{what} must be an array, all rows of one length: {told}.") from error


def _split(dataset: Dataset, name: str) -> Split:
    split, where = getattr(dataset, name), f"dataset: '{dataset.name}', {name}"
    if not isinstance(split, Split):
        raise UserError(f"{where}: must be a jaxnets Split, not a {type(split).__name__}.")
    labels = as_array(split.labels, f"{where}: labels")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{where}: labels must be a row of whole numbers, not {labels.dtype}{list(labels.shape)}.")
    inputs = _texts(split.inputs, dataset, where) if dataset.is_text else checked_features(split.inputs, where)
    check_lengths(inputs, labels, where)
    wrong = (labels < 0) | (labels >= dataset.num_classes)
    if wrong.any():
        row = int(np.argmax(wrong))
        right = f"one of 0 to {dataset.num_classes - 1}, as there are {dataset.num_classes} classes"
        raise UserError(f"{where}, row {row}: label {labels[row]} must be {right}.")
    return Split(inputs, labels.astype(np.int32, copy=False))


def _rows(values: Any, axes: str, where: str) -> np.ndarray:
    inputs = as_array(values, f"{where}: inputs")
    if inputs.ndim == 2 and inputs.shape[1]:
        return inputs
    hint = "; take inputs.reshape(len(inputs), -1)" if inputs.ndim and len(inputs) else ""
    raise UserError(f"{where}: inputs must be an array [{axes}], not one of shape {list(inputs.shape)}{hint}.")


def _texts(inputs: Any, dataset: Dataset, where: str) -> Texts:
    num_words = len(dataset.vocabulary)
    if isinstance(inputs, Texts):  # made by the package itself, which knows its ids
        return inputs
    inputs = _rows(inputs, "examples, words", where)
    if not np.issubdtype(inputs.dtype, np.integer):
        raise UserError(f"{where}: with a vocabulary, inputs must be word ids (whole numbers), not {inputs.dtype}.")
    wrong = (inputs < 0) | (inputs >= num_words)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise UserError(f"{where}, row {row}: word id {inputs[row, column]} is not one of 0 to {num_words - 1}.")
    return Texts.of_padded(inputs)


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "text"), counted(2000, "text")
    ('1 text', '2,000 texts')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed_some(items: Sequence[str]) -> str:
    """The first of some items, and how many more there are."""
    more = f" and {len(items) - _MOST_LISTED} more" if len(items) > _MOST_LISTED else ""
    return f"{', '.join(items[:_MOST_LISTED])}{more}"
