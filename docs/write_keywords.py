"""Writes the types of the keywords of `jaxnets.sweep` and `Config`: `python -m docs.write_keywords`.

They are made from the fields of `Config` and the arguments of the built-in plug-ins.
"""

import textwrap
from pathlib import Path

from jaxnets import plugins
from jaxnets.config import config, keywords
from jaxnets.plugins import DATASET, KINDS

MODULE = Path(keywords.__file__)
AXES = {"float": "Floats", "int": "Ints", "bool": "Bools", "text": "Texts", "sizes": "Sizes"}
ONE = {"float": "float", "int": "int", "bool": "bool", "text": "str", "sizes": "int | tuple[int, ...]"}
HEAD = '''"""The types of the keywords of `jaxnets.sweep` and `Config`, written by `python -m docs.write_keywords`."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict

import numpy as np

from jaxnets.config.values import Range

# fmt: off
Floats: TypeAlias = float | Sequence[float] | np.ndarray | Range | None
Ints: TypeAlias = int | Sequence[int] | np.ndarray | Range | None
Bools: TypeAlias = bool | Sequence[bool] | None
Texts: TypeAlias = str | Sequence[str] | None
Sizes: TypeAlias = int | Sequence[int | tuple[int, ...]] | None
'''


def alias(kind: plugins.Kind) -> str:
    """The names of a kind of plug-ins, for an editor; an import path or an object is one as well."""
    names = ", ".join(f'"{name}"' for name in sorted(kind.known()))
    if len(names) > 60:
        names = "\n" + textwrap.fill(names, 112, initial_indent="    ", subsequent_indent="    ") + ",\n"
    return f"{kind.name.capitalize()}: TypeAlias = object | Literal[{names}]\n"


def types() -> dict[str, str]:
    """The type of each keyword but `output`."""
    found = {}
    for field in config.fields():
        kind, choices = field.metadata["kind"], field.metadata.get("choices", ())
        is_axis = field.metadata["role"] == "hyperparameter"
        of_one = f"Literal[{', '.join(map(repr, choices))}]" if 0 < len(choices) < 9 else ONE.get(kind, "")
        of_one = of_one.replace("'", '"')
        found[field.name] = AXES.get(kind, "") if is_axis else of_one + (" | None" if field.default is None else "")
        if choices and is_axis:
            found[field.name] = f"{of_one} | Sequence[{of_one}]"
        if kind == "plugin":
            found[field.name] = field.name.capitalize()
    for plugin in plugins.built_in():
        for one in plugin.arguments.values():
            of_kind = one.name.capitalize() if one.kind == "plugin" else AXES[one.kind]
            found.setdefault(one.name, f"{ONE[one.kind]} | None" if plugin.kind == DATASET.name else of_kind)
    return {name: found[name] for name in found if name != "output"}


def text() -> str:
    """The module."""
    lines = "".join(f"    {name}: {of_type}\n" for name, of_type in types().items())
    about = (
        '    """A misspelt keyword is found by a type checker; what a plug-in of one\'s own takes is `arguments`."""\n'
    )
    aliases = "".join(map(alias, KINDS.values()))
    return f"{HEAD}{aliases}\n\nclass Keywords(TypedDict, total=False):\n{about}\n{lines}"


if __name__ == "__main__":
    MODULE.write_text(text())
