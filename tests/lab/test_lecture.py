"""A lecture of claims that are made up here; that of the project itself is too long for a test."""

import importlib

import pandas as pd
import pytest
from rich.console import Console

import experiments
from experiments import lecture as command
from jaxnets.basics.errors import UserError
from jaxnets.evidence import verdicts
from jaxnets.lab import commandline, lecture
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import page
from jaxnets.report.figures import Picture, panel


def summary(tables):
    return {"Accuracy": tables["runs"][["seed", "test_accuracy"]]}


def verdict(tables):
    good = bool((tables["runs"]["test_accuracy"] >= tables["more"]["least"][0]).all())
    return verdicts.verdict(verdicts.exact("They do.", good, "all", "all do"))


def pictures(tables):
    figure, axes = panel(xlabel="x")
    axes.plot([0, 1])
    return {"line": Picture(figure, "A line.")}


def made_up(name, begun, *, broken=False):
    """A claim that notes when it is begun, and that cannot be done if it is broken."""

    def measure(results):
        begun.append(name)
        if broken:
            raise UserError("least: is wrong.")
        return {"more": pd.DataFrame({"least": [results.options["least"]]})}

    return Claim(
        name=name,
        about="Nets learn.",
        defaults={"num_steps": 5, "hidden_units": 3, "num_seeds": 2},
        options=(Option("least", 0.0, "Least accuracy."),),
        measure=measure,
        summary=summary,
        verdict=verdict,
        pictures=pictures,
    )


@pytest.mark.slow
def test_what_is_finished_is_not_done_again(tmp_path):
    begun, output = [], tmp_path / "out"
    claims = [made_up("one", begun), made_up("two", begun, broken=True)]
    given = lecture.Lecture("Nets", "About nets.", claims, output, {"num_devices": 2})
    first = lecture.give(given, Console(quiet=True))
    assert first[0].finding.verdict.outcome == "supported"
    assert "--num_devices=2" in first[0].finding.command
    assert first[1].problem == "least: is wrong."
    text = (output / lecture.PAGE).read_text()
    assert "Nets learn." in text
    assert "least: is wrong." in text
    again = lecture.give(given, Console(quiet=True))
    assert again[0].finding.as_json() == first[0].finding.as_json()
    assert begun == ["one", "two", "two"]
    (output / "one" / "figures" / "line.svg").unlink()
    lecture.give(given, Console(quiet=True))
    assert begun.count("one") == 2
    assert "`one` | ✓ supported" in (output / lecture.VERDICTS).read_text()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    precious = tmp_path / "out" / "one" / "precious.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    (section,) = lecture.give(lecture.Lecture("Nets", "", [made_up("one", [])], tmp_path / "out"), Console(quiet=True))
    assert "is not a run directory" in section.problem
    assert precious.read_text() == "mine"


def test_the_lecture_has_all_claims_among_the_experiments():
    modules = [importlib.import_module(f"experiments.{name}") for name in commandline.sentences(experiments)]
    every = [module.EXPERIMENT for module in modules]
    assert set(command.CLAIMS) == {claim.name for claim in every if isinstance(claim, Claim)}
    assert len(command.CLAIMS) == 17


def test_claims_are_chosen_by_name_and_keep_their_order():
    assert [claim.name for claim in command.claims("schedules,xor")] == ["xor", "schedules"]
    assert len(command.claims(None)) == 17


MISTAKES = {
    "--onyl=xor": "onyl: there is no such flag. Did you mean 'only'",
    "--only=xorr": "only: 'xorr' is not known. Did you mean 'xor'",
    "--output=": "output: there is not a value",
    "xor": "'xor' is not a flag",
    "--platform=cpuu": "platform: 'cpuu' is not known. Did you mean 'cpu'",
    "--num_devices=two": "num_devices: 'two' is not a whole number",
    "--readme=none.md": "readme: 'none.md' cannot be read",
}


@pytest.mark.parametrize("argument", MISTAKES)
def test_a_mistake_is_one_line(argument, tmp_path, capsys):
    arguments = [] if argument.startswith("--output") else [f"--output={tmp_path / 'out'}"]
    assert commandline.launch(experiments, ["run.py", "lecture", argument, *arguments], "") == 2
    error = capsys.readouterr().err
    assert MISTAKES[argument] in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_verdicts_go_into_a_readme(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Nets\n{page.BEGIN}\n{page.END}\n")
    lecture.put_verdicts(readme, "| a |\n")
    assert "| a |" in readme.read_text()
    readme.write_text("# Nets\n")
    with pytest.raises(UserError, match="no lines"):
        lecture.put_verdicts(readme, "| a |\n")
    assert readme.read_text() == "# Nets\n"
