"""What plug-ins raise is one line with their name and their own file and line."""

import sys

import pytest

from jaxnets.basics import imports
from jaxnets.basics.errors import UserError
from jaxnets.basics.foreign import calling, is_foreign

MODULES = {
    "raises": ("x = 1\nraise RuntimeError('at import\\nand more')\n", "RuntimeError: at import (", "line 2)."),
    "syntax": ("def f(:\n", "SyntaxError: invalid syntax", "line 1)."),
    "exits": ("import sys\nsys.exit(7)\n", "an exit of the program: 7 (", "line 2)."),
    "gets": ("def __getattr__(name):\n    raise KeyError(name)\n", "KeyError", "line 2)."),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_fails_is_one_line_with_its_place(name, tmp_path, monkeypatch):
    body, kind, line = MODULES[name]
    (tmp_path / f"guest_that_{name}.py").write_text(body)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError) as error:
        imports.load("model", f"guest_that_{name}:x")
    sys.modules.pop(f"guest_that_{name}", None)
    text = str(error.value)
    assert text.startswith(f"model: the import of 'guest_that_{name}' fails with {kind}"), text
    assert f"guest_that_{name}.py" in text
    assert text.endswith(line)
    assert "\n" not in text
    assert error.value.__cause__ is not None  # for --debug


def test_an_interruption_is_the_users_and_goes_through():
    with pytest.raises(KeyboardInterrupt), calling("model: 'mine'"):
        raise KeyboardInterrupt


def test_what_is_foreign():
    assert is_foreign(lambda x: x)
    assert is_foreign(sys.exit)
    assert not is_foreign(imports.load)
