import io

import numpy as np
import pandas as pd
import pytest

from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.report import figures, tables, text_tables
from jaxnets.report.console import Terminal
from jaxnets.stats.ensembles import System


def system(name, share, *, seeds=1):
    correct = (np.arange(100)[None] < 100 * share + np.arange(seeds)[:, None]).astype(float)
    accuracies = pd.Series(correct.mean(axis=1), pd.RangeIndex(seeds, name="seed"))
    return System(name, correct, np.zeros(100, int), accuracies, 1.5, "adam")


def printed(table, width=110):
    console = Terminal(file=io.StringIO(), width=width)
    console.print(table)
    return " ".join(console.file.getvalue().split())


def test_systems_are_compared_with_the_best_baseline():
    """Of one value the interval is Wilson's over 100 examples, of four seeds Student's; two are shown as they are."""
    classical = [system("naive_bayes", 0.7), system("nbsvm", 0.8)]
    together = system("dan × 2", 0.95)._replace(configuration="")
    text = printed(text_tables.systems_table([system("dan", 0.9, seeds=4), together], classical, num_folds=1), 160)
    assert "nbsvm 0.800 (0.711 to 0.867) 1.5 –" in text
    assert "dan 0.915 (0.892 to 0.933) 1.5 +0.115 (+0.0" in text
    assert "dan × 2 0.950 (0.888 to 0.978) 1.5 +0.150 (+0.079 to +0.221)" in text
    assert "Difference: to nbsvm, the best baseline" in text
    assert "To naive_bayes: dan +0.215 (+0.1" in text
    assert text.count("chosen on dev") == 1
    assert "±" not in text
    few = printed(text_tables.systems_table([system("dan", 0.9, seeds=2)], classical, num_folds=1), 160)
    assert "dan 0.905 (of 2: 90.0%, 91.0%) 1.5" in few


def test_without_baselines_nothing_is_compared():
    text = printed(text_tables.systems_table([system("dan", 0.9)], [], num_folds=3))
    assert "dan 0.900 (0.826 to 0.945) 1.5 –" in text
    assert "interval over 3 folds" in text
    assert "Difference" not in text


@pytest.fixture
def fold():
    split = Split(Texts.of([[2, 3], [2] * 100]), np.array([0, 1]))
    return Dataset("made", split, split, split, ("no", "yes"), ("<pad>", "<unk>", "good", "[film]"))


def test_confusions_and_mistakes(fold):
    dan = system("dan", 0.9)
    (confusions,) = text_tables.confusion_tables(dan, np.array([[3, 1], [0, 2]]), fold.class_names, 80)
    assert "no 3 1 yes 0 2" in printed(confusions)
    examples = {"fold": 0, "example": [0, 1], "label": [0, 1], "prediction": [1, 0]}
    predictions = pd.DataFrame({**examples, "probability_0": [0.1, 0.7], "probability_1": [0.9, 0.3]})
    text = printed(text_tables.mistakes_table(dan, predictions, [fold]), width=250)
    assert "0.900 yes no good [film]" in text  # its brackets are no markup
    assert "0.700 no yes good good" in text
    assert "…" in text


@pytest.mark.parametrize("num_classes", [30, 77])
@pytest.mark.parametrize("name", ["intent {}", "一种意图 {}", "a name that is far too long for a column {}"])
def test_of_many_classes_the_worst_and_the_worst_pairs_are_shown(num_classes, name):
    counts = np.diag(np.full(num_classes, 40))
    counts[3, 5], counts[7, 7], counts[7, 9], counts[11] = 17, 2, 12, 0
    names = [name.format(number) for number in range(num_classes)]
    pairs, worst = text_tables.confusion_tables(system("dan", 0.9), counts, names, 100)
    short = [text_tables.one_line(one, 24) for one in names]
    assert f"{short[3]} {short[5]} 17 57 {short[7]} {short[9]} 12 14" in printed(pairs)
    rows = printed(worst)
    assert f"recall precision F1 {'─' * 3}" in rows
    assert f" {short[7]} 14 2 0.143 1.000 0.250 {short[3]} 57 40 0.702 1.000 0.825" in rows
    assert f" {short[5]} 40 57 1.000 0.702 0.825 {short[9]} 40 52 1.000 0.769 0.870" in rows
    assert short[11] not in rows  # it has no test examples
    assert f"of all {num_classes - 1} classes" in rows


def test_what_the_width_holds_is_shown_whole():
    names = [f"class {number}" for number in range(8)]
    (whole,) = text_tables.confusion_tables(system("dan", 0.9), np.diag(np.arange(8) + 100), names, 80)
    text = printed(whole, width=80)
    assert all(str(count) in text for count in range(100, 108))


@pytest.mark.parametrize(
    ("labels", "predictions", "expected"),
    [
        (
            [0] * 9 + [1],
            [0] * 10,
            ["'no' is the class of 90.0% of the test", "Never predicted: 'yes' (1 test"],
        ),
        ([0] * 9 + [1], [0] * 9 + [1], ["always predicting it has an accuracy of 0.9000"]),
        ([0, 1] * 5, [1] * 10, ["Never predicted: 'no' (5 test examples)."]),
        ([0, 1] * 5, [], []),
        ([1] * 10, [1] * 10, ["'yes' is the class of 100.0%"]),  # nobody can miss a class without examples
    ],
)
def test_what_an_accuracy_hides_is_said(labels, predictions, expected):
    found = tables.on_balance(np.array(labels), ("no", "yes"), np.array(predictions, int))
    assert len(found) == len(expected)
    assert all(part in one for part, one in zip(expected, found, strict=True))


@pytest.mark.parametrize("names", [("好评", "差评"), ("сорт", "मौसम"), tuple(map(str, range(80)))])
def test_a_figure_of_any_names_and_of_many_is_bounded_and_warns_of_nothing(names, tmp_path, recwarn):
    figure = figures.confusion(np.eye(len(names), dtype=int), names, "网")
    assert max(figure.width, figure.height) <= 1000
    figures.save(figure, tmp_path, "confusion", ["png"])
    shown = figure.layer[0].to_dict()["encoding"]["x"]["scale"]["domain"]
    assert shown == [f"{number + 1} {name}" for number, name in enumerate(names)]
    assert not len(recwarn)


def test_what_filters_answer_to():
    phrases = {"one": "a b", "other": "a c", "contrary": "a d", "indicators": 0.0}
    likeness = pd.DataFrame({"like": [0.8, 0.6], "opposite": [0.2, 0.0], **phrases})
    assert text_tables.likeness(likeness).to_numpy().tolist() == [["a c", pytest.approx(0.7), 0], ["a d", 0.1, 0]]
