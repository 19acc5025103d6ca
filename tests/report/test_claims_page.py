"""Findings: on the console, stored and read, with their bars, and on the page of all claims."""

import html as html_text
import io
import json
import math
import re
from pathlib import Path

import pytest

from jaxnets.claims.verdicts import Part
from jaxnets.errors import command
from jaxnets.report import claims_page, figures
from jaxnets.report.claims_page import WIDTH, Section, bars
from jaxnets.report.console import Terminal
from tests.report import made_up
from tests.report.pages import Reader

NAN = math.nan


def printed(name):
    console = Terminal(file=io.StringIO(), width=80)
    claims_page.show(console, made_up.finding(name), Path("results"))
    return console.file.getvalue()


@pytest.mark.parametrize("name", made_up.MADE_UP)
def test_a_finding_is_read_as_it_was_written(name, tmp_path):
    finding = made_up.finding(name)
    (tmp_path / claims_page.FILE).write_text(json.dumps(finding.as_json(), allow_nan=False))
    again = claims_page.read(tmp_path)
    assert again.as_json() == finding.as_json()
    assert again.verdict.outcome == finding.verdict.outcome
    assert again.verdict.repeats == finding.verdict.repeats


@pytest.mark.parametrize("text", [None, "{}", "[1"])
def test_what_is_no_finding_is_none(text, tmp_path):
    if text:
        (tmp_path / claims_page.FILE).write_text(text)
    assert claims_page.read(tmp_path) is None


@pytest.mark.parametrize("name", made_up.MADE_UP)
def test_the_console_holds_all_in_eighty_columns(name):
    text = printed(name)
    assert all(len(line) <= 80 for line in text.splitlines())
    finding, words = made_up.finding(name), " ".join(text.split())
    assert made_up.HOSTILE in words
    assert all(part.statement in words for part in finding.verdict.parts)
    assert f"Verdict: {finding.verdict.in_words}" in words


def test_what_decides_comes_first_and_a_rule_is_told_once():
    words = " ".join(printed("optimizers").split())
    order = [
        "What decides",
        "SGD ends",
        "SGD takes",
        "Rule: On a task",
        "Additional results",
        "Rates that",
        "Verdict: ",
    ]
    places = [words.index(text) for text in order]
    assert places == sorted(places)
    assert words.count("Rule: ") == 1
    assert "inconclusive (constructed): Rates that arrive are more. 2 of 6" in words
    assert "Verdict: supported (supported in 8 of 8 repeats)" in words
    assert "Additional results" not in printed("sums")


# ---- bars -------------------------------------------------------------------------------------------------------


def part(value, low, high, bound, beyond, test, unit=""):
    about = {"value": value, "low": low, "high": high, "bound": bound, "beyond": beyond, "test": test, "unit": unit}
    return Part("one", "It is.", "empirical", True, "supported", "", "", **about)


@pytest.mark.parametrize(
    ("test", "bound", "beyond", "expected"),
    [
        ("above", 1.0, -1.0, [("for", 0.6, 1), ("against", 0, 0.4)]),
        ("below", 1.0, 1.0, [("for", 0, 0.6), ("against", 0.6, 1)]),
        ("within", 1.0, 2.0, [("for", 0.4, 0.6), ("against", 0, 0.3), ("against", 0.7, 1)]),
        ("above", 1.0, NAN, [("for", 0.6, 1)]),
    ],
)
def test_what_is_for_and_against_lies_beyond_the_bounds(test, bound, beyond, expected):
    (bar,) = bars(part(3.0, -5.0, 5.0, bound, beyond, test))
    shares = [(kind, *((end - 8) / (WIDTH - 16) for end in ends)) for kind, *ends in bar.zones]
    assert [(kind, *(round(min(max(end, 0), 1), 3) for end in ends)) for kind, *ends in shares] == expected


def test_the_effect_and_its_interval_lie_where_they_are():
    (bar,) = bars(part(0.0, -5.0, 5.0, 2.5, -2.5, "above", "%"))
    assert bar.value == WIDTH / 2
    assert bar.interval == pytest.approx((8, WIDTH - 8))
    assert bar.label == "Effect 0.0%, 95% CI -500.0% to 500.0%; supported above 250.0%"
    (inside,) = bars(part(0.0, NAN, math.inf, 2.0, 3.0, "within"))
    assert inside.interval is None
    assert inside.zones[0][1:] == pytest.approx((8 + (WIDTH - 16) / 6, 8 + (WIDTH - 16) * 5 / 6))


def test_what_is_unknown_is_not_drawn():
    (bar,) = bars(part(0.5, 0.0, NAN, 0.0, 0.0, "above"))
    assert bar.interval is None
    assert "no interval" in bar.label
    assert bars(part(NAN, NAN, NAN, 0.0, 0.0, "above")) == [None]
    assert bars(made_up.finding("sums").verdict.headline) == [None]


def test_a_share_of_tasks_has_the_scale_of_shares_and_tasks_have_one_of_their_own():
    found = made_up.finding("optimizers").verdict.headline
    assert bars(found)[0].value == WIDTH - 8
    assert "supported above 50.0%" in bars(found)[0].label
    of_tasks = bars(found, of_tasks=True)
    assert len(of_tasks) == 6
    assert all("supported above 1.1×" in one.label for one in of_tasks)
    assert len({tuple(one.zones) for one in of_tasks}) == 1


def test_the_text_of_an_effect():
    parts = {name: made_up.finding(name).verdict.headline for name in made_up.MADE_UP}
    assert claims_page.short_effect(parts["sums"]) == "27 of 27 repeats agree"
    assert claims_page.short_effect(parts["optimizers"]) == "100.0% of 6 tasks (61.0% to 100.0%)"
    assert claims_page.short_effect(parts["ends"]) == "0.5 nats (0.4 to 0.6)"
    assert "no interval" in claims_page.short_effect(parts["order"])


# ---- the page ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return made_up.sections(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def text(sections):
    return claims_page.html("Nets", "About nets.", sections, "Made by hand.", ["A quick run."], "sst2")


def words(text):
    return " ".join(Reader(text).text.split())


def test_the_page_is_one_file_and_what_comes_from_outside_is_text(text):
    reader = Reader(text)
    assert len(reader.sources) == 6
    assert all(source.startswith("data:image/svg+xml;base64,") for source in reader.sources)
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert "default-src 'none'" in text
    assert reader.tags.count("script") == 1
    assert made_up.HOSTILE in reader.text
    assert html_text.escape(made_up.HOSTILE) in text


def test_the_table_of_claims_comes_first(text):
    first = words(text[text.index("<header") : text.index("<main")])
    assert "1 identity holds; of 4 findings 1 supported, 1 contradicted, 1 mixed, 1 inconclusive; 1 not run." in first
    assert "On the real text: of 1 finding 1 supported" in first
    assert "A quick run." in first
    assert "? inconclusive constructed unknown (one value: no interval)" in first
    assert "8 of 8" in first
    assert "100.0% of 6 tasks (61.0% to 100.0%)" in first
    assert "compiled programs" in first
    assert text.index('class="overview"') < text.index("<section")


def test_a_section_holds_all_parts_core_and_side_apart(text):
    own = text[text.index('<section id="optimizers"') : text.index('<section id="depths"')]
    told = words(own)
    core, side = told.index("What decides"), told.index("Additional results (not part of the verdict)")
    assert core < told.index("SGD takes more steps. ✓ supported") < side < told.index("Good rates span more.")
    assert told.count("On a task it holds if the 95% interval lies above 1.1×") == 1
    assert told.count("Rule As above.") == 1
    assert "Power, stated before A factor of 1.4" in told
    assert re.search(r"Detectable 1\.\d+×, in four of five repetitions", told)
    assert all(own.count(f'<th scope="row">{task}<') == 2 + (task == "wine") for task in made_up.TASKS)
    assert "supported in 8 of 8 repeats" in told
    assert "4 programs, 2 seconds" in told
    assert "python run.py optimizers --num_repeats=3 --base_seed=1" in told
    assert "Rules: 0123456789ab" in told
    assert own.index("<details>") < own.index("What decides")


def test_real_text_stands_beside_made_up_text_and_a_missing_finding_tells_why(text):
    told = words(text[text.index('<section id="order"') : text.index('<section id="lost"')])
    assert told.index("On made-up text") < told.index("On sst2") < told.index("Parts, figures and tables: on sst2")
    lost = words(text[text.index('<section id="lost"') : text.index("</main>")])
    assert f"not run No file {made_up.HOSTILE}." in lost
    assert command("lost", "--help") in lost


def test_the_hash_of_all_rules_changes_with_each(sections):
    other = [*sections[:-1], Section("lost", "A lost claim.", "another", None, Path())]
    assert len({claims_page.rules(sections), claims_page.rules(sections[::-1]), claims_page.rules(other)}) == 3


def test_an_identity_that_does_not_hold_is_told(tmp_path):
    rules, _ = made_up.identity()
    broken = made_up.section("sums", tmp_path, made=lambda: (rules, {"sum": made_up.Fact(False, "26 of 27")}))
    assert claims_page.counts([broken])[0].startswith("0 of 1 identity holds; of 0 findings ")


def test_the_ink_follows_the_page(sections):
    svg = (sections[0].directory / "figures" / "one.svg").read_text()
    assert "prefers-color-scheme:dark" in svg
    assert svg.lower().count(figures.INK) == 1  # where it is given its name
    assert "var(--on-page-0)" in svg


def cells(row):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def test_the_table_of_verdicts(sections):
    counts, _, header, _, *rows, _, about = claims_page.markdown(sections, ["A quick run."]).splitlines()
    assert counts.startswith("1 identity holds; of 4 findings")
    assert counts.endswith("A quick run.")
    assert cells(header) == ["claim", "verdict", "kind", "effect", "repeats", "real text"]
    assert all(len(cells(row)) == 6 for row in rows)
    assert [cells(row)[1] for row in rows[:4]] == ["✓ supported", "✓ supported", "± mixed", "✗ contradicted"]
    assert cells(rows[0])[2:5] == ["identity", "Parameters are the sum over the repeats. 27 of 27 repeats agree", "–"]
    assert cells(rows[1])[4] == "8 of 8"
    real = "✓ supported: SGD ends at a higher loss. 100.0% of 6 tasks (61.0% to 100.0%); repeats 8 of 8"
    assert cells(rows[4])[5] == real
    assert cells(rows[5])[1:3] == ["not run", "–"]
    assert about.endswith(f"Rules: `{claims_page.rules(sections)}`.")
    assert "<img" not in "".join(rows)
    assert "real text" not in claims_page.markdown(sections[:3])
    assert "on sst2" not in claims_page.html("Nets", "", sections[:3], "")


def test_the_table_goes_between_its_marks():
    text = f"before\n{claims_page.BEGIN}\nold\n{claims_page.END}\nafter"
    once = claims_page.insert(text, "| new |\n")
    assert once == f"before\n{claims_page.BEGIN}\n| new |\n{claims_page.END}\nafter"
    assert claims_page.insert(once, "| new |\n") == once
    with pytest.raises(ValueError, match="no lines"):
        claims_page.insert("nothing", "")
