"""What a comparison says: who is ahead, by how much, how sure that is, and what cannot be said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jaxnets.comparison import leaderboard
from jaxnets.comparison.leaderboard import FIRST, SECOND
from jaxnets.comparison.table import Study
from jaxnets.stats import estimates
from jaxnets.stats.estimates import Estimate
from jaxnets.stats.hypothesis import TIE


@dataclass(frozen=True)
class Answer:
    """The answer of a study, as sentences and as the tables that they rest on.

    Bounds are those of 95% intervals, but for `pairs`; NaN where nothing can be said.
    """

    sentences: tuple[str, ...]
    cautions: tuple[str, ...]
    contestants: pd.DataFrame
    pairs: pd.DataFrame
    sensitivity: pd.DataFrame
    tuning: pd.DataFrame
    profiles: pd.DataFrame
    ranks: pd.DataFrame
    critical_difference: float = np.nan
    groups: tuple[tuple[str, ...], ...] = ()


def answer(study: Study, margin: float = 0.005, over_examples: bool = False) -> Answer:
    """What the tables of a comparison say."""
    contestants, pairs = leaderboard.contestants(study), leaderboard.pairs(study, margin, over_examples)
    tuning, sensitivity = leaderboard.tuning_curves(study), leaderboard.sensitivity(study)
    ranks, critical, groups = leaderboard.ranks(study)
    return Answer(
        sentences=tuple(_answer_sentences(study, contestants, pairs, tuning, (ranks, critical, groups))),
        cautions=tuple(cautions(study, contestants, pairs)),
        contestants=contestants,
        pairs=pairs,
        sensitivity=sensitivity,
        tuning=tuning,
        profiles=leaderboard.profiles(study),
        ranks=ranks,
        critical_difference=critical,
        groups=groups,
    )


def _answer_sentences(
    study: Study,
    contestants: pd.DataFrame,
    pairs: pd.DataFrame,
    tuning: pd.DataFrame,
    ranked: tuple[pd.DataFrame, float, tuple[tuple[str, ...], ...]],
) -> Iterator[str]:
    """The answer; of several tasks the whole first."""
    several = len(study.tasks) > 1
    if several:
        ranks, critical, groups = ranked
        yield from over_tasks(ranks, critical, groups, f"{len(study.tasks)} tasks")
        yield from counted(pairs, study.contestants)
    for facts in study.tasks:
        own = contestants[contestants["task"] == facts.name]
        of_task = pairs[pairs["task"] == facts.name]
        yield headline(facts.name, own, of_task)
        if not several:
            yield from sources(own, of_task)
            yield from certainty(own, of_task)
            yield from robustness(own)
            yield from effort(tuning)
            yield from speed(own)
            yield from averages(own)
    if several:
        yield from robustness(_mean_width(contestants))
    yield from saving(study)
    yield scope(study, pairs)


def _mean_width(contestants: pd.DataFrame) -> pd.DataFrame:
    return contestants.groupby("contestant", sort=False)["width_decades"].mean().reset_index()


FEW_TRIALS, MOST_NAMED = 4, 2


def headline(task: str, contestants: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Who is best on a task, or that nobody is.

    A contestant is out where a bound on its lead over another is below 0. Two contestants have one interval.
    """
    best, *others = _by_accuracy(contestants)
    if not others:
        return f"{task}: {best} alone, nothing to compare."
    out = {name: better for name in others if (better := _better(pairs, name, best)) is not None}
    left = [name for name in others if name not in out]
    behind = "; ".join(_lead(better, name, pairs) for name, better in out.items())
    rest = f" {behind}.{_bound_level(pairs)}" if behind else ""
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
    return f"{task}: {found}. {'; '.join(leads)}.{rest or _bound_level(pairs)}"


def _better(pairs: pd.DataFrame, name: str, leader: str) -> str | None:
    """The contestant that shows another not to be the best: the leader if it does, else the one that does most."""
    own = _seen_from(pairs, name).set_index("second")["bound_high"]
    return None if not (own < 0).any() else leader if own[leader] < 0 else str(own.idxmin())


def _lead(one: str, other: str, pairs: pd.DataFrame) -> str:
    """By how much a contestant is ahead of another, with what decides: of two alone their interval, else a bound."""
    row = _pair(pairs, one, other)
    if len(pairs) == 1 or np.isnan(row["bound_low"]):
        effect = Estimate(row["difference"], row["low"], row["high"], level=row["level"], values=row["values"])
        return f"{one} − {other}: {with_interval(effect)}"
    return f"{one} − {other}: {_signed(row['difference'])} pp (at least {_hundredths(row['bound_low'])})"


def _bound_level(pairs: pd.DataFrame) -> str:
    """The level of the bounds in a sentence of more than two contestants."""
    level = estimates.percent(pairs["bound_level"].iloc[0])
    known = pairs["bound_low"].notna().any() and len(pairs) > 1
    return f" Each bound is one-sided, with {level} confidence." if known else ""


def _level(pairs: pd.DataFrame) -> str:
    return estimates.percent(pairs["level"].iloc[0])


def _by_accuracy(contestants: pd.DataFrame) -> list[str]:
    return list(contestants.sort_values("accuracy", ascending=False, kind="stable")["contestant"])


def _seen_from(pairs: pd.DataFrame, name: str) -> pd.DataFrame:
    """The pairs of a contestant, with it as the first of each."""
    turned = pairs[pairs["second"] == name].rename(columns={"first": "second", "second": "first"})
    turned = turned.assign(
        outcome=turned["outcome"].replace({FIRST: SECOND, SECOND: FIRST}),
        difference=-turned["difference"],
        low=-turned["high"],
        high=-turned["low"],
        bound_low=-turned["bound_high"],
        bound_high=-turned["bound_low"],
        values=turned["values"].map(lambda values: tuple(-value for value in values)),
        improvement=1 - turned["improvement"],
        improvement_low=1 - turned["improvement_high"],
        improvement_high=1 - turned["improvement_low"],
    )
    return pd.concat([pairs[pairs["first"] == name], turned])


def _pair(pairs: pd.DataFrame, one: str, other: str) -> pd.Series:
    """A pair, seen from `one`."""
    own = _seen_from(pairs, one)
    return own[own["second"] == other].iloc[0]


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
    """Names in a sentence.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def certainty(contestants: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    """How often the run of the best contestant is the better one."""
    names = _by_accuracy(contestants)
    parts = [f"a {name} run: {_improvement(pairs, names[0], name)}" for name in names[1:]]
    if parts:
        yield f"Probability that a random {names[0]} run beats {', '.join(parts)}; 0.5 = no difference."


def _improvement(pairs: pd.DataFrame, one: str, other: str) -> str:
    value, low, high = _pair(pairs, one, other)[["improvement", "improvement_low", "improvement_high"]]
    return f"{value:.2f}" if np.isnan(low) else f"{value:.2f} ({low:.2f}–{high:.2f})"


def robustness(contestants: pd.DataFrame) -> Iterator[str]:
    """How wide the good learning rates are."""
    known = contestants.dropna(subset=["width_decades"]).sort_values("width_decades", ascending=False, kind="stable")
    if len(known):
        parts = [f"{row.contestant} {row.width_decades:.1f}" for row in known.itertuples()]
        yield f"Learning-rate range within 1% of the best, in decades: {', '.join(parts)}."


def effort(tuning: pd.DataFrame) -> Iterator[str]:
    """What a small tuning budget gives; nothing where there was one trial."""
    if tuning.empty or tuning["budget"].max() < 2:
        return
    parts = []
    for name, curve in tuning.groupby("contestant", sort=False):
        few = curve[curve["budget"] <= FEW_TRIALS].iloc[-1]
        parts.append((few["accuracy"], f"{name} {few['accuracy']:.1%}", int(few["budget"])))
    budget = max(number for *_, number in parts)
    shown = ", ".join(text for _, text, _ in sorted(parts, key=lambda part: -part[0]))
    yield f"Expected test accuracy of the best of {budget} trials (of {int(tuning['budget'].max())}): {shown}."


def speed(contestants: pd.DataFrame) -> Iterator[str]:
    """Steps and seconds of the median run to the target."""
    arrived = contestants[np.isfinite(contestants["steps_to_target"])].sort_values("steps_to_target")
    if arrived.empty:
        return
    parts = [
        f"{row.contestant} {row.steps_to_target:,.0f} ({row.seconds_to_target:.2g} s)" for row in arrived.itertuples()
    ]
    late = [name for name in contestants["contestant"] if name not in set(arrived["contestant"])]
    never = f"; not reached by most runs of {_listed(late)}" if late else ""
    yield f"Steps of the median run to {arrived['target'].iloc[0]:.1%} dev accuracy: {', '.join(parts)}{never}."


def saving(study: Study) -> Iterator[str]:
    """What runs that diverged or were dropped did not cost."""
    taken, saved = study.protocol.steps_taken, study.protocol.steps_saved
    if saved:
        why = "halving, divergence" if study.protocol.search == "halving" else "divergence"
        yield f"{saved / (taken + saved):.0%} of the steps were skipped ({why}): {saved:,} of {taken + saved:,}."


def averages(contestants: pd.DataFrame) -> Iterator[str]:
    """What the averaged probabilities of the seeds give, for the best contestant."""
    best = contestants.sort_values("accuracy", ascending=False, kind="stable").iloc[0]
    if np.isnan(best["ensemble_accuracy"]) or best["members"] < 2:
        return
    yield (
        f"Ensemble of the {best['members']:.0f} {best['contestant']} runs: {best['ensemble_accuracy']:.1%} "
        f"(single run: {best['single_accuracy']:.1%}); "
        f"log loss {best['ensemble_loss']:.3f} ({best['single_loss']:.3f}); "
        f"calibration error {best['ensemble_calibration']:.1%} ({best['single_calibration']:.1%})."
    )


def over_tasks(ranks: pd.DataFrame, critical: float, groups: Sequence[Sequence[str]], of: str) -> Iterator[str]:
    """The mean ranks over tasks or blocks."""
    if ranks.empty:
        return
    shown = _listed([f"{row.contestant} {row.rank:.1f}" for row in ranks.itertuples()])
    leader = ranks["contestant"].iloc[0]
    close = next((list(group) for group in groups if leader in group and len(group) > 1), [])
    others = [name for name in close if name != leader]
    found = f"{leader} is not separated from {_listed(others)}" if others else f"{leader} is best"
    yield f"Mean ranks over {of}: {shown} (critical difference {critical:.1f}); {found}."


def counted(pairs: pd.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """On how many tasks each contestant is ahead of another, and behind one."""
    num_tasks = pairs["task"].nunique()
    parts = []
    for name in names:
        outcomes = list(_seen_from(pairs, name)["outcome"])
        ahead, behind = outcomes.count(FIRST), outcomes.count(SECOND)
        parts.append((ahead - behind, f"{name} {ahead} won, {behind} lost"))
    shown = "; ".join(text for _, text in sorted(parts, key=lambda part: -part[0]))
    by = f"{_level(pairs)} CIs, simultaneous over the pairs of a task"
    yield f"Pairwise comparisons on {num_tasks} tasks ({by}): {shown}; the rest are ties or open."


def sources(contestants: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    """What the variance of the leader's leads is made of, where that is known."""
    leader, *others = _by_accuracy(contestants)
    parts = []
    for name in others[:MOST_NAMED]:
        known = _pair(pairs, leader, name)[list(SOURCES)].astype(float).dropna()
        shares = [f"{words} {known[column]:.0%}" for column, words in SOURCES.items() if column in known]
        parts += [f"{leader} − {name}: {', '.join(shares)}"] if shares else []
    if parts:
        yield f"Sources of the variance of {'; '.join(parts)}."


SOURCES = {"of_seeds": "seeds", "of_choice": "choice of the setting", "of_examples": "test examples"}


def scope(study: Study, pairs: pd.DataFrame) -> str:
    """What the intervals hold for."""
    protocol = study.protocol
    if protocol.num_blocks > 1:
        independent = [facts.independent for facts in study.tasks]
        shared = "" if all(independent) else ", corrected for the examples that blocks share (Nadeau and Bengio 2003)"
        made = "; generated data share none" if any(independent) else ""
        return (
            f"Intervals are over {protocol.num_blocks} blocks, each with its own split, tuning and seeds{shared}{made}."
        )
    if study.unit == "fold":
        folds = study.runs["fold"].nunique()
        return f"Intervals are over {folds} folds, corrected for the examples that they share."
    seeds = protocol.confirm_seeds or protocol.num_seeds
    examples, of = (", the test examples", "training data") if pairs["of_examples"].notna().any() else ("", "data")
    return (
        f"Intervals of differences cover {seeds} seeds{examples} and the choice of the setting, on this split "
        f"of the {of} only; --num_blocks=8 repeats everything on other splits."
    )


def cautions(study: Study, contestants: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    """What the answer does not say, and what should be looked at."""
    if study.unfinished:
        yield f"Interrupted; unfinished tasks are left out: {', '.join(study.unfinished)}."
    if not study.protocol.confirm_seeds:
        yield "No confirmation runs: tuning runs are reported, so scores are optimistic; use --confirm_seeds=32."
    edged = contestants[contestants["edge"].astype(bool)]
    for name, rows in edged.groupby("contestant", sort=False):
        where = f" on {_listed(list(rows['task']))}" if contestants["task"].nunique() > 1 else ""
        yield f"The best learning rate of {name} is at the edge of its range{where}: widen the range."
    lost = contestants[contestants["diverged_share"] > 0]
    for row in lost.itertuples():
        share = f"{row.diverged_share:.0%}"
        yield f"{share} of the test runs of {row.contestant} on {row.task} diverged and count as chance."
    yield from _doubtful(pairs)
    yield from _unseen(contestants)


def _doubtful(pairs: pd.DataFrame) -> Iterator[str]:
    """Pairs of which there is no interval, or one to be taken with care."""
    for note in dict.fromkeys(note for note in pairs["note"] if note):
        which = pairs[pairs["note"] == note]
        shown = [f"{row.first} and {row.second} on {row.task}" for row in which.itertuples()]
        more = [f"{len(shown) - 3} others"] if len(shown) > 4 else []
        kind = "No interval for" if which["low"].isna().all() else "Unreliable interval for"
        yield f"{kind} {_listed([*(shown[:3] if more else shown), *more])}: {note}."


def _unseen(contestants: pd.DataFrame) -> Iterator[str]:
    """Failures too rare to be seen."""
    fewest = int(contestants["num_runs"].min()) if len(contestants) else 0
    if fewest and not contestants["diverged_share"].any() and (most := estimates.unseen_failures(fewest)):
        yield f"0 of at least {fewest} runs of each contestant failed; {most}."
