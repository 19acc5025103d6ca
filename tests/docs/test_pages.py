"""The pages say of the code what is so: tables of values, the drawing, the claims, links."""

import re
import runpy

import pytest

from jaxnets import data, models
from jaxnets.config import config as configuration
from jaxnets.config import presets
from jaxnets.config.values import unparse
from jaxnets.experiments.lecture import CLAIMS
from jaxnets.models import blocks
from jaxnets.report import claims_page
from jaxnets.training import heads, initializers, optimizers, schedules
from tests.docs.pages import PAGES, ROOT

KNOWN = {
    "model": models.KNOWN,
    "optimizer": optimizers.known(),
    "schedule": schedules.KNOWN,
    "initializer": initializers.KNOWN,
    "head": heads.KNOWN,
    "activation": blocks.nonlinearities(),
    "pooling": blocks.POOLINGS,
    "dataset": data.KNOWN,
    "preset": presets.PRESETS,
}
IN_PART = ("optimizer", "activation")  # too many to name all


@pytest.mark.parametrize("flag", KNOWN)
def test_the_values_of_a_flag_are_those_of_its_table(flag):
    (row,) = re.findall(rf"^\| `--{flag}` \| (.*) \|$", PAGES["docs/commandline.md"], re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", row)) - ({"text_cnn"} if flag == "pooling" else set())
    assert named <= set(KNOWN[flag])
    assert flag in IN_PART or named == set(KNOWN[flag])


def test_the_settings_are_those_of_the_configuration():
    text = PAGES["docs/commandline.md"]
    fields = [field for field in configuration.fields() if field.name not in KNOWN]
    rows = [
        f"| `--{field.name}` | {f'`{unparse(field.default)}`' if unparse(field.default) else ''} "
        f"| {field.metadata['help']} |"
        for field in fields
    ]
    assert "\n".join(rows) in text


def test_the_drawing_is_that_of_the_imports():
    script = runpy.run_path(str(ROOT / "docs" / "draw_architecture.py"))
    assert script["DRAWING"].read_text() == script["draw"]()
    for room, others in {room: script["known"](room) for room in script["PACKAGES"]}.items():
        assert room not in set().union(*(script["known"](other) for other in others)), room


def test_each_claim_has_its_section():
    text = PAGES["docs/claims.md"]
    sections = re.findall(r"^### (\w+)\n\n\*(.*)\*$", text, re.MULTILINE)
    assert sections == [(name, claim.about) for name, claim in CLAIMS.items()]
    assert re.findall(r"^\| (.*) `(\w+)` \|", text, re.MULTILINE) == [(about, name) for name, about in sections]
    assert claims_page.insert(text, "table") != text


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", PAGES[page]):
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings]
