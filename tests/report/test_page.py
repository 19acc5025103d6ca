import html as html_text
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jaxnets.report import figures, page
from jaxnets.report.page import Section
from tests.report import made_up

VOID = ("meta", "img", "link", "br", "rect", "line", "path", "circle")


class Reader(HTMLParser):
    """What a browser would fetch, ids, links within the page, the texts, and whether each tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.ids, self.targets, self.tags, self.text = [], [], [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        assert not [name for name in given if name.startswith("on")]
        self.tags.append(tag)
        self.sources += [given[name] for name in ("src", "srcset", "data") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        self.targets += [given["href"]] if tag == "a" else []
        assert tag != "img" or given["alt"]
        assert tag != "svg" or given["aria-label"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.text += f"{data} "


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return made_up.sections(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def text(sections):
    return page.html("Nets", "About nets.", sections, "Made by hand.", ["A quick run."], "sst2")


def words(text):
    return " ".join(Reader(text).text.split())


def test_the_page_is_one_file_and_what_comes_from_outside_is_text(text):
    reader = Reader(text)
    assert len(reader.sources) == 6
    assert all(source.startswith("data:image/svg+xml;base64,") for source in reader.sources)
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert "default-src 'none'" in text
    assert reader.tags.count("script") == 1
    assert len(set(reader.ids)) == len(reader.ids)
    assert all(target[1:] in reader.ids for target in reader.targets)
    assert made_up.HOSTILE in reader.text
    assert html_text.escape(made_up.HOSTILE) in text


def test_the_table_of_claims_comes_first(text):
    first = words(text[text.index("<header") : text.index("<main")])
    assert "1 identity holds; of 4 findings 1 supported, 1 contradicted, 1 mixed, 1 inconclusive; 1 not run." in first
    assert "On the real text: of 1 finding 1 supported" in first
    assert "A quick run." in first
    assert "on sst2" in first
    assert "? inconclusive constructed unknown (one value: no interval)" in first
    assert "8 of 8" in first
    assert "100.0% of 6 tasks (61.0% to 100.0%)" in first
    assert text.index('class="overview"') < text.index("<section")


def test_a_section_holds_all_parts_core_and_side_apart(text):
    own = text[text.index('<section id="optimizers"') : text.index('<section id="depths"')]
    told = words(own)
    core, side = told.index("What decides"), told.index("What we add; it decides nothing")
    assert core < told.index("SGD takes more steps. ✓ supported") < side < told.index("Good rates span more.")
    assert told.count("On a task it holds if the 95% interval lies above 1.1×") == 1
    assert told.count("Rule As above.") == 1
    assert "Power, stated before A factor of 1.4" in told
    assert re.search(r"Detectable 1\.\d+×, in four of five repetitions", told)
    assert all(own.count(f'<th scope="row">{task}<') == 2 + (task == "wine") for task in made_up.TASKS)
    assert "supported in 8 of 8 blocks" in told
    assert "4 programs, 2 seconds" in told
    assert "python run.py optimizers --num_blocks=3 --base_seed=1" in told
    assert "Rules: 0123456789ab" in told
    assert own.index("<details>") < own.index("What decides")


def test_made_up_and_real_text_stand_side_by_side(text):
    told = words(text[text.index('<section id="order"') : text.index('<section id="lost"')])
    assert told.index("On made-up text") < told.index("On sst2") < told.index("Parts, figures and tables: on sst2")


def test_a_claim_without_a_finding_tells_why(text):
    told = words(text[text.index('<section id="lost"') : text.index("</main>")])
    assert f"not run No file {made_up.HOSTILE}." in told
    assert "python run.py lost" in told


def test_the_hash_of_all_rules_changes_with_each(sections):
    other = [*sections[:-1], Section("lost", "A lost claim.", "another", None, Path())]
    assert len({page.rules(sections), page.rules(sections[::-1]), page.rules(other)}) == 3
    assert re.fullmatch("[0-9a-f]{12}", page.rules(sections))


def test_an_identity_that_does_not_hold_is_told(tmp_path):
    rules, _ = made_up.identity()
    broken = made_up.section("sums", tmp_path, made=lambda: (rules, {"sum": made_up.Fact(False, "26 of 27")}))
    assert page.counts([broken]) == ["0 of 1 identity holds; of 0 findings " + page.count([]) + "."]


def test_the_ink_follows_the_page(sections):
    svg = (sections[0].directory / "figures" / "one.svg").read_text()
    assert "prefers-color-scheme:dark" in svg
    assert svg.lower().count(figures.INK) == 1  # where it is given its name
    assert "var(--on-page-0)" in svg
    assert svg.lower().count(figures.COLOURS[0].lower()) == 1


def cells(row):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def test_the_table_of_verdicts(sections):
    counts, _, header, _, *rows, _, about = page.markdown(sections, ["A quick run."]).splitlines()
    assert counts.startswith("1 identity holds; of 4 findings")
    assert counts.endswith("A quick run.")
    assert cells(header) == ["claim", "verdict", "kind", "effect", "blocks", "real text"]
    assert all(len(cells(row)) == 6 for row in rows)
    assert [cells(row)[1] for row in rows[:4]] == ["✓ supported", "✓ supported", "± mixed", "✗ contradicted"]
    assert cells(rows[0])[2:5] == ["identity", "Parameters are the sum over the blocks. 27 of 27 blocks agree", "–"]
    assert cells(rows[1])[4] == "8 of 8"
    real = "✓ supported: SGD ends at a higher loss. 100.0% of 6 tasks (61.0% to 100.0%); blocks 8 of 8"
    assert cells(rows[4])[5] == real
    assert cells(rows[5])[1:3] == ["not run", "–"]
    assert about.endswith(f"Rules: `{page.rules(sections)}`.")
    assert "<img" not in "".join(rows)


def test_without_a_real_text_there_is_no_column_for_it(sections):
    table = page.markdown(sections[:3])
    assert "real text" not in table
    assert "on sst2" not in page.html("Nets", "", sections[:3], "")


def test_the_table_goes_between_its_marks():
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter"
    once = page.insert(text, "| new |\n")
    assert once == f"before\n{page.BEGIN}\n| new |\n{page.END}\nafter"
    assert page.insert(once, "| new |\n") == once
    with pytest.raises(ValueError, match="no lines"):
        page.insert("nothing", "")
