"""Models of texts as systems, told apart by the width of the windows through which they see words."""

from collections.abc import Iterable

import pandas as pd

DAN, CNN = "DAN", "CNN, width "
BAGS = (DAN, f"{CNN}1")
"""Systems that see single words alone."""


def systems(runs: pd.DataFrame) -> pd.Series:
    """The name of the system of each run: `DAN`, `CNN, width 2`, `CNN, width 2+3`, or the model's own.

    >>> systems(pd.DataFrame({"model": ["dan", "text_cnn"], "filter_widths": [None, "2x3"]})).tolist()
    ['DAN', 'CNN, width 2+3']
    """
    widths = runs["filter_widths"].astype(str).str.replace("x", "+") if "filter_widths" in runs else ""
    return runs["model"].replace("dan", DAN).mask(runs["model"] == "text_cnn", CNN + widths)


def width(system: str) -> int:
    """The words in the widest window of a system; 1 if it is no CNN.

    >>> width("CNN, width 2+3"), width("DAN")
    (3, 1)
    """
    return max(map(int, system.removeprefix(CNN).split("+"))) if system.startswith(CNN) else 1


def covering(names: Iterable[str], distance: int) -> str | None:
    """The CNN whose windows reach over a distance, the narrowest of them; None if none does.

    >>> covering(["DAN", "CNN, width 2", "CNN, width 4"], 2), covering(["CNN, width 2", "CNN, width 4"], 0)
    ('CNN, width 4', 'CNN, width 4')
    """
    wide = sorted((name for name in names if width(name) > max(distance, 1)), key=width)
    return next(iter(wide if distance else reversed(wide)), None)


def telling(names: Iterable[str], distance: int) -> list[str]:
    """The systems of which it is told what the order of words is to them: all but the CNNs that are not needed for it.

    >>> telling(["DAN", "CNN, width 1", "CNN, width 2", "CNN, width 3"], 1)
    ['DAN', 'CNN, width 1', 'CNN, width 2']
    """
    names = list(names)
    wanted = (*BAGS, covering(names, distance))
    return [name for name in names if name in wanted or not name.startswith(CNN)] or names
