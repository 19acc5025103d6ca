"""A `config.json` as values: the edge where what a file names is trusted or refused."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jaxnets import plugins, user_code
from jaxnets.config import record
from jaxnets.config.config import Config
from jaxnets.config.values import unparse
from jaxnets.errors import UserError
from jaxnets.plugins import Trust


def read(path: str | Path) -> dict[str, Any]:
    """The content of a `config.json`."""
    try:
        return record.read(Path(path))
    except FileNotFoundError as error:
        raise UserError(f"config: '{path}' cannot be read: {error.strerror}.") from None


def values(path: str | Path, content: Mapping[str, Any], given: Collection[str], trusted: Trust) -> dict[str, Any]:
    """The values that a file holds, those that are given anew left out.

    This is the edge where a file becomes values: what would run or write is refused before anything is looked up.
    """
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
    found = values(path, {"config": plain, "options": options}, (), trusted)
    try:
        return Config(
            **{name: value for name, value in found.items() if name in plain},
            options={name: value for name, value in found.items() if name in options},
        )
    except TypeError as error:  # a keyword such as 'self'
        raise UserError(f"{path}: cannot be read: {error}.") from None


def text_of(value: Any) -> str:
    """The text of a flag's value; of an object its import path or its name."""
    if isinstance(value, list):
        return ",".join(map(text_of, value))
    if isinstance(value, str | bool | int | float | tuple | None) or not callable(value):
        return unparse(value)
    return user_code.path_of(value) or str(getattr(value, "__name__", ""))
