"""A lecture of claims that are made up here; that of the project itself is too long for a test."""

import importlib
import json

import pandas as pd
import pytest
from rich.console import Console

from jaxnets.claims.verdicts import CONSTRUCTED, Fact, Rule
from jaxnets.cli import main as cli
from jaxnets.cli.flags import command_values
from jaxnets.config.config import Config
from jaxnets.errors import UserError
from jaxnets.experiments import lecture as command
from jaxnets.report import claims_page
from jaxnets.report.figures import Picture, figure, rule
from jaxnets.runs import lecture
from jaxnets.runs.experiment import Claim, Option, configure

RULES = {"most": Rule(statement="Least is at most one.", kind=CONSTRUCTED, test="exact")}


def evidence(tables):
    least = tables["more"]["least"][0]
    return {"most": Fact(bool(least <= 1), f"least {least:g}")}


def summary(tables):
    return {"Least": tables["more"]}


def pictures(tables):
    return {"line": Picture(figure(rule(x=1)), "A line.")}


def made_up(name, begun, *, broken=False, **more):
    """A claim that trains nothing, notes when it is begun, and cannot be done if it is broken."""

    def measure(results):
        begun.append((name, results.config.base_seed, results.config.dataset))
        if broken:
            raise UserError("least: is wrong.")
        return {"more": pd.DataFrame({"least": [results.options["least"]]})}

    given = {"dataset": "digits", "hidden_units": 3}
    return Claim(
        **{"name": name, "about": "Nets learn.", "lecture": "They do.", "measured": "A number.", "defaults": given}
        | {"options": (Option("least", 0.0, "Least accuracy."),), "rules": RULES}
        | {"measure": measure, "evidence": evidence, "summary": summary, "pictures": pictures}
        | more
    )


def give(claims, output, **more):
    return lecture.give(lecture.Lecture("Nets", "About nets.", claims, output, **more), Console(quiet=True))


def test_what_is_finished_is_not_done_again(tmp_path):
    begun, output = [], tmp_path / "out"
    claims = [made_up("one", begun), made_up("two", begun, broken=True)]
    first = give(claims, output, values={"num_devices": 2})
    assert first[0].finding.verdict.outcome == "supported"
    assert "--num_devices=2" in first[0].finding.command
    assert first[0].rules == claims[0].fingerprint == first[0].finding.rules
    assert first[0].complete
    assert first[1].problem == "least: is wrong."
    assert not first[1].complete
    text = (output / lecture.PAGE).read_text()
    assert "Nets learn." in text
    assert "least: is wrong." in text
    again = give(claims, output, values={"num_devices": 2})
    assert again[0].finding.as_json() == first[0].finding.as_json()
    assert [name for name, *_ in begun] == ["one", "two", "two"]
    (output / "one" / "figures" / "line.svg").unlink()
    give(claims[:1], output, values={"num_devices": 2})
    lecture.give(lecture.Lecture("", "", claims[:1], output, {"num_devices": 2}), Console(quiet=True), fresh=True)
    assert len(begun) == 5
    row = "`one` | ✓ supported | constructed | Least is at most one. least 0 | – |"
    assert row in (output / lecture.VERDICTS).read_text()


def test_what_matters_makes_a_finding_outdated(tmp_path):
    begun, output = [], tmp_path / "out"
    claim = made_up("one", begun, quick={"least": 0.5})
    stricter = {"most": Rule(statement="Least is at most a half.", kind=CONSTRUCTED, test="exact")}
    for number, (own, more) in enumerate(
        [
            (claim, {}),
            (claim, {"values": {"base_seed": 3}}),
            (claim, {"quick": True}),
            (made_up("one", begun, rules=stricter), {}),
        ],
        1,
    ):
        for _ in range(2):
            give([own], output, **more)
        assert len(begun) == number
    assert [seed for _, seed, _ in begun] == [0, 3, 0, 0]


def test_a_quick_lecture_takes_the_quick_values_and_says_so(tmp_path):
    claim = made_up("one", [], quick={"least": 2.0})
    (full,), (quick,) = give([claim], tmp_path / "full"), give([claim], tmp_path / "quick", quick=True)
    assert [one.finding.verdict.outcome for one in (full, quick)] == ["supported", "contradicted"]
    assert full.rules == quick.rules
    for name in (lecture.PAGE, lecture.VERDICTS):
        texts = [(tmp_path / folder / name).read_text() for folder in ("full", "quick")]
        assert [lecture.QUICK in text for text in texts] == [False, True]
    give([claim], tmp_path / "seed", values={"base_seed": 7})
    assert "All seeds and splits are those of base seed 7." in (tmp_path / "seed" / lecture.PAGE).read_text()


@pytest.fixture
def reviews(tmp_path):
    """A folder with three tiny texts of either class in each split."""
    folder = tmp_path / "reviews"
    folder.mkdir()
    for split in ("train", "dev", "test"):
        lines = [f"{label}\ta {word} film {split} {n}" for n in range(3) for label, word in ((0, "bad"), (1, "good"))]
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    return folder


def on_texts(name, begun, **more):
    defaults = {"dataset": "word_order", "model": "dan"}
    return made_up(name, begun, defaults=defaults, takes="text", text={"least": 2.0}, **more)


def test_claims_about_texts_are_put_to_a_real_one_as_well(tmp_path, reviews):
    begun, output = [], tmp_path / "out"
    claims = [made_up("one", begun), on_texts("two", begun, quick={"least": 3.0})]
    one, two = give(claims, output, text=str(reviews))
    assert begun == [("one", 0, "digits"), ("two", 0, "word_order"), ("two", 0, str(reviews))]
    assert one.real is None
    assert [two.finding.verdict.outcome, two.real.finding.verdict.outcome] == ["supported", "contradicted"]
    assert two.real.directory == output / "two-text"
    assert "on reviews" in (output / lecture.PAGE).read_text()
    assert "✗ contradicted: least 2" in (output / lecture.VERDICTS).read_text()
    give(claims, output, text=str(reviews))
    assert len(begun) == 3
    (reviews / "test.tsv").write_text((reviews / "test.tsv").read_text() + "1\ta new film\n")
    give(claims, output, text=str(reviews))
    assert len(begun) == 4
    assert give(claims, output)[1].real is None


def test_a_mistake_in_the_real_text_shows_before_the_work(tmp_path):
    begun = []
    with pytest.raises(UserError, match=r"^text_dataset: there is no file or folder"):
        give([on_texts("two", begun)], tmp_path / "out", text=str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"^text_dataset: none of the claims"):
        give([made_up("one", begun)], tmp_path / "out", text=str(tmp_path))
    assert begun == []
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    precious = tmp_path / "out" / "one" / "precious.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    (section,) = give([made_up("one", [])], tmp_path / "out")
    assert "is not a run directory" in section.problem
    assert precious.read_text() == "mine"


def test_the_lecture_has_all_claims_among_the_experiments_in_its_order():
    modules = [importlib.import_module(f"jaxnets.experiments.{name}") for name in cli.sentences()]
    every = [module.EXPERIMENT for module in modules]
    assert set(command.CLAIMS) == {claim.name for claim in every if isinstance(claim, Claim)}
    assert len(command.claims(None)) == len(command.CLAIMS) == 17
    assert [claim.name for claim in command.claims("schedules,xor")] == ["xor", "schedules"]
    for claim in command.CLAIMS.values():  # its values for a quick answer and for a real text
        for values in (claim.quick, {**claim.quick, **(claim.text or {})}):
            assert json.dumps(dict(values), default=str)
            configure(claim, values)
    assert any(claim.text is not None for claim in command.CLAIMS.values())


def test_each_kind_of_lecture_has_its_folder():
    for flags, base_seed, folder in (
        ([], 0, "lecture"),
        (["--quick"], 0, "lecture-quick"),
        (["--quick"], 2, "lecture-quick-seed2"),
        (["--output=other"], 2, "other"),
    ):
        given = command_values(command.EXPERIMENT, flags)
        assert command.directory_of(given, Config(base_seed=base_seed)).name == folder


MISTAKES = {
    "--onyl=xor": "onyl: there is no such flag. Did you mean 'only'",
    "--only=xorr": "only: 'xorr' is not known. Did you mean 'xor'",
    "--output=": "output: there is not a value",
    "xor": "'xor' is not a flag",
    "--platform=cpuu": "platform: 'cpuu' is not known. Did you mean 'cpu'",
    "--num_devices=two": "num_devices: 'two' is not a whole number",
    "--base_seed=-1": "base_seed: ",
    "--base_seed=x": "base_seed: 'x' is not a whole number",
    "--text_dataset=none": "text_dataset: ",
    "--text_dataset=tfds:none": "text_dataset: ",
    "--quick=maybe": "quick: 'maybe' is neither 'true' nor 'false'",
    "--readme=none.md": "readme: 'none.md' cannot be read",
}


@pytest.mark.parametrize("argument", MISTAKES)
def test_a_mistake_is_one_line(argument, tmp_path, capsys):
    arguments = [] if argument.startswith("--output") else [f"--output={tmp_path / 'out'}"]
    assert cli.main(["run.py", "lecture", argument, *arguments]) == 2
    error = capsys.readouterr().err
    assert MISTAKES[argument] in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_verdicts_go_into_a_readme(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Nets\n{claims_page.BEGIN}\n{claims_page.END}\n")
    lecture.put_verdicts(readme, "| a |\n")
    assert "| a |" in readme.read_text()
    readme.write_text("# Nets\n")
    with pytest.raises(UserError, match="no lines"):
        lecture.put_verdicts(readme, "| a |\n")
    assert readme.read_text() == "# Nets\n"
