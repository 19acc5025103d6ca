"""False alarms: how often the rules of the claims decide where there is nothing to be found.

    python -m benchmarks.false_alarms --tables=200 --repetitions=20

Simulated: each claim's rules are given tables of effects in which nothing is true. For rules that want an effect above
a bound the true effect is zero; for those that want one below or within a bound it lies at the bound, as an effect of
zero would rightly support them. Real: small nets on tasks of the suite, where both sides are the same optimizer, tuned
and confirmed on seeds of their own. Sentences: comparisons of seven methods, of which each sentence is read beside
the interval that it prints.
"""

import argparse
import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from benchmarks import coverage
from jaxnets import tasks
from jaxnets.claims import verdicts
from jaxnets.claims.verdicts import CONTRADICTED, SUPPORTED, Rule
from jaxnets.comparison import answer, leaderboard
from jaxnets.config.config import Config
from jaxnets.engine.sweep import prepare
from jaxnets.experiments.lecture import CLAIMS
from jaxnets.runs import protocol, train
from jaxnets.runs.experiment import Claim
from jaxnets.stats import selection

REPEATS, SEEDS, TASKS = 8, 4, 8
NOISE = (0.5, 2.0, 8.0)
"""The spread of a table's effects, in bounds of the rule: where it is large, the bound protects from nothing."""
SUITE = ("digits", "breast_cancer", "wine", "spirals", "parity", "teacher_student")
RATES = [0.03, 0.1, 0.3, 1.0]


def by_chance(claim: Claim) -> dict[str, Rule]:
    """The core rules of a claim that chance decides."""
    return {name: rule for name, rule in claim.rules.items() if rule.core and rule.test != "exact"}


def simulated(rule: Rule, generator: np.random.Generator, noise: float) -> pd.DataFrame:
    """Effects of repeats and seeds without a finding; tasks differ in their spread."""
    truth = 0.0 if rule.test == "above" else rule.bound
    if rule.test == "above" and rule.against is not None and rule.against != -rule.bound:
        truth = (rule.bound + rule.against) / 2  # what is midway between the two
    scale, rows = noise * (abs(rule.bound) or 1.0), []
    for task in range(TASKS if rule.over else 1):
        spread = scale * np.exp(0.5 * generator.normal())
        repeats = truth + spread * generator.normal(size=REPEATS)
        for repeat, value in enumerate(repeats):
            effects = value + spread * generator.normal(size=SEEDS)
            rows += [
                {"task": f"task {task}", "repeat": repeat, "seed": seed, "effect": effect, "test_share": 0.0}
                for seed, effect in enumerate(effects)
            ]
    return pd.DataFrame(rows)


def alarms(rules: Mapping[str, Rule], number: int) -> tuple[int, int]:
    """How many parts decide in so many simulated tables of a claim, and how many tables have such a part."""
    parts = tables = 0
    for seed in range(number):
        generator = np.random.default_rng([seed, len(rules)])
        noise = NOISE[seed % len(NOISE)]
        found = {name: verdicts.effects(rule, simulated(rule, generator, noise)) for name, rule in rules.items()}
        decided = sum(one in (SUPPORTED, CONTRADICTED) for one in verdicts.outcomes(rules, found).values())
        parts, tables = parts + decided, tables + (decided > 0)
    return parts, tables


def pools(repetition: int) -> Iterator[pd.DataFrame]:
    """The runs of SGD on each task of the suite: all rates, in repeats that no other repetition has."""
    config = Config(
        optimizer="sgd",
        learning_rate=RATES,
        num_repeats=REPEATS,
        num_seeds=2 * (SEEDS + 1),
        base_seed=repetition + 1,
    )
    for task in tasks.find(",".join(SUITE)):
        own = protocol.of_task(config, task).changed(num_steps=60, evaluate_every=60)
        yield train.carry_out(prepare(own), None, None).runs.assign(task=task.name)


def null_effects(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    """The log ratio of two sides that are the same: in each repeat one seed tunes and the others confirm."""
    rows = []
    for (task, repeat), own in runs.groupby(["task", "repeat"], sort=False):
        own = own.assign(_loss=selection.counted(own, column))
        seeds = sorted(own["seed"].unique())
        sides = [_side(own, seeds[: SEEDS + 1]), _side(own, seeds[SEEDS + 1 :])]
        for seed, (one, other) in enumerate(zip(*sides, strict=True)):
            effect = float(np.log(max(one, 1e-12) / max(other, 1e-12)))
            rows.append({"task": task, "repeat": repeat, "seed": seed, "effect": effect})
    return pd.DataFrame(rows)


def _side(runs: pd.DataFrame, seeds: list[int]) -> list[float]:
    """The losses of the final seeds at the rate that the first seed chose."""
    tuning = runs[runs["seed"] == seeds[0]]
    rate = tuning.loc[tuning["_loss"].idxmin(), "learning_rate"]
    chosen = runs[(runs["learning_rate"] == rate) & runs["seed"].isin(seeds[1:])].sort_values("seed")
    return list(chosen["_loss"])


def real(repetitions: int) -> tuple[int, int]:
    """How many rules for ratios decide on real nets of which both sides are the same, each by itself; of how many."""
    rules = {rule for claim in CLAIMS.values() for rule in by_chance(claim).values()}
    rules = [rule for rule in rules if rule.over and rule.unit == "log×" and rule.test == "above"]
    decided = 0
    for repetition in range(repetitions):
        runs = pd.concat(pools(repetition), ignore_index=True)
        for column in ("train_loss", "test_loss"):
            effects = null_effects(runs, column)
            found = [verdicts.outcome(rule, verdicts.effects(rule, effects)) for rule in rules]
            decided += sum(one in (SUPPORTED, CONTRADICTED) for one in found)
    return decided, 2 * len(rules) * repetitions


METHODS = tuple("abcdefg")
_LEAD = re.compile(r"[a-g] − [a-g]: \S+ pp \(at least ([^)]+)\)")


def contradictions(headline: str, pairs: pd.DataFrame, margin: float) -> int:
    """How many words of a comparison contradict the interval beside them."""
    found = [[float(bound.replace("−", "-")) for bound in _LEAD.findall(part)] for part in headline.split(". ")]
    undecided = found[1] if "no single best" in headline else []
    decided = [bound for bounds in found[2 if undecided else 1 :] for bound in bounds]
    wrong = sum(bound > 0 for bound in undecided) + sum(bound <= 0 for bound in decided)
    if " tie: " in headline:
        wrong += float(headline.split("less than ")[1].split()[0]) > 100 * margin + 0.005
    else:
        wrong += not (undecided or decided)
    for row in pairs.itertuples():
        beyond = leaderboard.FIRST if row.low > 0 else leaderboard.SECOND if row.high < 0 else None
        within = -margin <= row.low and row.high <= margin
        wrong += row.outcome != (beyond or ("tie" if within else "open"))
    return wrong


def comparisons(number: int, spread: float, margin: float = 0.005) -> tuple[int, int, int]:
    """Simulated comparisons of seven methods: words that contradict, those that put the best out, or name one.

    Args:
      number: how many.
      spread: of the methods' true accuracies; at 0 none is better.
      margin: the difference below which nobody cares.
    """
    generator, wrong, lost, named = np.random.default_rng(0), 0, 0, 0
    for _ in range(number):
        truth = 0.9 + spread * generator.normal(size=len(METHODS))
        noise = 0.01 * np.exp(0.5 * generator.normal(size=len(METHODS)))  # methods differ in theirs
        values = generator.normal(truth, noise, (REPEATS, len(METHODS)))
        pairs = leaderboard.pairs(coverage.in_repeats(pd.DataFrame(values, columns=list(METHODS))), margin)
        table = pd.DataFrame({"method": list(METHODS), "accuracy": values.mean(axis=0)})
        headline = answer.headline("task", table, pairs)
        wrong += contradictions(headline, pairs, margin)
        best = METHODS[int(truth.argmax())]
        seen = pairs["bound_high"].where(pairs["first"] == best, -pairs["bound_low"])
        lost += bool((seen[(pairs["first"] == best) | (pairs["second"] == best)] < 0).any())
        named += "is best." in headline
    return wrong, lost, named


def main() -> None:
    """Prints a row for each claim, and the count of the real ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--comparisons", type=int, default=2000)
    given = parser.parse_args()
    print("| claim | core parts that chance decides | decided | tables with such a part |")
    print("| --- | --- | --- | --- |")
    for name, claim in CLAIMS.items():
        if rules := by_chance(claim):
            parts, tables = alarms(rules, given.tables)
            share = parts / (len(rules) * given.tables)
            print(f"| `{name}` | {len(rules)} | {share:.1%} | {tables} of {given.tables} |", flush=True)
    for spread in (0.0, 0.01):
        wrong, lost, named = comparisons(given.comparisons, spread)
        print(
            f"Of {given.comparisons} comparisons of seven, spread {spread:g}: {wrong} words contradict their interval; "
            f"the best is out in {lost}, one is named in {named}."
        )
    decided, total = real(given.repetitions)
    print(f"\nReal nets, both sides the same: {decided} of {total} rules decided ({decided / total:.1%}).")


if __name__ == "__main__":
    main()
