import dataclasses

import pytest

from jaxnets.basics.errors import UserError
from jaxnets.config import config
from jaxnets.config.config import Config


def test_texts_make_an_equal_configuration():
    original = Config(learning_rate="0.1,0.2", num_seeds="3", arguments={"hidden_units": "8,0"})
    assert Config.from_texts(original.texts()) == original


def test_only_what_differs_is_kept():
    assert Config(learning_rate="0.5").texts() == {"learning_rate": "0.5"}


def test_every_field_has_a_help_text():
    for field in config.fields():
        assert field.metadata["help"].endswith("."), field.name
        assert field.metadata["role"] in ("hyperparameter", "setting")


def test_a_configuration_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().seed = "1"


def test_changes_and_what_they_take_away():
    original = Config(learning_rate="0.1", arguments={"hidden_units": "8", "momentum": "0.9"}, options={"least": "1"})
    changed = original.changed(learning_rate="0.2", hidden_units="", least="2", width="3")
    assert changed.learning_rate == "0.2"
    assert changed.arguments == {"momentum": "0.9", "width": "3"}
    assert changed.options == {"least": "2"}


@pytest.mark.parametrize(("name", "text"), [("num_seeds", "0"), ("num_devices", "-1"), ("num_trials", "many")])
def test_settings_are_checked(name, text):
    with pytest.raises(UserError, match=f"{name}"):
        Config(**{name: text}).number(name)
