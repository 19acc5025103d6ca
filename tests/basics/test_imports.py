import math

import pytest

from jaxnets import user_code
from jaxnets.errors import UserError


def test_a_path_leads_to_its_object_and_an_object_to_its_path():
    assert user_code.load("x", "math:tau") is math.tau
    assert user_code.path_of(math.sqrt) == "math:sqrt"
    assert user_code.load("x", user_code.path_of(UserError)) is UserError


def local(x):
    return x


def test_what_cannot_be_imported_has_no_path():
    assert user_code.path_of(local) == f"{__name__}:local"
    for nameless in (lambda x: x, 3, [1], UserError("x"), user_code.load.__get__):
        assert user_code.path_of(nameless) is None
    shadowed, shadowed.__qualname__ = (lambda x: x), "local"
    assert user_code.path_of(shadowed) is None  # another object has that name


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("no_such_module_here:thing", "optimizer: cannot import 'no_such_module_here'"),
        ("math:sqr", "optimizer, module 'math': 'sqr' is not known. Did you mean 'sqrt'?"),
        (":x", "cannot import ''"),
        (".foo:x", "cannot import '.foo'"),
    ],
)
def test_what_leads_nowhere_is_one_line(path, part):
    with pytest.raises(UserError) as error:
        user_code.load("optimizer", path)
    assert part in str(error.value)
    assert "\n" not in str(error.value)
