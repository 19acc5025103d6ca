"""What CONTRIBUTING.md shows is run as it stands there."""

import re
import runpy
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
FILES = dict(re.findall(r"```python\n# (my_lab/\w+\.py)\n(.*?)```", TEXT, re.DOTALL))
COMMANDS = re.findall(r"^python (.*my_lab.*)$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    (folder / "my_lab").mkdir()
    (folder / "my_lab" / "__init__.py").touch()
    for name, content in FILES.items():
        (folder / name).write_text(content)
    return folder


def test_each_kind_is_shown():
    assert set(FILES) == {f"my_lab/{name}.py" for name in ("nets", "opt", "words", "data", "circle")}
    assert len(COMMANDS) == 5


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_the_commands_work(lab, number, tmp_path, monkeypatch, capsys):
    program, *rest = COMMANDS[number].replace("-m ", "").split()
    monkeypatch.syspath_prepend(str(lab))
    monkeypatch.chdir(lab)
    monkeypatch.setattr(sys, "argv", [program, *rest, f"--output={tmp_path / 'run'}", "--num_epochs=3"])
    as_program = {"run_name": "__main__"}
    run = partial(runpy.run_path, str(ROOT / program), **as_program)
    if program != "run.py":
        run = partial(runpy.run_module, program, alter_sys=True, **as_program)
    with pytest.raises(SystemExit) as ended:
        run()
    assert not ended.value.code, capsys.readouterr().err
    runs = pd.read_parquet(tmp_path / "run" / "runs.parquet")
    assert (runs["status"] == "finished").all()
    assert ["frequency", "decay", "embedding_dim", "hidden_units", "hidden_units"][number] in runs.columns
    assert len(runs) == [6, 54, 1, 1, 4][number]
