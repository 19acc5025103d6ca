"""What README.md shows works as it stands there, and it stays short."""

import runpy

from tests.docs.pages import PAGES, ROOT, blocks

TEXT = PAGES["README.md"]


def test_it_is_short():
    assert len(TEXT.split()) <= 900


def test_the_python_example_runs(capsys, tmp_path):
    (example,) = blocks(TEXT, "python")
    (tmp_path / "example.py").write_text(example)
    names = runpy.run_path(str(tmp_path / "example.py"))
    results = names["results"]
    assert (len(results.runs), results.num_programs) == (48, 3)
    assert results.best()["optimizer"].tolist() == ["sgd", "momentum", "adam"]
    assert (results.best()["test_accuracy"] > 0.95).all()
    assert "momentum" in capsys.readouterr().out


def test_the_verdicts_are_those_of_the_claims():
    script = runpy.run_path(str(ROOT / "docs" / "short_verdicts.py"))
    assert script["with_table"](TEXT, PAGES["docs/claims.md"]) == TEXT
    assert TEXT.count("](docs/claims.md#") == 17


def test_there_are_exactly_two_commands():
    inside = TEXT.partition("<!-- two commands -->")[2].partition("<!-- end -->")[0]
    assert [line.split()[:4] for line in blocks(inside)[0].splitlines()] == [["python", "-m", "pip", "install"]] * 2
