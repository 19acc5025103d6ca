"""Why a text model decides as it does: what each word, or each window of words, adds."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
ANSWERS = (".csv", ".jsonl")
"""The endings of files of answers."""


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
        return _most_probable(self.probabilities)

    @property
    def agreeing(self) -> int:
        """How many members would have given the same class by themselves."""
        return sum(_most_probable(member) == self.prediction for member in self.members)

    @property
    def spread(self) -> dict[str, float]:
        """The standard deviation of the members' probabilities, by class."""
        return {name: float(np.std([member[name] for member in self.members])) for name in self.probabilities}


def _most_probable(probabilities: dict[str, float]) -> str:
    return max(probabilities, key=probabilities.__getitem__)


def explain(asked: Model | Ensemble, texts: Sequence[str], *, reasons: bool = True) -> list[Explanation]:
    """What a model of texts, or an ensemble of them, says of some texts, and why."""
    model = asked if isinstance(asked, Model) else asked.first
    if not model.vocabulary:
        raise UserError(f"the model '{model.plugin.name}' takes features, not texts.")
    ids, of_texts = model.ids, list(map(splitter(model), checked_strings(texts)))
    kept = [words[: model.max_length or None] for words in of_texts]
    rows = [np.array([ids.get(word, 1) for word in words], np.int32) for words in kept]
    of_members = np.stack([class_probabilities(asked, rows)]) if isinstance(asked, Model) else asked.of_members(rows)
    found = []
    for number, (text, words, row) in enumerate(zip(texts, kept, rows, strict=True)):
        probabilities = of_members[:, number].mean(axis=0)
        contributions: np.ndarray | None = None
        windows: tuple[Window, ...] = ()
        if reasons and len(words) <= LONGEST_EXPLAINED:
            contributions, windows = _reasons(asked, row, words, int(probabilities.argmax()))
        members = tuple(_by_class(model, member[number]) for member in of_members)
        found.append(
            Explanation(
                text=text,
                words=tuple(words),
                known=tuple(word in ids for word in words),
                probabilities=_by_class(model, probabilities),
                contributions=None if contributions is None else tuple(map(float, contributions)),
                windows=windows,
                members=members if isinstance(asked, Ensemble) else (),
                num_cut=len(of_texts[number]) - len(words),
            )
        )
    return found


def _reasons(
    asked: Model | Ensemble, row: np.ndarray, words: Sequence[str], predicted: int
) -> tuple[np.ndarray, tuple[Window, ...]]:
    """What each word of a text adds, and each window of a single text CNN: an ensemble has no windows in common."""
    if isinstance(asked, Ensemble):
        return leave_one_out(lambda rows: asked.of_members(rows).mean(axis=0), row), ()
    if has_windows(asked.params):
        return _by_windows(asked, row, words, predicted)
    return leave_one_out(partial(class_probabilities, asked), row), ()


def _by_class(model: Model, probabilities: np.ndarray) -> dict[str, float]:
    return {name: float(value) for name, value in zip(model.class_names, probabilities, strict=True)}


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
    weights, start = _direction(model, predicted), 0
    for width, (features, within) in window_features(model, row).items():
        shares = _shares(features, within, averaged=model.module.pooling is MeanPooling)
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


def _shares(features: np.ndarray, within: np.ndarray, *, averaged: bool) -> Float[np.ndarray, "positions filters"]:
    """The share of each window in each pooled feature: 1 for the largest, or equal ones for the mean."""
    if averaged:
        return np.broadcast_to((within / within.sum())[:, None], features.shape)
    winners = np.where(within[:, None], features, -np.inf).argmax(axis=0)
    return (np.arange(len(features))[:, None] == winners).astype(np.float64)


def _direction(model: Model, predicted: int) -> Float[np.ndarray, "features"]:
    """The weights of the predicted class, less the mean of those of the others."""
    kernel = np.asarray(model.params[OUTPUT]["kernel"], np.float64)
    if kernel.shape[1] == 1:  # one logit, that of class 1
        return kernel[:, 0] if predicted == 1 else -kernel[:, 0]
    others = np.delete(kernel, predicted, axis=1)
    return kernel[:, predicted] - others.mean(axis=1)


def print_explanation(console: Console, explanation: Explanation, top: int = 0) -> None:
    """The class, the probabilities, and the words: green ones speak for the class, red ones against it."""
    probabilities = ", ".join(f"{name} {value:.3f}" for name, value in ranked(explanation, top))
    console.print(Text.assemble((explanation.prediction, "bold"), f"  ({probabilities})"))
    if explanation.members:
        console.print(Text(_agreement(explanation), style="dim"))
    if explanation.contributions is None:
        console.print(Text(one_line(explanation.text, _LONGEST_TEXT)))
        return
    console.print(coloured(explanation))
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


def _agreement(explanation: Explanation) -> str:
    """How far the members of an ensemble agree, in a sentence."""
    count, prediction = len(explanation.members), explanation.prediction
    values = [member[prediction] for member in explanation.members]
    within = f"their probabilities of it are {min(values):.3f} to {max(values):.3f}"
    return f"{explanation.agreeing} of {count} members say {prediction}; {within}."


def coloured(explanation: Explanation) -> Text:
    """The words with their contributions; the strongest ones in the strongest colour."""
    contributions = explanation.contributions or ()
    strongest = max(map(abs, contributions), default=0.0) or 1.0
    line = Text()
    for word, value in zip(explanation.words, contributions, strict=True):
        line.append(word, style=_style(value / strongest))
        if abs(value) >= 0.2 * strongest:
            line.append(f" {value:+.3f}", style="dim")
        line.append(" ")
    return line


def _style(strength: float) -> str:
    if abs(strength) < 0.1:
        return ""
    weight = "bold " if abs(strength) > 0.5 else ""
    return f"{weight}{'green' if strength > 0 else 'red'}"


def as_json(explanations: Sequence[Explanation], top: int = 0, labels: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The explanations as lists and dictionaries; `words` and `windows` are None where there are no contributions."""
    return [
        {
            "text": one.text,
            "prediction": one.prediction,
            "probabilities": dict(ranked(one, top)) if top else one.probabilities,
            "words": _words(one),
            "windows": None if one.contributions is None else [vars(window) for window in one.windows],
            **_members(one),
            **({"words_cut": one.num_cut} if one.num_cut else {}),
            **({"label": labels[number]} if labels else {}),
        }
        for number, one in enumerate(explanations)
    ]


def _words(explanation: Explanation) -> list[dict[str, Any]] | None:
    if explanation.contributions is None:
        return None
    return [
        {"word": word, "known": known, "contribution": round(value, 6)}
        for word, known, value in zip(explanation.words, explanation.known, explanation.contributions, strict=True)
    ]


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
    rows = []
    for number, one in enumerate(explanations):
        best = [(given[name], round(value, 6)) for name, value in ranked(one, top or 1)]
        label = {"label": given.get(labels[number])} if labels else {}
        rows.append(({"row": number + 1, **label}, best))
    lines = _csv_lines(rows) if path.suffix == ".csv" else (_json_line(*row, top=top) for row in rows)
    content = "".join(lines)
    return io.write(path, lambda temporary: temporary.write_bytes(content.encode()))


def _json_line(row: dict[str, Any], best: Sequence[tuple[Any, float]], *, top: int) -> str:
    named = [{"answer": answer, "probability": probability} for answer, probability in best]
    return json.dumps(row | named[0] | ({"top": named} if top else {}), ensure_ascii=False) + "\n"


def _csv_lines(rows: Sequence[tuple[dict[str, Any], Sequence[tuple[Any, float]]]]) -> Iterator[str]:
    written = StringIO()
    table = csv.writer(written, lineterminator="\n")
    for number, (row, best) in enumerate(rows):
        if number == 0:
            ranks = ["" if rank == 0 else f"_{rank + 1}" for rank in range(len(best))]
            table.writerow([*row, *(f"{name}{rank}" for rank in ranks for name in ("answer", "probability"))])
        table.writerow([*row.values(), *(cell for pair in best for cell in pair)])
    yield written.getvalue()


def _members(explanation: Explanation) -> dict[str, Any]:
    """What an ensemble has and a single model has not."""
    if not explanation.members:
        return {}
    return {"members": explanation.members, "spread": explanation.spread, "agreeing": explanation.agreeing}
