"""Words that have gone for those of the field, in docs and in what users read of the code."""

import ast
import re

import pytest

from tests.docs.pages import PAGES, ROOT

GONE = {  # in docs and code
    "contestants?": "method",
    "stud(y|ies)": "comparison",
    "standings": "leaderboard",
    "confirming|confirm_seeds": "final runs, final_seeds",
    "num_blocks": "num_repeats",
    "replicates?": "repeat",
    "crew|seats?|seated|rivals?": "active, slot, survivors",
    "houses?|rooms": "architecture, packages",
    "guests?|strangers?": "user-supplied, others",
}
GONE_IN_DOCS = {
    "told|tells?|untold": "reported, message",
    "going on|goes on|go on": "continue",
    "confirm(s|ed|ation)?": "final runs",
    "of (its|their|your|one's) own": "custom, user-supplied",
    "less [a-z]+ (is|are)|points? less": "−",
    "as it was|as they were": "unchanged",
    "beforehand|fixed before": "fixed in advance",
    "take care|with care": "unreliable",
    "so many|those that|what .{1,20} holds": "a noun",
    "(?<!there )(are|is) no": "is not a",
    "mended|mends?": "fixed",
    "lay|lies on the disk": "is",
}
SOURCES = [*ROOT.glob("jaxnets/**/*.py"), *ROOT.glob("experiments/*.py")]


def texts(source):
    """The texts of a module that are no docstrings."""
    tree = ast.parse(source)
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, owners) and ast.get_docstring(node)
    }
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return "\n".join(node.value for node in strings if id(node) not in docstrings)


def prose(page):
    """A page without code, and without what is generated: between marks, help of flags, tables of tests."""
    page = re.sub(r"<!-- ([\w: -]+) -->.*?<!-- .*?end.*? -->", "", page, flags=re.DOTALL)
    page = re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^\| `.*$|`[^`\n]*`", "", page, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def of_code():
    return {str(path): texts(path.read_text()) for path in SOURCES if path.name != "errors.py"}  # it has old flags


@pytest.mark.parametrize("word", GONE)
def test_a_word_does_not_come_back(word, of_code):
    found = [name for name, text in (PAGES | of_code).items() if re.search(rf"\b({word})\b", text, re.IGNORECASE)]
    assert found == []


@pytest.mark.parametrize("words", GONE_IN_DOCS)
def test_words_do_not_come_back_into_the_docs(words):
    found = {name: re.findall(rf"\b(?:{words})\b.{{0,30}}", prose(text), re.IGNORECASE) for name, text in PAGES.items()}
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_texts_of_code_and_prose_of_pages_are_found():
    assert texts('"""A study."""\nX = f"a {1} contestant"\n') == "a \n contestant"
    assert prose("one `told`\n```bash\ntold\n```\n| `a` | told |\n<!-- x -->told<!-- end of x -->two").split() == [
        "one",
        "two",
    ]
