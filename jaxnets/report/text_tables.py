"""Tables of text classifiers: their comparison on the console, and what a text CNN's filters answer to."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int
from rich.cells import cell_len
from rich.table import Table

from jaxnets.data.dataset import Dataset
from jaxnets.data.texts import Texts
from jaxnets.errors import one_line
from jaxnets.report.tables import table, with_interval
from jaxnets.stats.ensembles import System, accuracy, certain_mistakes, difference_of_systems

_LONGEST_TEXT = 160
_LONGEST_NAME, _LEAST_NAME = 24, 6  # characters of a class; of one that heads a column
_MOST_LISTED = 10
_PAIRS = ["class", "predicted", "examples", "of"]
_CLASSES = ["class", "examples", "predicted", "recall", "precision", "F1"]
_MOST_MISTAKES = 8
_OF_NETS = "A name × n is the ensemble of n seeds. Seconds: of one seed, or of all of an ensemble."


def systems_table(nets: Sequence[System], classical: Sequence[System], num_folds: int) -> Table:
    """A row for each system: accuracy, and the difference to the best baseline."""
    best = max(classical, key=lambda system: system.accuracies.mean(), default=None)
    rows = [_row(system, best) for system in (*classical, *nets)]
    bayes = next((system for system in classical if system.name == "naive_bayes"), None)
    header = ["system", "test accuracy", "seconds", "difference"]
    repetitions = f"{num_folds} folds" if num_folds > 1 else "seeds (of a baseline or an ensemble: over test texts)"
    caption = [f"Accuracy: mean and 95% interval over {repetitions}.", _OF_NETS]
    if best is not None:
        over = "folds" if num_folds > 1 else "seeds and test texts together"
        caption.append(f"Difference: to {best.name}, the best baseline; interval over {over}.")
    if bayes is not None and bayes is not best:
        against = ", ".join(f"{system.name} {_difference(system, bayes)}" for system in nets)
        caption.append(f"To naive_bayes: {against}.")
    caption += [f"{system.name}, chosen on dev: {system.configuration}." for system in nets if system.configuration]
    return table("Systems", header, rows, " ".join(caption))


def _row(system: System, best: System | None) -> list[str]:
    found = accuracy(system)
    row = [system.name, with_interval(found.value, found.low, found.high, found.reason()), f"{system.seconds:.1f}"]
    return [*row, "–" if best is None or system.name == best.name else _difference(system, best)]


def _difference(system: System, other: System) -> str:
    against = difference_of_systems(system, other)
    return with_interval(against.value, against.low, against.high, against.reason(), "+")


def confusion_tables(
    system: System, counts: Int[np.ndarray, "classes classes"], class_names: Sequence[str], width: int
) -> list[Table]:
    """The confusion matrix of a system; of too many classes the worst, and the worst pairs."""
    names = [one_line(name, _LONGEST_NAME) for name in class_names]
    longest = max(map(cell_len, names))
    least = max(len(str(counts.max())), min(longest, _LEAST_NAME))
    if longest + 2 + len(names) * (least + 2) <= width:
        rows = [[name, *map(str, row)] for name, row in zip(names, counts, strict=True)]
        return [table(f"{system.name}: examples of each class (row) by predicted class", ["", *names], rows)]
    return [_confused_pairs(system, counts, names), _worst_classes(system, counts, names)]


def _confused_pairs(system: System, counts: np.ndarray, names: Sequence[str]) -> Table:
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_LISTED]
    rows = [
        [names[label], names[predicted], str(wrong[label, predicted]), f"{counts[label].sum()}"]
        for label, predicted in (divmod(int(place), len(names)) for place in order)
        if wrong[label, predicted]
    ]
    return table(f"{system.name}: the pairs of classes that are confused most", _PAIRS, rows)


def _worst_classes(system: System, counts: np.ndarray, names: Sequence[str]) -> Table:
    """The classes with the least F1, 2 TP / (examples + predicted); one without test examples has none."""
    examples, predicted, right = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    f1 = np.where(examples > 0, 2 * right / np.maximum(examples + predicted, 1), np.inf)
    rows = [
        [
            names[label],
            str(examples[label]),
            str(predicted[label]),
            f"{right[label] / examples[label]:.3f}",
            f"{right[label] / predicted[label]:.3f}" if predicted[label] else "–",
            f"{f1[label]:.3f}",
        ]
        for label in np.argsort(f1, kind="stable")[:_MOST_LISTED]
        if examples[label]
    ]
    macro = f1[examples > 0].mean()
    caption = f"Mean F1 of all {int((examples > 0).sum())} classes of the test examples (macro F1): {macro:.3f}."
    return table(f"{system.name}: the classes with the lowest F1", _CLASSES, rows, caption)


def mistakes_table(system: System, predictions: pd.DataFrame, folds: Sequence[Dataset]) -> Table:
    """The most certain mistakes of a system."""
    mistakes = certain_mistakes(predictions, _MOST_MISTAKES)
    rows = [_mistake(row, folds[int(row["fold"])]) for _, row in mistakes.iterrows()]
    return table(f"{system.name}: the most certain mistakes", ["certainty", "predicted", "label", "text"], rows)


def _mistake(row: pd.Series, fold: Dataset) -> list[str]:
    assert isinstance(fold.test.inputs, Texts)  # only texts are shown here
    text, names = fold.decode(fold.test.inputs[int(row["example"])]), fold.class_names
    short = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
    return [f"{row['certainty']:.3f}", names[int(row["prediction"])], names[int(row["label"])], short]


def likeness(table: pd.DataFrame) -> pd.DataFrame:
    """How similar phrases are to another one: means over the nets of `words_and_windows.likeness`."""
    phrases = table[["other", "contrary"]].iloc[0].to_list()
    cosines = table[["like", "opposite"]].mean().to_list()
    indicators = table["indicators"].iloc[0]
    return pd.DataFrame({"phrase": phrases, "to the filters": cosines, "to indicators of n-grams": indicators})
