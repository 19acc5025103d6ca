"""Every command that the docs show works: its experiment, its flags and their values exist."""

import importlib
import json
import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from jaxnets.cli import flags
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.runs.experiment import Command, command_line
from tests.docs.pages import PAGES, ROOT, commands

# those of `my_lab` are run by test_extending.py
SHOWN = [words for text in PAGES.values() for words in commands(text) if "my_lab" not in " ".join(words)]
OF_EXPERIMENTS = [words for words in SHOWN if words[0] == "run.py" or words[1:2] == ["jaxnets"]]
OTHERS = [words for words in SHOWN if words not in OF_EXPERIMENTS]
CLUSTER = {path.name: path for path in sorted((ROOT / "docs" / "cluster").iterdir())}


def test_there_are_commands():
    assert len(OF_EXPERIMENTS) > 35
    scripts = {f"docs/{name}.py" for name in ("draw_architecture", "trace_walks", "short_verdicts")}
    assert {words[0] for words in OTHERS} == {"-m", *scripts}


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
    experiment = importlib.import_module(f"jaxnets.experiments.{name}").EXPERIMENT
    arguments = [argument for argument in arguments if argument != "--help"]
    if isinstance(experiment, Command):
        flags.command_values(experiment, arguments)
        return
    config = flags.parse(experiment, arguments)
    assert runs(config)
    assert command_line(experiment, config).startswith(f"jaxnets {name}")


def test_a_wrong_flag_is_noticed():
    experiment = importlib.import_module("jaxnets.experiments.xor").EXPERIMENT
    with pytest.raises(UserError, match="hiden_units: there is no such flag"):
        flags.parse(experiment, ["--hiden_units=2"])


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_the_other_commands_exist(words):
    if words[0] != "-m":
        assert (ROOT / words[0]).exists()
    elif words[1] not in ("pip", "pytest"):
        source = (ROOT / (words[1].replace(".", "/") + ".py")).read_text()
        for flag in words[2:]:
            name = flag.lstrip("-").partition("=")[0]
            shown = (
                rf'(DEFINE_\w+\(\s*"|add_argument\("--){name}"' if flag.startswith("--") else rf"{words[1]} .*{name}"
            )
            assert re.search(shown, source), flag


def test_each_file_for_clusters_is_named():
    assert set(re.findall(r"\(cluster/([\w.]+)\)", PAGES["docs/large_runs.md"])) == set(CLUSTER)


@pytest.mark.parametrize("name", CLUSTER)
def test_a_file_for_clusters_is_well_formed(name):
    text = CLUSTER[name].read_text()
    if name.endswith(".sh"):
        if shutil.which("bash") is None:
            pytest.skip("there is no bash")
        for more, status in (("", 0), ("\nif", 2)):
            checked = subprocess.run(["bash", "-n"], input=text + more, text=True, capture_output=True, check=False)
            assert checked.returncode == status, checked.stderr
        return
    *others, job = yaml.safe_load_all(text)
    assert [one["kind"] for one in [*others, job]] in (["PersistentVolumeClaim", "RayJob"], ["RayJob"])
    cluster = job["spec"]["rayClusterSpec"]
    pods = [cluster["headGroupSpec"]["template"], *(group["template"] for group in cluster["workerGroupSpecs"])]
    assert len(pods) == 2
    for pod in pods:
        (container,), (volume,) = pod["spec"]["containers"], pod["spec"]["volumes"]
        assert container["image"] == "IMAGE"
        assert [mount["name"] for mount in container["volumeMounts"]] == [volume["name"]]
        assert container["resources"]["limits"] == container["resources"]["requests"]


@pytest.mark.parametrize("name", CLUSTER)
def test_the_command_for_a_cluster_is_understood(name):
    (command,) = re.findall(r"python run\.py ([^#]*?)(?:\"?\$@|\"\n)", CLUSTER[name].read_text())
    experiment, *given = [word for word in shlex.split(command.rstrip('" ').replace('="$', "=$")) if word != "\n"]
    assert any(word.startswith("--cluster=") for word in given)
    assert runs(flags.parse(importlib.import_module(f"jaxnets.experiments.{experiment}").EXPERIMENT, given))
