"""Code of others is called in one way: what it raises, an exit of the program too, is one line that names its place."""

import contextlib
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxnets.basics.errors import UserError

_OWN = str(Path(__file__).parents[1])
_LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
_OF_TRACED = ("ConcretizationTypeError", "TracerArrayConversionError", "TracerIntegerConversionError")
_TRUSTED = ("jaxnets.", "jax.", "jaxlib.", "flax.", "optax.")


def is_foreign(value: Any) -> bool:
    """Whether a function, a class or an object is neither jaxnets' nor that of a library that it is built on.

    >>> import math
    >>> is_foreign(is_foreign), is_foreign(math.sin)
    (False, True)
    """
    module = getattr(value, "__module__", None) or type(value).__module__
    return not str(module).startswith(_TRUSTED)


@contextlib.contextmanager
def calling(about: str) -> Iterator[None]:
    """Turns what code of others raises into one line.

    Args:
      about: the field and the name of the plug-in, as `optimizer: 'my_lab:mine'`.

    Raises:
      UserError: for any error, and where the code would end the program.

    >>> try:
    ...     with calling("head: 'mine'"):
    ...         raise ValueError("no such thing")
    ... except UserError as error:
    ...     print(str(error)[:49])
    head: 'mine' fails with ValueError: no such thing
    """
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{about} fails with {described(error)}") from error


def described(error: BaseException) -> str:
    """An error in one line: its kind, the first line of its message, and where the code of others raised it."""
    kind = "an exit of the program" if isinstance(error, SystemExit) else type(error).__name__
    message = next(iter(str(error).strip().splitlines()), "") or "no message"
    place = place_of(error)
    return f"{kind}: {message.rstrip('.')}{f' ({place})' if place else ''}.{_hint(error)}"


def _hint(error: BaseException) -> str:
    """What to do where code looks at the value of a traced number, as `if` and `float` do."""
    if not any(kind.__name__ in _OF_TRACED for kind in type(error).__mro__):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    in_dropout = any(frame.filename.endswith("flax/linen/stochastic.py") for frame in frames)
    remedy = "nn.Dropout looks at its rate: take jaxnets.models.blocks.Dropout" if in_dropout else "take jnp.where"
    return f" Arrays, and arguments that are floats, are traced: one program serves all their values; {remedy}."


def place_of(error: BaseException) -> str:
    """The file and line that raised an error, the innermost that is of no library; empty if there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    outside = [frame for frame in frames if not frame.filename.startswith((_OWN, *_LIBRARIES))]
    return f"{outside[-1].filename}, line {outside[-1].lineno}" if outside else ""
