"""Why a text model decides as it does: what each word, or each window of words, adds."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.text import Text

from jaxnets import io, jax_settings
from jaxnets.errors import UserError, one_line, printable
from jaxnets.inference.model import Model
from jaxnets.inference.predict import Ensemble, checked_strings, class_probabilities, splitter
from jaxnets.io import LONGEST_EXPLAINED
from jaxnets.models.blocks import OUTPUT, MeanPooling, TextBatch, has_windows, window_owner
from jaxnets.training.state import variables

_MOST_WINDOWS = 5
_LONGEST_TEXT = 160
ANSWERS = (".csv", ".jsonl")  # the endings of files of answers


@dataclass(frozen=True)
class Window:
    """Neighbouring words that won filters of a text CNN."""

    words: str
    filters: int
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """What a model says of a text, and why."""

    text: str
    words: tuple[str, ...]
    known: tuple[bool, ...]
    probabilities: dict[str, float]
    contributions: tuple[float, ...] | None
    windows: tuple[Window, ...]
    members: tuple[dict[str, float], ...] = ()
    num_cut: int = 0

    @property
    def prediction(self) -> str:
        """The most probable class."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def agreeing(self) -> int:
        """How many members would have given the same class by themselves."""
        return sum(max(member, key=member.__getitem__) == self.prediction for member in self.members)

    @property
    def spread(self) -> dict[str, float]:
        """The standard deviation of the members' probabilities, by class."""
        return {name: float(np.std([member[name] for member in self.members])) for name in self.probabilities}


def explain(asked: Model | Ensemble, texts: Sequence[str], *, reasons: bool = True) -> list[Explanation]:
    """What a model of texts, or an ensemble of them, says of some texts, and why.

    Windows are those of a single text CNN: an ensemble has none in common.
    """
    ensemble = isinstance(asked, Ensemble)
    model = asked.first if isinstance(asked, Ensemble) else asked
    if not model.vocabulary:
        raise UserError(f"the model '{model.plugin.name}' takes features, not texts.")

    def of_members(rows: Sequence[np.ndarray]) -> np.ndarray:
        return asked.of_members(rows) if isinstance(asked, Ensemble) else class_probabilities(asked, rows)[None]

    def named(probabilities: np.ndarray) -> dict[str, float]:
        return {name: float(value) for name, value in zip(model.class_names, probabilities, strict=True)}

    ids, of_texts = model.ids, list(map(splitter(model), checked_strings(texts)))
    kept = [words[: model.max_length or None] for words in of_texts]
    rows = [np.array([ids.get(word, 1) for word in words], np.int32) for words in kept]
    said, found = of_members(rows), []
    for number, (text, words, row) in enumerate(zip(texts, kept, rows, strict=True)):
        mean = said[:, number].mean(axis=0)
        contributions: np.ndarray | None = None
        windows: tuple[Window, ...] = ()
        if reasons and len(words) <= LONGEST_EXPLAINED:
            if not ensemble and has_windows(model.params):
                contributions, windows = _by_windows(model, row, words, int(mean.argmax()))
            else:
                contributions = leave_one_out(lambda rows: of_members(rows).mean(axis=0), row)
        found.append(
            Explanation(
                text=text,
                words=tuple(words),
                known=tuple(word in ids for word in words),
                probabilities=named(mean),
                contributions=None if contributions is None else tuple(map(float, contributions)),
                windows=windows,
                members=tuple(named(member[number]) for member in said) if ensemble else (),
                num_cut=len(of_texts[number]) - len(words),
            )
        )
    return found


def leave_one_out(
    probabilities: Callable[[Sequence[np.ndarray]], np.ndarray], row: np.ndarray
) -> Float[np.ndarray, "words"]:
    """By how much the probability of the predicted class falls when a word is left out, for each word of a text."""
    if len(row) == 0:
        return np.zeros(0, np.float32)
    scores = probabilities(_LeftOut(row))
    predicted = int(scores[0].argmax())
    return scores[0, predicted] - scores[1:, predicted]


class _LeftOut(Sequence[np.ndarray]):
    """A text, and behind it the text without each of its words; they are made when they are asked for."""

    def __init__(self, row: np.ndarray) -> None:
        self._row = row

    def __len__(self) -> int:
        """The text's words and one."""
        return len(self._row) + 1

    def __getitem__(self, number: int) -> np.ndarray:  # type: ignore[override]
        """The whole text for 0; the text without its n-th word for n."""
        if number > len(self._row):
            raise IndexError(number)
        return np.delete(self._row, number - 1) if number else self._row


def _by_windows(
    model: Model, row: np.ndarray, words: Sequence[str], predicted: int
) -> tuple[np.ndarray, tuple[Window, ...]]:
    """What each word and each window adds, from the features before pooling."""
    contributions, windows = np.zeros(len(row)), []
    if len(row) == 0:
        return contributions, ()
    # the weights of the predicted class, less the mean of those of the others
    kernel, start = np.asarray(model.params[OUTPUT]["kernel"], np.float64), 0
    if kernel.shape[1] == 1:  # one logit, that of class 1
        weights = kernel[:, 0] if predicted == 1 else -kernel[:, 0]
    else:
        weights = kernel[:, predicted] - np.delete(kernel, predicted, axis=1).mean(axis=1)
    for width, (features, within) in window_features(model, row).items():
        # the share of each window in each pooled feature: 1 for the largest, or equal ones for the mean
        winners = np.where(within[:, None], features, -np.inf).argmax(axis=0)
        shares = (np.arange(len(features))[:, None] == winners).astype(np.float64)
        if model.module.pooling is MeanPooling:
            shares = np.broadcast_to((within / within.sum())[:, None], features.shape)
        added = (shares * features * weights[start : start + features.shape[1]]).sum(axis=1)
        start += features.shape[1]
        for place in np.flatnonzero(shares.any(axis=1)).tolist():
            covered = range(place, min(place + width, len(row)))
            contributions[covered] += added[place] / len(covered)
            joined = " ".join(words[position] for position in covered)
            windows.append(Window(joined, int((shares[place] > 0).sum()), float(added[place])))
    windows.sort(key=lambda window: -window.contribution)
    return contributions, tuple(windows)


@jax_settings.pinned()
def window_features(model: Model, row: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """What the filters of a text CNN give for each window of a text, before pooling."""
    batch = TextBatch(jnp.asarray(row), jnp.zeros(len(row), jnp.int32), jnp.array([len(row)], jnp.int32))
    _, kept = model.module.apply(variables(model.params), batch, mutable=["intermediates"])
    return {
        width: (
            np.asarray(kept["intermediates"][f"features_{width}"][0], np.float64),
            np.asarray(window_owner(batch, width)) == 0,
        )
        for width in model.arguments["filter_widths"]
    }


def print_explanation(console: Console, explanation: Explanation, top: int = 0) -> None:
    """The class, the probabilities, and the words: green ones speak for the class, red ones against it."""
    prediction, members = explanation.prediction, explanation.members
    probabilities = ", ".join(f"{name} {value:.3f}" for name, value in ranked(explanation, top))
    console.print(Text.assemble((prediction, "bold"), f"  ({probabilities})"))
    if members:
        values = [member[prediction] for member in members]
        within = f"their probabilities of it are {min(values):.3f} to {max(values):.3f}"
        agreement = f"{explanation.agreeing} of {len(members)} members say {prediction}; {within}."
        console.print(Text(agreement, style="dim"))
    if explanation.contributions is None:
        console.print(Text(one_line(explanation.text, _LONGEST_TEXT)))
        return
    line, strongest = Text(), max(map(abs, explanation.contributions), default=0.0) or 1.0
    for word, value in zip(explanation.words, explanation.contributions, strict=True):
        strength, colour = abs(value) / strongest, "green" if value > 0 else "red"
        line.append(word, style="" if strength < 0.1 else f"bold {colour}" if strength > 0.5 else colour)
        if abs(value) >= 0.2 * strongest:
            line.append(f" {value:+.3f}", style="dim")
        line.append(" ")
    console.print(line)
    unknown = [word for word, known in zip(explanation.words, explanation.known, strict=True) if not known]
    if unknown:
        console.print(Text(f"not in the vocabulary: {', '.join(dict.fromkeys(unknown))}", style="dim"))
    for window in explanation.windows[:_MOST_WINDOWS]:
        filters = f"{window.filters} filter{'s' if window.filters != 1 else ''}"
        console.print(Text(f"  {window.contribution:+.3f}  {window.words}  ({filters})"))


def ranked(explanation: Explanation, top: int = 0) -> list[tuple[str, float]]:
    """The classes with their probabilities, the most probable first; `top` of them, or all if it is 0."""
    by_probability = sorted(explanation.probabilities.items(), key=lambda item: -item[1])
    return by_probability[: top or None]


def as_json(explanations: Sequence[Explanation], top: int = 0, labels: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The explanations as lists and dictionaries; `words` and `windows` are None where there are no contributions."""
    found = []
    for number, one in enumerate(explanations):
        content: dict[str, Any] = {"text": one.text, "prediction": one.prediction}
        content |= {"probabilities": dict(ranked(one, top)) if top else one.probabilities, "words": None}
        content |= {"windows": None}
        if one.contributions is not None:
            words = zip(one.words, one.known, one.contributions, strict=True)
            content["words"] = [
                {"word": word, "known": known, "contribution": round(value, 6)} for word, known, value in words
            ]
            content["windows"] = [vars(window) for window in one.windows]
        if one.members:
            content |= {"members": one.members, "spread": one.spread, "agreeing": one.agreeing}
        content |= {"words_cut": one.num_cut} if one.num_cut else {}
        found.append(content | ({"label": labels[number]} if labels else {}))
    return found


def json_text(explanations: Sequence[Explanation], top: int = 0, labels: Sequence[str] = ()) -> str:
    """The explanations as JSON; characters that are not to be printed are written by their numbers."""
    content = as_json(explanations, top, labels)
    text = json.dumps(content, ensure_ascii=False, indent=2)
    return text if printable(text) == text else json.dumps(content, indent=2)


def check_output(path: Path) -> None:
    """Checks that answers can be written to a file, before there are any."""
    if path.suffix not in ANSWERS:
        raise UserError(f"output: '{io.shown(path)}' must end in {' or '.join(ANSWERS)}.")
    if io.exists(path):
        raise UserError(f"output: '{io.shown(path)}' is there already; name another file.")
    if not path.parent.is_dir():
        raise UserError(f"output: there is no folder '{io.shown(path.parent)}'.")
    io.check_writable(path.parent, "output")


def write(
    path: Path,
    explanations: Sequence[Explanation],
    given: Mapping[str, Any],
    top: int = 0,
    labels: Sequence[str] = (),
) -> Path:
    """Writes the answers to a file, whole or not at all: a row for each text, in their order."""
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(explanations):
        best = [{"answer": given[name], "probability": round(value, 6)} for name, value in ranked(one, top or 1)]
        row = {"row": number + 1, **({"label": given.get(labels[number])} if labels else {}), **best[0]}
        if path.suffix == ".csv":
            row |= {f"{name}_{rank}": cell for rank, of in enumerate(best[1:], 2) for name, cell in of.items()}
        rows.append(row | ({"top": best} if top and path.suffix != ".csv" else {}))
    written = StringIO()
    if path.suffix == ".csv" and rows:
        table = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    else:
        written.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return io.write(path, lambda temporary: temporary.write_bytes(written.getvalue().encode()))
