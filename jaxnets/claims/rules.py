"""Rules: what must be found for a statement to be supported or contradicted, fixed as values before any run."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

IDENTITY: Final = "identity"
CONSTRUCTED: Final = "constructed"
EMPIRICAL: Final = "empirical"

Kind = Literal["identity", "constructed", "empirical"]
Test = Literal["exact", "above", "below", "within"]
Over = Literal["", "some", "often", "most", "mean"]

SHARES = {"often": 1 / 3, "most": 1 / 2}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A statement, and what decides it."""

    statement: str
    kind: Kind
    core: bool = True
    test: Test = "above"
    bound: float = 0.0
    against: float | None = None
    over: Over = ""
    unit: str = ""
    reason: str = ""
    power: str = ""

    @property
    def beyond(self) -> float:
        """What contradicts: an effect beyond it."""
        if self.against is not None:
            return self.against
        return -self.bound if self.test == "above" else self.bound

    @property
    def in_words(self) -> str:
        """The rule as a sentence."""
        if self.test == "exact":
            return "Supported if it holds, contradicted if it does not."
        bound, beyond = in_unit(self.bound, self.unit), in_unit(self.beyond, self.unit)
        supported = {
            "above": f"above {bound}",
            "below": f"below {bound}",
            "within": f"within {_either_way(self.bound, self.unit)}",
        }[self.test]
        contradicted = {
            "above": f"below {beyond}",
            "below": f"above {beyond}",
            "within": f"beyond {_either_way(self.beyond, self.unit)}",
        }[self.test]
        if not self.over:
            return f"Supported if the 95% interval lies {supported}, contradicted if it lies {contradicted}."
        if self.over == "mean":
            return (
                f"Supported if the 95% interval of the mean over tasks lies {supported}, contradicted if it lies "
                f"{contradicted}; mixed if some tasks show the one and some the other."
            )
        if self.over == "some":
            return (
                f"Supported if on a task at least, by Holm's correction, the 95% interval lies {supported}; "
                f"contradicted if on none, and that of the mean over tasks lies {contradicted}."
            )
        share = {"often": "a third", "most": "half"}[self.over]
        return (
            f"On a task it holds if the 95% interval lies {supported}, and its contrary if it lies {contradicted}. "
            f"Supported if the 95% interval of the share of tasks on which it holds lies above {share}, contradicted "
            "if that of its contrary does; mixed if, by Holm's correction, it holds on some tasks and its contrary on "
            "some."
        )


def fingerprint(rules: Mapping[str, Rule], *more: Any) -> str:
    """A hash of rules, and of what else was fixed beforehand: it changes if any of them does.

    >>> rule = Rule(statement="Nets learn.", kind="empirical")
    >>> fingerprint({"learn": rule}) == fingerprint({"learn": rule}, "more")
    False
    """
    content = [{name: asdict(rule) for name, rule in rules.items()}, *more]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _either_way(bound: float, unit: str) -> str:
    return f"{in_unit(-bound, unit)} to {in_unit(bound, unit)}"


def in_unit(number: float, unit: str = "") -> str:
    """A number with its unit.

    >>> in_unit(0.5, "%"), in_unit(2, "×"), in_unit(1234.5, "steps"), in_unit(0.01), in_unit(0, "log×")
    ('50.0%', '2×', '1.23e+03 steps', '0.01', '1×')
    """
    if math.isnan(number):
        return "unknown"
    if unit == "log×":
        return f"{math.exp(number):.3g}×"
    if unit == "%":
        return f"{number:.1%}"
    return f"{number:.3g}{unit}" if unit == "×" else f"{number:.3g} {unit}".strip()
