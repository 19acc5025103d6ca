import pandas as pd
import pytest

from jaxnets.evidence import window_systems

NAMES = ["DAN", "CNN, width 1", "CNN, width 2", "CNN, width 3+4", "my_lab.nets:Net"]


def test_systems_by_model_and_width():
    runs = pd.DataFrame({"model": ["dan", "text_cnn", "text_cnn", "my_lab.nets:Net"]})
    runs["filter_widths"] = [None, "2", "3x4", None]
    assert window_systems.systems(runs).tolist() == ["DAN", "CNN, width 2", "CNN, width 3+4", "my_lab.nets:Net"]
    assert window_systems.systems(runs[["model"]].iloc[:1]).tolist() == ["DAN"]


@pytest.mark.parametrize(
    ("distance", "wanted"),
    [(1, "CNN, width 2"), (2, "CNN, width 3+4"), (3, "CNN, width 3+4"), (4, None), (0, "CNN, width 3+4")],
)
def test_the_narrowest_that_covers_a_distance(distance, wanted):
    assert window_systems.covering(NAMES, distance) == wanted


def test_of_whom_order_is_told():
    assert window_systems.telling(NAMES, 1) == ["DAN", "CNN, width 1", "CNN, width 2", "my_lab.nets:Net"]
    assert window_systems.telling(["CNN, width 2"], 3) == ["CNN, width 2"]
