"""The command line: which experiment runs, and how a mistake, an interruption and a success end."""

import ast
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from jaxnets.basics.errors import UserError, unknown

INTERRUPTED_STATUS = 130
USER_ERROR_STATUS = 2


def launch(package: ModuleType, argv: Sequence[str], default: str) -> int:
    """Runs the experiment that the first argument names.

    Args:
      package: holds a module for each experiment, with an `EXPERIMENT` and the sentence `CLAIM` on it.
      argv: the program's name and its arguments.
      default: the experiment that runs when none is named.

    Returns:
      The exit status: 0, 2 for a mistake of the user's, 130 for an interruption.
    """
    return _guarded(lambda: _launch(package, list(argv[1:]), default))


def main(experiment: object, argv: Sequence[str]) -> int:
    """Runs one experiment or command with the arguments of `argv`, whose first item is the program's; see `launch`."""
    return _guarded(lambda: _run(experiment, list(argv[1:])))


def _guarded(body: Callable[[], int]) -> int:
    """Runs the body; a mistake of the user's becomes one line on the standard error stream."""
    try:
        return body()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR_STATUS
    except KeyboardInterrupt:
        print("Interrupted before the first step.", file=sys.stderr)
        return INTERRUPTED_STATUS


def _launch(package: ModuleType, arguments: list[str], default: str) -> int:
    about = sentences(package)
    if arguments and arguments[0] in ("--help", "-h", "help"):
        print(_overview(about, default))
        return 0
    named = bool(arguments) and not arguments[0].startswith("-")
    name = arguments.pop(0) if named else _configured(arguments) or default
    if name not in about:
        raise unknown("experiment", name, about)
    return _run(importlib.import_module(f"{package.__name__}.{name}").EXPERIMENT, arguments)


def _configured(arguments: Sequence[str]) -> str | None:
    """The experiment of a `--config` file."""
    if not any(argument.lstrip("-").startswith("config") for argument in arguments):
        return None
    from jaxnets.lab import flags

    return flags.experiment_of(arguments)


def sentences(package: ModuleType) -> dict[str, str]:
    """The sentence on each experiment of a package, by its name; no module is imported for it."""
    files = sorted(path for folder in package.__path__ for path in Path(folder).glob("*.py"))
    claims = {path.stem: _sentence(path) for path in files}
    return {name: claim for name, claim in claims.items() if claim is not None}


def _sentence(path: Path) -> str | None:
    """The text that a module binds to `CLAIM`; None if it binds none."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == ["CLAIM"]:
            return str(ast.literal_eval(statement.value))
    return None


def _overview(about: Mapping[str, str], default: str) -> str:
    return "\n".join(
        [
            "usage: python run.py [EXPERIMENT] [--flag=value ...]",
            "",
            f"Experiments (without a name: {default}):",
            *(f"  {name:<20} {claim}" for name, claim in about.items()),
            "",
            "'python run.py EXPERIMENT --help' lists its flags. A hyperparameter's flag takes one value, a list",
            "'a,b,c', or a range 'log:LOW:HIGH:COUNT' or 'lin:LOW:HIGH:COUNT'; lists make a sweep.",
        ]
    )


def _run(experiment: object, arguments: list[str]) -> int:
    # imported late: the list of experiments needs no JAX
    from rich.console import Console

    from jaxnets.engine import devices
    from jaxnets.lab import flags, runner
    from jaxnets.lab.experiment import Command, Experiment

    if isinstance(experiment, Command):
        return experiment.run(arguments)
    assert isinstance(experiment, Experiment)
    if any(argument in ("--help", "-h", "--helpfull") for argument in arguments):
        print(flags.help_text(experiment))
        return 0
    config = flags.parse(experiment, arguments)
    devices.configure(config.platform, config.num_devices, config.compilation_cache)
    console = Console(soft_wrap=False)
    results, _ = runner.run(experiment, config, console, Console(stderr=True))
    if results.interrupted:
        ended = int((results.runs["status"] != "interrupted").sum())
        console.print(f"Interrupted: {ended} of {len(results.runs)} runs had ended.")
    console.print(f"Results: {results.directory}", soft_wrap=True, markup=False)
    return INTERRUPTED_STATUS if results.interrupted else 0
