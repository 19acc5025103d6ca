"""The pages agree with the code: tables of values, drawing, walks, rules, verdicts, links, examples."""

import json
import re
import runpy

import pytest

from jaxnets import data, models
from jaxnets.config import config as configuration
from jaxnets.config import presets
from jaxnets.config.values import unparse
from jaxnets.experiments.lecture import CLAIMS
from jaxnets.models import blocks as model_blocks
from jaxnets.report import claims_page
from jaxnets.training import heads, initializers, optimizers, schedules
from tests.docs.pages import PAGES, ROOT, blocks

README, CLAIMS_PAGE = PAGES["README.md"], PAGES["docs/claims.md"]
KNOWN = {
    "model": models.KNOWN,
    "optimizer": optimizers.known(),
    "schedule": schedules.KNOWN,
    "initializer": initializers.KNOWN,
    "head": heads.KNOWN,
    "activation": model_blocks.nonlinearities(),
    "pooling": model_blocks.POOLINGS,
    "dataset": data.KNOWN,
    "preset": presets.PRESETS,
}
IN_PART = ("optimizer", "activation")  # too many to name all


def script(name):
    return runpy.run_path(str(ROOT / "docs" / f"{name}.py"))


@pytest.mark.parametrize("flag", KNOWN)
def test_the_values_of_a_flag_are_those_of_its_table(flag):
    (row,) = re.findall(rf"^\| `--{flag}` \| (.*) \|$", PAGES["docs/commandline.md"], re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", row)) - ({"text_cnn"} if flag == "pooling" else set())
    assert named <= set(KNOWN[flag])
    assert flag in IN_PART or named == set(KNOWN[flag])


def test_the_settings_are_those_of_the_configuration():
    rows = [
        f"| `--{field.name}` | {f'`{unparse(field.default)}`' if unparse(field.default) else ''} "
        f"| {field.metadata['help']} |"
        for field in configuration.fields()
        if field.name not in KNOWN
    ]
    assert "\n".join(rows) in PAGES["docs/commandline.md"]


def test_the_drawing_is_that_of_the_imports_and_has_no_circle():
    drawn = script("draw_architecture")
    assert drawn["DRAWING"].read_text() == drawn["draw"]()
    imports = {package: drawn["known"](package) for package in drawn["PACKAGES"]}
    for package, others in imports.items():
        assert package not in set().union(*(imports[other] for other in others)), package


@pytest.mark.slow
def test_the_walks_are_those_of_the_code():
    walks = script("trace_walks")
    assert walks["with_walks"](PAGES["docs/architecture.md"]) == PAGES["docs/architecture.md"]


def test_each_claim_has_its_section_and_its_rules():
    sections = re.findall(r"^### (\w+)\n\n\*(.*)\*$", CLAIMS_PAGE, re.MULTILINE)
    assert sections == [(name, claim.about) for name, claim in CLAIMS.items()]
    assert re.findall(r"^\| (.*) `(\w+)` \|", CLAIMS_PAGE, re.MULTILINE) == [(about, name) for name, about in sections]
    assert claims_page.insert(CLAIMS_PAGE, "table") != CLAIMS_PAGE
    assert script("write_rules")["with_rules"](CLAIMS_PAGE) == CLAIMS_PAGE


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_says_what_the_lecture_says_and_why_its_bounds_are_as_they_are(name):
    claim = CLAIMS[name]
    assert claim.lecture.endswith(".")
    assert claim.measured.endswith(".")
    assert any(rule.core for rule in claim.rules.values())
    for rule in claim.rules.values():
        assert rule.statement.endswith(".")
        assert rule.test == "exact" or (rule.reason.endswith(".") and rule.power.endswith("."))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", PAGES[page]):
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), target
        text = file.read_text() if anchor else ""
        for included in re.findall(r"^```{include} (.*)$", text, re.MULTILINE):
            text += (file.parent / included).read_text()
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        assert not anchor or anchor in [re.sub(r"[^\w-]", "", one.lower().replace(" ", "-")) for one in headings]


def test_each_page_is_in_the_table_of_contents():
    inside = re.findall(r"^```{toctree}\n:caption: [^\n]*\n(.*?)^```", PAGES["docs/index.md"], re.DOTALL | re.MULTILINE)
    named = " ".join(inside).split()
    assert sorted(named) == sorted(
        {path.removeprefix("docs/")[:-3] for path in PAGES if "/" in path} - {"index"} | {"tutorial"}
    )


def test_the_readme_is_short_and_has_two_commands():
    assert len(README.split()) <= 900
    inside = README.partition("<!-- two commands -->")[2].partition("<!-- end -->")[0]
    assert [line.split()[:4] for line in blocks(inside)[0].splitlines()] == [["python", "-m", "pip", "install"]] * 2


def test_the_verdicts_of_the_readme_are_those_of_the_claims():
    assert script("short_verdicts")["with_table"](README, CLAIMS_PAGE) == README
    assert README.count("](docs/claims.md#") == 17


def test_the_example_of_the_readme_runs(capsys, tmp_path):
    (example,) = blocks(README, "python")
    (tmp_path / "example.py").write_text(example)
    results = runpy.run_path(str(tmp_path / "example.py"))["results"]
    assert (len(results.runs), results.num_programs) == (48, 3)
    assert results.best()["optimizer"].tolist() == ["sgd", "momentum", "adam"]
    assert (results.best()["test_accuracy"] > 0.95).all()
    assert "momentum" in capsys.readouterr().out


def test_the_tutorial_has_no_outputs_and_the_build_runs_it():
    cells = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text(encoding="utf-8"))["cells"]
    for number, cell in enumerate(cell for cell in cells if cell["cell_type"] == "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        compile("".join(cell["source"]), f"cell {number}", "exec")
    settings = script("conf")
    assert settings["nb_execution_mode"] == "force"
    assert settings["nb_execution_raise_on_error"]
