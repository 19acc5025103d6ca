import pytest

from jaxnets.basics import errors


def test_lookup_prefers_the_known():
    assert errors.lookup("--x", "a:b", {"a:b": 1}) == 1


def test_lookup_follows_an_import_path():
    import math

    assert errors.lookup("--x", "math:tau", {}) is math.tau


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("adm", ["--optimizer", "'adm'", "Did you mean 'adam'?", "sgd", "package.module:name"]),
        ("no_such_module_here:thing", ["cannot import 'no_such_module_here'"]),
        ("math:taw", ["module 'math'", "Did you mean 'tau'?"]),
    ],
)
def test_errors_name_what_would_be_right(name, parts):
    with pytest.raises(errors.UserError) as error:
        errors.lookup("--optimizer", name, {"adam": 1, "sgd": 2})
    assert all(part in str(error.value) for part in parts)
    assert "\n" not in str(error.value)
