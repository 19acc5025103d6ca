"""Every command that the docs show is one that works: its experiment, its flags and their values exist."""

import importlib
import json
import re

import pytest

from jaxnets.cli import flags
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.runs.experiment import Command, command_line
from tests.docs.pages import PAGES, ROOT, commands

SHOWN = [(page, words) for page, text in PAGES.items() for words in commands(text)]
# those of `my_lab` are run by test_extending.py
OWN = [(page, words) for page, words in SHOWN if not any("my_lab" in word for word in words)]
OF_EXPERIMENTS = [words for _, words in OWN if words[0] == "run.py" or words[1:2] == ["jaxnets"]]
OTHERS = [words for _, words in OWN if words not in OF_EXPERIMENTS]


def test_there_are_commands():
    assert len(OF_EXPERIMENTS) > 35
    assert {words[0] for words in OTHERS} == {"-m", "docs/draw_architecture.py", "docs/short_verdicts.py"}


@pytest.mark.parametrize("words", OF_EXPERIMENTS, ids=" ".join)
def test_the_command_of_an_experiment_is_understood(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for directory in (tmp_path / "results" / "compare_optimizers" / "RUN", tmp_path / "my_run"):  # the latter is begun
        (directory / "parts").mkdir(parents=True)
        content = {"format": 3, "experiment": "compare_optimizers", "config": {}}
        (directory / "config.json").write_text(json.dumps(content))
    arguments = words[1:] if words[0] == "run.py" else words[2:]
    if arguments[:1] == ["--help"]:
        return
    name = arguments.pop(0) if arguments and not arguments[0].startswith("-") else "compare_optimizers"
    module = importlib.import_module(f"jaxnets.experiments.{name}")
    if isinstance(module.EXPERIMENT, Command):
        flags.command_values(module.EXPERIMENT, [argument for argument in arguments if argument != "--help"])
        return
    config = flags.parse(module.EXPERIMENT, [argument for argument in arguments if argument != "--help"])
    assert runs(config)
    assert command_line(module.EXPERIMENT, config).startswith(f"jaxnets {name}")


def test_a_wrong_flag_would_be_noticed():
    experiment = importlib.import_module("jaxnets.experiments.xor").EXPERIMENT
    with pytest.raises(UserError, match="hiden_units: there is no such flag"):
        flags.parse(experiment, ["--hiden_units=2"])


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_the_other_commands_exist(words):
    if words[0] != "-m":
        assert (ROOT / words[0]).exists()
        return
    if words[1] in ("pip", "pytest"):
        return
    source = (ROOT / (words[1].replace(".", "/") + ".py")).read_text()
    for flag in words[2:]:
        if not flag.startswith("--"):
            assert re.search(rf"python -m {words[1]} .*\b{flag}\b", source), flag
            continue
        name = flag.lstrip("-").partition("=")[0]
        assert re.search(rf'(DEFINE_\w+\(\s*"|add_argument\("--){name}"', source), flag
