import inspect
import sys
import types

import optax
import pytest
from flax import linen as nn

from jaxnets import models, plugins
from jaxnets.config.config import Config
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.models.blocks import Linear
from jaxnets.plugins import KINDS, arguments
from jaxnets.training import heads, schedules


@pytest.mark.parametrize("kind", KINDS)
def test_every_built_in_is_found_by_its_name_and_by_itself(kind):
    for name, value in KINDS[kind].known().items():
        plugin = KINDS[kind].find(name)
        assert (plugin.kind, plugin.name, str(plugin)) == (kind, name, name)
        assert plugin.value == (value() if isinstance(value, type) and kind == "head" else value)
        again = KINDS[kind].find(value)
        assert KINDS[kind].known()[again.name] is value  # one function may have two names
        assert plugin.reference == name
        assert KINDS[kind].find(plugin) is plugin


@pytest.mark.parametrize("kind", ["model", "optimizer", "schedule", "dataset"])
def test_every_argument_of_a_built_in_has_a_help_text(kind):
    for name in KINDS[kind].known():
        if kind == "optimizer" and KINDS[kind].find(name).value.__module__.startswith("optax"):
            continue  # not all of Optax's are described
        for argument in KINDS[kind].find(name).arguments.values():
            assert argument.help.endswith("."), (name, argument.name)


@pytest.mark.parametrize(
    ("kind", "name", "part"),
    [
        ("optimizer", "adm", "optimizer: 'adm' is not known. Did you mean 'adam'?"),
        ("model", "textcnn", "Did you mean 'text_cnn'"),
        ("schedule", "cosin", "Did you mean 'cosine'"),
        ("initializer", "hee", "Did you mean 'he'"),
        ("head", "sofmax", "Did you mean 'softmax'"),
        ("activation", "rellu", "Did you mean 'relu'"),
        ("pooling", "men", "Did you mean 'mean'"),
        ("dataset", "digit", "Did you mean 'digits'"),
        ("optimizer", "no_such_lab:opt", "optimizer: cannot import 'no_such_lab'"),
        ("optimizer", ":opt", "optimizer: cannot import ''"),
        ("optimizer", ".lab:opt", "optimizer: cannot import '.lab'"),
        ("optimizer", "math:pie", "Did you mean 'pi'"),
        ("model", "math:pi", "is not a flax.linen.Module class"),
        ("model", "flax.linen:Dense", "has no attribute 'num_outputs'"),
        ("optimizer", "math:pi", "is a float, not a function"),
        ("optimizer", "math:sqrt", "its first argument must be 'learning_rate'"),
        ("schedule", "math:sqrt", "its first argument must be 'progress'"),
        ("head", "math:pi", "lacks num_outputs, losses, probabilities, predictions"),
        ("initializer", "math:pi", "is a float, not a function"),
    ],
)
def test_what_is_none_is_one_line(kind, name, part):
    with pytest.raises(UserError) as error:
        KINDS[kind].find(name)
    assert part in str(error.value)
    assert str(error.value).startswith(kind)
    assert "\n" not in str(error.value)


def test_an_import_path_is_found_and_an_object_gets_its_path(monkeypatch):
    module = types.ModuleType("my_lab_plugins")
    exec("def opt(learning_rate, half=0.5):\n    return None", module.__dict__)
    module.opt.__module__ = "my_lab_plugins"
    monkeypatch.setitem(sys.modules, "my_lab_plugins", module)
    by_path, by_object = plugins.OPTIMIZER.find("my_lab_plugins:opt"), plugins.OPTIMIZER.find(module.opt)
    assert by_path == by_object
    assert by_path.reference == "my_lab_plugins:opt"
    assert set(by_path.arguments) == {"half"}
    nameless = plugins.OPTIMIZER.find(lambda learning_rate: optax.sgd(learning_rate))
    assert nameless.name == "<lambda>"
    assert callable(nameless.reference)


def test_what_a_user_may_set_of_a_model():
    arguments = plugins.MODEL.find("mlp").arguments
    assert {name: argument.kind for name, argument in arguments.items()} == {
        "hidden_units": "sizes",
        "activation": "plugin",
        "dropout_rate": "float",
    }
    assert plugins.MODEL.find(models.TextCNN).arguments["pooling"].kind == "plugin"
    assert arguments["hidden_units"].help == "The width of each hidden layer."


def test_a_reserved_name_is_no_argument():
    class Net(nn.Module):
        num_outputs: int
        status: float = 1.0

        @nn.compact
        def __call__(self, inputs, *, train=False):
            return Linear(self.num_outputs)(inputs)

    with pytest.raises(UserError, match="has an argument 'status'; that is a column of the results"):
        plugins.MODEL.find(Net)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("test_loss", "a column of the results"),
        *(
            (name, "a flag of every sweep")
            for name in ("seed", "debug", "help", "flagfile", "version", "quiet", "trust")
        ),
    ],
)
def test_what_a_table_or_a_sweep_has_is_no_argument_of_a_guest(name, what):
    def guest(learning_rate, **more): ...

    parameters = [inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY, default=3) for one in ("width", name)]
    first = inspect.Parameter("learning_rate", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    guest.__signature__ = inspect.Signature([first, *parameters])
    with pytest.raises(UserError, match=f"has an argument '{name}'; that is {what}"):
        plugins.OPTIMIZER.find(guest)


def test_a_guest_says_the_limits_of_its_arguments():
    def guest(learning_rate, width=4, rate=0.5): ...

    guest.limits = {"width": {"least": 1, "most": 8}}
    arguments = plugins.OPTIMIZER.find(guest).arguments
    assert arguments["width"].of_values().value(8) == 8
    with pytest.raises(UserError, match="width: 9 is above 8"):
        arguments["width"].of_values().value(9)
    assert arguments["rate"].of_values().value(-1.0) == -1.0  # of which it says nothing
    guest.limits = {"width": {"last": 1}}
    with pytest.raises(UserError, match="limits: those of 'width' are none; give a dict"):
        plugins.OPTIMIZER.find(guest)


@pytest.mark.parametrize(
    ("model", "argument", "value", "part"),
    [
        ("dan", "embedding_dim", 0, "embedding_dim: 0 is below 1"),
        ("text_cnn", "num_filters", -3, "num_filters: -3 is below 1"),
        ("text_cnn", "filter_widths", (), "filter_widths: there is no size"),
        ("text_cnn", "filter_widths", (3, 3), "filter_widths: 3x3 has a size twice"),
        ("text_cnn", "filter_widths", (3, 1000), "filter_widths: 1000 is above 64"),
        ("text_cnn", "vector_range", -0.1, "vector_range: -0.1 is below 0"),
        ("lbfgs", "memory_size", 0, "memory_size: 0 is below 1"),
        ("adam", "b1", 2, "b1: 2.0 is not below 1"),
        ("momentum", "momentum", 5, "momentum: 5.0 is above 1"),
    ],
)
def test_built_in_plug_ins_keep_their_arguments_within_limits(model, argument, value, part):
    kind = plugins.MODEL if model in models.KNOWN else plugins.OPTIMIZER
    with pytest.raises(UserError, match=part):
        kind.find(model).arguments[argument].of_values().value(value)


def test_a_model_without_train_is_refused():
    class Net(nn.Module):
        num_outputs: int

        @nn.compact
        def __call__(self, inputs):
            return Linear(self.num_outputs)(inputs)

    with pytest.raises(UserError, match="a __call__ without 'train'"):
        plugins.MODEL.find(Net)


def test_a_head_is_a_class_or_an_instance():
    assert plugins.HEAD.find("jaxnets.training.heads:Sigmoid").value == heads.Sigmoid()
    assert plugins.HEAD.find(heads.Softmax()).value.num_outputs(5) == 5


def test_owners_of_an_argument():
    owners = {kind.name: names for kind, names in plugins.owners("schedule_end")}
    assert owners["schedule"] == ["linear", "cosine"]
    assert owners["model"] == []
    assert schedules.KNOWN["linear"] is plugins.SCHEDULE.find("linear").value


def test_heads_of_one_name_are_told_apart_by_what_they_read():
    class Weighted(heads.Softmax):  # its `==` compares no fields, as it has none
        def __init__(self, weight):
            object.__setattr__(self, "weight", weight)

    one, same, other = (plugins.HEAD.find(Weighted(weight)) for weight in (1.0, 1.0, 2.0))
    assert one.value == other.value
    assert one == same != other
    with pytest.raises(UserError, match="head: two that differ are called 'Weighted'"):
        runs(Config(head=[Weighted(1.0), Weighted(2.0)]))


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
