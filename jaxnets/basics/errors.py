"""The one error that a user meets: what is wrong, and what would be right."""

import difflib
from collections.abc import Iterable

from jaxnets.basics.characters import one_line

LONGEST = 2000  # characters
SYNONYMS = {
    "lr": "learning_rate",
    "wd": "weight_decay",
    "seeds": "num_seeds",
    "epochs": "num_epochs",
    "steps": "num_steps",
    "blocks": "num_blocks",
}
"""What other libraries call a field."""


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


def nearest(name: str, known: Iterable[str]) -> str:
    """The question whether the nearest known name was meant, after a space; empty if none is near.

    >>> nearest("adm", ["adam", "sgd"])
    " Did you mean 'adam'?"
    >>> nearest("LR", ["learning_rate", "l1"])
    " Did you mean 'learning_rate'?"
    """
    by_case = {one.lower(): one for one in known}
    lower = str(name).lower()
    likely = by_case.get(lower) or by_case.get(SYNONYMS.get(lower, ""))
    close = [likely] if likely else [by_case[one] for one in difflib.get_close_matches(lower, by_case, n=1, cutoff=0.5)]
    return f" Did you mean '{close[0]}'?" if close else ""
