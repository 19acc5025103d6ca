"""What CONTRIBUTING.md shows is run as it stands there."""

import os
import re
import subprocess
import sys
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
def test_the_commands_work(lab, number, tmp_path):
    arguments = [str(ROOT / "run.py") if word == "run.py" else word for word in COMMANDS[number].split()]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{lab}"}
    process = subprocess.run(
        [sys.executable, *arguments, f"--output={tmp_path / 'run'}", "--num_epochs=3"], cwd=lab, env=environment,
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    runs = pd.read_parquet(tmp_path / "run" / "runs.parquet")
    assert (runs["status"] == "finished").all()
    assert ["frequency", "decay", "embedding_dim", "hidden_units", "hidden_units"][number] in runs.columns
    assert len(runs) == [6, 54, 1, 1, 4][number]
