"""Import paths `package.module:name`: from a path to its object, and back."""

import importlib
import sys
from typing import Any

from jaxnets.basics import foreign
from jaxnets.basics.errors import UserError, unknown


def load(field: str, path: str) -> Any:
    """The object that an import path leads to.

    >>> load("number", "math:pi")
    3.141592653589793
    """
    module_name, _, attribute = path.partition(":")
    if not attribute or not all(module_name.split(".")):
        raise UserError(f"{field}: cannot import '{module_name}' of '{path}'; write 'package.module:name'.")
    with foreign.calling(f"{field}: the import of '{module_name}'"):
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            raise UserError(f"{field}: cannot import '{module_name}' of '{path}': {error}.") from error
        if not hasattr(module, attribute):
            public = [name for name in vars(module) if not name.startswith("_")]
            raise unknown(f"{field}, module '{module_name}'", attribute, public)
        return getattr(module, attribute)


def path_of(value: Any) -> str | None:
    """The import path that leads to this very object; None where there is none, as for a lambda or a notebook's cell.

    >>> import math
    >>> path_of(math.sqrt), path_of(lambda x: x)
    ('math:sqrt', None)
    """
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not module or not name or "<" in name or "." in name or module == "__main__":
        return None
    return f"{module}:{name}" if getattr(sys.modules.get(module), name, None) is value else None
