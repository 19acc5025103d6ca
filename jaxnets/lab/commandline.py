"""The command line: which experiment runs, and how a mistake, an interruption and a success end."""

import ast
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType

from jaxnets.errors import UserError, unknown

USER_ERROR_STATUS = 2
UNHEARD_STATUS = 141
FAILURE_STATUS = 1
_DEBUG = ("--debug", "--debug=true")


def launch(package: ModuleType, argv: Sequence[str], default: str) -> int:
    """Runs the experiment that the first argument names."""
    return _guarded(lambda arguments: _launch(package, arguments, default), argv[1:])


def main(experiment: object, argv: Sequence[str]) -> int:
    """Runs one experiment or command with the arguments of `argv`, whose first item is the program's; see `launch`."""
    return _guarded(lambda arguments: _run(experiment, arguments), argv[1:])


def _guarded(body: Callable[[list[str]], int], arguments: Sequence[str]) -> int:
    """Runs the body; what it raises becomes one line on the standard error stream, by `--debug` after the traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a character that the terminal does not know is shown by its number
            stream.reconfigure(errors="backslashreplace")
    debug = bool(set(_DEBUG) & set(arguments))
    try:
        status = body([argument for argument in arguments if argument not in _DEBUG])
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever read has enough, as 'head' has
        _end_output()
        return UNHEARD_STATUS
    except KeyboardInterrupt:
        print("Interrupted before the first step.", file=sys.stderr)
        return interrupted_status()
    except Exception as error:
        if debug:
            traceback.print_exc()
        status, line = _told(error)
        print(f"error: {line}", file=sys.stderr)
        return status


def _end_output() -> None:
    """Lets what has not been printed yet go nowhere, so that Python does not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(error: Exception) -> tuple[int, str]:
    """The exit status and the line for an error."""
    if isinstance(error, UserError):
        return USER_ERROR_STATUS, str(error)
    if isinstance(error, OSError):
        _end_output()
        return USER_ERROR_STATUS, str(UserError(f"{error.filename or 'standard output'}: {error.strerror or error}."))
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        return USER_ERROR_STATUS, "memory: there is not enough; take fewer runs, smaller nets or less data."
    from jaxnets import user_code  # NumPy takes longer than the list of experiments

    return FAILURE_STATUS, f"{user_code.described(error)} This is a fault of jaxnets; --debug shows where it arose."


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
    """The experiment of a `--config` file, or of the run directory of `--resume`."""
    if not any(argument.lstrip("-").startswith(("config", "resume")) for argument in arguments):
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
            "--debug shows where in the code an error arose.",
        ]
    )


def _run(experiment: object, arguments: list[str]) -> int:
    # imported late: the list of experiments needs no JAX
    from jaxnets import spans
    from jaxnets.engine import sweep
    from jaxnets.lab import flags, runner
    from jaxnets.lab.experiment import Command, Experiment
    from jaxnets.report.console import Terminal

    if isinstance(experiment, Command):
        return experiment.run(arguments)
    assert isinstance(experiment, Experiment)
    if any(argument in ("--help", "-h", "--helpfull") for argument in arguments):
        print(flags.help_text(experiment))
        return 0
    config = flags.parse(experiment, arguments)
    sweep.configure(config)
    console = Terminal()
    start = spans.process_start() if config.profile else None
    results, _ = runner.run(experiment, config, console, Terminal(stderr=True), start)
    if results.interrupted:
        ended = int((results.runs["status"] != "interrupted").sum())
        console.print(f"Interrupted: {ended} of {len(results.runs)} runs had ended.")
    console.print(f"Results: {results.directory}", soft_wrap=True)
    return interrupted_status() if results.interrupted else 0


def interrupted_status() -> int:
    """130 for Ctrl-C, 143 for SIGTERM."""
    from jaxnets.engine import interrupts

    return interrupts.last_status()
