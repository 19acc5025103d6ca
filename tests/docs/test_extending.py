"""What docs/extending.md shows is run as it stands there."""

import re
import runpy
import sys

import pandas as pd
import pytest

from jaxnets import data, models
from jaxnets.models import blocks
from jaxnets.training import heads, initializers, optimizers, schedules
from tests.docs.pages import PAGES, ROOT, commands
from tests.docs.pages import blocks as code_blocks

TEXT = PAGES["docs/extending.md"]
FILES = dict(re.findall(r"^# (my_lab/\w+\.py)\n(.*)", block, re.DOTALL)[0] for block in code_blocks(TEXT, "python"))
COMMANDS = [words for words in commands(TEXT) if "my_lab" in " ".join(words)]
EXPECTED = {  # a column of the results, and how many runs there are
    "my_lab.nets:MyNet": ("frequency", 6),
    "my_lab.words:BestWord": ("embedding_dim", 1),
    "my_lab.opt:my_opt": ("decay", 62),
    "my_lab.decay:root": ("floor", 3),
    "my_lab.starts:signs": ("initializer", 3),
    "my_lab.curves:cube": ("activation", 144),
    "my_lab.smooth:Smooth": ("head", 2),
    "my_lab.data:load": ("hidden_units", 1),
    "my_lab.circle": ("method", 32),
    "my_lab.script": ("", 0),
}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / "my_lab").mkdir()
    (tmp_path / "my_lab" / "__init__.py").touch()
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_lab"]:
        del sys.modules[name]


def test_each_file_has_its_command():
    assert len(FILES) == len(COMMANDS) == len(EXPECTED)


# guests of these kinds are trained by tests/test_common_suite.py as well
SLOW = ("my_lab.opt:my_opt", "my_lab.decay:root", "my_lab.starts:signs", "my_lab.curves:cube", "my_lab.smooth:Smooth")


@pytest.mark.parametrize(
    "plugin",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name
        for name in EXPECTED
        if name != "my_lab.script"
    ],
)
def test_the_commands_work(plugin, lab, monkeypatch, capsys):
    flags = [f"--output={lab / 'run'}", "--num_steps=20"]
    assert _status(_command(plugin), flags, monkeypatch) == 0, capsys.readouterr().err
    table = "scores" if plugin == "my_lab.circle" else "runs"  # a claim keeps the final runs
    runs = pd.read_parquet(lab / "run" / f"{table}.parquet")
    column, count = EXPECTED[plugin]
    assert (runs["status"] == "finished").all()
    assert column in runs.columns
    assert len(runs) == count


@pytest.mark.slow
def test_the_script_works(lab, monkeypatch, capsys):
    assert _status(_command("my_lab.script"), [], monkeypatch) == 0
    assert "my_lab.opt:my_opt" in capsys.readouterr().out


def _command(plugin):
    (words,) = [words for words in COMMANDS if re.search(rf"{plugin}( |,|$)", " ".join(words))]
    return words


def _status(words, flags, monkeypatch):
    """The exit status of a command."""
    program, *rest = words if words[0] == "run.py" else words[1:]
    monkeypatch.setattr(sys, "argv", [program, *rest, *flags])
    try:
        if words[0] == "run.py":
            runpy.run_path(str(ROOT / program), run_name="__main__")
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        return ended.code
    return 0


def test_the_tables_of_built_in_plugins_are_where_the_page_says():
    rows = re.findall(r"^\| .*? \| `(\w+)` \| `(\w+)(?:\(\))?` in `([\w/.]+)`", TEXT, re.MULTILINE)
    assert {name for name, *_ in rows} == {
        "model", "optimizer", "schedule", "initializer", "head", "dataset", "pooling",
    }  # fmt: skip
    modules = {module.__file__: module for module in (models, optimizers, schedules, initializers, heads, data, blocks)}
    for _, table, file in rows:
        assert hasattr(modules[str(ROOT / file)], table)
