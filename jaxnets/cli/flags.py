"""absl flags made from the fields of `Config`, the arguments of plug-ins, and the options of experiments and commands.

A flag stays a text for absl; `parse_text` makes it a value, and the field that it belongs to checks it.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from absl import flags

from jaxnets import plugins
from jaxnets.config import config as configuration
from jaxnets.config import presets
from jaxnets.config.config import Config
from jaxnets.config.values import Kind, Range, choices, linear_range, log_range
from jaxnets.engine.table import chosen
from jaxnets.errors import UserError, nearest
from jaxnets.errors import command as command_of
from jaxnets.plugins import DATASET, KINDS, WITH_ARGUMENTS, Trust
from jaxnets.runs import config_files, run_directory
from jaxnets.runs.experiment import Command, Experiment, Option, configure, inherited, repeated


@dataclass(frozen=True)
class Flag:
    """A flag: what its text must be, its help, and the group in which the help shows it."""

    name: str
    kind: Kind
    help: str
    default: Any = None
    several: bool = False
    repeated: bool = False
    optional: bool = False
    group: str = "More"

    def value(self, text: str) -> Any:
        """The value of a text; None if it is empty, where that means 'not given'."""
        if text == "" and self.optional:
            return None
        return parse_text(self.name, text, self.kind, several=self.several)

    def lines(self) -> str:
        """Its help, with its default."""
        default = self.default
        shown = "" if self.repeated else ",".join(_shown(value) for value in choices(default))
        text = f"{self.help} (default: {shown})" if shown else self.help
        return textwrap.fill(text, width=100, initial_indent=f"  --{self.name:<20} ", subsequent_indent=" " * 25)


TRUST = "Allows what a file of a run names: --trust all, --trust=package.module:name this import path, or several."
_EVERYWHERE = (
    Flag("help", "bool", "Shows the common flags.", group="Help"),
    Flag("helpfull", "bool", "Shows all flags.", group="Help"),
    Flag("quiet", "bool", "Prints no progress, and of results only errors.", group="Help"),
    Flag("debug", "bool", "Shows where in the code an error arose.", group="Help"),
    Flag("flagfile", "text", "A file of flags, one a line.", group="Help"),
)
_OF_EXPERIMENTS = (
    Flag("preset", "text", f"The settings of a paper, which other flags change: {', '.join(presets.PRESETS)}."),
    Flag("config", "text", "A config.json to repeat; other flags change it."),
    Flag("resume", "text", "A run directory in which a sweep was ended before its time: it goes on."),
    Flag("trust", "bool", TRUST),
)
_COMMON = (
    *("dataset", "model", "optimizer", "learning_rate", "schedule", "batch_size", "num_epochs", "num_steps"),
    *("num_seeds", "search", "num_trials", "keep", "output", "num_devices"),
)

_ADVANCED = ("Training", "The sweep", "Of other plug-ins")
"""Groups that --helpfull alone shows."""


def parse(experiment: Experiment, arguments: Sequence[str]) -> Config:
    """The configuration of an experiment's flags: its own values, or those of a `--config` file, with changes."""
    values, rest = _first(arguments)
    named: dict[str, Any] = {name: values[name].value for name in values if values[name].present}
    trusted, resumed, path = trust_of(named.get("trust", "")), named.get("resume"), named.get("config")
    if resumed:
        for name in ("config", "output"):
            if name in named:
                raise UserError(f"{name}: --resume goes on with what '{resumed}' holds; leave --{name} out.")
        run_directory.check_begun(Path(resumed))
        path = f"{resumed}/{run_directory.CONFIG}"
    given = {
        name: parse_text(name, text, "plugin", several=name != "dataset")
        for name, text in named.items()
        if name in KINDS
    }
    preset = presets.values(named["preset"]) if "preset" in named else {}
    held: Mapping[str, Any] = {}
    if path:
        content = config_files.read(path)
        held = config_files.values(
            path, {"config": {name: one for name, one in content["config"].items() if name in KINDS}}, given, trusted
        )
    declared = _declared(experiment, {**experiment.defaults, **preset, **held, **given})
    texts = _strictly(values, rest, declared)
    given = {name: declared[name].value(text) for name, text in texts.items() if name in declared}
    if resumed:
        given["output"] = resumed
    if path:
        return repeated(experiment, path, given, trusted)
    kept = {name: value for name, value in inherited(preset, given).items() if name not in given}
    return configure(experiment, {**kept, **given})


def experiment_of(arguments: Sequence[str]) -> str | None:
    """The experiment that a `--config` or a `--resume` among the arguments names; None without one."""
    values, _ = _first(arguments)
    if resumed := values["resume"].value:
        run_directory.check_begun(Path(resumed))
        return config_files.read(f"{resumed}/{run_directory.CONFIG}").get("experiment")
    path = values["config"].value
    return config_files.read(path).get("experiment") if path else None


def command_values(command: Command, arguments: Sequence[str]) -> SimpleNamespace:
    """The values of a command's flags, and its run directories as `directory`."""
    declared = {option.name: _of_option(option) for option in command.options}
    values, directories = _defined((*_EVERYWHERE, *declared.values())), []
    try:
        directories = values(["jaxnets", *_words(arguments)])[1:]
    except (flags.Error, ValueError) as error:
        raise _mistake(error, values) from None
    if directories and not command.directories:
        raise UserError(f"'{directories[0]}' is not a flag; flags are written --name=value.")
    found = {}
    for option in command.options:
        flag = values[option.name]
        if option.repeated:
            found[option.name] = list(flag.value or [])
        else:
            found[option.name] = option.value(
                declared[option.name].value(str(flag.value)) if flag.present else option.default
            )
    return SimpleNamespace(directory=directories, **found)


def trust_of(text: str) -> Trust:
    """What a text of `--trust` trusts; an empty one nothing.

    >>> trust_of("true"), trust_of(""), trust_of("my_lab.nets:MyNet")
    (True, (), ('my_lab.nets:MyNet',))
    """
    if text in ("true", "all"):
        return True
    paths = tuple(part.strip() for part in text.split(",") if part.strip() and text != "false")
    for path in paths:
        if ":" not in path:
            raise UserError(f"trust: '{path}' is not an import path 'package.module:name'; --trust alone trusts all.")
    return paths


def _words(arguments: Iterable[str]) -> list[str]:
    """The arguments with those of `--flagfile` in its place, and with underscores for the dashes in names of flags."""
    try:
        expanded = flags.FlagValues().read_flags_from_files(list(arguments))
    except flags.Error as error:
        raise UserError(f"flagfile: {str(error).splitlines()[0]}") from None
    words = []
    for word in expanded:
        name, equals, text = word.partition("=")
        if name.startswith("--") and name != "--":
            name = f"--{name[2:].replace('-', '_')}"
        words.append(f"{name}{equals}{text}")
    return words


def _defined(declared: Iterable[Flag], values: flags.FlagValues | None = None) -> flags.FlagValues:
    """Absl's flags of these, each a text; those of kind `bool` may be given as `--name` and `--noname`."""
    if values is None:
        values = flags.FlagValues()
        values.set_gnu_getopt(True)
    for flag in declared:
        if flag.repeated:
            flags.DEFINE_multi_string(flag.name, [], flag.help, flag_values=values)
        else:
            parser: flags.ArgumentParser = flags.ArgumentParser()
            may_be_bare = flag.kind == "bool" or flag.name == "trust"
            one = flags.Flag(parser, None, flag.name, "", flag.help, boolean=may_be_bare)
            flags.DEFINE_flag(one, values)
    return values


def _first(arguments: Sequence[str]) -> tuple[flags.FlagValues, list[str]]:
    """The flags that must be known before the others can be, as they bring flags of their own; and the other words."""
    of_kinds = [Flag(name, "text", "") for name in KINDS]
    values = _defined([*_EVERYWHERE, *_OF_EXPERIMENTS, *of_kinds, Flag("output", "text", "")])
    try:
        return values, values(["jaxnets", *_words(arguments)], known_only=True)[1:]
    except (flags.Error, ValueError) as error:
        raise _mistake(error, values) from None


def _strictly(values: flags.FlagValues, rest: Sequence[str], declared: Mapping[str, Flag]) -> dict[str, str]:
    """The texts of all flags that are given."""
    _defined((flag for flag in declared.values() if flag.name not in values), values)
    try:
        positional = values(["jaxnets", *rest])[1:]
    except (flags.Error, ValueError) as error:
        raise _mistake(error, values) from None
    if positional:
        raise UserError(f"'{positional[0]}' is not a flag; flags are written --name=value.")
    return {name: str(values[name].value) for name in values if values[name].present}


def _mistake(error: Exception, values: flags.FlagValues) -> UserError:
    if isinstance(error, flags.UnrecognizedFlagError):
        name = error.flagname
        return UserError(f"{name}: there is no such flag.{nearest(name, list(values))} --help lists the common ones.")
    message = str(error).splitlines()[0]
    if message.startswith("Missing value for flag"):
        name = message.split()[-1].lstrip("-")
        message = f"{name}: there is not a value; write --{name}=VALUE."
    return UserError(message)


def _declared(experiment: Experiment, values: Mapping[str, Any]) -> dict[str, Flag]:
    """All flags: of the fields, of the experiment, of the plug-ins that are named and of all built-in ones."""
    declared = {}
    for field in configuration.fields():
        names = f" Names: {', '.join(sorted(KINDS[field.name].known()))}." if field.name in KINDS else ""
        about, axis = field.metadata["help"] + names, field.metadata["role"] == "hyperparameter"
        declared[field.name] = Flag(
            *(field.name, field.metadata["kind"], about, values.get(field.name, field.default), axis),
            optional=field.default is None,
            group="Common" if field.name in _COMMON else "Training" if axis else "The sweep",
        )
    declared |= {option.name: _of_option(option, f"Of {experiment.name}") for option in experiment.options}
    naming = ("dataset", *(kind.name for kind in WITH_ARGUMENTS))
    named = chosen(Config(**{name: value for name, value in values.items() if name in naming}))
    for plugin in (*named, *plugins.built_in()):
        for one in plugin.arguments.values():
            about = one.help or f"An argument of {plugin.kind} {plugin.name}."
            default, several = values.get(one.name, one.default), plugin.kind != DATASET.name
            group = f"Of {plugin.kind} {plugin.name}" if plugin in named else "Of other plug-ins"
            declared.setdefault(one.name, Flag(one.name, one.kind, about, default, several, group=group))
    return declared


def _of_option(option: Option, group: str = "Flags") -> Flag:
    flag = Flag(option.name, option.field.kind if not option.repeated else "text", option.help, option.default)
    is_text = flag.kind == "text" and option.default is None  # '' differs from nothing
    return Flag(
        *(flag.name, flag.kind, flag.help, flag.default, option.several, option.repeated),
        optional=option.default is None and not is_text,
        group=group,
    )


def help_text(experiment: Experiment, *, full: bool = False) -> str:
    """The common flags of an experiment and those of its plug-ins, with their defaults; or all flags."""
    config = configure(experiment, {})
    declared = _declared(experiment, {**config.values(), **config.options}).values()
    hidden = () if full else _ADVANCED
    command = command_of(experiment.name)
    return _help(
        f"{experiment.name}: {experiment.about}",
        (
            f"  {command} --num_seeds=3 --output=my_run",
            f"  {command} --optimizer=sgd,adam --learning_rate=log:1e-3:1:4",
        ),
        [flag for flag in (*declared, *_OF_EXPERIMENTS, *_EVERYWHERE) if flag.group not in hidden],
    )


def command_help(command: Command) -> str:
    """The flags of a command, with their defaults."""
    usage = command_of(command.name)
    words = (
        f"{usage} {command.directories} [--flag=value ...]" if command.directories else f"{usage} [--flag=value ...]"
    )
    return _help(f"usage: {words}\n\n{command.details}", (), [*map(_of_option, command.options), *_EVERYWHERE])


def _help(title: str, examples: Sequence[str], declared: Sequence[Flag]) -> str:
    parts = [title, *(["\n".join(["Examples:", *examples])] if examples else [])]
    groups = dict.fromkeys(flag.group for flag in declared)
    for group in sorted(groups, key=lambda one: (one != "Common", one == "Help", one in _ADVANCED)):
        lines = [flag.lines() for flag in declared if flag.group == group]
        parts.append("\n".join([f"{group}:", *lines]))
    return "\n\n".join(parts)


def _shown(value: Any) -> str:
    """A default as a flag's text; a plug-in's own default by its name."""
    kind = next((kind for kind in (plugins.ACTIVATION, plugins.POOLING) if value in kind.known().values()), None)
    return kind.find(value).name if callable(value) and kind else config_files.text_of(value)


def parse_text(name: str, text: str, kind: Kind, *, several: bool = True) -> Any:
    """What a text stands for: one value, a list `a,b,c`, or a range `log:LOW:HIGH:COUNT`, `lin:LOW:HIGH:COUNT`.

    >>> parse_text("hidden_units", "128x128,0", "sizes")
    [(128, 128), ()]
    >>> parse_text("learning_rate", "lin:0:1:3", "float").grid()
    [0.0, 0.5, 1.0]
    """
    if several and text.startswith(("log:", "lin:")):
        return _range(name, text, kind)
    values = [_one(name, item.strip(), kind) for item in text.split(",")] if several else [_one(name, text, kind)]
    return values if len(values) > 1 else values[0]


def _one(name: str, text: str, kind: Kind) -> Any:
    if not text and kind != "text":
        raise UserError(f"{name}: the value is empty; give one value, a list 'a,b,c', or 'log:LOW:HIGH:COUNT'.")
    if kind == "bool":
        if text.lower() not in ("true", "yes", "1", "false", "no", "0"):
            raise UserError(f"{name}: '{text}' is neither 'true' nor 'false'.")
        return text.lower() in ("true", "yes", "1")
    if kind == "sizes":
        return () if text == "0" else tuple(_number(name, part, int) for part in text.split("x"))
    return _number(name, text, int if kind == "int" else float) if kind in ("int", "float") else text


def _range(name: str, text: str, kind: Kind) -> Range:
    spacing, *parts = text.split(":")
    if kind not in ("float", "int"):
        raise UserError(f"{name}: it takes no range, as its values are no numbers; write a list 'a,b,c'.")
    if len(parts) not in (2, 3) or "" in parts:
        raise UserError(f"{name}: '{text}' is not a range; write '{spacing}:LOW:HIGH:COUNT', as in 'log:1e-4:1:9'.")
    low, high = (_number(name, part, float) for part in parts[:2])
    count = _number(name, parts[2], int) if len(parts) == 3 else None
    try:
        return {"log": log_range, "lin": linear_range}[spacing](low, high, count)
    except UserError as error:
        raise UserError(f"{name}: '{text}': {str(error).partition(': ')[2]}") from None


def _number(name: str, text: str, of_type: type) -> Any:
    try:
        if not text.isascii() or "_" in text:  # Python would also take `2_0` and digits of other scripts
            raise ValueError(text)
        return of_type(text)
    except ValueError:
        raise UserError(f"{name}: '{text}' is not a {'whole ' if of_type is int else ''}number.") from None
