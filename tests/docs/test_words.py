"""Words that have gone for those of the field, in docs and in what users read of the code."""

import ast
import re

import pytest

from tests.docs.pages import PAGES, ROOT

GONE = {
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


@pytest.mark.parametrize("word", GONE)
def test_a_word_does_not_come_back(word):
    pages = {name: text for name, text in PAGES.items() if name != "CHANGELOG.md"}
    code = {str(path): texts(path.read_text()) for path in SOURCES if path.name != "errors.py"}  # it has old flags
    found = [name for name, text in (pages | code).items() if re.search(rf"\b({word})\b", text, re.IGNORECASE)]
    assert found == []


def test_texts_of_code_are_found_and_docstrings_are_not():
    assert texts('"""A study."""\nX = f"a {1} contestant"\n') == "a \n contestant"
