"""The variance of a difference whose seeds and test examples are both random, and crossed.

It has three components: of each contestant the seeds, the differences of the examples, and what is left when each net
meets each example. Source of the estimators: Searle, Casella & McCulloch (1992), chapter 4.
"""

import numpy as np
from jaxtyping import Float

_Correct = Float[np.ndarray, "seeds examples"]


def variance(first: _Correct, second: _Correct) -> tuple[float, float]:
    """The variance of the difference of two contestants' means, and its degrees of freedom.

    The mean squares of examples and of seeds both hold what is left, so that it is subtracted once. The degrees of
    freedom are those of Satterthwaite (1946).
    """
    differences = first.mean(axis=0) - second.mean(axis=0)
    of_examples = differences.var(ddof=1) / len(differences)
    parts = [(of_examples, len(differences) - 1), *_of_seeds(first), *_of_seeds(second)]
    of_seeds = sum(square for square, _ in parts[1:] if square > 0)
    # what is subtracted is an estimate too: neither source of chance can be less than it is alone
    total = max(sum(square for square, _ in parts), of_examples, of_seeds)
    freedom = total**2 / sum(square**2 / degrees for square, degrees in parts)
    return float(total), float(freedom)


def of_examples(differences: _Correct) -> float:
    """What examples add to the variance of a mean over seeds and examples, beyond what shows from seed to seed."""
    alone = float(differences.mean(axis=0).var(ddof=1)) / differences.shape[1]
    return max(alone + sum(square for square, _ in _of_seeds(differences) if square < 0), 0.0)


def _of_seeds(correct: _Correct) -> list[tuple[float, float]]:
    """What the seeds of a contestant add to the variance, and what is counted twice by it, with degrees of freedom."""
    seeds, examples = correct.shape
    if seeds < 2 or examples < 2:
        return []
    means = correct.mean(axis=1)
    left = correct - means[:, None] - correct.mean(axis=0) + correct.mean()
    degrees = (seeds - 1) * (examples - 1)
    return [(means.var(ddof=1) / seeds, seeds - 1), (-(left**2).sum() / degrees / (seeds * examples), degrees)]
