"""The flag `--trust`: which import paths may be imported that stand in a run directory or in a `--config` file."""

from collections.abc import Sequence

from jaxnets.errors import UserError
from jaxnets.plugins import Trust

ALL = "all"
HELP = "Allows what a file of a run names: --trust all, --trust=package.module:name this import path, or several."


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """Gives a bare `--trust` its value, so that it does not take the next argument for it.

    >>> spelled_out(["--trust", "my_run"])
    ['--trust=all', 'my_run']
    """
    return [f"--trust={ALL}" if argument in ("--trust", "-trust") else argument for argument in arguments]


def of(text: str) -> Trust:
    """What a text of the flag trusts; an empty one nothing.

    >>> of("all"), of(""), of("my_lab.nets:MyNet")
    (True, (), ('my_lab.nets:MyNet',))
    """
    paths = tuple(part.strip() for part in text.split(",") if part.strip())
    if paths == (ALL,):
        return True
    for path in paths:
        if ":" not in path:
            raise UserError(f"trust: '{path}' is not an import path 'package.module:name'; --trust alone trusts all.")
    return paths
