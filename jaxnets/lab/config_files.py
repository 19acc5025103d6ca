"""A `config.json` as values: the edge where what a file names is trusted or refused."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jaxnets import plugins
from jaxnets.config import record
from jaxnets.config.config import Config
from jaxnets.errors import UserError
from jaxnets.lab.flagtext import parse
from jaxnets.plugins import KINDS, Trust


def read(path: str) -> dict[str, Any]:
    """The content of a `config.json`."""
    try:
        return record.read(Path(path))
    except FileNotFoundError as error:
        raise UserError(f"config: '{path}' cannot be read: {error.strerror}.") from None


def values(path: str, content: Mapping[str, Any], given: Collection[str], trusted: Trust) -> dict[str, Any]:
    """The values that a file holds, those that are given anew left out; of version 0.1.0 the texts of flags.

    This is the edge where a file becomes values: what would run or write is refused before anything is looked up.
    """
    if "flags" in content:
        kept = {name: text for name, text in content["flags"].items() if name not in given}
        found = {name: names(name, text) if name in KINDS else text for name, text in kept.items()}
    else:
        both = {**content["config"], **content.get("options", {})}
        found = record.from_json({name: value for name, value in both.items() if name not in given})
    plugins.check_trust(path, found, trusted)
    for name, place in record.places(found).items() if trusted is not True else ():
        raise UserError(
            f"{path}: {name} is '{place}', a place on the machine of whoever wrote the file: give --{name} again, "
            "or --trust for all that stands there."
        )
    return found


def configuration(path: Path, content: Mapping[str, Any], trusted: Trust) -> Config:
    """The configuration of a file as far as it can be told without the objects that it had, and without its places."""
    held = content.get("config", {})
    absent = {*record.unrepeatable(held), *record.places(held)}
    plain = {name: value for name, value in held.items() if name not in absent}
    own = content.get("options", {})
    options = {name: value for name, value in own.items() if name not in record.unrepeatable(own)}
    both = {"config": plain, "options": options}
    found = values(str(path), both, (), trusted)
    try:
        return Config(
            **{name: value for name, value in found.items() if name in plain},
            options={name: value for name, value in found.items() if name in options},
        )
    except TypeError as error:  # a keyword such as 'self'
        raise UserError(f"{path}: cannot be read: {error}.") from None


def names(name: str, text: str) -> Any:
    """The names of plug-ins that the text of a flag holds."""
    return parse(name, text, "plugin", several=name != "dataset")
