"""Tables of text classifiers: their comparison on the console, and what a text CNN's filters answer to."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int
from rich.table import Table

from jaxnets.data.dataset import Dataset
from jaxnets.data.texts import Texts
from jaxnets.evidence.comparison import System, accuracy, certain_mistakes, compare
from jaxnets.report.tables import table, with_interval

_LONGEST_TEXT = 160
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
    against = compare(system, other)
    return with_interval(against.value, against.low, against.high, against.reason(), "+")


def confusion_table(system: System, counts: Int[np.ndarray, "classes classes"], class_names: Sequence[str]) -> Table:
    """How many examples of each class a system took for each class."""
    rows = [[name, *map(str, row)] for name, row in zip(class_names, counts, strict=True)]
    title = f"{system.name}: examples of each class (row) by predicted class"
    return table(title, ["", *class_names], rows)


def mistakes_table(system: System, predictions: pd.DataFrame, folds: Sequence[Dataset]) -> Table:
    """The most certain mistakes of a system.

    Args:
      system: the system.
      predictions: what it says; see `jaxnets.evidence.ensembles.averaged`.
      folds: the data set.
    """
    mistakes = certain_mistakes(predictions, _MOST_MISTAKES)
    rows = [_mistake(row, folds[int(row["fold"])]) for _, row in mistakes.iterrows()]
    return table(f"{system.name}: the most certain mistakes", ["certainty", "predicted", "label", "text"], rows)


def _mistake(row: pd.Series, fold: Dataset) -> list[str]:
    assert isinstance(fold.test.inputs, Texts)  # only texts are shown here
    text, names = fold.decode(fold.test.inputs[int(row["example"])]), fold.class_names
    short = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
    return [f"{row['certainty']:.3f}", names[int(row["prediction"])], names[int(row["label"])], short]


def likeness(table: pd.DataFrame) -> pd.DataFrame:
    """How similar phrases are to another one: means over the nets of a table by `jaxnets.analysis.windows.likeness`."""
    phrases = table[["other", "contrary"]].iloc[0].to_list()
    cosines = table[["like", "opposite"]].mean().to_list()
    indicators = table["indicators"].iloc[0]
    return pd.DataFrame({"phrase": phrases, "to the filters": cosines, "to indicators of n-grams": indicators})
