"""From labels as they are written to the numbers of classes."""

from collections.abc import Callable, Sequence

from jaxnets.errors import UserError

MANY_CLASSES = 10
TYPES: dict[str, Callable[[str], str | int | bool]] = {"str": str, "int": int, "bool": "True".__eq__}
"""From the name of a class to its label, by the type in which the labels were given."""


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
    if num_classes >= MANY_CLASSES and len(labels) < 2 * num_classes:
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
