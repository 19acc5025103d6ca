import io

import numpy as np
import pandas as pd
import pytest

from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.evidence.comparison import System
from jaxnets.report import text_tables
from jaxnets.report.console import Terminal


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
    assert "no 3 1 yes 0 2" in printed(text_tables.confusion_table(dan, np.array([[3, 1], [0, 2]]), fold.class_names))
    examples = {"fold": 0, "example": [0, 1], "label": [0, 1], "prediction": [1, 0]}
    predictions = pd.DataFrame({**examples, "probability_0": [0.1, 0.7], "probability_1": [0.9, 0.3]})
    text = printed(text_tables.mistakes_table(dan, predictions, [fold]), width=250)
    assert "0.900 yes no good [film]" in text  # its brackets are no markup
    assert "0.700 no yes good good" in text
    assert "…" in text


def test_what_filters_answer_to():
    phrases = {"one": "a b", "other": "a c", "contrary": "a d", "indicators": 0.0}
    likeness = pd.DataFrame({"like": [0.8, 0.6], "opposite": [0.2, 0.0], **phrases})
    assert text_tables.likeness(likeness).to_numpy().tolist() == [["a c", pytest.approx(0.7), 0], ["a d", 0.1, 0]]
