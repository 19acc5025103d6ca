"""Planted truths and falsehoods: small real training whose verdict is known; `python -m tests.experiments.planted`.

Each test module of a claim lists its own in `PLANTED`.
"""

import importlib
import io
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from jaxnets.engine import executables
from jaxnets.experiments.lecture import CLAIMS
from jaxnets.report.claims_page import Finding
from jaxnets.runs.experiment import configure
from jaxnets.runs.experiment import run as carry_out


@dataclass(frozen=True)
class Planted:
    """A small run in which a claim is true or false by how it is made.

    Attributes:
      claim: the name of its experiment.
      truth: whether the claim, or the part, is true there.
      case: what is planted, in words.
      values: of the flags.
      outcome: what must come out.
      part: the name of the rule that is looked at; of the whole verdict if empty.
      finding: makes the finding where values alone cannot plant it.
    """

    claim: str
    truth: bool
    case: str
    values: Mapping[str, Any]
    outcome: str
    part: str = ""
    finding: Callable[[], Finding] | None = None

    def __str__(self) -> str:
        """The truth and the part, for the name of a test."""
        return f"{'true' if self.truth else 'false'}-{self.part or self.claim}"

    def outcome_of(self, tiny: Callable[..., Any]) -> str:
        """The outcome of a small run.

        Args:
          tiny: from the name and the values to a tuple whose first item is the finding.
        """
        finding = self.finding() if self.finding else tiny(self.claim, **self.values)[0]
        if not self.part:
            return finding.verdict.outcome
        return next(part.outcome for part in finding.verdict.parts if part.name == self.part)


def run(name: str, **values: Any) -> tuple[Finding]:
    """A small run in a folder that is thrown away; nothing compiled before serves it, as code may have been planted."""
    executables.forget()
    experiment = importlib.import_module(f"jaxnets.experiments.{name}").EXPERIMENT
    with tempfile.TemporaryDirectory() as folder:
        config = configure(experiment, {**values, "output": str(Path(folder) / name)})
        _, finding = carry_out(experiment, config, Console(file=io.StringIO()), progress=None)
    return (finding,)


def of_claim(name: str) -> list[Planted]:
    """What the test module of a claim plants."""
    return importlib.import_module(f"tests.experiments.test_{name}").PLANTED


def row(planted: Planted, outcome: str) -> str:
    """A row of the table in docs/planted.md."""
    part = f" (`{planted.part}`)" if planted.part else ""
    mark = "" if outcome == planted.outcome else f" (**{planted.outcome} was due**)"
    truth = "true" if planted.truth else "false"
    return f"| `{planted.claim}`{part} | {planted.case} | {truth} | {outcome}{mark} |"


def main(names: list[str]) -> int:
    """Prints a row for each planted case of some claims, all if none is named; 1 if a verdict does not follow."""
    wrong = 0
    print("| claim | planted | it is | came out |\n| --- | --- | --- | --- |")
    for name in names or CLAIMS:
        for planted in of_claim(name):
            outcome = planted.outcome_of(run)
            wrong += outcome != planted.outcome
            print(row(planted, outcome), flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
