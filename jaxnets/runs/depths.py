"""Studies over tasks that are short, and on one of them over nets of several depths."""

from collections.abc import Mapping
from typing import Any

from jaxnets.runs.experiment import Option, of_suite
from jaxnets.runs.studies import Changes
from jaxnets.tasks import BenchmarkTask

TASKS = (
    *("digits", "digits_noise", "deep_narrow_digits", "wine"),
    *("mnist1d", "spirals", "parity", "teacher_student"),
)
DEEP, WIDTH = "digits", 32


def of_depths(*layers: int, confirm_seeds: int) -> tuple[Option, ...]:
    """The options of a study of such tasks."""
    return (
        *of_suite(*TASKS, confirm_seeds=confirm_seeds),
        Option("layers", list(layers), f"Hidden layers of the nets for {DEEP}.", least=1, most=100),
        Option("most_steps", 405, "No task takes more steps than these.", least=1),
    )


def short_and_deep(options: Mapping[str, Any]) -> Changes:
    """The changes of a study by the options of `of_depths`; data that are no task of the suite are taken as they are.

    Nothing is evaluated but the end of a training: such a study looks at nothing else.

    >>> from jaxnets import tasks
    >>> short_and_deep({"layers": [1, 2], "most_steps": 50})(tasks.KNOWN["digits"])
    {'num_steps': 50, 'evaluate_every': 50, 'hidden_units': [(32,), (32, 32)]}
    """

    def changes(task: BenchmarkTask | None) -> dict[str, Any]:
        if task is None:
            return {}
        steps = min(task.values["num_steps"], options["most_steps"])
        nets = {"hidden_units": [(WIDTH,) * layers for layers in options["layers"]]} if task.name == DEEP else {}
        return {"num_steps": steps, "evaluate_every": steps, **nets}

    return changes
