"""Explanations of predictions, for the eye and as JSON."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from jaxnets.basics.characters import printable

if TYPE_CHECKING:  # reports are made without JAX
    from jaxnets.trained.explain import Explanation

_MOST_WINDOWS = 5


def print_explanation(console: Console, explanation: "Explanation") -> None:
    """The class, the probabilities, and the words: green ones speak for the class, red ones against it."""
    by_probability = sorted(explanation.probabilities.items(), key=lambda item: -item[1])
    probabilities = ", ".join(f"{name} {value:.3f}" for name, value in by_probability)
    console.print(Text.assemble((explanation.prediction, "bold"), f"  ({probabilities})"))
    if explanation.members:
        console.print(Text(_agreement(explanation), style="dim"))
    console.print(coloured(explanation))
    unknown = [word for word, known in zip(explanation.words, explanation.known, strict=True) if not known]
    if unknown:
        console.print(Text(f"not in the vocabulary: {', '.join(dict.fromkeys(unknown))}", style="dim"))
    for window in explanation.windows[:_MOST_WINDOWS]:
        filters = f"{window.filters} filter{'s' if window.filters != 1 else ''}"
        console.print(Text(f"  {window.contribution:+.3f}  {window.words}  ({filters})"))


def _agreement(explanation: "Explanation") -> str:
    """How far the members of an ensemble agree, in a sentence."""
    count, prediction = len(explanation.members), explanation.prediction
    values = [member[prediction] for member in explanation.members]
    within = f"their probabilities of it are {min(values):.3f} to {max(values):.3f}"
    return f"{explanation.agreeing} of {count} members say {prediction}; {within}."


def coloured(explanation: "Explanation") -> Text:
    """The words with their contributions; the strongest ones in the strongest colour."""
    strongest = max((abs(value) for value in explanation.contributions), default=0.0) or 1.0
    line = Text()
    for word, value in zip(explanation.words, explanation.contributions, strict=True):
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


def as_json(explanations: Sequence["Explanation"]) -> list[dict[str, Any]]:
    """The explanations as lists and dictionaries."""
    return [
        {
            "text": one.text,
            "prediction": one.prediction,
            "probabilities": one.probabilities,
            "words": [
                {"word": word, "known": known, "contribution": round(value, 6)}
                for word, known, value in zip(one.words, one.known, one.contributions, strict=True)
            ],
            "windows": [vars(window) for window in one.windows],
            **_members(one),
        }
        for one in explanations
    ]


def json_text(explanations: Sequence["Explanation"]) -> str:
    """The explanations as JSON; characters that are not to be printed are written by their numbers."""
    text = json.dumps(as_json(explanations), ensure_ascii=False, indent=2)
    return text if printable(text) == text else json.dumps(as_json(explanations), indent=2)


def _members(explanation: "Explanation") -> dict[str, Any]:
    """What an ensemble has and a single model has not."""
    if not explanation.members:
        return {}
    return {"members": explanation.members, "spread": explanation.spread, "agreeing": explanation.agreeing}
