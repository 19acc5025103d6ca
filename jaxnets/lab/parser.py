"""The arguments of commands, which have no configuration: parsed by argparse, with the errors of all other flags."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from jaxnets.errors import UserError, nearest


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that names the flag."""

    def __init__(self, name: str, about: str) -> None:
        super().__init__(
            prog=f"python run.py {name}",
            description=about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
            allow_abbrev=False,
            exit_on_error=False,
        )
        self.add_argument("--help", "-h", action="store_true", help="Shows this text.")
        # taken from the arguments before they come here
        self.add_argument("--debug", action="store_true", help="Shows where in the code an error arose.")

    def values(self, arguments: Sequence[str]) -> argparse.Namespace | None:
        """The values of the arguments; None if they asked for help, which is then shown."""
        if any(argument in ("--help", "-h") for argument in arguments):
            self.print_help()
            return None
        try:
            given, rest = self.parse_known_args(arguments)
        except argparse.ArgumentError as error:
            name = (error.argument_name or "").split("/")[0].lstrip("-")
            explicit = "explicit argument" in error.message  # argparse has no kinds of errors
            problem = (
                f"it takes no value; write --{name}" if explicit else f"there is not a value; write --{name}=VALUE"
            )
            raise UserError(f"{name}: {problem}.") from None
        if rest:
            raise self._unknown(rest[0])
        return given

    def error(self, message: str) -> NoReturn:
        """Raises the error that argparse would print."""
        raise UserError(f"{message}; see --help.")

    def _unknown(self, argument: str) -> UserError:
        if not argument.startswith("-"):
            return UserError(f"'{argument}' is not a flag; flags are written --name=value.")
        name = argument.lstrip("-").partition("=")[0]
        flags = [flag.lstrip("-") for flag in self._option_string_actions if flag.startswith("--")]
        return UserError(f"{name}: there is no such flag.{nearest(name, flags)} --help lists all.")
