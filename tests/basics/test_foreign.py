"""What plug-ins raise is one line with their name and their own file and line."""

import math
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxnets import user_code
from jaxnets.errors import UserError
from jaxnets.user_code import calling, is_foreign

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
        user_code.load("model", f"guest_that_{name}:x")
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
    assert not is_foreign(user_code.load)


class _Looks(nn.Module):
    rate: float

    @nn.compact
    def __call__(self, inputs):
        return nn.Dropout(self.rate, deterministic=False)(inputs)


@pytest.mark.parametrize(
    ("looks", "remedy"),
    [
        (
            lambda rate: _Looks(rate).apply({}, jnp.ones(2), rngs={"dropout": jax.random.key(0)}),
            "models.blocks.Dropout",
        ),
        (lambda rate: 1 if rate > 0 else 2, "take jnp.where"),
        (float, "take jnp.where"),
        (math.sqrt, "take jnp.where"),
        (lambda rate: np.sqrt(np.asarray(rate)), "take jnp.where"),
        (lambda rate: [0, 1][rate.astype(int)], "take jnp.where"),
    ],
)
def test_code_that_looks_at_a_traced_number_is_told_so(looks, remedy):
    with pytest.raises(UserError, match=remedy) as error, calling("model: 'mine'"):
        jax.eval_shape(looks, jax.ShapeDtypeStruct((), np.float32))
    assert "arguments that are floats, are traced" in str(error.value)
    assert "\n" not in str(error.value)
