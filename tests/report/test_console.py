import io
import os

import pytest
from rich.padding import Padding
from rich.text import Text

from jaxnets.inference.explain import Explanation, json_text, print_explanation
from jaxnets.report.console import Table, Terminal
from tests.docs.pages import ROOT

NAME = "[/x] [bold]b[/] :smile: \x1b]0;title\x07\x1b[2J$x$ \ud800<b>"


@pytest.mark.parametrize("form", ["line", "text", "padded", "table"])
@pytest.mark.parametrize("terminal", [True, False])
def test_text_of_others_is_only_shown(form, terminal):
    console = Terminal(file=io.StringIO(), width=120, force_terminal=terminal, color_system=None)
    if form == "table":
        console.print(Table(NAME, [NAME, "number"], [[NAME, "1"]]))
    else:
        console.print({"line": NAME, "text": Text(NAME), "padded": Padding(Text(NAME), (0, 2))}[form])
    text = console.file.getvalue()
    text.encode()
    assert "[/x] [bold]b[/] :smile: 0;title$x$ \ufffd<b>" in text  # what was a command is text
    assert text.replace("\n", "").isprintable()


def test_columns_stay_in_line():
    console = Terminal(file=io.StringIO(), width=80)
    console.print(Table("", ["name", "n"], [["a\x07\u202eb", "1"], ["ab", "2"]]))
    lines = [line for line in console.file.getvalue().splitlines() if line.strip().startswith("ab")]
    assert lines[0].index("1") == lines[1].index("2")


def test_nothing_else_makes_a_console():
    for path in (*ROOT.glob("jaxnets/**/*.py"), *ROOT.glob("experiments/*.py")):
        text = path.read_text(encoding="utf-8")
        assert " Console(" not in text, path
        assert "matplotlib" not in text, path


def test_a_reader_who_has_gone_ends_the_output_alone():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering=1) as pipe:
        console = Terminal(file=pipe)
        for _ in range(3):
            console.print("unheard")
    assert console.quiet


def explained(text):
    return Explanation(text, (text,), (False,), {NAME: 1.0}, (0.5,), ())


def test_a_prediction_is_shown_and_written_without_control_characters(capsys):
    console = Terminal(file=io.StringIO(), width=200)
    print_explanation(console, explained("\x1b[31m[/x]"))
    assert "\x1b" not in console.file.getvalue()
    assert "[/x]" in console.file.getvalue()
    written = json_text([explained("naïve \x9b2J \ud800")])
    written.encode()
    assert "\x9b" not in written
    assert '"naïve"' in json_text([Explanation("naïve", (), (), {"a": 1.0}, (), ())])
