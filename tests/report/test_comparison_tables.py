"""The answer of a comparison on the console."""

import io

from rich.console import Console

from jaxnets.comparison.answer import answer
from jaxnets.report import comparison_tables
from tests.report import studies


def printed(said):
    console = Console(file=io.StringIO(), width=80)
    comparison_tables.print_answer(console, said)
    return console.file.getvalue()


def test_the_table_has_accuracies_with_their_bounds_within_eighty_columns():
    said = answer(studies.make()[0])
    text = printed(said)
    for _, row in said.contestants.iterrows():
        assert f"{100 * row['accuracy']:.1f}" in text
        assert f"{100 * row['accuracy_low']:.1f}–{100 * row['accuracy_high']:.1f}" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_the_sentences_and_the_cautions_follow():
    said = answer(studies.make()[0])
    words = " ".join(printed(said).split())
    assert all(" ".join(sentence.split()) in words for sentence in said.sentences)
    assert all(f"Caution: {caution}" in words for caution in said.cautions)


def test_of_many_tasks_the_first_three_are_shown():
    text = printed(answer(studies.make(tasks=5)[0]))
    assert text.count("best setting of each") == 3
    assert "The tables of the other 2 tasks are in the report." in " ".join(text.split())
