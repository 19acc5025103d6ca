"""Flags made from the fields of a configuration, the arguments of plug-ins, and the options of an experiment."""

import shlex
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from jaxnets import plugins, user_code
from jaxnets.config import config as configuration
from jaxnets.config import presets
from jaxnets.config.config import Config
from jaxnets.config.values import Kind, choices
from jaxnets.engine.table import chosen
from jaxnets.errors import UserError, nearest, unknown
from jaxnets.lab import config_files, run_directory, trust
from jaxnets.lab.experiment import Experiment, checked, configure, inherited
from jaxnets.lab.flagtext import parse as parse_text
from jaxnets.lab.flagtext import unparse
from jaxnets.plugins import DATASET, KINDS, WITH_ARGUMENTS, Plugin, Trust

# The flags that must be known before the others can be: they bring flags of their own.
_NAMING = ("dataset", *(kind.name for kind in WITH_ARGUMENTS))
_FIRST = ("config", "resume", "preset", "trust", *KINDS)
_FIELDS = {field.name: field for field in configuration.fields()}


def parse(experiment: Experiment, arguments: Sequence[str]) -> Config:
    """The configuration of an experiment's flags: its own values, or those of a `--config` file, with changes."""
    arguments = resumed(trust.spelled_out(arguments))
    named = _scan(arguments)
    trusted = trust.of(named.get("trust", ""))
    declared = _declared(experiment, _named_values(experiment, named, trusted))
    texts = _given(arguments, declared)
    given = {name: declared[name].parse(text) for name, text in texts.items()}
    if "config" in named:
        return _repeated(experiment, named["config"], given, trusted)
    preset = presets.values(named["preset"]) if "preset" in named else {}
    return configure(experiment, {**_fitting(preset, given), **given})


def _fitting(preset: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What of a preset still means something with the values given beside it."""
    return {name: value for name, value in inherited(preset, given).items() if name not in given}


def _repeated(experiment: Experiment, path: str, given: Mapping[str, Any], trusted: Trust) -> Config:
    """The configuration of a file with some values changed; nothing comes from the experiment's own values."""
    own = {option.name: option for option in experiment.options}
    values = _read_values(experiment, path, given, trusted)
    merged = {**values, **given}
    options = {name: option.value(merged.pop(name, option.default)) for name, option in own.items()}
    kept = inherited(
        {name: merged[name] for name in values if name in merged}, {n: merged[n] for n in given if n in merged}
    )
    return checked(experiment, Config(**kept, options=options))


def _read_values(experiment: Experiment, path: str, given: Mapping[str, Any], trusted: Trust) -> dict[str, Any]:
    """The values of a `config.json`, those that are given anew left out."""
    content = config_files.read(path)
    values = config_files.values(path, content, given, trusted)
    if "flags" not in content:
        declared = _declared(experiment, {**values, **given})
        for name in values:
            _known(declared, name, path)
        return values
    declared = _declared(experiment, values)  # of version 0.1.0: but for the plug-ins, the values are texts
    texts = _as_now(experiment, values)
    return {name: text if name in KINDS else _known(declared, name, path).parse(text) for name, text in texts.items()}


def _as_now(experiment: Experiment, texts: Mapping[str, str]) -> dict[str, str]:
    """The flags of version 0.1.0 as they are written now: its experiments had lists of their own with `x` or `/`."""
    texts = dict(texts)
    for option in experiment.options:
        if option.several and option.name in texts and option.field.kind in ("int", "text"):
            mark = "x" if option.field.kind == "int" else "/"
            texts[option.name] = texts[option.name].replace(mark, ",")
    return texts


def _known(declared: Mapping[str, "_Flag"], name: str, path: str) -> "_Flag":
    if name not in declared:
        raise unknown(f"config: '{path}', keyword", name, declared)
    return declared[name]


def resumed(arguments: Sequence[str]) -> list[str]:
    """The arguments with `--resume=DIR` spelled out: the `config.json` of a run directory, and the directory.

    >>> resumed(["--num_devices=1"])
    ['--num_devices=1']
    """
    directory = _scan(arguments).get("resume")
    if directory is None:
        return list(arguments)
    for name in ("config", "output"):
        if name in _scan(arguments, (name,)):
            raise UserError(f"{name}: --resume goes on with what '{directory}' holds; leave --{name} out.")
    run_directory.check_begun(Path(directory))
    place = next(place for place, argument in enumerate(arguments) if argument.lstrip("-").split("=")[0] == "resume")
    given = 1 if "=" in arguments[place] else 2
    own = [f"--config={directory}/{run_directory.CONFIG}", f"--output={directory}"]
    return [*arguments[:place], *own, *arguments[place + given :]]


def experiment_of(arguments: Sequence[str]) -> str | None:
    """The experiment that a `--config` or a `--resume` among the arguments names; None without one."""
    path = _scan(resumed(arguments)).get("config")
    return config_files.read(path).get("experiment") if path else None


class _Flag:
    """How a flag's text becomes a value, and its help."""

    def __init__(self, name: str, kind: Kind, help: str, *, several: bool) -> None:
        self.name, self.kind, self.help, self.several = name, kind, help, several

    def parse(self, text: str) -> Any:
        """The value of a text; None if it is empty, where that means 'not given'."""
        if text == "" and self.name in _FIELDS and _FIELDS[self.name].default is None:
            return None
        return parse_text(self.name, text, self.kind, several=self.several)


def _declared(experiment: Experiment, values: Mapping[str, Any]) -> dict[str, _Flag]:
    """All flags: of the fields, of the experiment, of all built-in plug-ins and of those that are named."""
    declared = {
        name: _Flag(name, field.metadata["kind"], field.metadata["help"], several=_is_axis(field))
        for name, field in _FIELDS.items()
    }
    for option in experiment.options:
        declared[option.name] = _Flag(option.name, option.field.kind, option.help, several=option.several)
    for plugin in (*_named(values), *plugins.built_in()):
        for argument in plugin.arguments.values():
            flag = _Flag(argument.name, argument.kind, argument.help, several=plugin.kind != DATASET.name)
            declared.setdefault(argument.name, flag)
    return declared


def _is_axis(field: Any) -> bool:
    return field.metadata["role"] == "hyperparameter"


def _named(values: Mapping[str, Any]) -> list[Plugin]:
    """The plug-ins with arguments that are named."""
    return chosen(Config(**{name: value for name, value in values.items() if name in _NAMING}))


def _named_values(experiment: Experiment, named: Mapping[str, str], trusted: Trust) -> dict[str, Any]:
    """What the experiment, a preset, a file and the flags say of the plug-ins, the last ones first."""
    preset = presets.values(named["preset"]) if "preset" in named else {}
    stored: Mapping[str, Any] = {}
    if "config" in named:
        content = config_files.read(named["config"])
        part = "flags" if "flags" in content else "config"
        plain = {name: value for name, value in content[part].items() if name in KINDS}
        stored = config_files.values(named["config"], {part: plain}, named, trusted)
    given = {name: config_files.names(name, text) for name, text in named.items() if name in KINDS}
    return {**experiment.defaults, **preset, **stored, **given}


def _scan(arguments: Sequence[str], names: Sequence[str] = _FIRST) -> dict[str, str]:
    """What some flags say: those that name plug-ins must be known before the others can be."""
    named = {}
    for position, argument in enumerate(arguments):
        name, equals, text = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name in names:
            named[name] = text if equals else "".join(arguments[position + 1 : position + 2])
    return named


def _given(arguments: Sequence[str], declared: Mapping[str, _Flag]) -> dict[str, str]:
    """The texts of the flags that are given."""
    values = flags.FlagValues()
    for name in ("config", "resume", "preset", "trust", *declared):
        flags.DEFINE_string(name, "", "", flag_values=values)
    try:
        rest = values(["run.py", *_spell_out(arguments, declared)])[1:]
    except flags.UnrecognizedFlagError as error:
        name = error.flagname
        raise UserError(f"{name}: there is no such flag.{nearest(name, list(values))} --help lists all.") from None
    except flags.Error as error:
        raise UserError(str(error).splitlines()[0]) from None
    if rest:
        raise UserError(f"'{rest[0]}' is not a flag; flags are written --name=value.")
    return {name: str(values[name].value) for name in declared if values[name].present}


def _spell_out(arguments: Sequence[str], declared: Mapping[str, _Flag]) -> list[str]:
    """Gives `--nesterov` and `--nonesterov` the value that they stand for."""
    switches = [name for name, flag in declared.items() if flag.kind == "bool"]
    spelled = {f"--{name}": f"--{name}=true" for name in switches} | {f"--no{n}": f"--{n}=false" for n in switches}
    return [spelled.get(argument, argument) for argument in arguments]


def command_line(experiment: Experiment, config: Config) -> str:
    """The command that repeats a configuration of an experiment, quoted for the shell."""
    usual = configure(experiment, {})
    before, now = {**usual.values(), **usual.options}, {**config.values(), **config.options}
    changed = {name: value for name, value in now.items() if name != "output" and before.get(name) != value}
    words = [f"--{name}={_text_of(value)}" for name, value in changed.items()]
    return shlex.join(["python", "run.py", experiment.name, *words])


def _text_of(value: Any) -> str:
    """The text of a value; of an object its import path or its name."""
    if isinstance(value, list):
        return ",".join(map(_text_of, value))
    is_object = not isinstance(value, str | bool | int | float | tuple | None) and callable(value)
    return (user_code.path_of(value) or str(getattr(value, "__name__", ""))) if is_object else unparse(value)


def help_text(experiment: Experiment) -> str:
    """All flags of an experiment, with their defaults."""
    config = configure(experiment, {})
    values = {**config.values(), **config.options}
    hyperparameters, settings = list[str](), list[str]()
    for name, field in _FIELDS.items():
        lines = hyperparameters if _is_axis(field) else settings
        lines.append(_help_line(name, values[name], field.metadata["help"] + _names(name)))
    listed = {*_FIELDS}
    for plugin in chosen(config):
        for name in [name for name in plugin.arguments if name not in listed]:
            argument = plugin.arguments[name]
            about = argument.help or f"An argument of {plugin.kind} {plugin.name}."
            hyperparameters.append(_help_line(name, values.get(name, argument.default), about))
            listed.add(name)
    own = [_help_line(option.name, values[option.name], option.help) for option in experiment.options]
    last = [
        _help_line("preset", None, f"The settings of a paper, which other flags change: {', '.join(presets.PRESETS)}."),
        _help_line("config", None, "A config.json to repeat; other flags change it."),
        _help_line("resume", None, "A run directory in which a sweep was ended before its time: it goes on."),
        _help_line("trust", None, trust.HELP),
        _help_line("debug", None, "Shows where in the code an error arose."),
    ]
    return "\n".join(
        [
            f"{experiment.name}: {experiment.about}",
            "",
            "Hyperparameters (each takes a list or a range):",
            *hyperparameters,
            "",
            "The sweep:",
            *settings,
            *(["", "Of this experiment alone:", *own] if own else []),
            *last,
        ]
    )


def _names(field: str) -> str:
    """The names that a field of plug-ins knows, from the table of their kind."""
    return f" Names: {', '.join(sorted(KINDS[field].known()))}." if field in KINDS else ""


def _help_line(name: str, default: Any, description: str) -> str:
    default_text = ",".join(_default_text(value) for value in choices(default))
    text = f"{description} (default: {default_text})" if default_text else description
    return textwrap.fill(text, width=110, initial_indent=f"  --{name:<20} ", subsequent_indent=" " * 25)


def _default_text(value: Any) -> str:
    """A default as a flag's text; a plug-in's own default by its name."""
    kind = next((kind for kind in (plugins.ACTIVATION, plugins.POOLING) if value in kind.known().values()), None)
    return kind.find(value).name if callable(value) and kind else _text_of(value)
