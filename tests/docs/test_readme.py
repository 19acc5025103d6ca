"""What README.md shows works as it stands there."""

import re
from pathlib import Path

from jaxnets.config.config import Config
from jaxnets.engine.runs import runs
from jaxnets.lab import commandline

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()


def test_the_python_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
    assert len(names["program"].runs) == 8
    assert 0 < float(names["accuracy"]) < 1
    assert float(names["loss"]) > 0


def test_every_flag_of_the_commands_exists():
    import importlib

    text = re.sub(r"\\\n +", "", TEXT)  # a backslash continues a line
    commands = re.findall(r"^python (?:run\.py|-m experiments\.)(.*?)(?:#.*)?$", text, re.MULTILINE)
    parsed = 0
    for command in commands:
        words = command.split()
        if "--help" in words or any(word.startswith("--config") for word in words) or not words:
            continue
        name = words[0] if not words[0].startswith("-") else "compare_optimizers"
        experiment = importlib.import_module(f"experiments.{name}")
        if hasattr(experiment, "command"):
            continue
        config = commandline.parse(experiment, [word for word in words if word.startswith("--")])
        assert isinstance(config, Config)
        assert len(runs(config)) >= 1
        parsed += 1
    assert parsed == 10


def test_every_name_in_the_table_is_known():
    from jaxnets import data, models
    from jaxnets.training import heads, initializers, optimizers, schedules

    known = {
        "model": models.KNOWN,
        "optimizer": optimizers.known(),
        "schedule": schedules.known(),
        "initializer": initializers.NAMES,
        "head": heads.KNOWN,
        "dataset": data.KNOWN,
    }
    for flag, table in known.items():
        (row,) = re.findall(rf"^\| `--{flag}` \| (.*) \|$", TEXT, re.MULTILINE)
        named = re.findall(r"`(\w+)`", row)
        assert named
        assert set(named) <= set(table), flag
        if flag != "optimizer":
            assert set(table) <= set(named), flag
