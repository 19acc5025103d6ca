import dataclasses
import json

import numpy as np
import pytest

from jaxnets.config import config, record
from jaxnets.config.config import Config
from jaxnets.config.values import Range, linear_range, log_range
from jaxnets.errors import UserError
from jaxnets.training.optimizers import momentum


def test_values_are_typed_and_what_is_no_field_is_an_argument():
    made = Config(learning_rate=1, hidden_units=[8, (4, 4), 0], num_epochs=np.float32(2), seed=range(3), width=7)
    assert (made.learning_rate, made.num_epochs, made.seed) == (1.0, 2.0, [0, 1, 2])
    assert isinstance(made.learning_rate, float)
    assert made.arguments == {"hidden_units": [8, (4, 4), 0], "width": 7}
    assert made.weight_decay is None


def test_every_field_has_a_help_text():
    for field in config.fields():
        assert field.metadata["help"].endswith("."), field.name
        assert field.metadata["role"] in ("hyperparameter", "setting")


def test_a_configuration_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().seed = 1


def test_changes_and_what_they_take_away():
    original = Config(learning_rate=0.1, hidden_units=(8,), momentum=0.9, options={"least": 1})
    changed = original.changed(learning_rate=0.2, hidden_units=None, width=3)
    assert changed.learning_rate == 0.2
    assert changed.arguments == {"momentum": 0.9, "width": 3}
    assert changed.options == {"least": 1}


MISTAKES = [
    ({"learning_rate": "0.1"}, "learning_rate: '0.1' is a text, not a number."),
    ({"learning_rate": -0.1}, "learning_rate: -0.1 is below 0."),
    ({"learning_rate": float("nan")}, "learning_rate: nan is not a finite number."),
    ({"learning_rate": np.array([0.1, np.inf])}, "learning_rate: inf is not a finite number."),
    ({"learning_rate": []}, "learning_rate: the list is empty"),
    ({"learning_rate": (0.1, 0.2)}, "A tuple is one value; write a list for an axis."),
    ({"learning_rate": True}, "learning_rate: True is not a number."),
    ({"warmup_steps": None}, "warmup_steps: None is not a number."),
    ({"learning_rate": [[0.1], [0.2]]}, "learning_rate: it takes one value, not a list."),
    ({"learning_rate": {0.1}}, "learning_rate: {0.1} is not a number."),
    ({"batch_size": 64.0}, "batch_size: 64.0 is not a whole number."),
    ({"batch_size": 2**31}, "batch_size: 2147483648 is above 2147483647."),
    ({"num_seeds": [1, 2]}, "num_seeds: it takes one value, not a list."),
    ({"num_seeds": log_range(1, 10, 2)}, "num_seeds: it takes one value, not a range."),
    ({"num_seeds": 0}, "num_seeds: 0 is below 1."),
    ({"num_repeats": 0}, "num_repeats: 0 is below 1."),
    ({"search": "sobel"}, "search: 'sobel' is not known. Did you mean 'sobol'?"),
    ({"keep": "seed"}, "keep: 'seed' is not known. Did you mean 'seeds'?"),
    ({"optimizer": 3}, "optimizer: 3 is neither a name nor an object that could be one."),
    ({"optimizer": ""}, "optimizer: the name is empty."),
    ({"optimizer": log_range(1, 2, 2)}, "optimizer: it takes no range"),
    ({"dataset": 3}, "dataset: 3 is neither a name"),
    ({"search": "gird"}, "search: 'gird' is not known. Did you mean 'grid'?"),
    ({"keep": "some"}, "keep: 'some' is not known"),
    ({"platform": "gpuu"}, "platform: 'gpuu' is not known. Did you mean 'gpu'?"),
    ({"train_word_vectors": 1}, "train_word_vectors: 1 is neither True nor False."),
    ({"select": 1}, "select: 1 is not a text."),
    ({"num_epochs": 1e308}, "num_epochs: 1e+308 is above 1e+09."),
    ({"num_epochs": 0}, "num_epochs: 0.0 is not above 0."),
    ({"seed": -1}, "seed: -1 is below 0."),
    ({"seed": 2**31 - 1}, "seed: 2147483647 is above 1000000000."),
    ({"seed": range(10**9)}, "seed: 1,000,000,000 values are more than the 10,000,000 that a list may have."),
    ({"seed": 10**5000}, "seed: a whole number of more than 30 digits is above 1000000000."),
    ({"learning_rate": 1e39}, "learning_rate: 1e+39 is above 3.40282e+38."),
    ({"learning_rate": 10**5000}, "learning_rate: a whole number of more than 30 digits is not a finite number"),
    ({"num_devices": 10**6}, "num_devices: 1000000 is above 1024."),
    ({"memory_limit": float("inf")}, "memory_limit: inf is not a finite number."),
]


@pytest.mark.parametrize(("values", "part"), MISTAKES)
def test_a_wrong_value_is_one_line_that_names_the_field(values, part):
    with pytest.raises(UserError) as error:
        Config(**values)
    assert part in str(error.value)
    assert "\n" not in str(error.value)
    assert isinstance(error.value, ValueError)


def test_json_repeats_every_value():
    original = Config(
        dataset="xor",
        optimizer=["sgd", momentum],
        learning_rate=log_range(1e-4, 1, 9),
        warmup_steps=linear_range(0, 10),
        hidden_units=[(8, 8), ()],
        activation="tanh",
        seed=[3, 5],
        nesterov=True,
        widths=(3,),
        output="somewhere",
    )
    content = json.loads(json.dumps(record.to_json(original)))
    assert record.unrepeatable(content) == []
    again = Config(**record.from_json(content))
    assert again.optimizer == ["sgd", "jaxnets.training.optimizers:momentum"]
    assert again == original.changed(output=None, optimizer=again.optimizer)
    assert isinstance(again.learning_rate, Range)
    assert record.to_json(again) == content


def test_what_has_no_import_path_is_named():
    content = record.to_json(Config(optimizer=["sgd", lambda learning_rate: None], dataset=([[1.0]], [0])))
    assert record.unrepeatable(content) == ["dataset", "optimizer"]
    with pytest.raises(UserError, match="optimizer: it was the object '<lambda>', which has no import path"):
        record.from_json({"optimizer": content["optimizer"]})
