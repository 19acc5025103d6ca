"""The files to start a cluster from can be read, and ask for what jaxnets has."""

import importlib
import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from jaxnets.cli import flags
from jaxnets.engine.table import runs
from tests.docs.pages import PAGES, ROOT

FILES = {path.name: path for path in sorted((ROOT / "docs" / "cluster").iterdir())}
SCRIPTS = [name for name in FILES if name.endswith(".sh")]
MANIFESTS = [name for name in FILES if name.endswith(".yaml")]


def test_each_file_is_named_on_the_page():
    assert set(re.findall(r"\(cluster/([\w.]+)\)", PAGES["docs/cluster.md"])) == set(FILES)
    assert set(FILES) == {*SCRIPTS, *MANIFESTS}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_one_that_bash_understands(name):
    checked = subprocess.run(["bash", "-n", FILES[name]], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    broken = subprocess.run(["bash", "-n"], input=FILES[name].read_text() + "\nif", text=True, capture_output=True)
    assert broken.returncode != 0


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_has_a_head_and_workers_of_one_image(name):
    *others, job = yaml.safe_load_all(FILES[name].read_text())
    assert [one["kind"] for one in [*others, job]] in (["PersistentVolumeClaim", "RayJob"], ["RayJob"])
    cluster = job["spec"]["rayClusterSpec"]
    pods = [cluster["headGroupSpec"]["template"], *(group["template"] for group in cluster["workerGroupSpecs"])]
    assert len(pods) == 2
    for pod in pods:
        (container,), (volume,) = pod["spec"]["containers"], pod["spec"]["volumes"]
        assert container["image"] == "IMAGE"
        assert [mount["name"] for mount in container["volumeMounts"]] == [volume["name"]]
        assert container["resources"]["limits"] == container["resources"]["requests"]


@pytest.mark.parametrize("name", FILES)
def test_its_command_is_understood(name):
    (command,) = re.findall(r"python run\.py ([^#]*?)(?:\"?\$@|\"\n)", FILES[name].read_text())
    experiment, *given = [word for word in shlex.split(command.rstrip('" ').replace('="$', "=$")) if word != "\n"]
    assert any(word.startswith("--cluster=") for word in given)
    config = flags.parse(importlib.import_module(f"jaxnets.experiments.{experiment}").EXPERIMENT, given)
    assert runs(config)
