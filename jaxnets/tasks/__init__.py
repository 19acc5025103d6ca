"""A suite of small problems, on which a comparison takes minutes: each a file of this folder and a line below."""

from importlib import import_module

from jaxnets.errors import UserError, unknown
from jaxnets.tasks.task import BenchmarkTask

SMALL = (
    "digits",
    "digits_noise",
    "deep_narrow_digits",
    "breast_cancer",
    "wine",
    "mnist1d",
    "spirals",
    "parity",
    "teacher_student",
    "dan_text",
    "text_cnn_text",
)
"""The names of the tasks that take little time: 64 runs of one optimizer train within seconds."""

LARGE = ("mnist1d_wide",)
"""The names of those that take longer."""

KNOWN: dict[str, BenchmarkTask] = {name: import_module(f"jaxnets.tasks.{name}").TASK for name in (*SMALL, *LARGE)}


def find(text: str) -> tuple[BenchmarkTask, ...]:
    """The tasks that a text names, each once.

    >>> [task.name for task in find("wine,digits")]
    ['wine', 'digits']
    """
    groups = {"small": SMALL, "all": tuple(KNOWN)}
    names = [name for item in text.split(",") if item.strip() for name in groups.get(item.strip(), (item.strip(),))]
    if not names:
        raise UserError(f"tasks: '{text}' names no task; give small, all, or names: {', '.join(sorted(KNOWN))}.")
    for name in names:
        if name not in KNOWN:
            raise unknown("tasks", name, (*groups, *KNOWN))
    return tuple(KNOWN[name] for name in dict.fromkeys(names))
