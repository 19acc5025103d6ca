"""A lecture of claims that are made up here; that of the project itself is too long for a test."""

import sys

import pytest
from rich.console import Console

from experiments import lecture as command
from jaxnets.basics.errors import UserError
from jaxnets.lab import lecture
from jaxnets.report import page

SOURCE = """
import pandas as pd
from jaxnets.evidence import verdicts
from jaxnets.basics.errors import UserError
from jaxnets.report.figures import Picture, panel

CLAIM = "Nets learn."
DEFAULTS = {"num_steps": "5", "hidden_units": "3", "num_seeds": "2"}
FLAGS = {"least": ("0.0", "Least accuracy.")}

def measure(results):
    open(COUNTER, "a").write(results.directory.name + " ")
    if BROKEN:
        raise UserError("least: is wrong.")
    return {"more": pd.DataFrame({"least": [results.config.option("least", "float")]})}

def summary(tables):
    return {"Accuracy": tables["runs"][["seed", "test_accuracy"]]}

def verdict(tables):
    good = bool((tables["runs"]["test_accuracy"] >= tables["more"]["least"][0]).all())
    return verdicts.verdict(verdicts.exact("They do.", good, "all", "all do"))

def pictures(tables):
    figure, axes = panel(xlabel="x")
    axes.plot([0, 1])
    return {"line": Picture(figure, "A line.")}
"""


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Two experiments, of which the second cannot be done, and how often each was begun."""
    monkeypatch.syspath_prepend(str(tmp_path))
    counter = tmp_path / "counter"
    counter.touch()
    for name, broken in (("made_up_one", False), ("made_up_two", True)):
        (tmp_path / f"{name}.py").write_text(f"COUNTER, BROKEN = {str(counter)!r}, {broken}\n{SOURCE}")
    yield [__import__("made_up_one"), __import__("made_up_two")], counter
    for name in ("made_up_one", "made_up_two"):
        sys.modules.pop(name, None)


def test_what_is_finished_is_not_done_again(modules, tmp_path):
    both, counter = modules
    told = lecture.Lecture("Nets", "About nets.", both, tmp_path / "out", {"num_devices": "2"})
    first = lecture.give(told, Console(quiet=True))
    assert first[0].finding.verdict.outcome == "supported"
    assert first[1].problem == "least: is wrong."
    text = (tmp_path / "out" / lecture.PAGE).read_text()
    assert "Nets learn." in text
    assert "least: is wrong." in text
    again = lecture.give(told, Console(quiet=True))
    assert again[0].finding.as_json() == first[0].finding.as_json()
    assert counter.read_text().split() == ["made_up_one", "made_up_two", "made_up_two"]
    (tmp_path / "out" / "made_up_one" / "figures" / "line.svg").unlink()
    lecture.give(told, Console(quiet=True))
    assert counter.read_text().split().count("made_up_one") == 2
    verdicts = (tmp_path / "out" / lecture.VERDICTS).read_text()
    assert "`made_up_one` | ✓ supported" in verdicts


def test_a_folder_of_something_else_is_left_alone(modules, tmp_path):
    (tmp_path / "out" / "made_up_one").mkdir(parents=True)
    precious = tmp_path / "out" / "made_up_one" / "precious.txt"
    precious.write_text("mine")
    told = lecture.Lecture("Nets", "", modules[0][:1], tmp_path / "out", {})
    (section,) = lecture.give(told, Console(quiet=True))
    assert "is no run directory" in section.problem
    assert precious.read_text() == "mine"


def test_the_lecture_has_all_its_claims():
    import importlib

    assert len(set(command.ORDER)) == len(command.ORDER) == 17
    for name in command.ORDER:
        module = importlib.import_module(f"experiments.{name}")
        assert module.CLAIM.endswith(".")
        assert all(hasattr(module, part) for part in ("summary", "verdict", "pictures"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--onyl=xor"], "Did you mean 'only'"), (["--only=xorr"], "Did you mean 'xor'"), (["--output"], "no value"),
     (["xor"], "flag")],
)  # fmt: skip
def test_wrong_flags_are_told(arguments, message):
    with pytest.raises(UserError, match=message):
        command.parse(arguments)


def test_the_verdicts_go_into_a_readme(tmp_path):
    readme, verdicts = tmp_path / "README.md", tmp_path / "verdicts.md"
    readme.write_text(f"# Nets\n{page.BEGIN}\n{page.END}\n")
    verdicts.write_text("| a |\n")
    command.put_into(readme, verdicts)
    assert "| a |" in readme.read_text()
    readme.write_text("# Nets\n")
    with pytest.raises(UserError, match="no lines"):
        command.put_into(readme, verdicts)
    assert readme.read_text() == "# Nets\n"
