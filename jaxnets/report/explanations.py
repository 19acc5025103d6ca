"""Explanations of predictions, for the eye and as JSON."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from jaxnets import io
from jaxnets.errors import UserError, one_line, printable

if TYPE_CHECKING:  # reports are made without JAX
    from jaxnets.trained.explain import Explanation

_MOST_WINDOWS = 5
_LONGEST_TEXT = 160
ANSWERS = (".csv", ".jsonl")
"""The endings of files of answers."""


def print_explanation(console: Console, explanation: "Explanation", top: int = 0) -> None:
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


def ranked(explanation: "Explanation", top: int = 0) -> list[tuple[str, float]]:
    """The classes with their probabilities, the most probable first; `top` of them, or all if it is 0."""
    by_probability = sorted(explanation.probabilities.items(), key=lambda item: -item[1])
    return by_probability[: top or None]


def _agreement(explanation: "Explanation") -> str:
    """How far the members of an ensemble agree, in a sentence."""
    count, prediction = len(explanation.members), explanation.prediction
    values = [member[prediction] for member in explanation.members]
    within = f"their probabilities of it are {min(values):.3f} to {max(values):.3f}"
    return f"{explanation.agreeing} of {count} members say {prediction}; {within}."


def coloured(explanation: "Explanation") -> Text:
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


def as_json(explanations: Sequence["Explanation"], top: int = 0, labels: Sequence[str] = ()) -> list[dict[str, Any]]:
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


def _words(explanation: "Explanation") -> list[dict[str, Any]] | None:
    if explanation.contributions is None:
        return None
    return [
        {"word": word, "known": known, "contribution": round(value, 6)}
        for word, known, value in zip(explanation.words, explanation.known, explanation.contributions, strict=True)
    ]


def json_text(explanations: Sequence["Explanation"], top: int = 0, labels: Sequence[str] = ()) -> str:
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
    explanations: Sequence["Explanation"],
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


def _members(explanation: "Explanation") -> dict[str, Any]:
    """What an ensemble has and a single model has not."""
    if not explanation.members:
        return {}
    return {"members": explanation.members, "spread": explanation.spread, "agreeing": explanation.agreeing}
