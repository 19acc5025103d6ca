"""What a comparison says: who is ahead, by how much, how sure that is, and what cannot be said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from jaxnets.comparison import leaderboard
from jaxnets.comparison.leaderboard import FIRST, SECOND, seen_from
from jaxnets.comparison.table import Comparison
from jaxnets.stats import estimates
from jaxnets.stats.estimates import Estimate
from jaxnets.stats.hypothesis import TIE

SOURCES = {"of_seeds": "seeds", "of_choice": "choice of the setting", "of_examples": "test examples"}
FEW_TRIALS, MOST_NAMED = 4, 2


@dataclass(frozen=True)
class Answer:
    """The answer of a comparison, as sentences and as the tables that they rest on.

    On each task methods are sorted by their accuracy, and the better one of a pair is the first. Bounds are those
    of intervals at the `level`, but for `pairs`; NaN where nothing can be said.
    """

    sentences: tuple[str, ...]
    cautions: tuple[str, ...]
    methods: pd.DataFrame
    pairs: pd.DataFrame
    sensitivity: pd.DataFrame
    tuning: pd.DataFrame
    profiles: pd.DataFrame
    ranks: pd.DataFrame
    critical_difference: float = np.nan
    groups: tuple[tuple[str, ...], ...] = ()
    level: float = estimates.LEVEL

    @property
    def percent(self) -> str:
        """The level of the intervals, in words."""
        return estimates.percent(self.level)


def answer(comparison: Comparison, margin: float = 0.005, over_examples: bool = False) -> Answer:
    """What the tables of a comparison say."""
    found = leaderboard.methods(comparison)
    by_task = [
        own.sort_values("accuracy", ascending=False, kind="stable") for _, own in found.groupby("task", sort=False)
    ]
    methods = pd.concat(by_task, ignore_index=True)
    pairs = leaderboard.best_first(leaderboard.pairs(comparison, margin, over_examples), methods)
    ranks, critical, groups = leaderboard.ranks(comparison)
    said = Answer(
        sentences=(),
        cautions=tuple(cautions(comparison, methods, pairs)),
        methods=methods,
        pairs=pairs,
        sensitivity=leaderboard.sensitivity(comparison),
        tuning=leaderboard.tuning_curves(comparison),
        profiles=leaderboard.profiles(comparison),
        ranks=ranks,
        critical_difference=critical,
        groups=groups,
        level=comparison.level,
    )
    return replace(said, sentences=tuple(_sentences(comparison, said)))


def _sentences(comparison: Comparison, said: Answer) -> Iterator[str]:
    """The answer; of several tasks the whole first."""
    several = len(comparison.tasks) > 1
    if several:
        yield from _over_tasks(said, len(comparison.tasks))
    for facts in comparison.tasks:
        own, pairs = (table[table["task"] == facts.name] for table in (said.methods, said.pairs))
        yield headline(facts.name, own, pairs)
    if not several:
        yield from _certainty(own, pairs)
    widths = said.methods.groupby("method", sort=False)["width_decades"].mean().dropna()
    if len(widths):
        parts = [f"{name} {width:.1f}" for name, width in widths.sort_values(ascending=False, kind="stable").items()]
        yield f"Learning-rate range within 1% of the best, in decades: {', '.join(parts)}."
    if not several:
        yield from _effort(said.tuning)
        yield from _speed(own)
        yield from _averages(own)
    taken, saved = comparison.protocol.steps_taken, comparison.protocol.steps_saved
    if saved:
        why = "halving, divergence" if comparison.protocol.search == "halving" else "divergence"
        yield f"{saved / (taken + saved):.0%} of the steps were skipped ({why}): {saved:,} of {taken + saved:,}."
    yield _scope(comparison, said.pairs)


def headline(task: str, methods: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Who is best on a task, or that nobody is.

    A method is out where a bound on its lead over another is below 0. Two methods have one interval.
    """
    best, *others = methods.sort_values("accuracy", ascending=False, kind="stable")["method"]
    if not others:
        return f"{task}: {best} alone, nothing to compare."
    out = {name: better for name in others if (better := _better(pairs, name, best)) is not None}
    left = [name for name in others if name not in out]
    level = estimates.percent(pairs["bound_level"].iloc[0])
    one_sided = len(pairs) > 1 and pairs["bound_low"].notna().any()
    bounds = f" Each bound is one-sided, with {level} confidence." if one_sided else ""
    behind = "; ".join(_lead(better, name, pairs) for name, better in out.items())
    rest = f" {behind}.{bounds}" if behind else ""
    if not left:
        return f"{task}: {best} is best.{rest}"
    together = pairs[pairs["first"].isin([best, *left]) & pairs["second"].isin([best, *left])]
    if (together["outcome"] == TIE).all():
        largest = together[["low", "high"]].abs().to_numpy().max()
        over = f", simultaneous over {len(pairs)} pairs" if len(pairs) > 1 else ""
        tie = f"they differ by less than {_hundredths(largest)} pp of test accuracy ({_level(pairs)} CI{over})"
        return f"{task}: {_listed([best, *left])} tie: {tie}.{rest}"
    leads = [_lead(best, name, pairs) for name in left[:MOST_NAMED]]
    leads += [f"nor is {best} separated from {_listed(left[MOST_NAMED:])}"] if left[MOST_NAMED:] else []
    found = "no significant difference" if len(others) == 1 else "no single best"
    return f"{task}: {found}. {'; '.join(leads)}.{rest or bounds}"


def _better(pairs: pd.DataFrame, name: str, leader: str) -> str | None:
    """The method that shows another not to be the best: the leader if it does, else the one that does most."""
    own = seen_from(pairs, name).set_index("second")["bound_high"]
    return None if not (own < 0).any() else leader if own[leader] < 0 else str(own.idxmin())


def _lead(one: str, other: str, pairs: pd.DataFrame) -> str:
    """By how much a method is ahead of another, with what decides: of two alone their interval, else a bound."""
    row = _pair(pairs, one, other)
    if len(pairs) == 1 or np.isnan(row["bound_low"]):
        effect = Estimate(row["difference"], row["low"], row["high"], level=row["level"], values=row["values"])
        return f"{one} − {other}: {with_interval(effect)}"
    return f"{one} − {other}: {_signed(row['difference'])} pp (at least {_hundredths(row['bound_low'])})"


def _pair(pairs: pd.DataFrame, one: str, other: str) -> pd.Series:
    own = seen_from(pairs, one)
    return own[own["second"] == other].iloc[0]


def _level(pairs: pd.DataFrame) -> str:
    return estimates.percent(pairs["level"].iloc[0])


def with_interval(effect: Estimate) -> str:
    """A difference of accuracies with its interval, in percentage points.

    >>> with_interval(Estimate(0.0023, -0.0016, 0.0061))
    '+0.23 pp (95% CI −0.16 to 0.61)'
    """
    if np.isnan(effect.low) or np.isnan(effect.high):
        shown = ", ".join(map(_hundredths, effect.values))
        return f"{_signed(effect.value)} pp ({f'of {shown}: ' if shown else ''}no interval)"
    low, high = _hundredths(effect.low), _hundredths(effect.high)
    return f"{_signed(effect.value)} pp ({estimates.percent(effect.level)} CI {low} to {high})"


def _signed(share: float) -> str:
    return f"{'+' if share > 0 else ''}{_hundredths(share)}"


def _hundredths(share: float) -> str:
    """A share in percent, with as many digits as keep its sign.

    >>> _hundredths(0.0123), _hundredths(-0.00001), _hundredths(0.0)
    ('1.23', '−0.001', '0.00')
    """
    form = "{:.2f}" if share == 0 or abs(share) >= 0.00005 else "{:.1g}"
    return form.format(100 * share).replace("-", "−")


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _certainty(methods: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    """What the variance of the leader's leads is made of, and how often a run of it is the better one."""
    leader, *others = methods["method"]
    rows = {name: _pair(pairs, leader, name) for name in others}
    parts = []
    for name in others[:MOST_NAMED]:
        shares = [
            f"{words} {rows[name][column]:.0%}" for column, words in SOURCES.items() if pd.notna(rows[name][column])
        ]
        parts += [f"{leader} − {name}: {', '.join(shares)}"] if shares else []
    if parts:
        yield f"Sources of the variance of {'; '.join(parts)}."
    parts = []
    for name, row in rows.items():
        low, high = row["improvement_low"], row["improvement_high"]
        parts.append(f"one of {name}: {row['improvement']:.2f}" + ("" if np.isnan(low) else f" ({low:.2f}–{high:.2f})"))
    if parts:
        yield f"Probability that a random {leader} run beats {', '.join(parts)}; 0.5 = no difference."


def _effort(tuning: pd.DataFrame) -> Iterator[str]:
    """What a small tuning budget gives; nothing where there was one trial."""
    if tuning.empty or tuning["budget"].max() < 2:
        return
    few = tuning[tuning["budget"] <= FEW_TRIALS].groupby("method", sort=False).tail(1)
    best = few.sort_values("accuracy", ascending=False, kind="stable")
    shown = ", ".join(f"{row.method} {row.accuracy:.1%}" for row in best.itertuples())
    budget, most = (int(table["budget"].max()) for table in (few, tuning))
    yield f"Expected test accuracy of the best of {budget} trials (of {most}): {shown}."


def _speed(methods: pd.DataFrame) -> Iterator[str]:
    """Steps and seconds of the median run to the target."""
    arrived = methods[np.isfinite(methods["steps_to_target"])].sort_values("steps_to_target")
    if arrived.empty:
        return
    parts = [f"{row.method} {row.steps_to_target:,.0f} ({row.seconds_to_target:.2g} s)" for row in arrived.itertuples()]
    late = [name for name in methods["method"] if name not in set(arrived["method"])]
    never = f"; not reached by most runs of {_listed(late)}" if late else ""
    yield f"Steps of the median run to {arrived['target'].iloc[0]:.1%} dev accuracy: {', '.join(parts)}{never}."


def _averages(methods: pd.DataFrame) -> Iterator[str]:
    """What the averaged probabilities of the seeds give, for the best method."""
    best = methods.iloc[0]
    if best["members"] >= 2:
        yield (
            f"Ensemble of the {best['members']:.0f} {best['method']} runs: {best['ensemble_accuracy']:.1%} "
            f"(single run: {best['single_accuracy']:.1%}); "
            f"log loss {best['ensemble_loss']:.3f} ({best['single_loss']:.3f}); "
            f"calibration error {best['ensemble_calibration']:.1%} ({best['single_calibration']:.1%})."
        )


def _over_tasks(said: Answer, num_tasks: int) -> Iterator[str]:
    """The mean ranks over tasks, and on how many pairs each method is ahead and behind."""
    if len(said.ranks):
        shown = _listed([f"{row.method} {row.rank:.1f}" for row in said.ranks.itertuples()])
        leader = said.ranks["method"].iloc[0]
        close = next((group for group in said.groups if leader in group), ())
        others = [name for name in close if name != leader]
        found = f"{leader} is not separated from {_listed(others)}" if others else f"{leader} is best"
        about = f"critical difference {said.critical_difference:.1f}"
        yield f"Mean ranks over {num_tasks} tasks: {shown} ({about}); {found}."
    if len(said.pairs):
        parts = []
        for name in dict.fromkeys(said.methods["method"]):
            outcomes = list(seen_from(said.pairs, name)["outcome"])
            ahead, behind = outcomes.count(FIRST), outcomes.count(SECOND)
            parts.append((ahead - behind, f"{name} {ahead} won, {behind} lost"))
        counts = "; ".join(text for _, text in sorted(parts, key=lambda part: -part[0]))
        by = f"{_level(said.pairs)} CIs, simultaneous over the pairs of a task"
        yield f"Pairwise comparisons on {num_tasks} tasks ({by}): {counts}; the rest are ties or open."


def _scope(comparison: Comparison, pairs: pd.DataFrame) -> str:
    """What the intervals hold for."""
    protocol = comparison.protocol
    if protocol.num_repeats > 1:
        independent = [facts.independent for facts in comparison.tasks]
        shared = "" if all(independent) else ", corrected for the examples that repeats share (Nadeau and Bengio 2003)"
        made = "; generated data share none" if any(independent) else ""
        about = "each with its own split, tuning and seeds"
        return f"Intervals are over {protocol.num_repeats} repeats, {about}{shared}{made}."
    if comparison.unit == "fold":
        folds = comparison.runs["fold"].nunique()
        return f"Intervals are over {folds} folds, corrected for the examples that they share."
    seeds = protocol.final_seeds or protocol.num_seeds
    examples, of = (", the test examples", "training data") if pairs["of_examples"].notna().any() else ("", "data")
    return (
        f"Intervals of differences cover {seeds} seeds{examples} and the choice of the setting, on this split "
        f"of the {of} only; --num_repeats=8 repeats everything on other splits."
    )


def cautions(comparison: Comparison, methods: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    """What the answer does not say, and what should be looked at."""
    if comparison.unfinished:
        yield f"Interrupted; unfinished tasks are left out: {', '.join(comparison.unfinished)}."
    if not comparison.protocol.final_seeds:
        yield "No final runs: tuning runs are reported, so scores are optimistic; use --final_seeds=32."
    edged = methods[methods["edge"].astype(bool)]
    for name, rows in edged.groupby("method", sort=False):
        where = f" on {_listed(list(rows['task']))}" if methods["task"].nunique() > 1 else ""
        yield f"The best learning rate of {name} is at the edge of its range{where}: widen the range."
    for row in methods[methods["diverged_share"] > 0].itertuples():
        share = f"{row.diverged_share:.0%}"
        yield f"{share} of the test runs of {row.method} on {row.task} diverged and count as chance."
    for note in dict.fromkeys(note for note in pairs["note"] if note):
        which = pairs[pairs["note"] == note]
        shown = [f"{row.first} and {row.second} on {row.task}" for row in which.itertuples()]
        more = [f"{len(shown) - 3} others"] if len(shown) > 4 else []
        kind = "No interval for" if which["low"].isna().all() else "Unreliable interval for"
        yield f"{kind} {_listed([*(shown[:3] if more else shown), *more])}: {note}."
    fewest = int(methods["num_runs"].min()) if len(methods) else 0
    if fewest and not methods["diverged_share"].any() and (most := estimates.unseen_failures(fewest, comparison.level)):
        yield f"0 of at least {fewest} runs of each method failed; {most}."
