"""absl flags made from the fields of `Config`, the arguments of plug-ins, and the options of experiments and commands.

A flag stays a text for absl; `parse_text` makes it a value, and the field that it belongs to checks it.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from absl import flags

from jaxnets import plugins
from jaxnets.config import config as configuration
from jaxnets.config import presets
from jaxnets.config.config import Config
from jaxnets.config.values import Kind, choices, linear_range, log_range, unparse
from jaxnets.engine.table import chosen
from jaxnets.errors import UserError, nearest
from jaxnets.errors import command as command_of
from jaxnets.plugins import DATASET, KINDS, WITH_ARGUMENTS, Trust
from jaxnets.runs import directory as run_directory
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
        return None if text == "" and self.optional else parse_text(self.name, text, self.kind, several=self.several)

    def lines(self) -> str:
        """Its help, with its default; a plug-in by its name."""
        named = {id(value): name for kind in ("activation", "pooling") for name, value in KINDS[kind].known().items()}
        values = () if self.repeated else choices(self.default)
        shown = ",".join(named.get(id(value)) or unparse(value) for value in values)
        text = f"{self.help} (default: {shown})" if shown else self.help
        return textwrap.fill(text, width=100, initial_indent=f"  --{self.name:<20} ", subsequent_indent=" " * 25)


TRUST = "Trusts what a file of a run names: --trust all of it, --trust=package.module:name,... these import paths."
_EVERYWHERE = (
    Flag("help", "bool", "Shows the common flags.", group="Help"),
    Flag("helpfull", "bool", "Shows all flags.", group="Help"),
    Flag("quiet", "bool", "Prints only errors.", group="Help"),
    Flag("debug", "bool", "Prints the traceback of an error.", group="Help"),
    Flag("flagfile", "text", "A file of flags, one per line.", group="Help"),
)
_OF_EXPERIMENTS = (
    Flag("preset", "text", f"The settings of a paper; other flags override them: {', '.join(presets.PRESETS)}."),
    Flag("config", "text", "A config.json to repeat; other flags override it."),
    Flag("resume", "text", "A run directory whose sweep was interrupted, to continue it."),
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
        path = run_directory.to_resume(resumed)
    given = {
        name: parse_text(name, text, "plugin", several=name != "dataset")
        for name, text in named.items()
        if name in KINDS
    }
    preset = presets.values(named["preset"]) if "preset" in named else {}
    held: Mapping[str, Any] = {}
    if path:
        content = run_directory.read_config_file(path)["config"]
        of_kinds = {name: value for name, value in content.items() if name in KINDS}
        held = run_directory.values_of(path, {"config": of_kinds}, given, trusted)
    declared = _declared(experiment, {**experiment.defaults, **preset, **held, **given})
    _define((flag for flag in declared.values() if flag.name not in values), values)
    if positional := _parsed(values, rest):
        raise UserError(f"'{positional[0]}' is not a flag; flags are written --name=value.")
    given = {name: flag.value(str(values[name].value)) for name, flag in declared.items() if values[name].present}
    if resumed:
        given["output"] = resumed
    if path:
        return repeated(experiment, path, given, trusted)
    kept = {name: value for name, value in inherited(preset, given).items() if name not in given}
    return configure(experiment, {**kept, **given})


def experiment_of(arguments: Sequence[str]) -> str | None:
    """The experiment that a `--config` or a `--resume` among the arguments names; None without one."""
    values, _ = _first(arguments)
    resumed, path = values["resume"].value, values["config"].value
    path = run_directory.to_resume(resumed) if resumed else path
    return run_directory.read_config_file(path).get("experiment") if path else None


def command_values(command: Command, arguments: Sequence[str]) -> SimpleNamespace:
    """The values of a command's flags, and its run directories as `directory`."""
    declared = {option.name: _of_option(option) for option in command.options}
    values = _define((*_EVERYWHERE, *declared.values()))
    directories = _parsed(values, _words(arguments))
    if directories and not command.directories:
        raise UserError(f"'{directories[0]}' is not a flag; flags are written --name=value.")
    found = {}
    for option in command.options:
        flag, value = values[option.name], option.default
        if flag.present and not option.repeated:
            value = declared[option.name].value(str(flag.value))
        found[option.name] = list(flag.value or []) if option.repeated else option.value(value)
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


def _define(declared: Iterable[Flag], values: flags.FlagValues | None = None) -> flags.FlagValues:
    """Absl's flags of these, each a text; those of kind `bool` may be given as `--name` and `--noname`."""
    if values is None:
        values = flags.FlagValues()
        values.set_gnu_getopt(True)
    for flag in declared:
        if flag.repeated:
            flags.DEFINE_multi_string(flag.name, [], flag.help, flag_values=values)
        else:
            parser: flags.ArgumentParser = flags.ArgumentParser()
            bare = flag.kind == "bool" or flag.name == "trust"
            flags.DEFINE_flag(flags.Flag(parser, None, flag.name, "", flag.help, boolean=bare), values)
    return values


def _first(arguments: Sequence[str]) -> tuple[flags.FlagValues, list[str]]:
    """The flags that must be known before the others can be, as they bring flags of their own; and the other words."""
    of_kinds = [Flag(name, "text", "") for name in (*KINDS, "output")]
    values = _define([*_EVERYWHERE, *_OF_EXPERIMENTS, *of_kinds])
    return values, _parsed(values, _words(arguments), known_only=True)


def _parsed(values: flags.FlagValues, words: Sequence[str], *, known_only: bool = False) -> list[str]:
    """Gives the flags their texts; returns the words that are none."""
    try:
        return values(["jaxnets", *words], known_only=known_only)[1:]
    except flags.UnrecognizedFlagError as error:
        name = error.flagname
        near = nearest(name, list(values))
        raise UserError(f"{name}: there is no such flag.{near} --help lists the common ones.") from None
    except (flags.Error, ValueError) as error:
        message = str(error).splitlines()[0]
        if message.startswith("Missing value for flag"):
            name = message.split()[-1].lstrip("-")
            message = f"{name}: there is not a value; write --{name}=VALUE."
        raise UserError(message) from None


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
    options = {option.name: _of_option(option, f"Of {experiment.name}") for option in experiment.options}
    declared |= options
    naming = ("dataset", *(kind.name for kind in WITH_ARGUMENTS))
    named = chosen(Config(**{name: value for name, value in values.items() if name in naming}))
    for plugin in (*named, *plugins.built_in()):
        group = f"Of {plugin.kind} {plugin.name}" if plugin in named else "Of other plug-ins"
        for one in plugin.arguments.values():
            if one.name in options and ":" in plugin.name:
                taken = f"that is a flag of {experiment.name}"
                raise UserError(f"{plugin.kind}: '{plugin.name}' has an argument '{one.name}'; {taken}.")
            about = one.help or f"An argument of {plugin.kind} {plugin.name}."
            default, several = values.get(one.name, one.default), plugin.kind != DATASET.name
            declared.setdefault(one.name, Flag(one.name, one.kind, about, default, several, group=group))
    return declared


def _of_option(option: Option, group: str = "Flags") -> Flag:
    kind = "text" if option.repeated else option.field.kind
    optional = option.default is None and kind != "text"  # an empty text differs from none
    about = option.name, kind, option.help, option.default, option.several, option.repeated
    return Flag(*about, optional=optional, group=group)


def help_text(experiment: Experiment, *, full: bool = False) -> str:
    """The common flags of an experiment and those of its plug-ins, with their defaults; or all flags."""
    config, usage = configure(experiment, {}), command_of(experiment.name)
    declared = _declared(experiment, {**config.values(), **config.options}).values()
    examples = ("--num_seeds=3 --output=my_run", "--optimizer=sgd,adam --learning_rate=log:1e-3:1:4")
    title = [f"{experiment.name}: {experiment.about}", "", "Examples:", *(f"  {usage} {one}" for one in examples)]
    shown = [flag for flag in (*declared, *_OF_EXPERIMENTS, *_EVERYWHERE) if full or flag.group not in _ADVANCED]
    return _help("\n".join(title), shown)


def command_help(command: Command) -> str:
    """The flags of a command, with their defaults."""
    words = " ".join(filter(None, [command_of(command.name), command.directories, "[--flag=value ...]"]))
    return _help(f"usage: {words}\n\n{command.details}", [*map(_of_option, command.options), *_EVERYWHERE])


def _help(title: str, declared: Sequence[Flag]) -> str:
    groups = list(dict.fromkeys(flag.group for flag in declared))
    groups.sort(key=lambda one: (one != "Common", one == "Help", one in _ADVANCED))
    texts = ["\n".join([f"{group}:", *(flag.lines() for flag in declared if flag.group == group)]) for group in groups]
    return "\n\n".join([title, *texts])


def parse_text(name: str, text: str, kind: Kind, *, several: bool = True) -> Any:
    """What a text stands for: one value, a list `a,b,c`, or a range `log:LOW:HIGH:COUNT`, `lin:LOW:HIGH:COUNT`.

    >>> parse_text("hidden_units", "128x128,0", "sizes")
    [(128, 128), ()]
    >>> parse_text("learning_rate", "lin:0:1:3", "float").grid()
    [0.0, 0.5, 1.0]
    """
    spacing, *parts = text.split(":")
    if several and parts and spacing in ("log", "lin"):
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


def _number(name: str, text: str, of_type: type) -> Any:
    try:
        if not text.isascii() or "_" in text:  # Python would also take `2_0` and digits of other scripts
            raise ValueError(text)
        return of_type(text)
    except ValueError:
        raise UserError(f"{name}: '{text}' is not a {'whole ' if of_type is int else ''}number.") from None
