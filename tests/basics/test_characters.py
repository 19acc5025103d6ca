import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.errors import LONGEST, UserError, one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("naïve — “fine”\n\tso", "naïve — “fine”\n\tso"),
        ("\x1b[31mred\x1b[0m \x9b2Jgone", "red gone"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab"),
        ("\x1b]0;never ends", "0;never ends"),
        ("\x1bPq#1\x1b\\\x1b(B\x1b7x\x1b", "x"),
        ("a\x00\r\x08\x7f\x85b", "ab"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("\ud800 \udc80", "\ufffd \ufffd"),
        ("👩‍🔬 [/x] $x$ <b>", "👩‍🔬 [/x] $x$ <b>"),
    ],
)
def test_a_text_shows_and_does_nothing_else(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters(blacklist_categories=()), max_size=40))
def test_nothing_that_acts_is_left(text):
    left = printable(text)
    left.encode()
    assert all(unicodedata.category(character) != "Cc" or character in "\n\t" for character in left)
    assert printable(left) == left


def test_an_error_is_one_line_of_bounded_length():
    error = str(UserError(f"'{'x' * 5000}\n\x1b[2J': no such file."))
    assert error.startswith("'xxx")
    assert error.endswith("no such file.")
    assert len(error) <= LONGEST
    assert error.isprintable()
    assert one_line("short", 10) == "short"
