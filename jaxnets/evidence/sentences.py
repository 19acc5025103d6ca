"""A comparison's answer in sentences, each computed from its tables."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from jaxnets.evidence import intervals
from jaxnets.evidence.comparing import TIE
from jaxnets.evidence.intervals import Estimate
from jaxnets.evidence.standings import FIRST, SECOND
from jaxnets.evidence.study import Study

FEW_TRIALS, MOST_NAMED = 4, 2


def headline(task: str, contestants: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Who is ahead on a task, or that nobody is.

    A contestant is out where a bound on its lead over another is below 0. Two contestants have one interval.
    """
    names = _by_accuracy(contestants)
    if len(names) < 2:
        return f"On {task} there is nothing to compare {_listed(names)} with."
    out = {name: better for name in names[1:] if (better := _better(pairs, name, names[0])) is not None}
    left = [name for name in names[1:] if name not in out]
    behind = (
        f"it is ahead of {_leads([one for one in out if out[one] == names[0]], names[0], pairs)}"
        if names[0] in out.values()
        else ""
    )
    others = [f"{one} is behind {name} by {_lead(name, one, pairs)}" for one, name in out.items() if name != names[0]]
    if not left:
        return f"On {task} {names[0]} is ahead: {'; '.join(filter(None, [behind, *others]))}.{_at(pairs)}"
    rest = "".join(f" {text[0].upper()}{text[1:]}." for text in (behind, *others) if text)
    between = pairs[pairs["first"].isin([names[0], *left]) & pairs["second"].isin([names[0], *left])]
    if (between["outcome"] == TIE).all():
        largest = between[["low", "high"]].abs().to_numpy().max()
        together = f", simultaneous over {len(pairs)} pairs" if len(pairs) > 1 else ""
        tie = f"they differ by less than {_points(largest)} of test accuracy ({_level(pairs)} CI{together})"
        return f"On {task} {_listed([names[0], *left])} tie: {tie}.{rest}{_at(pairs) if rest else ''}"
    parts = [f"{names[0]} less {name} is {_lead(names[0], name, pairs)}" for name in left[:MOST_NAMED]]
    parts += [f"{', '.join(left[MOST_NAMED:])} cannot be told apart from it either"] if left[MOST_NAMED:] else []
    return f"On {task} no winner can be named: {_listed(parts)}.{rest}{_at(pairs)}"


def _better(pairs: pd.DataFrame, name: str, leader: str) -> str | None:
    """The contestant that shows another not to be the best: the leader if it does, else the one that does most."""
    own = _seen_from(pairs, name).set_index("second")["bound_high"]
    return None if not (own < 0).any() else leader if own[leader] < 0 else str(own.idxmin())


def _leads(beaten: Sequence[str], better: str, pairs: pd.DataFrame) -> str:
    """By how much a contestant is ahead of others."""
    return _listed([f"{name} by {_lead(better, name, pairs)}" for name in beaten])


def _lead(one: str, other: str, pairs: pd.DataFrame) -> str:
    """By how much a contestant is ahead of another, with what decides: of two alone their interval, else a bound."""
    row = _pair(pairs, one, other)
    if len(pairs) == 1 or np.isnan(row["bound_low"]):
        return with_interval(
            Estimate(row["difference"], row["low"], row["high"], level=row["level"], values=row["values"])
        )
    return f"{_points(row['difference'])} (at least {_hundredths(row['bound_low'])})"


def _at(pairs: pd.DataFrame) -> str:
    """The level of the bounds in a sentence of more than two contestants."""
    level = intervals.percent(pairs["bound_level"].iloc[0])
    known = pairs["bound_low"].notna().any() and len(pairs) > 1
    return f" Each bound is one-sided, of {level} confidence." if known else ""


def _level(pairs: pd.DataFrame) -> str:
    return intervals.percent(pairs["level"].iloc[0])


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
    """A difference of accuracies with its interval, in points."""
    if np.isnan(effect.low) or np.isnan(effect.high):
        shown = ", ".join(map(_hundredths, effect.values))
        return f"{_points(effect.value)} ({f'of {shown}: ' if shown else ''}no interval)"
    low, high = _hundredths(effect.low), _hundredths(effect.high)
    return f"{_points(effect.value)} ({intervals.percent(effect.level)} CI {low} to {high})"


def _points(share: float) -> str:
    """A difference of accuracies.

    >>> _points(0.0123)
    '1.23 points'
    """
    return f"{_hundredths(share)} points"


def _hundredths(share: float) -> str:
    """A share in percent, with as many digits as keep its sign.

    >>> _hundredths(0.0123), _hundredths(-0.00001), _hundredths(0.0)
    ('1.23', '-0.001', '0.00')
    """
    return f"{100 * share:.2f}" if share == 0 or abs(share) >= 0.00005 else f"{100 * share:.1g}"


def _listed(parts: Sequence[str]) -> str:
    """Names in a sentence.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def certainty(contestants: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    """How often the run of the best contestant is the better one."""
    names = _by_accuracy(contestants)
    parts = [f"{_improvement(pairs, names[0], name)} against {name}" for name in names[1:]]
    if parts:
        yield f"A run of {names[0]} is the better one with probability {_listed(parts)} (0.5 is a coin)."


def _improvement(pairs: pd.DataFrame, one: str, other: str) -> str:
    value, low, high = _pair(pairs, one, other)[["improvement", "improvement_low", "improvement_high"]]
    return f"{value:.2f}" if np.isnan(low) else f"{value:.2f} ({low:.2f} to {high:.2f})"


def robustness(contestants: pd.DataFrame) -> Iterator[str]:
    """How wide the good learning rates are."""
    known = contestants.dropna(subset=["width_decades"]).sort_values("width_decades", ascending=False, kind="stable")
    if len(known):
        parts = [f"{row.width_decades:.1f} for {row.contestant}" for row in known.itertuples()]
        yield f"The learning rates within 1% of the best span, in powers of ten, {_listed(parts)}."


def effort(tuning: pd.DataFrame) -> Iterator[str]:
    """What a small tuning budget gives; nothing where there was one trial."""
    if tuning.empty or tuning["budget"].max() < 2:
        return
    parts = []
    for name, curve in tuning.groupby("contestant", sort=False):
        few = curve[curve["budget"] <= FEW_TRIALS].iloc[-1]
        parts.append((few["accuracy"], f"{few['accuracy']:.1%} for {name}", int(few["budget"])))
    budget = max(number for *_, number in parts)
    shown = _listed([text for _, text, _ in sorted(parts, key=lambda part: -part[0])])
    yield f"After {budget} of {int(tuning['budget'].max())} trials the chosen setting is expected at {shown}."


def speed(contestants: pd.DataFrame) -> Iterator[str]:
    """Steps and seconds of the median run to the target."""
    arrived = contestants[np.isfinite(contestants["steps_to_target"])].sort_values("steps_to_target")
    if arrived.empty:
        return
    parts = [
        f"{row.contestant} {row.steps_to_target:,.0f} ({row.seconds_to_target:.2g} s)" for row in arrived.itertuples()
    ]
    late = [name for name in contestants["contestant"] if name not in set(arrived["contestant"])]
    never = f"; most runs of {_listed(late)} never get there" if late else ""
    yield f"Steps to {arrived['target'].iloc[0]:.1%} on dev: {_listed(parts)}{never}."


def saving(study: Study) -> Iterator[str]:
    """What runs that diverged or were dropped did not cost."""
    taken, saved = study.protocol.steps_taken, study.protocol.steps_saved
    if saved:
        why = "halving dropped runs on the way" if study.protocol.search == "halving" else "runs that diverged ended"
        yield f"{taken:,} steps were taken; {saved:,} ({saved / (taken + saved):.0%}) were saved, as {why}."


def averages(contestants: pd.DataFrame) -> Iterator[str]:
    """What the averaged probabilities of the seeds give, for the best contestant."""
    best = contestants.sort_values("accuracy", ascending=False, kind="stable").iloc[0]
    if np.isnan(best["ensemble_accuracy"]) or best["members"] < 2:
        return
    yield (
        f"The average of {best['contestant']}'s {best['members']:.0f} nets is right on "
        f"{best['ensemble_accuracy']:.1%} where one is on {best['single_accuracy']:.1%}; log loss "
        f"{best['ensemble_loss']:.3f} against {best['single_loss']:.3f}, calibration error "
        f"{best['ensemble_calibration']:.1%} against {best['single_calibration']:.1%}."
    )


def over_tasks(ranks: pd.DataFrame, critical: float, groups: Sequence[Sequence[str]], of: str) -> Iterator[str]:
    """The mean ranks over tasks or blocks."""
    if ranks.empty:
        return
    shown = _listed([f"{row.contestant} {row.rank:.1f}" for row in ranks.itertuples()])
    leader = ranks["contestant"].iloc[0]
    close = next((list(group) for group in groups if leader in group and len(group) > 1), [])
    others = [name for name in close if name != leader]
    told = f"{leader} cannot be told from {_listed(others)}" if others else f"{leader} is ahead of all others"
    yield f"Mean ranks over {of}: {shown}; with a critical difference of {critical:.1f}, {told}."


def counted(pairs: pd.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """On how many tasks each contestant is ahead of another, and behind one."""
    num_tasks = pairs["task"].nunique()
    parts = []
    for name in names:
        outcomes = list(_seen_from(pairs, name)["outcome"])
        ahead, behind = outcomes.count(FIRST), outcomes.count(SECOND)
        parts.append((ahead - behind, f"{name} {ahead} won and {behind} lost"))
    shown = _listed([text for _, text in sorted(parts, key=lambda part: -part[0])])
    by = f"by {_level(pairs)} CIs, simultaneous over the pairs of a task"
    yield f"Of the comparisons by pairs on {num_tasks} tasks, {by}: {shown}; the others are ties or open."


def sources(contestants: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    """What the variance of the leader's leads is made of, where that is known."""
    leader, *others = _by_accuracy(contestants)
    parts = []
    for name in others[:MOST_NAMED]:
        known = _pair(pairs, leader, name)[list(SOURCES)].astype(float).dropna()
        shares = [f"{words} {known[column]:.0%}" for column, words in SOURCES.items() if column in known]
        parts += [f"of {leader} less {name}: {', '.join(shares)}"] if shares else []
    if parts:
        yield f"Sources of the variance {'; '.join(parts)}."


SOURCES = {"of_seeds": "seeds", "of_choice": "choice of the setting", "of_examples": "test examples"}


def scope(study: Study, pairs: pd.DataFrame) -> str:
    """What the intervals hold for."""
    protocol = study.protocol
    if protocol.num_blocks > 1:
        independent = [facts.independent for facts in study.tasks]
        shared = "" if all(independent) else ", corrected for the examples that blocks share (Nadeau and Bengio 2003)"
        made = "; generated data share none" if any(independent) else ""
        return (
            f"The intervals are over {protocol.num_blocks} blocks, each with a new split, new tuning and new seeds"
            f"{shared}{made}."
        )
    if study.unit == "fold":
        folds = study.runs["fold"].nunique()
        return f"The intervals are over {folds} folds, corrected for the examples that they share."
    seeds = protocol.confirm_seeds or protocol.num_seeds
    examples, of = (", the test examples", "training data") if pairs["of_examples"].notna().any() else ("", "data")
    return (
        f"The intervals of differences are over {seeds} seeds{examples} and the choice of the setting, and hold for "
        f"this split of the {of} alone; --num_blocks=8 repeats all of it on other splits."
    )


def cautions(study: Study, contestants: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    """What the answer does not say, and what should be looked at."""
    if study.unfinished:
        yield f"The comparison was interrupted; not carried out whole, and left out: {', '.join(study.unfinished)}."
    if not study.protocol.confirm_seeds:
        yield "The seeds that chose the settings report as well, which flatters; --confirm_seeds=32 takes fresh ones."
    edged = contestants[contestants["edge"].astype(bool)]
    for name, rows in edged.groupby("contestant", sort=False):
        where = f" on {_listed(list(rows['task']))}" if contestants["task"].nunique() > 1 else ""
        yield f"The best learning rate of {name} lies on the edge of its range{where}: widen the range first."
    lost = contestants[contestants["diverged_share"] > 0]
    for row in lost.itertuples():
        share = f"{row.diverged_share:.0%}"
        yield f"{share} of the confirming runs of {row.contestant} on {row.task} diverged; they count as chance."
    yield from _doubtful(pairs)
    yield from _unseen(contestants)


def _doubtful(pairs: pd.DataFrame) -> Iterator[str]:
    """Pairs of which there is no interval, or one to be taken with care."""
    for note in dict.fromkeys(note for note in pairs["note"] if note):
        which = pairs[pairs["note"] == note]
        shown = [f"{row.first} and {row.second} on {row.task}" for row in which.itertuples()]
        more = [f"{len(shown) - 3} others"] if len(shown) > 4 else []
        kind = "There is no interval for" if which["low"].isna().all() else "Take with care the interval of"
        yield f"{kind} {_listed([*(shown[:3] if more else shown), *more])}: {note}."


def _unseen(contestants: pd.DataFrame) -> Iterator[str]:
    """Failures too rare to be seen."""
    fewest = int(contestants["num_runs"].min()) if len(contestants) else 0
    if fewest and not contestants["diverged_share"].any() and (most := intervals.unseen_failures(fewest)):
        yield f"With {fewest} confirming runs of each contestant, {most} (95% confidence)."
