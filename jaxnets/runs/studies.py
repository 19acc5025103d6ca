"""Studies of a claim: contestants tuned alike on each task and in each block, and confirmed on fresh seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from jaxnets.comparison.table import CONFIRMATION, Study
from jaxnets.config.config import Config
from jaxnets.engine.results import Trained
from jaxnets.runs import comparing
from jaxnets.runs.comparing import Contest, Gathered
from jaxnets.tasks import BenchmarkTask

Changes = Callable[[BenchmarkTask | None], Mapping[str, Any]]


@dataclass(frozen=True)
class Studied:
    """What a study gave."""

    study: Study
    trained: tuple[Trained, ...]
    reporting: Mapping[str, Trained]


def carry_out(
    config: Config,
    contest: Contest,
    tasks: Sequence[str],
    console: Console | None,
    takes: str,
    changes: Changes,
    directory: Path | None = None,
) -> Studied:
    """Tunes and confirms the contestants on each task; nothing is written but parts."""
    gathered, sweeps = Gathered(config, contest), []
    reporting: dict[str, Trained] = {}
    for part in comparing.parts(config, tasks, takes, changes):
        for phase, trained in comparing.stages(part, contest, console, directory):
            if trained.interrupted:
                raise KeyboardInterrupt
            gathered.add(trained, part.facts, phase)
            sweeps.append(trained)
            if phase == CONFIRMATION or not contest.confirm_seeds:
                reporting[part.facts.name] = trained
        gathered.tasks.append(part.facts)
    return Studied(gathered.study(), tuple(sweeps), reporting)
