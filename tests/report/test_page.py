import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from jaxnets.evidence import verdicts
from jaxnets.report import figures, findings, page
from jaxnets.report.findings import Finding
from jaxnets.report.page import Section


def finding(outcome="supported", claim="A & B <are> nets."):
    holds = {"supported": True, "not supported": False, "inconclusive": None}[outcome]
    part = verdicts.exact("It | is.", holds, "3 of 3", "all are")
    table = pd.DataFrame({"net": ["mlp", "<dan>"], "share": [0.51234, float("nan")]})
    return Finding(
        "net", claim, verdicts.verdict(part), "digits", "python run.py net", 1.5, {"Shares": table}, {"one": "A line."}
    )


@pytest.fixture
def section(tmp_path):
    with figures.style():
        figure, axes = figures.panel("Title", xlabel="x (m)", ylabel="y (s)")
        axes.plot([0, 1], [1, 2], color=figures.COLOURS[0])
    figures.save(figure, tmp_path / "figures", "one")
    return Section("net", finding().claim, finding(), tmp_path)


class Reader(HTMLParser):
    """What a browser would fetch, the ids, the links within the page, and whether each tag is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.sources, self.ids, self.targets = [], [], [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.sources += [given[name] for name in ("src", "srcset", "data") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        if tag == "a":
            self.targets.append(given["href"])
        if tag == "img":
            assert given["alt"]
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(text):
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def test_the_page_holds_all_that_it_shows(section):
    text = page.html("Nets", "About nets.", [section], "Made by hand.")
    reader = read(text)
    assert reader.sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in reader.sources)
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert "<script" not in text
    assert len(set(reader.ids)) == len(reader.ids)
    assert all(target[1:] in reader.ids for target in reader.targets)
    assert "A &amp; B &lt;are&gt; nets." in text
    assert "&lt;dan&gt;" in text
    assert "0.512" in text


def test_a_claim_without_a_finding_tells_why(section):
    text = page.html("Nets", "", [section, Section("dan", "A dan is one.", None, Path(), "No file <x>.")], "")
    read(text)
    assert "No file &lt;x&gt;." in text
    assert "not run" in text


def test_the_ink_follows_the_page(section):
    svg = (section.directory / "figures" / "one.svg").read_text()
    assert "prefers-color-scheme:dark" in svg
    assert svg.lower().count(figures.INK) == 1  # where it is given its name
    assert "var(--on-page-0)" in svg
    assert svg.lower().count(figures.COLOURS[0].lower()) == 1


@pytest.mark.parametrize("outcome", ["supported", "not supported", "inconclusive"])
def test_the_table_of_verdicts(section, outcome):
    changed = Section("net", "A claim.", finding(outcome), section.directory)
    row = page.markdown([changed]).splitlines()[2]
    assert row.count("|") - row.count("\\|") == 4
    assert f"{outcome} |" in row
    assert "It \\| is. 3 of 3" in row


def test_the_table_goes_between_its_marks():
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter"
    once = page.insert(text, "| new |\n")
    assert once == f"before\n{page.BEGIN}\n| new |\n{page.END}\nafter"
    assert page.insert(once, "| new |\n") == once
    with pytest.raises(ValueError, match="no lines"):
        page.insert("nothing", "")


def test_a_finding_is_read_as_it_was_written(tmp_path):
    (tmp_path / findings.FILE).write_text(json.dumps(finding().as_json()))
    again = findings.read(tmp_path)
    assert again.as_json() == finding().as_json()
    assert again.verdict == finding().verdict
    (tmp_path / findings.FILE).write_text("{}")
    assert findings.read(tmp_path) is None
    assert findings.read(tmp_path / "none") is None
