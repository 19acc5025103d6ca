import optax
from flax import linen as nn

from jaxnets.plugins import arguments


def test_kinds_follow_the_defaults():
    def plugin(required, a=0.5, b=True, c=3, d="x", e=(1, 2), f: float | None = None, g=None, h=print): ...

    found = {name: argument.kind for name, argument in arguments(plugin).items()}
    assert found == {"a": "float", "b": "bool", "c": "int", "d": "text", "e": "sizes", "f": "float"}


def test_only_floats_are_traced():
    def plugin(a=0.5, b=True, c=3, f: float | None = None): ...

    assert {name for name, argument in arguments(plugin).items() if argument.traced} == {"a", "f"}


def test_a_flax_module_is_a_plugin():
    class Net(nn.Module):
        num_outputs: int
        width: int = 4
        rate: float | None = None

        @nn.compact
        def __call__(self, x):
            return x

    assert set(arguments(Net)) == {"width", "rate"}


def test_optax_masks_are_no_arguments():
    assert "mask" not in arguments(optax.adamw)
    assert {"b1", "b2", "eps", "weight_decay"} <= set(arguments(optax.adamw))
    assert arguments(optax.rmsprop)["momentum"].default is None
