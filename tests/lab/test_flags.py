"""Flags become configurations, and configurations repeat themselves."""

import importlib
import json
import shlex

import pytest

import experiments
from jaxnets.config.config import Config
from jaxnets.config.values import log_range
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.lab import flags, run_directory
from jaxnets.lab.commandline import sentences
from jaxnets.lab.experiment import Experiment, Job, Option, configure
from jaxnets.lab.flagtext import unparse

ALL = {name: importlib.import_module(f"experiments.{name}").EXPERIMENT for name in sentences(experiments)}
EXPERIMENTS = {name: one for name, one in ALL.items() if isinstance(one, Experiment)}
MINE = Job(
    name="mine",
    about="Does something.",
    defaults={"dataset": "xor", "optimizer": ["sgd", "adam"], "hidden_units": [8], "num_seeds": 4},
    options=(Option("draws", 400, "Draws.", least=1), Option("words", ["not", "no"], "Words.")),
    report=lambda results, console: None,
)


def repeated(experiment, config, folder, *arguments):
    """What `--config` makes of the `config.json` of a configuration."""
    content = run_directory.configuration(experiment.name, config)
    (folder / "config.json").write_text(json.dumps(content))
    return flags.parse(experiment, [f"--config={folder / 'config.json'}", *arguments])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_repeated_by_its_config_even_where_a_flag_is_a_default_of_config(name, tmp_path):
    experiment = EXPERIMENTS[name]
    assert experiment.name == name
    for arguments in ([], ["--learning_rate=0.001", "--num_seeds=1", "--num_steps=20", "--keep=none", "--num_train=0"]):
        config = flags.parse(experiment, arguments)
        again = repeated(experiment, config, tmp_path)
        assert again == config
        assert len(runs(again)) == len(runs(config))


def test_a_config_file_repeats_nothing_of_the_experiments_own_values(tmp_path):
    config = flags.parse(MINE, ["--optimizer=adam", "--learning_rate=0.001", "--num_seeds=1", "--draws=7"])
    again = repeated(MINE, config, tmp_path, "--num_steps=9", "--words=never")
    assert (again.optimizer, again.num_seeds, again.num_steps) == ("adam", 1, 9)
    assert again.options == {"draws": 7, "words": ["never"]}
    assert len(runs(again)) == 1
    other = repeated(MINE, config, tmp_path, "--dataset=ngrams", "--model=dan")
    assert "hidden_units" in other.arguments  # a DAN has them as well
    cnn = repeated(MINE, config, tmp_path, "--dataset=ngrams", "--model=text_cnn")
    assert "hidden_units" not in cnn.arguments


def test_a_config_of_the_first_version_is_read_as_it_ran(tmp_path):
    texts = {"optimizer": "sgd,adam", "learning_rate": "log:1e-4:1:9", "hidden_units": "8x8,0", "draws": "7"}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"experiment": "mine", "version": "0.1.0", "flags": texts}))
    config = flags.parse(MINE, [f"--config={path}"])
    assert config.learning_rate == log_range(1e-4, 1, 9)
    assert config.arguments == {"hidden_units": [(8, 8), ()]}
    # what the file leaves out was equal to the defaults of Config, not to the experiment's
    assert (config.dataset, config.num_seeds, config.options["draws"]) == ("digits", 1, 7)
    assert flags.experiment_of([f"--config={path}"]) == "mine"


@pytest.mark.parametrize(
    ("name", "texts", "options"),
    [
        ("computing_gradients", {"widths": "8x16"}, {"widths": [8, 16]}),
        ("unseen_ngrams", {"phrases": "a b/a c/a d"}, {"phrases": ["a b", "a c", "a d"]}),
        ("building_blocks", {"widths": "3x4x5"}, {"widths": (3, 4, 5)}),
    ],
)
def test_an_experiments_own_flags_of_the_first_version_are_read(name, texts, options, tmp_path):
    path = tmp_path / "config.json"
    flags_of_then = {**ALL[name].defaults, **texts}
    written = {key: value if isinstance(value, str) else unparse(value) for key, value in flags_of_then.items()}
    path.write_text(json.dumps({"experiment": name, "version": "0.1.0", "flags": written}))
    config = flags.parse(ALL[name], [f"--config={path}"])
    for key, value in options.items():
        read = config.options[key]
        assert (tuple(read) if isinstance(value, tuple) else read) == value


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("[", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("3", "it must be an object, not 3"),
        ('{"format": 2}', "has no 'config' with values by name"),
        ('{"flags": {"seed": 3}}', "flags.seed must be a text, not 3"),
        ('{"format": 9, "config": {}}', "has the format 9; this version reads 1 and 2"),
        ('{"format": 2, "config": {"sede": 3}}', "keyword: 'sede' is not known. Did you mean 'seed'?"),
        ('{"format": 2, "config": {"seed": {"a": 3}}}', "config.seed has 'a', which is not known"),
        ('{"format": 2, "config": {"optimizer": {"object": "f"}}}', "optimizer: it was the object 'f'"),
        ('{"format": 2, "config": {"learning_rate": {"log_range": [0, 1]}}}', "log_range: 0 is not above 0"),
        ('{"format": 2, "config": {"learning_rate": {"log_range": 3}}}', "learning_rate"),
        ('{"format": 2, "config": {"seed": {}}}', "seed: {} is not a value"),
    ],
)
def test_what_is_no_config_file_is_one_line(content, part, tmp_path):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UserError) as error:
        flags.parse(MINE, [f"--config={tmp_path / 'config.json'}"])
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_an_object_of_a_config_file_may_be_given_again(tmp_path):
    content = {"format": 2, "config": {"optimizer": {"object": "f"}, "dataset": "xor"}}
    (tmp_path / "config.json").write_text(json.dumps(content))
    config = flags.parse(MINE, [f"--config={tmp_path / 'config.json'}", "--optimizer=sgd"])
    assert config.optimizer == "sgd"


def test_presets_and_what_changes_them():
    config = flags.parse(MINE, ["--preset=kim2014", "--dataset=ngrams", "--num_filters=7", "--rho=0.5,0.9"])
    assert (config.model, config.max_norm, config.arguments["num_filters"]) == ("text_cnn", 3.0, 7)
    assert config.arguments["rho"] == [0.5, 0.9]
    other = flags.parse(MINE, ["--preset=kim2014", "--dataset=ngrams", "--optimizer=sgd"])
    assert "rho" not in other.arguments


def test_the_command_line_is_quoted_and_repeats_the_configuration():
    arguments = ["--words=it's,$HOME", "--optimizer=sgd", "--learning_rate=0.001,0.5", "--hidden_units=8x8,0"]
    config = flags.parse(MINE, [*arguments, "--num_seeds=1"])
    line = flags.command_line(MINE, config)
    words = shlex.split(line)
    assert words[:3] == ["python", "run.py", "mine"]
    assert flags.parse(MINE, words[3:]) == config
    assert flags.command_line(MINE, configure(MINE, {})) == "python run.py mine"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_command_of_every_experiment_repeats_it(name):
    experiment = EXPERIMENTS[name]
    config = flags.parse(experiment, ["--learning_rate=0.001", "--num_seeds=1", "--seed=4", "--initializer=pytorch"])
    assert flags.parse(experiment, shlex.split(flags.command_line(experiment, config))[3:]) == config


def test_help_has_a_line_for_every_flag_from_its_docstring():
    text = flags.help_text(MINE)
    assert "--draws" in text
    assert "--learning_rate" in text
    assert "The width of each hidden layer. (default: 8)" in text
    assert "The non-linearity after each hidden layer. (default: relu)" in text
    assert "An argument of" not in text


def test_switches_are_spelled_out():
    assert flags.parse(MINE, ["--predictions"]).predictions is True
    assert flags.parse(MINE, ["--optimizer=momentum", "--nonesterov"]).arguments["nesterov"] is False


def test_an_empty_text_is_not_given():
    assert flags.parse(MINE, ["--weight_decay="]).weight_decay is None
    assert Config().weight_decay is None
    assert flags.parse(MINE, ["--learning_rate="]).learning_rate is None
    with pytest.raises(UserError, match="warmup_steps: the value is empty"):
        flags.parse(MINE, ["--warmup_steps="])
