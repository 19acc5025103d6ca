"""The command line: flags made from the configuration and from the plug-ins that it names."""

import importlib
import json
import pkgutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from absl import flags
from rich.console import Console

from jaxnets.basics.errors import UserError, unknown
from jaxnets.config import config as configuration
from jaxnets.config import presets
from jaxnets.config.arguments import Argument
from jaxnets.config.config import Config
from jaxnets.config.values import show

INTERRUPTED_STATUS = 130
USER_ERROR_STATUS = 2


# The flags that must be known before the others can be: they bring flags of their own.
_NAMING = ("config", "preset", "model", "optimizer", "schedule", "dataset")


class Experiment(Protocol):
    """What a module of `experiments/` holds."""

    CLAIM: str
    """The sentence that the experiment puts to the test, or what it does."""
    DEFAULTS: Mapping[str, str]
    """Its flags' values where they differ from those of `Config`."""

    def report(self, results, console: Console) -> None:
        """Shows what was found, and writes figures into the run directory."""


def launch(package: ModuleType, argv: Sequence[str], default: str) -> int:
    """Runs the experiment that the first argument names.

    Args:
      package: holds a module for each experiment.
      argv: the program's name and its arguments.
      default: the experiment that runs when none is named.

    Returns:
      The exit status: 0, 2 for a mistake of the user's, 130 for an interruption.
    """
    return _guarded(lambda: _launch(package, list(argv), default))


def main(experiment: Experiment, argv: Sequence[str]) -> int:
    """Runs one experiment with the flags of `argv`, whose first item is the program's name; see `launch`."""
    return _guarded(lambda: _run(experiment, list(argv[1:])))


def _guarded(body) -> int:
    """Runs the body; a mistake of the user's becomes one line on the standard error stream."""
    try:
        return body()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR_STATUS
    except KeyboardInterrupt:
        print("Interrupted before the first step.", file=sys.stderr)
        return INTERRUPTED_STATUS


def _launch(package: ModuleType, argv: list[str], default: str) -> int:
    known = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    arguments = argv[1:]
    if arguments and arguments[0] in ("--help", "-h", "help"):
        print(_overview(package, known, default))
        return 0
    named = bool(arguments) and not arguments[0].startswith("-")
    name = arguments.pop(0) if named else _configured(arguments).get("experiment", default)
    if name not in known:
        raise unknown("experiment", name, known)
    module = importlib.import_module(f"{package.__name__}.{name}")
    # most modules are experiments; some are commands with arguments of their own
    return module.command(arguments) if hasattr(module, "command") else _run(module, arguments)


def _overview(package: ModuleType, known: Iterable[str], default: str) -> str:
    lines = [f"  {name:<20} {importlib.import_module(f'{package.__name__}.{name}').CLAIM}" for name in known]
    return "\n".join(
        [
            "usage: python run.py [EXPERIMENT] [--flag=value ...]",
            "",
            f"Experiments (without a name: {default}):",
            *lines,
            "",
            "'python run.py EXPERIMENT --help' lists its flags. A hyperparameter's flag takes one value, a list",
            "'a,b,c', or a range 'log:LOW:HIGH:COUNT' or 'lin:LOW:HIGH:COUNT'; lists make a sweep.",
        ]
    )


def _run(experiment: Experiment, arguments: list[str]) -> int:
    # imported late: the list of experiments needs no JAX
    from jaxnets.basics import files
    from jaxnets.engine import devices

    name = _name(experiment)
    if any(argument in ("--help", "-h", "--helpfull") for argument in arguments):
        print(_help(name, experiment))
        return 0
    config = parse(experiment, arguments)
    devices.configure(config.platform, config.number("num_devices"), config.compilation_cache)
    from jaxnets.lab import session as engine

    console = Console(soft_wrap=False)
    start = engine.run if getattr(experiment, "SWEEP", True) else engine.without_runs
    results = start(name, config, takes=getattr(experiment, "TAKES", ""))
    with files.file_errors(results.directory):
        _report(name, experiment, results, console)
    if results.interrupted:
        ended = int((results.runs["status"] != "interrupted").sum())
        console.print(f"Interrupted: {ended} of {len(results.runs)} runs had ended.")
    console.print(f"Results: {results.directory}", soft_wrap=True)
    return INTERRUPTED_STATUS if results.interrupted else 0


def _report(name: str, experiment: Any, results: Any, console: Console) -> None:
    """What the experiment shows: a claim's finding, or a report of its own."""
    if not hasattr(experiment, "verdict"):
        experiment.report(results, console)
    elif not results.interrupted:  # half a sweep supports nothing
        from jaxnets.lab import claims

        claims.conclude(name, experiment, results, console)


def _name(experiment: Experiment) -> str:
    """The experiment's name: also when its module is the program, as in `python -m experiments.xor`."""
    spec = getattr(experiment, "__spec__", None)
    name = spec.name if spec else getattr(experiment, "__name__", "experiment")
    return name.rpartition(".")[2]


def parse(experiment: Experiment, arguments: list[str]) -> Config:
    """The configuration: the experiment's own, changed by a `--config` file, changed by the flags given."""
    preset = presets.flags(_scan(arguments).get("preset", ""))
    own = getattr(experiment, "FLAGS", {})
    options = {flag: default for flag, (default, _) in own.items()}
    base = {**experiment.DEFAULTS, **options, **preset, **_configured(arguments).get("flags", {})}
    named = {**base, **_scan(arguments)}
    declared = _plugin_arguments(named)
    values = _flag_values(base, declared, own)
    spelled = _spell_out(arguments, declared)
    try:
        rest = values(["run.py", *spelled])[1:]
    except flags.UnrecognizedFlagError as error:
        raise _no_such_flag(error.flagname, values) from None
    except flags.Error as error:
        raise UserError(str(error).splitlines()[0]) from None
    if rest:
        raise UserError(f"'{rest[0]}' is no flag; flags are written --name=value.")
    given = {
        name: str(values[name].value) for name in values if values[name].present and name not in ("config", "preset")
    }
    chosen = {name: text for name, text in {**base, **given}.items() if name not in own}
    inherited = {name: text for name, text in base.items() if name in own or _applies(name, chosen)}
    config = Config.from_texts({**inherited, **given}, own)
    if hasattr(experiment, "check"):
        experiment.check(config)
    return config


def _applies(name: str, texts: Mapping[str, str]) -> bool:
    """Whether an inherited value still means something: another model may not have the arguments of the first."""
    if name in {field.name for field in configuration.fields()}:
        return True
    return name in _chosen_arguments(Config.from_texts(texts))


def _chosen_arguments(config: Config) -> dict[str, Argument]:
    """The arguments of the plug-ins that a configuration names."""
    from jaxnets.engine import runs as table

    chosen: dict[str, Argument] = dict(table.DATASET.arguments(config.dataset))
    for kind in table.PLUGINS:
        for name in getattr(config, kind.name).split(","):
            chosen.update(kind.arguments(name.strip()))
    return chosen


def _plugin_arguments(texts: Mapping[str, str]) -> dict[str, Argument]:
    """The arguments of all known plug-ins and of those that the flags name: each is a flag."""
    from jaxnets import data, models
    from jaxnets.engine import runs as table
    from jaxnets.training import optimizers, schedules

    known: dict[str, Iterable[str]] = {"model": models.KNOWN, "dataset": data.KNOWN}
    known |= {"optimizer": optimizers.known(), "schedule": schedules.known()}
    declared: dict[str, Argument] = {}
    for kind in (*table.PLUGINS, table.DATASET):
        for name in known[kind.name]:
            declared.update(kind.arguments(name))
    own = {name: text for name, text in texts.items() if name in {f.name for f in configuration.fields()}}
    return {**declared, **_chosen_arguments(Config.from_texts(own))}


def _flag_values(
    defaults: Mapping[str, str], declared: Mapping[str, Argument], own: Mapping[str, tuple[str, str]]
) -> flags.FlagValues:
    values = flags.FlagValues()
    flags.DEFINE_string("config", "", "A config.json to repeat; other flags change it.", flag_values=values)
    flags.DEFINE_string("preset", "", "The settings of a paper; other flags change them.", flag_values=values)
    for field in configuration.fields():
        default = defaults.get(field.name, str(field.default))
        flags.DEFINE_string(field.name, default, field.metadata["help"], flag_values=values)
    for name, (_, description) in own.items():
        flags.DEFINE_string(name, defaults[name], description, flag_values=values)
    for name, argument in declared.items():
        if name not in values:
            default = defaults.get(name, "" if argument.default is None else str(show(argument.default)))
            flags.DEFINE_string(name, default, f"An argument ({argument.kind}).", flag_values=values)
    return values


def _spell_out(arguments: Sequence[str], declared: Mapping[str, Argument]) -> list[str]:
    """Gives `--nesterov` and `--nonesterov` the value that they stand for."""
    switches = {name for name, argument in declared.items() if argument.kind == "bool"}
    switches |= {field.name for field in configuration.fields() if field.metadata["kind"] == "bool"}
    spelled = {f"--{name}": f"--{name}=true" for name in switches} | {f"--no{n}": f"--{n}=false" for n in switches}
    return [spelled.get(argument, argument) for argument in arguments]


def _scan(arguments: Sequence[str]) -> dict[str, str]:
    """What the flags say that name plug-ins: these must be known before the others can be."""
    found = {}
    for position, argument in enumerate(arguments):
        name, equals, text = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name in _NAMING:
            found[name] = text if equals else "".join(arguments[position + 1 : position + 2])
    return found


def _configured(arguments: Sequence[str]) -> dict:
    """The content of the file that `--config` names, if it is given.

    Raises:
      UserError: if there is no such file, or it is no config.json.
    """
    path = _scan(arguments).get("config")
    if not path:
        return {}
    try:
        content = json.loads(Path(path).read_text())
    except OSError as error:
        raise UserError(f"config: '{path}' cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UserError(f"config: '{path}' is not JSON: {error}.") from None
    texts = content.get("flags") if isinstance(content, dict) else None
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise UserError(f"config: '{path}' has no 'flags' with a text for each; take the config.json of a run.")
    return content


def _no_such_flag(name: str, values: flags.FlagValues) -> UserError:
    error = str(unknown("flag", name, list(values)))
    hint = error[error.index("Did") : error.index("Known")] if "Did you mean" in error else ""
    return UserError(f"{name}: there is no such flag. {hint}--help lists all.")


def _help(name: str, experiment: Experiment) -> str:
    """All flags of an experiment, with their defaults."""
    from jaxnets.engine import runs as table

    defaults = experiment.DEFAULTS
    sections = [f"{name}: {experiment.CLAIM}", "", "Hyperparameters (each takes a list or a range):"]
    settings = ["", "The sweep:"]
    for field in configuration.fields():
        target = sections if field.metadata["role"] == "hyperparameter" else settings
        target.append(_help_line(field.name, defaults.get(field.name, str(field.default)), field.metadata["help"]))
    chosen = Config.from_texts(defaults)
    for kind in (*table.PLUGINS, table.DATASET):
        for plugin in getattr(chosen, kind.name).split(","):
            for argument in kind.arguments(plugin).values():
                default = defaults.get(argument.name, "" if argument.default is None else str(show(argument.default)))
                sections.append(_help_line(argument.name, default, f"An argument of {kind.name} {plugin}."))
    own = [_help_line(flag, text, told) for flag, (text, told) in getattr(experiment, "FLAGS", {}).items()]
    last = [
        *(["", "Of this experiment alone:", *own] if own else []),
        _help_line("preset", "", f"The settings of a paper, which other flags change: {', '.join(presets.PRESETS)}."),
        _help_line("config", "", "A config.json to repeat; other flags change it."),
    ]
    return "\n".join([*sections, *settings, *last])


def _help_line(name: str, default: str, description: str) -> str:
    text = f"{description} (default: {default})" if default else description
    return textwrap.fill(text, width=110, initial_indent=f"  --{name:<20} ", subsequent_indent=" " * 25)
