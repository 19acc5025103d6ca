"""Characters of others' names, labels and texts: what would act on a terminal, a page or a file is taken out."""

import re

# a command to the screen; a title, a link or another string with its end; any other sequence, without what follows it
_SEQUENCES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_BREAKS = re.compile(r"[\n\t\u2028\u2029]")


def printable(text: str) -> str:
    r"""A text that shows, and does nothing else.

    Escape sequences, control characters and those that turn the direction of writing are left out; half a character (a
    lone surrogate) is shown as U+FFFD. Line breaks and tabs stay.

    >>> printable("a\x1b[2Jb\x07 \ud800")
    'ab �'
    """
    if text.isascii() and text.isprintable():
        return text
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _CONTROLS.sub("", _SEQUENCES.sub("", text)))


def one_line(text: str, longest: int) -> str:
    r"""A printable text without line breaks; of a longer one the middle is left out.

    >>> one_line("two\nlines", 20), one_line("0123456789", 5)
    ('two lines', '01…89')
    """
    line = _BREAKS.sub(" ", printable(text))
    if len(line) <= longest:
        return line
    half = (longest - 1) // 2
    return f"{line[:half]}…{line[-half:]}"
