"""The command `jaxnets`, also `python run.py`: which experiment runs, and how a mistake, Ctrl-C and a success end."""

import ast
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path

import jaxnets
from jaxnets.errors import UserError, command, unknown

DEFAULT = "compare_optimizers"
USER_ERROR_STATUS, FAILURE_STATUS, UNHEARD_STATUS = 2, 1, 141
_EXPERIMENTS = Path(jaxnets.__file__).parent / "experiments"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the experiment or command that the first argument names; returns the exit status."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # where a user's own plug-ins are
    return _guarded(_launch, (sys.argv if argv is None else argv)[1:])


def run(experiment: object, argv: Sequence[str]) -> int:
    """Runs one experiment or command with the arguments of `argv`, whose first item is the program's; see `main`."""
    return _guarded(lambda arguments: _run(experiment, arguments), argv[1:])


def sentences() -> dict[str, str]:
    """The sentence that each experiment binds to `CLAIM`, by its name; no module is imported for it."""
    found = {}
    for path in sorted(_EXPERIMENTS.glob("*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == ["CLAIM"]:
                found[path.stem] = str(ast.literal_eval(statement.value))
    return found


def load(name: str) -> object:
    """The experiment or command of a name."""
    about = sentences()
    if name not in about:
        raise unknown("experiment", name, about)
    return importlib.import_module(f"jaxnets.experiments.{name}").EXPERIMENT


def _guarded(body: Callable[[list[str]], int], arguments: Sequence[str]) -> int:
    """Runs the body; what it raises becomes one line on the error stream, with `--debug` after the traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a character that the terminal does not know is shown by its number
            stream.reconfigure(errors="backslashreplace")
    try:
        status = body([argument for argument in arguments if argument not in ("--debug", "--debug=true")])
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever read has enough, as 'head' has
        _end_output()
        return UNHEARD_STATUS
    except KeyboardInterrupt:
        print("Interrupted before the first step.", file=sys.stderr)
        return interrupted_status()
    except Exception as error:
        if {"--debug", "--debug=true"} & set(arguments):
            traceback.print_exc()
        status, line = _described(error)
        print(f"error: {line}", file=sys.stderr)
        return status


def _end_output() -> None:
    """Lets what has not been printed yet go nowhere, so that Python does not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _described(error: Exception) -> tuple[int, str]:
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


def _launch(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in ("--help", "-h", "--helpfull", "help"):
        print(_overview())
        return 0
    if first == "--version":
        print(f"jaxnets {jaxnets.__version__}")
        return 0
    if first and not first.startswith("-"):
        return _run(load(first), arguments[1:])
    name = None
    if any(one.lstrip("-").startswith(("config", "resume", "flagfile")) for one in arguments):
        from jaxnets.cli import flags

        name = flags.experiment_of(arguments)
    return _run(load(name or DEFAULT), arguments)


def _overview() -> str:
    return "\n".join(
        [
            f"usage: {command()} [EXPERIMENT] [--flag=value ...]",
            "",
            f"Experiments (without a name: {DEFAULT}):",
            *(f"  {name:<20} {claim}" for name, claim in sentences().items()),
            "",
            f"'{command()} EXPERIMENT --help' shows the common flags, --helpfull all. A hyperparameter takes one",
            "value, a list 'a,b,c', or a range 'log:LOW:HIGH:COUNT' or 'lin:LOW:HIGH:COUNT'; lists make a sweep.",
            "--version prints the version, --quiet only errors, --debug the traceback of an error.",
        ]
    )


def _run(experiment: object, arguments: list[str]) -> int:
    # imported late: the list of experiments needs no JAX
    from jaxnets.cli import flags
    from jaxnets.engine import sweep
    from jaxnets.report.console import Terminal
    from jaxnets.runs.experiment import Command, Experiment
    from jaxnets.runs.experiment import run as carry_out

    asked_help = {"--help", "-h", "--helpfull"} & set(arguments)
    if isinstance(experiment, Command):
        if asked_help:
            print(flags.command_help(experiment))
            return 0
        return experiment.run(flags.command_values(experiment, arguments))
    assert isinstance(experiment, Experiment)
    if asked_help:
        print(flags.help_text(experiment, full="--helpfull" in arguments))
        return 0
    config = flags.parse(experiment, arguments)
    sweep.configure(config)
    quiet = bool({"--quiet", "--quiet=true"} & set(arguments))
    console = Terminal(quiet=quiet)
    results, _ = carry_out(experiment, config, console, None if quiet else Terminal(stderr=True))
    if results.interrupted:
        ended = int((results.runs["status"] != "interrupted").sum())
        console.print(f"Interrupted: {ended} of {len(results.runs)} runs had ended.")
    console.print(f"Results: {results.directory}", soft_wrap=True)
    return interrupted_status() if results.interrupted else 0


def interrupted_status() -> int:
    """130 for Ctrl-C, 143 for SIGTERM."""
    from jaxnets.engine import interrupts

    return interrupts.last_status()
