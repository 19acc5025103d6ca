import pytest

from jaxnets.errors import UserError
from jaxnets.lab.parser import Parser


@pytest.fixture
def parser():
    made = Parser("ask", "Asks.")
    made.add_argument("directory", nargs="*")
    made.add_argument("--text", action="append", default=[])
    made.add_argument("--json", action="store_true")
    return made


def test_flags_are_given_with_and_without_an_equals_sign(parser):
    given = parser.values(["--text=a", "run", "--text", "b", "--json", "--text="])
    assert (given.text, given.directory, given.json) == (["a", "b", ""], ["run"], True)


MISTAKES = {
    "--txt=a": r"^txt: there is no such flag\. Did you mean 'text'\? --help lists all\.$",
    "--tex=a": r"^tex: there is no such flag",  # nothing is abbreviated
    "--text": r"^text: there is not a value; write --text=VALUE\.$",
    "--json=yes": r"^json: it takes no value; write --json\.$",
}


@pytest.mark.parametrize("argument", MISTAKES)
def test_a_mistake_is_an_error_of_one_line(parser, argument):
    with pytest.raises(UserError, match=MISTAKES[argument]):
        parser.values([argument])


def test_what_is_no_flag_is_an_error():
    with pytest.raises(UserError, match="'xor' is not a flag"):
        Parser("give", "Gives.").values(["xor"])


def test_help_is_shown(parser, capsys):
    assert parser.values(["run", "--help"]) is None
    text = capsys.readouterr().out
    assert text.startswith("usage: python run.py ask")
    assert "--text" in text
