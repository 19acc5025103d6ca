"""Tables: each number as it is, in one list of columns for the console and the page, within the console's width."""

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest

from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.errors import one_line
from jaxnets.report import tables
from jaxnets.report.console import Table, Terminal
from jaxnets.stats.ensembles import System
from tests.report import comparisons


def printed(*shown, width=80):
    console = Terminal(file=io.StringIO(), width=width)
    for one in shown:
        console.print(one)
    return console.file.getvalue()


def words(*shown, width=200):
    return " ".join(printed(*shown, width=width).split())


# ---- the console ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 70, 60, 30])
def test_no_number_is_broken_or_cut_at_any_width(width):
    rows = [["my_lab.opt:my_own_optimizer", "0.0031623", "95.9% (95.0 to 97.4)", "a long text of many words"]]
    text = printed(Table("Title", ["", "rate", "accuracy", "setting"], rows, "A note.", ["rate"]), width=width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in text
    assert any("my_lab.opt:my_own_optimizer" in line for line in lines)
    assert any("95.9% (95.0" in line for line in lines)
    assert ("0.0031623" in text) == (width != 70)  # the optional column goes first; a list has it again
    assert ("─" in text) == (width >= 70)


def test_what_is_too_narrow_for_a_table_is_a_list():
    table = Table("Title", ["", "rate"], [["sgd", "0.1234567"], ["adam", "0.2"]], "A note.")
    lines = [line.rstrip() for line in printed(table, width=11).splitlines()]
    assert lines == ["", "Title", "sgd", "  rate:", "0.1234567", "adam", "  rate: 0.2", "A note.", ""]


def answered(said, width=80):
    console = Terminal(file=io.StringIO(), width=width)
    tables.print_answer(console, said)
    return console.file.getvalue()


def test_the_answer_has_accuracies_with_their_bounds_then_sentences_and_cautions():
    said = comparisons.make()[1]
    text = answered(said)
    for _, row in said.methods.iterrows():
        bounds = f"({100 * row['accuracy_low']:.1f} to {100 * row['accuracy_high']:.1f})"
        assert f"{100 * row['accuracy']:.1f}% {bounds}" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert max(map(len, text.splitlines())) <= 80
    assert "ensemble" not in text  # there is none
    flat = " ".join(text.split())
    assert all(" ".join(sentence.split()) in flat for sentence in said.sentences)
    assert all(f"Caution: {caution}" in flat for caution in said.cautions)


def test_of_many_tasks_the_first_three_are_shown():
    text = answered(comparisons.make(tasks=5, trials=3, seeds=1, confirm=4)[1])
    assert text.count("best setting of each") == 3
    assert "The tables of the other 2 tasks are in the report." in text


# ---- a comparison -----------------------------------------------------------------------------------------------


def test_console_page_sentence_and_pairs_have_one_order_and_one_sign():
    comparison, said = comparisons.make()
    order = said.methods["method"].to_list()
    assert order == said.methods.sort_values("accuracy", ascending=False)["method"].to_list()
    assert [row[0] for row in tables.of_methods(comparison, said)[0].rows] == order
    places = [answered(said).index(f"\n{name} ") for name in order]
    assert places == sorted(places)
    assert [pair["name"] for pair in tables.pairs(said)][:2] == [f"{order[0]} − {name}" for name in order[1:]]
    assert (said.pairs["difference"] >= 0).all()
    assert f"{order[0]} − {order[1]}: +" in said.sentences[0]
    assert tables.pairs(said)[0]["cells"][0].startswith(f"+{100 * said.pairs['difference'][0]:.2f} (98.3%")


def test_bounds_that_cannot_be_given_tell_why():
    comparison, said = comparisons.make(tasks=2, trials=3, seeds=1, confirm=2)
    (scores, *_), cells = (
        tables.of_methods(comparison, said),
        [row for pair in tables.pairs(said) for row in pair["cells"]],
    )
    of_two = next(row for row in scores.rows if row[1] == "sgd")
    assert "–: of\N{NO-BREAK SPACE}2:" in of_two[3]
    assert any("–: 2\N{NO-BREAK SPACE}are\N{NO-BREAK SPACE}too" in cell for cell in cells)


def test_never_on_the_edge_and_ensembles():
    comparison, said = comparisons.make()
    late = {f"{name}_to_target": np.inf for name in ("steps", "examples", "seconds")}
    averaged = {
        f"{kind}_{name}": 0.97 for kind in ("single", "ensemble") for name in ("accuracy", "loss", "calibration")
    }
    found = dataclasses.replace(said, methods=said.methods.assign(**late, **averaged, members=16, edge=True))
    _, tuning, ensembles = tables.of_methods(comparison, found)
    assert tuning.rows[0][-3:] == ["never"] * 3
    assert "on the edge" in tuning.rows[0]
    assert ensembles.rows[0][1:] == ["16", "97.0%", "97.0%", *["0.97"] * 4]
    assert len(tables.of_methods(comparison, said)) == 2


def test_how_it_was_done_and_what_was_not_tuned():
    comparison = comparisons.make()[0]
    lines = dict(tables.protocol(comparison))
    assert lines["Search"] == "grid, 9 settings × 8 seeds each, the same for all."
    assert lines["In all runs"] == "model mlp, weight decay 0.0001, batch size 64, num steps 690."
    assert "16 fresh seeds" in lines["Final runs"]
    alone = dataclasses.replace(comparison, protocol=dataclasses.replace(comparison.protocol, final_seeds=0))
    assert "optimistic" in dict(tables.protocol(alone))["Final runs"]
    assert [table.title for table in tables.of_protocol(comparison)] == ["Tasks", "Search spaces"]


# ---- text classifiers -------------------------------------------------------------------------------------------


def system(name, share, *, seeds=1):
    correct = (np.arange(100)[None] < 100 * share + np.arange(seeds)[:, None]).astype(float)
    accuracies = pd.Series(correct.mean(axis=1), pd.RangeIndex(seeds, name="seed"))
    return System(name, correct, np.zeros(100, int), accuracies, 1.5, "adam")


def test_systems_are_compared_with_the_best_baseline():
    """Of one value the interval is Wilson's over 100 examples, of four seeds Student's; two are shown as they are."""
    classical = [system("naive_bayes", 0.7), system("nbsvm", 0.8)]
    together = system("dan × 2", 0.95)._replace(configuration="")
    text = words(tables.systems([system("dan", 0.9, seeds=4), together], classical, num_folds=1, level=0.95))
    assert "nbsvm 0.800 (0.711 to 0.867) 1.5 –" in text
    assert "dan 0.915 (0.892 to 0.933) 1.5 +0.115 (+0.0" in text
    assert "dan × 2 0.950 (0.888 to 0.978) 1.5 +0.150 (+0.079 to +0.221)" in text
    assert "Difference: to nbsvm, the best baseline" in text
    assert "To naive_bayes: dan +0.215 (+0.1" in text
    assert text.count("chosen on dev") == 1
    few = words(tables.systems([system("dan", 0.9, seeds=2)], classical, num_folds=1, level=0.95))
    assert "dan 0.905 (of 2: 90.0%, 91.0%) 1.5" in few
    alone = words(tables.systems([system("dan", 0.9)], [], num_folds=3, level=0.95))
    assert "dan 0.900 (0.826 to 0.945) 1.5 –" in alone
    assert "CI over 3 folds" in alone
    assert "Difference" not in alone


def test_confusions_and_mistakes():
    split = Split(Texts.of([[2, 3], [2] * 100]), np.array([0, 1]))
    fold = Dataset("made", split, split, split, ("no", "yes"), ("<pad>", "<unk>", "good", "[film]"))
    (confusions,) = tables.confusion("dan", np.array([[3, 1], [0, 2]]), fold.class_names, 80)
    assert "no 3 1 yes 0 2" in words(confusions)
    examples = {"fold": 0, "example": [0, 1], "label": [0, 1], "prediction": [1, 0]}
    predictions = pd.DataFrame({**examples, "probability_0": [0.1, 0.7], "probability_1": [0.9, 0.3]})
    text = words(tables.mistakes("dan", predictions, [fold]), width=250)
    assert "0.900 yes no good [film]" in text  # its brackets are no markup
    assert "0.700 no yes good good" in text
    assert "…" in text


@pytest.mark.parametrize("num_classes", [30, 77])
@pytest.mark.parametrize("name", ["一种意图 {}", "a name that is far too long for a column {}"])
def test_of_many_classes_the_worst_and_the_worst_pairs_are_shown(num_classes, name):
    counts = np.diag(np.full(num_classes, 40))
    counts[3, 5], counts[7, 7], counts[7, 9], counts[11] = 17, 2, 12, 0
    names = [name.format(number) for number in range(num_classes)]
    pairs, worst = tables.confusion("dan", counts, names, 100)
    short = [one_line(one, 24) for one in names]
    assert pairs.rows == [[short[3], short[5], "17", "57"], [short[7], short[9], "12", "14"]]
    assert worst.rows[:2] == [
        [short[7], "14", "2", "0.143", "1.000", "0.250"],
        [short[3], "57", "40", "0.702", "1.000", "0.825"],
    ]
    assert short[11] not in [row[0] for row in worst.rows]  # it has no test examples
    assert f"of all {num_classes - 1} classes" in worst.note


def test_what_the_width_holds_is_shown_whole():
    names = [f"class {number}" for number in range(8)]
    (whole,) = tables.confusion("dan", np.diag(np.arange(8) + 100), names, 80)
    assert all(str(count) in words(whole, width=80) for count in range(100, 108))


@pytest.mark.parametrize(
    ("labels", "predictions", "expected"),
    [
        ([0] * 9 + [1], [0] * 10, ["'no' is the class of 90.0% of the test", "Never predicted: 'yes' (1 test"]),
        ([0] * 9 + [1], [0] * 9 + [1], ["always predicting it has an accuracy of 0.9000"]),
        ([0, 1] * 5, [1] * 10, ["Never predicted: 'no' (5 test examples)."]),
        ([0, 1] * 5, [], []),
        ([1] * 10, [1] * 10, ["'yes' is the class of 100.0%"]),  # nobody can miss a class without examples
    ],
)
def test_what_an_accuracy_hides_is_said(labels, predictions, expected):
    found = tables.balance(np.array(labels), ("no", "yes"), np.array(predictions, int))
    assert len(found) == len(expected)
    assert all(part in one for part, one in zip(expected, found, strict=True))
