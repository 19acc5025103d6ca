"""The one error that a user meets: a line that says what is wrong and what would be right, in printable characters."""

import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

LONGEST = 2000  # characters of a message
SYNONYMS = {
    "lr": "learning_rate",
    "wd": "weight_decay",
    "seeds": "num_seeds",
    "epochs": "num_epochs",
    "steps": "num_steps",
    "repeats": "num_repeats",
    "num_blocks": "num_repeats",
    "confirm_seeds": "final_seeds",
}
"""What other libraries, or earlier versions, call a field."""

# a command to the screen; a title, a link or another string with its end; any other sequence, without what follows it
_SEQUENCES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # the last ones turn the direction
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_BREAKS = re.compile(r"[\n\t\u2028\u2029]")


class UserError(ValueError):
    """A mistake of the user's: one line that names the field and the nearest right thing.

    Args:
      message: may hold names and texts of others; line breaks and control characters of it are left out, and the middle
        of what is very long.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message, LONGEST))


def unknown(field: str, name: str, known: Iterable[str], hint: str = "") -> UserError:
    """The error for a name that stands for nothing; it offers the nearest known one.

    >>> print(unknown("optimizer", "adm", ["adam", "sgd"]))
    optimizer: 'adm' is not known. Did you mean 'adam'? Known: adam, sgd.
    """
    known = sorted(known)
    return UserError(f"{field}: '{name}' is not known.{nearest(name, known)} Known: {', '.join(known)}.{hint}")


def command(*words: str) -> str:
    """A command as its user writes it, quoted for the shell: `jaxnets`, or `python run.py` in a checkout."""
    in_checkout = Path(sys.argv[0]).name == "run.py"
    return shlex.join([*(("python", "run.py") if in_checkout else ("jaxnets",)), *words])


def nearest(name: str, known: Iterable[str]) -> str:
    """The question whether the nearest known name was meant, after a space; empty if none is near.

    >>> nearest("LR", ["learning_rate", "l1"])
    " Did you mean 'learning_rate'?"
    """
    by_case = {one.lower(): one for one in known}
    lower = str(name).lower()
    likely = by_case.get(lower) or by_case.get(SYNONYMS.get(lower, ""))
    most = 1 if len(lower) < 4 else 2 if len(lower) < 9 else 3
    near = min((_distance(lower, one), one) for one in by_case) if by_case and not likely and len(lower) < 100 else None
    likely = by_case[near[1]] if near and near[0] <= most else likely
    return f" Did you mean '{likely}'?" if likely else ""


def _distance(one: str, other: str) -> int:
    """The edit distance of two words, in which two letters that changed places are one edit."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one):
        older, before, row = before, row, [i + 1]
        for j, of_other in enumerate(other):
            row.append(min(row[j] + 1, before[j + 1] + 1, before[j] + (letter != of_other)))
            if i and j and letter == other[j - 1] and one[i - 1] == of_other:
                row[-1] = min(row[-1], older[j - 1] + 1)
    return row[-1]


def printable(text: str) -> str:
    r"""A text without what would act on a terminal; half a character is U+FFFD, line breaks and tabs stay.

    >>> printable("a\x1b[2Jb\x07 \ud800")
    'ab �'
    """
    if text.isascii() and text.isprintable():
        return text
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _CONTROLS.sub("", _SEQUENCES.sub("", text)))


def one_line(text: str, longest: int) -> str:
    r"""A printable text without line breaks; of a longer one the middle is left out.

    >>> one_line("two\nlines", 20), one_line("0123456789", 5)
    ('two lines', '01…89')
    """
    line = _BREAKS.sub(" ", printable(text))
    if len(line) <= longest:
        return line
    half = (longest - 1) // 2
    return f"{line[:half]}…{line[-half:]}"
