"""Planted truths: how often a comparison tells optimizers apart that are the same, and one that is truly worse.

    python -m benchmarks.planted --repetitions=200

trains a pool of small nets on the digits. Each repetition of the protocol tunes on some of its seeds and confirms on 32
others, and no other repetition uses either. First both names stand for SGD; then one of them is SGD with noise on its
gradients, which costs it about a point of test accuracy.
"""

import argparse
from collections.abc import Iterator

import numpy as np
import optax
import pandas as pd

import jaxnets
from jaxnets.comparison import leaderboard
from jaxnets.comparison.table import FINAL, TUNING, Comparison, Protocol, TaskFacts

TUNING_SEEDS, FINAL_SEEDS = 8, 32
RATES = [0.03, 0.06, 0.1, 0.2, 0.4]
NOISE = 0.0016
FACTS = TaskFacts("digits", "", np.nan, 0.1, 10, 1437, 180, 180)


def noisy_sgd(learning_rate: float) -> optax.GradientTransformation:
    """SGD on gradients with noise that does not fade.

    Args:
      learning_rate: of SGD.
    """
    return optax.chain(optax.add_noise(NOISE, 0.0, seed=0), optax.sgd(learning_rate))


def pool(optimizer: object, num_seeds: int) -> pd.DataFrame:
    """The runs of an optimizer at all rates, with so many seeds."""
    sweep = jaxnets.Config(
        dataset="digits",
        hidden_units=(32,),
        num_epochs=6,
        optimizer=optimizer,
        learning_rate=RATES,
        num_seeds=num_seeds,
    )
    return jaxnets.sweep(sweep, progress=False).runs


def comparisons(first: pd.DataFrame, second: pd.DataFrame, repetitions: int) -> Iterator[Comparison]:
    """The protocol again and again, each on seeds of its own; `first` and `second` may be one pool."""
    size = TUNING_SEEDS + FINAL_SEEDS
    for number in range(repetitions):
        starts = (2 * number * size, (2 * number + 1) * size)
        sides = [
            _side(runs, start, name) for runs, start, name in zip((first, second), starts, ("a", "b"), strict=True)
        ]
        runs = pd.concat([part for side in sides for part in side], ignore_index=True)
        protocol = Protocol("grid", len(RATES), TUNING_SEEDS, FINAL_SEEDS, 1)
        empty = pd.DataFrame({"run": [], "step": [], "dev_accuracy": []})
        yield Comparison(runs, empty, pd.DataFrame(), "optimizer", (FACTS,), protocol)


def _side(runs: pd.DataFrame, start: int, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs that tune one method, and those that confirm it at its chosen rate."""
    tuning = runs[runs["seed"].between(start, start + TUNING_SEEDS - 1)]
    rate = tuning.groupby("learning_rate")["dev_accuracy"].mean().idxmax()
    fresh = runs["seed"].between(start + TUNING_SEEDS, start + TUNING_SEEDS + FINAL_SEEDS - 1)
    final = runs[fresh & (runs["learning_rate"] == rate)]
    common = {"optimizer": name, "task": "digits"}
    # numbered from 0, so that the two sides are paired as two sweeps' seeds would be
    return (
        tuning.assign(phase=TUNING, **common, seed=tuning["seed"] - start),
        final.assign(phase=FINAL, **common, seed=final["seed"] - start),
    )


def told_apart(first: pd.DataFrame, second: pd.DataFrame, repetitions: int) -> pd.Series:
    """How many repetitions end with each outcome."""
    outcomes = [
        leaderboard.pairs(comparison, 0.005)["outcome"].iloc[0]
        for comparison in comparisons(first, second, repetitions)
    ]
    return pd.Series(outcomes).value_counts()


def main() -> None:
    """Trains the pools and prints the two rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=200)
    repetitions = parser.parse_args().repetitions
    seeds = 2 * repetitions * (TUNING_SEEDS + FINAL_SEEDS)
    plain, noisy = pool("sgd", seeds), pool(noisy_sgd, seeds)
    best = [runs.groupby("learning_rate")["test_accuracy"].mean().max() for runs in (plain, noisy)]
    print(f"Mean test accuracy at the best rate: sgd {best[0]:.2%}, with noise {best[1]:.2%}.")
    for title, second in (("the same optimizer twice", plain), ("one that is worse", noisy)):
        counts = told_apart(plain, second, repetitions)
        apart = int(counts.get(leaderboard.FIRST, 0) + counts.get(leaderboard.SECOND, 0))
        print(f"{title}: told apart in {apart} of {repetitions} repetitions ({counts.to_dict()})")


if __name__ == "__main__":
    main()
