import io
import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from jaxnets.report import findings
from tests.report import made_up


def printed(name, width=80):
    console = Console(file=io.StringIO(), width=width)
    findings.print_finding(console, made_up.finding(name), Path("results"))
    return console.file.getvalue()


@pytest.mark.parametrize("name", made_up.MADE_UP)
def test_a_finding_is_read_as_it_was_written(name, tmp_path):
    finding = made_up.finding(name)
    text = json.dumps(finding.as_json(), allow_nan=False)
    (tmp_path / findings.FILE).write_text(text)
    again = findings.read(tmp_path)
    assert again.as_json() == finding.as_json()
    assert again.verdict.outcome == finding.verdict.outcome
    assert again.verdict.blocks == finding.verdict.blocks
    for one, other in zip(again.verdict.parts, finding.verdict.parts, strict=True):
        assert one.low == pytest.approx(other.low, nan_ok=True)
        assert one.tasks == other.tasks or any(math.isnan(on.low) for on in one.tasks)


def test_what_is_no_finding_is_none(tmp_path):
    assert findings.read(tmp_path) is None
    (tmp_path / findings.FILE).write_text("{}")
    assert findings.read(tmp_path) is None
    (tmp_path / findings.FILE).write_text("[1")
    assert findings.read(tmp_path) is None


@pytest.mark.parametrize("name", made_up.MADE_UP)
def test_the_console_holds_all_in_eighty_columns(name):
    text = printed(name)
    assert all(len(line) <= 80 for line in text.splitlines())
    finding = made_up.finding(name)
    words = " ".join(text.split())
    assert made_up.HOSTILE in words
    assert all(part.statement in words for part in finding.verdict.parts)
    assert f"Verdict: {finding.verdict.in_words}" in words


def test_what_decides_comes_first_and_a_rule_is_told_once():
    words = " ".join(printed("optimizers").split())
    order = ["What decides", "SGD ends", "SGD takes", "Rule: On a task", "What we add", "Rates that", "Verdict: "]
    places = [words.index(text) for text in order]
    assert places == sorted(places)
    assert words.count("Rule: ") == 1
    assert "inconclusive (constructed): Rates that arrive are more. 2 of 6" in words
    assert "Verdict: supported (supported in 8 of 8 blocks)" in words
    assert "What we add" not in printed("sums")
