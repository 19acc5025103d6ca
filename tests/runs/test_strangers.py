"""A run directory that somebody else has made is data: nothing that it names is imported unless the user trusts it."""

import json
import shutil
import sys

import pytest

import jaxnets
from jaxnets.cli import flags
from jaxnets.cli import main as cli
from jaxnets.errors import UserError
from jaxnets.experiments import predict, report
from jaxnets.experiments.train import EXPERIMENT as TRAIN
from jaxnets.inference import model as models
from jaxnets.runs import directory as run_directory
from tests.by_hand import may_be_changed

SWEEP = {"dataset": "ngrams", "num_sentences": 40, "model": "dan", "embedding_dim": 4, "hidden_units": 4}
SWEEP |= {"num_steps": 3, "batch_size": 0, "num_seeds": 2, "keep": "seeds", "progress": False}
MODULE = """
from pathlib import Path
Path({marker!r}).write_text("it ran")
from jaxnets.models import DAN
class Net(DAN): pass
def adam(learning_rate): raise AssertionError
def data(): raise AssertionError
"""
NAME = "module_of_a_stranger"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The directory of a sweep that kept the models of two seeds, and a checkpoint of the first."""
    directory = tmp_path_factory.mktemp("runs") / "run"
    results = jaxnets.sweep(**SWEEP, output=directory)
    models.save(directory, results.model(0))
    return may_be_changed(directory)


@pytest.fixture
def stranger(written, tmp_path, monkeypatch):
    """A copy of it with a module beside its files, which can be imported and leaves a mark when it is."""
    directory = tmp_path / "run"
    shutil.copytree(written, directory)
    (directory / f"{NAME}.py").write_text(MODULE.format(marker=str(tmp_path / "mark")))
    monkeypatch.syspath_prepend(directory)
    monkeypatch.chdir(directory)
    yield directory
    sys.modules.pop(NAME, None)


def change(path, *keys, value):
    """Changes one value of a JSON file."""
    content = json.loads(path.read_text())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(content))


def ran(directory):
    """Whether the module was run."""
    return (directory.parent / "mark").exists()


def with_checkpoint_alone(directory):
    """Takes the models of the seeds away, so that `predict` reads the checkpoint."""
    (directory / "models.json").unlink()
    return directory / "checkpoint" / "model.json"


ASK = ["predict", ".", "--text=a good film"]


def asked(capsys, *arguments):
    """What `predict` says: the status, and the lines of its error."""
    status = cli.run(predict.EXPERIMENT, [*ASK, *arguments])
    return status, capsys.readouterr().err


@pytest.mark.parametrize("place", ["checkpoint", "models", "config"])
def test_predict_imports_what_is_trusted_alone(place, stranger, capsys):
    file, keys = stranger / "models.json", ["model"]
    if place == "checkpoint":
        file = with_checkpoint_alone(stranger)
    elif place == "models":
        keys = ["runs", next(iter(json.loads(file.read_text())["runs"])), "model"]
    else:
        file, keys = stranger / "config.json", ["config", "model"]
    change(file, *keys, value=f"{NAME}:Net")
    for arguments in ([], ["--trust=another.module:Net"]):
        status, error = asked(capsys, *arguments)
        assert (status, error.count("\n")) == (2, 1)
        assert f"{file.name}: model is the import path '{NAME}:Net'" in error
        assert f"--trust={NAME}:Net" in error
    assert not ran(stranger)
    if place != "config":  # the configuration is not looked up, trusted or not
        assert asked(capsys, f"--trust={NAME}:Net")[0] == 0
        assert ran(stranger)  # so the test would have noticed
    assert asked(capsys, "--trust")[0] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("head", f"{NAME}:data"),
        ("activation", f"{NAME}:data"),
        ("model", f"{NAME}:Net"),
        ("model", "subprocess:Popen"),
        ("model", "jaxnets.runs.directory:Path"),
    ],
)
def test_each_part_of_a_description_is_looked_at(field, value, stranger, capsys):
    keys = ["arguments", field] if field == "activation" else [field]
    change(with_checkpoint_alone(stranger), *keys, value=value)
    status, error = asked(capsys)
    assert (status, ran(stranger)) == (2, False)
    assert f"{field} is the import path '{value}'" in error


@pytest.mark.parametrize("field", ["model", "optimizer", "schedule", "dataset", "initializer", "head", "activation"])
def test_a_config_file_imports_nothing_by_itself(field, stranger, capsys):
    path, config = f"{NAME}:data", stranger / "config.json"
    for value in (path, [path, path])[: 1 if field == "dataset" else 2]:
        change(config, "config", field, value=value)
        status = cli.run(TRAIN, ["train", f"--config={config}", "--output=again"])
        error = capsys.readouterr().err
        assert (status, error.count("\n")) == (2, 1)
        assert f"{field} is the import path '{path}'" in error
    assert not ran(stranger)
    assert not (stranger / "again").exists()


@pytest.mark.parametrize("trust", ["--trust", f"--trust={NAME}:adam", f"--optimizer={NAME}:adam"])
def test_a_config_file_imports_what_the_user_repeats_or_trusts(trust, stranger):
    change(stranger / "config.json", "config", "optimizer", value=f"{NAME}:adam")
    config = flags.parse(TRAIN, [f"--config={stranger / 'config.json'}", trust])
    assert config.optimizer == f"{NAME}:adam"
    assert ran(stranger)


def test_an_option_that_looks_like_an_import_path_is_looked_at_too(stranger):
    change(stranger / "config.json", "options", value={"constant": f"{NAME}:data"})
    with pytest.raises(UserError, match="constant is the import path"):
        run_directory.values_of("config.json", run_directory.read_config_file("config.json"), (), ())
    own = {"config": {}, "options": {"constant": "jaxnets.analysis.parameters:constant", "text_dataset": "tfds:imdb"}}
    assert run_directory.values_of("config.json", own, (), ()) == own["options"]


@pytest.mark.parametrize("name", ["output", "export", "compilation_cache", "cluster"])
def test_a_config_file_does_not_say_where_to_write_or_to_train(name, stranger):
    config = stranger / "config.json"
    change(config, "config", name, value="elsewhere.safetensors")
    with pytest.raises(UserError, match=f"{name} is 'elsewhere.safetensors', a place on the machine"):
        flags.parse(TRAIN, [f"--config={config}"])
    assert getattr(flags.parse(TRAIN, [f"--config={config}", f"--{name}=mine"]), name) == "mine"
    assert getattr(flags.parse(TRAIN, [f"--config={config}", "--trust"]), name) == "elsewhere.safetensors"
    assert getattr(jaxnets.load(stranger).config, name) is None


def test_report_imports_nothing(stranger, monkeypatch):
    monkeypatch.setattr(report, "write", lambda directory, console: None)  # it draws what was read
    for field in ("model", "optimizer", "dataset", "initializer"):
        change(stranger / "config.json", "config", field, value=f"{NAME}:data")
    environment = json.loads((stranger / "environment.json").read_text())
    environment.pop("data")  # so that the data set would be looked up
    (stranger / "environment.json").write_text(json.dumps(environment))
    assert cli.run(report.EXPERIMENT, ["report", "."]) == 0
    assert not ran(stranger)


def test_load_imports_what_is_trusted_alone(stranger):
    change(stranger / "checkpoint" / "model.json", "model", value=f"{NAME}:Net")
    for trust in (False, [f"{NAME}:Nets"], f"{NAME}:Network"):
        with pytest.raises(UserError, match="model is the import path"):
            jaxnets.load(stranger, trust=trust)
    assert not ran(stranger)
    assert jaxnets.load(stranger, trust=f"{NAME}:Net").kept_model.plugin.name == f"{NAME}:Net"
    assert ran(stranger)


def test_what_is_loaded_writes_nothing_when_it_is_trained_on(stranger):
    change(stranger / "config.json", "config", "export", value=str(stranger / "x.safetensors"))
    results = jaxnets.load(stranger)
    before = sorted(stranger.rglob("*"))
    assert len(results.train(num_seeds=1, keep="best").runs) == 1
    assert sorted(stranger.rglob("*")) == before
