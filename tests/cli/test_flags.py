"""Flags become configurations, and configurations repeat themselves."""

import importlib
import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.cli import flags
from jaxnets.cli.main import sentences
from jaxnets.config.config import fields
from jaxnets.config.values import Range, unparse
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.runs import directory as run_directory
from jaxnets.runs.experiment import Command, Experiment, Job, Option, command_line, configure

ALL = {name: importlib.import_module(f"jaxnets.experiments.{name}").EXPERIMENT for name in sentences()}
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


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("[", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("3", "it must be an object, not 3"),
        ('{"format": 3}', "has no 'config' with values by name"),
        ('{"format": 9, "config": {}}', "has the format 9; this version reads 3"),
        ('{"format": 3, "config": {"sede": 3}}', "keyword: 'sede' is not known. Did you mean 'seed'?"),
        ('{"format": 3, "config": {"seed": {"a": 3}}}', "config.seed has 'a', which is not known"),
        ('{"format": 3, "config": {"optimizer": {"object": "f"}}}', "optimizer: it was the object 'f'"),
        ('{"format": 3, "config": {"learning_rate": {"log_range": [0, 1]}}}', "log_range: 0 is not above 0"),
        ('{"format": 3, "config": {"learning_rate": {"log_range": 3}}}', "learning_rate"),
        ('{"format": 3, "config": {"seed": {}}}', "seed: {} is not a value"),
    ],
)
def test_what_is_no_config_file_is_one_line(content, part, tmp_path):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UserError) as error:
        flags.parse(MINE, [f"--config={tmp_path / 'config.json'}"])
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_an_object_of_a_config_file_may_be_given_again(tmp_path):
    content = {"format": 3, "config": {"optimizer": {"object": "f"}, "dataset": "xor"}}
    (tmp_path / "config.json").write_text(json.dumps(content))
    config = flags.parse(MINE, [f"--config={tmp_path / 'config.json'}", "--optimizer=sgd"])
    assert config.optimizer == "sgd"


def test_presets_and_what_changes_them():
    config = flags.parse(MINE, ["--preset=kim2014", "--dataset=ngrams", "--num_filters=7", "--rho=0.5,0.9"])
    assert (config.model, config.max_norm, config.arguments["num_filters"]) == ("text_cnn", 3.0, 7)
    assert config.arguments["rho"] == [0.5, 0.9]
    other = flags.parse(MINE, ["--preset=kim2014", "--dataset=ngrams", "--optimizer=sgd"])
    assert "rho" not in other.arguments


def test_the_command_line_is_quoted_and_repeats_the_configuration(monkeypatch):
    arguments = ["--words=it's,$HOME", "--optimizer=sgd", "--learning_rate=0.001,0.5", "--hidden_units=8x8,0"]
    config = flags.parse(MINE, [*arguments, "--num_seeds=1"])
    words = shlex.split(command_line(MINE, config))
    assert words[:2] == ["jaxnets", "mine"]
    assert flags.parse(MINE, words[2:]) == config
    monkeypatch.setattr("sys.argv", ["run.py"])
    assert command_line(MINE, configure(MINE, {})) == "python run.py mine"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_command_of_every_experiment_repeats_it(name):
    experiment = EXPERIMENTS[name]
    config = flags.parse(experiment, ["--learning_rate=0.001", "--num_seeds=1", "--seed=4", "--initializer=pytorch"])
    assert flags.parse(experiment, shlex.split(command_line(experiment, config))[2:]) == config


def test_help_shows_the_common_flags_first_and_helpfull_all():
    common, full = flags.help_text(MINE), flags.help_text(MINE, full=True)
    assert full.index("--learning_rate") < full.index("--draws") < full.index("--gpus_per_worker")
    assert "--gpus_per_worker" not in common
    assert common.count("jaxnets mine --") == 2  # the examples
    assert "The width of each hidden layer. (default: 8)" in common
    assert "The non-linearity after each hidden layer. (default: relu)" in common
    assert "An argument of" not in full
    assert all(f"--{field.name} " in full for field in fields())


def test_the_forms_of_a_flag(tmp_path):
    assert flags.parse(MINE, ["--predictions"]).predictions is True
    assert flags.parse(MINE, ["--optimizer=momentum", "--nonesterov"]).arguments["nesterov"] is False
    assert flags.parse(MINE, ["--train-word-vectors=true,false"]).train_word_vectors == [True, False]
    assert flags.parse(MINE, ["--learning-rate", "0.1", "-num_steps=3"]).learning_rate == 0.1
    (tmp_path / "inner").write_text("--optimizer=momentum\n")
    (tmp_path / "outer").write_text(f"# of a paper\n--flagfile={tmp_path / 'inner'}\n--momentum=0.8\n")
    config = flags.parse(MINE, [f"--flagfile={tmp_path / 'outer'}", "--momentum=0.7"])
    assert (config.optimizer, config.arguments["momentum"]) == ("momentum", 0.7)


def test_an_empty_text_is_not_given():
    assert flags.parse(MINE, ["--weight_decay="]).weight_decay is None
    with pytest.raises(UserError, match="warmup_steps: the value is empty"):
        flags.parse(MINE, ["--warmup_steps="])


def test_a_custom_plugin_brings_flags(monkeypatch, tmp_path):
    (tmp_path / "my_flags_lab.py").write_text("import optax\ndef mine(learning_rate, pull=0.5, fast=False): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = flags.parse(MINE, ["--fast", "--pull=0.1,0.2", "--optimizer=my_flags_lab:mine"])
    assert (config.arguments["pull"], config.arguments["fast"]) == ([0.1, 0.2], True)


MISTAKES = {
    "--LR=1": r"^LR: there is no such flag\. Did you mean 'learning_rate'\? --help lists",
    "--epochs=1": "Did you mean 'num_epochs'",
    "--learning_rat=1": "Did you mean 'learning_rate'",
    "--verbose": r"^verbose: there is no such flag\. --help lists",
    "--learning_rate": r"^learning_rate: there is not a value; write --learning_rate=VALUE\.$",
    "--flagfile=no/such": r"^flagfile: .*no/such",
    "--nopredictions=1": "does not take an argument",
    "more": r"^'more' is not a flag",
}


@pytest.mark.parametrize("argument", MISTAKES)
def test_a_mistake_in_a_flag_is_one_line(argument):
    with pytest.raises(UserError, match=MISTAKES[argument]):
        flags.parse(MINE, [argument])


ASK = Command(
    name="ask",
    about="Asks.",
    run=lambda given: 0,
    directories="RUN_DIR",
    options=(
        Option("text", [], "Texts.", repeated=True),
        Option("json", False, "JSON."),
        Option("explain", None, "Whether to explain.", of_kind="bool"),
        Option("column", None, "A column.", of_kind="text"),
        Option("top", None, "How many.", least=1, of_kind="int"),
    ),
)


def test_the_flags_of_a_command():
    given = flags.command_values(ASK, ["--text=a,b", "run", "--text", "c", "--json", "--text=", "--column=", "--top=2"])
    assert vars(given) == {
        "directory": ["run"],
        "text": ["a,b", "c", ""],
        "json": True,
        "explain": None,
        "column": "",
        "top": 2,
    }
    assert flags.command_values(ASK, ["--noexplain"]).explain is False
    text = flags.command_help(ASK)
    assert text.startswith("usage: jaxnets ask RUN_DIR [--flag=value ...]")
    assert "--explain" in text
    for wrong, part in {
        "--txt=a": r"^txt: there is no such flag\. Did you mean 'text'\?",
        "--tex=a": "^tex: there is no such flag",  # nothing is abbreviated
        "--text": r"^text: there is not a value",
        "--json=maybe": "^json: 'maybe' is neither 'true' nor 'false'",
        "--top=0": r"^top: 0 is below 1\.$",
    }.items():
        with pytest.raises(UserError, match=part):
            flags.command_values(ASK, [wrong])


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("1e-3, 1", "float", [0.001, 1.0]),
        ("log:1e-4:1:5", "float", [0.0001, 0.001, 0.01, 0.1, 1.0]),
        ("lin:0:1:3", "float", [0.0, 0.5, 1.0]),
        ("true,false", "bool", [True, False]),
        ("128x64,0,5", "sizes", [(128, 64), (), (5,)]),
        ("relu,tanh", "plugin", ["relu", "tanh"]),
    ],
)
def test_a_text_is_a_value_a_list_or_a_range(text, kind, values):
    parsed = flags.parse_text("x", text, kind)
    assert (parsed.grid() if isinstance(parsed, Range) else parsed) == values
    assert flags.parse_text("phrases", text, "text", several=False) == text


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("1,,2", "float", "the value is empty"),
        ("a", "float", "'a' is not a number"),
        ("1.5", "int", "not a whole number"),
        ("2_0", "int", "not a whole number"),
        ("٠.١", "float", "not a number"),
        ("maybe", "bool", "neither 'true' nor 'false'"),
        ("128xx", "sizes", "not a whole number"),
        ("log:-1:1:3", "float", "not above 0"),
        ("log:1:2:0", "float", "0 is below 1"),
        ("log:1", "float", "LOW:HIGH:COUNT"),
        ("log:1:nan:3", "float", "not a finite number"),
        ("lin:1:2:3", "plugin", "takes no range"),
    ],
)
def test_a_text_that_is_no_value_is_one_line_that_names_the_flag(text, kind, part):
    with pytest.raises(UserError, match=f"^rate: .*{part}"):
        flags.parse_text("rate", text, kind)


@given(st.lists(st.lists(st.integers(1, 999), max_size=3).map(tuple), min_size=2, unique=True), st.floats(-1e99, 1e99))
def test_values_survive_being_written(sizes, number):
    assert flags.parse_text("x", unparse(sizes), "sizes") == sizes
    assert flags.parse_text("x", unparse(number), "float") == number
