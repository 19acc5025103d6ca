"""How finite differences come near to a derivative: by the power of the step, until rounding counts."""

import numpy as np
import pandas as pd

LARGEST_STEP = 0.1  # above, higher powers of the step count as well
NEGLIGIBLE = 0.01  # the share of an error that rounding may make where the power is read off


def deviation(errors: pd.DataFrame, order: int) -> float:
    """How far the error's power is from the order of a method, at most, between neighbouring steps.

    Steps count that are at most 0.1, and at which rounding can make no more than a hundredth of the error.

    >>> step = np.array([1e-3, 1e-2, 1e-1])
    >>> round(deviation(pd.DataFrame({"step": step, "error": step**2, "rounding": 0.0}), 1), 6)
    1.0
    """
    clean = _clean(errors)
    powers = np.diff(np.log(clean["error"])) / np.diff(np.log(clean["step"]))
    return float(np.abs(powers - order).max()) if len(powers) else float("nan")


def share_allowed(errors: pd.DataFrame, order: int) -> float:
    """The largest error as a share of what rounding and the power of the step make, at steps at which rounding counts.

    What the power of the step makes is known where rounding does not count, and goes on with smaller steps; a tenth
    more is allowed for.
    """
    clean = _clean(errors)
    if clean.empty:
        return float("nan")
    constant = (clean["error"] / clean["step"] ** order).max()
    small = errors[errors["step"] < clean["step"].min()]
    return float((small["error"] / (small["rounding"] + 1.1 * constant * small["step"] ** order)).max())


def _clean(errors: pd.DataFrame) -> pd.DataFrame:
    below = errors["step"] <= LARGEST_STEP * 1.001  # 0.1 as a power of ten is not quite 0.1
    return errors[below & (errors["rounding"] < NEGLIGIBLE * errors["error"])].sort_values("step")
