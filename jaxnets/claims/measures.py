"""Effects that single claims measure, from tables of runs to tables of effects."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from jaxnets.claims import effects
from jaxnets.comparison.table import TUNING, Comparison
from jaxnets.stats import selection

# finite differences: their error falls by the power of the step, until rounding counts

LARGEST_STEP = 0.1  # above, higher powers of the step count as well
NEGLIGIBLE = 0.01  # the share of an error that rounding may make where the power is read off


def order_deviation(errors: pd.DataFrame, order: int) -> float:
    """How far the error's power is from the order of a method, at most, between neighbouring steps.

    Steps count that are at most 0.1, and at which rounding can make no more than a hundredth of the error.
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


# times and scores over sizes and hyperparameters


def time_ratios(times: pd.DataFrame, column: str, over: str) -> pd.DataFrame:
    """How many times as long one thing takes as another in the same round, as a table of effects."""
    return times.assign(effect=np.log(times[column] / times[over]), test_share=0.0)


def at_largest(ratios: pd.DataFrame, size: str) -> pd.DataFrame:
    """The rows of that size at which the mean effect is largest: a bound on it holds for every size."""
    return ratios[ratios[size] == ratios.groupby(size)["effect"].mean().idxmax()]


def slopes(
    table: pd.DataFrame, x: str, y: str, by: Sequence[str] = ("repeat",), log: Callable = np.log10
) -> pd.DataFrame:
    """The slope of a score over the logarithm of what has three values or more, by least squares, as effects."""
    rows = [
        (*key, np.polyfit(log(own[x].astype(float)), own[y].astype(float), 1)[0])
        for key, own in table.groupby(list(by), sort=False)
        if own[x].nunique() > 2
    ]
    return pd.DataFrame(rows, columns=[*by, "effect"]).assign(test_share=table["test_share"].max())


# nets of several depths in one comparison: the depth stands in the method's name, and makes a task of its own later

_BESIDE = " | "


def with_layers(methods: pd.Series, hidden_units: pd.Series) -> pd.Series:
    """The names of methods, each with its number of hidden layers."""
    counts = [0 if units == "0" else units.count("x") + 1 for units in map(str, hidden_units)]
    return methods + [f"{_BESIDE}{count}" for count in counts]


def by_depth(scored: pd.DataFrame) -> pd.DataFrame:
    """The scores of a comparison; a task with nets of several depths becomes one for each: `digits, 4 layers`."""
    parts = scored["method"].str.rsplit(_BESIDE, n=1, expand=True)
    layers = parts[1].astype(int)
    of_task = layers.groupby(scored["task"])
    flattest = layers == of_task.transform("min")
    ending = [f", {count} layer{'' if count == 1 else 's'}" for count in layers]
    named = scored["task"].where(of_task.transform("nunique") == 1, scored["task"] + ending)
    return scored.assign(task=named, method=parts[0], layers=layers, flattest=flattest)


def deepest_against_flattest(scored: pd.DataFrame, weights: Mapping[str, float]) -> dict[str, float]:
    """The weights of a contrast that says by how much another is larger in the deepest nets than in the flattest."""
    layers = by_depth(scored)["layers"]
    several = layers[layers.groupby(scored["task"]).transform("nunique") > 1]
    if several.empty:
        return dict(weights)
    ends = {int(several.max()): 1, int(several.min()): -1}
    return {f"{name}{_BESIDE}{end}": sign * weight for name, weight in weights.items() for end, sign in ends.items()}


def means_by_depth(scored: pd.DataFrame) -> pd.DataFrame:
    """Mean test loss and accuracy of each method on each task, with its median learning rate."""
    shown = {
        "test loss": ("test_loss", "mean"),
        "test accuracy": ("test_accuracy", "mean"),
        "learning rate (median)": ("learning_rate", "median"),
    }
    return by_depth(scored).groupby(["task", "method"], sort=False).agg(**shown).reset_index()


# barriers between solutions, from tables of `jaxnets.analysis.landscape.pairs`


def barrier_heights(pairs: pd.DataFrame, keys: Sequence[str], kinds: Sequence[str]) -> pd.DataFrame:
    """The mean barrier of each kind of pair, first over the pairs of each start."""
    ends = pairs[pairs["share"] == 0]
    ends = ends.assign(barrier=ends["barrier"].clip(-1.0, 1.0))
    table = ends.pivot_table(index=list(keys), columns="kind", values="barrier", sort=False)
    return table.reindex(columns=list(kinds)).rename_axis(columns=None).reset_index()


def barriers_by_width(high: pd.DataFrame, kind: str, keys: Sequence[str]) -> pd.DataFrame:
    """By how much barriers are higher in the narrowest nets than in the widest of as many layers."""
    width = high["net"].str.split("x").str[0].replace("", "0").astype(int)
    depth = (high["net"].str.count("x") + 1).astype(str)
    table = high.assign(task=high["dataset"] + ", hidden layers: " + depth, width=width)
    widths = table.groupby("task")["width"]
    least, most = widths.transform("min"), widths.transform("max")
    columns = ["task", *keys]
    narrow, wide = (table[(table["width"] == end) & (least < most)].set_index(columns)[kind] for end in (least, most))
    return (narrow - wide).dropna().rename("effect").reset_index()


# equal training loss: whether one method's ends are better than another's, and not just further


def at_equal_loss(curves: pd.DataFrame, by: str, keys: Sequence[str]) -> pd.DataFrame:
    """The loss on dev of each method where it first has the training loss that all methods of its group reach.

    That training loss is the highest of those with which the methods end. Between two evaluations the logarithm of the
    one loss is a line over that of the other. `train_loss` is a mean since the evaluation before: at an evaluation the
    training loss is taken to be the geometric mean of those before and after it, so the last evaluation is left out.
    """
    rows = []
    for key, group in curves.groupby(list(keys), sort=False):
        paths = {}
        for method, own in group.groupby(by, sort=False):
            ordered = own.sort_values("step")[["train_loss", "dev_loss"]].to_numpy(np.float64)
            train, dev = np.log(np.maximum(ordered, 1e-12)).T
            if len(own) > 1:
                paths[method] = (train[:-1] + train[1:]) / 2, dev[:-1]
        level = max((train.min() for train, _ in paths.values()), default=np.nan)
        for method, (train, dev) in paths.items():
            place = int(np.argmax(train <= level))
            found = dev[place]
            if place > 0:
                below, above = train[place], train[place - 1]
                found = dev[place] + (dev[place - 1] - dev[place]) * (level - below) / (above - below)
            rows.append((*key, method, np.exp(level), np.exp(found)))
    return pd.DataFrame(rows, columns=[*keys, by, "train_loss", "dev_loss"])


def gaps(levels: pd.DataFrame, by: str) -> pd.DataFrame:
    """By what factor the dev loss of the worst method lies above that of the best, as a table of effects.

    Which is which is decided by all other repeats (or seeds, if there is one repeat): where methods do not differ, the
    mean effect is zero.
    """
    logs = levels.assign(log=np.log(levels["dev_loss"]))
    logs = logs.pivot_table(index=["repeat", "seed"], columns=by, values="log", sort=False).dropna()
    units = logs.index.get_level_values(selection.unit(logs.index.to_frame()))
    rows = []
    for unit in units.unique():
        others = logs[units != unit].mean()
        if others.notna().all() and len(others) > 1:
            rows.append(logs.loc[units == unit, others.idxmax()] - logs.loc[units == unit, others.idxmin()])
    found = pd.concat(rows) if rows else pd.Series(index=logs.index[:0], dtype=float)
    return found.rename("effect").reset_index()


def examples_to_worst(runs: pd.DataFrame, curves: pd.DataFrame, by: str) -> pd.DataFrame:
    """The examples that each run sees until its training loss is that with which the worst run of its repeat ends."""
    known = runs.assign(repeat=runs.get("repeat", 0))
    paths = curves.merge(known[["run", by, "repeat", "seed", "batch_size"]], on="run")
    paths = paths.assign(examples=paths["step"] * paths["batch_size"])
    parts = [selection.to_worst_loss(of_repeat, by, ["examples"])[1] for _, of_repeat in paths.groupby("repeat")]
    if not parts:  # all runs diverged before their first evaluation
        return pd.DataFrame({name: [] for name in (by, "repeat", "seed", "examples")})
    reached = pd.concat(parts, ignore_index=True)
    most = paths.groupby(by)["examples"].max()
    return reached.assign(examples=reached["examples"].where(np.isfinite(reached["examples"]), reached[by].map(most)))


# relative to the best of several methods: how much of its way the worst gets, what a default costs

_REPEAT = ["task", "repeat"]


def share_of_the_way(scored: pd.DataFrame, column: str, methods: Sequence[str], lowest: str) -> pd.DataFrame:
    """How far the worst of some methods gets from the lowest to the best, as a share.

    Best and worst are told apart in each repeat by their means over seeds; the rows are the seeds of the worst.
    """
    rows = [pd.DataFrame(columns=[*effects.KEYS, "effect"])]
    for _, own in scored.groupby(_REPEAT, sort=False):
        means = own.groupby("method", sort=False)[column].mean()
        known = means[[name for name in methods if name in means]]
        if len(known) < 2 or lowest not in means:
            continue
        whole = max(float(known.max() - means[lowest]), 1e-9)  # none is above the lowest: then nothing is got
        worst = own[own["method"] == known.idxmin()]
        kept = [name for name in (*effects.KEYS, "edge", "test_share") if name in worst]
        rows.append(worst[kept].assign(effect=((worst[column] - means[lowest]) / whole).clip(-1, 1)))
    return pd.concat(rows[1:] or rows)


def tuned_losses(comparison: Comparison) -> pd.DataFrame:
    """The dev loss of each method at its best learning rate, by the seeds that tuned."""
    runs = selection.with_failures(comparison.phase(TUNING)).rename(columns={comparison.by: "method"})
    keys = [*_REPEAT, "method"]
    means = runs.assign(repeat=runs.get("repeat", 0)).groupby([*keys, "learning_rate"], sort=False)["dev_loss"].mean()
    return means.groupby(level=keys, sort=False).min().reset_index()


def against_chosen(
    scored: pd.DataFrame, tuned: pd.DataFrame, default: str, methods: Sequence[str], column: str = "test_loss"
) -> pd.DataFrame:
    """By what factor the loss of a default is that of the best other method, as a logarithm.

    The other is chosen in each repeat by the loss of the seeds that tuned, and measured on fresh ones: the luck of
    being the best is not counted.
    """
    others = tuned[tuned["method"].isin(set(methods) - {default})]
    best = others.loc[others.groupby(_REPEAT, sort=False)["dev_loss"].idxmin(), [*_REPEAT, "method"]]
    chosen = scored.merge(best, on=[*_REPEAT, "method"]).assign(method="chosen")
    both = pd.concat([scored[scored["method"] == default], chosen])
    return effects.contrast(both, column, {default: 1, "chosen": -1}, log=True)


def log_ratio(table: pd.DataFrame, column: str, one: str, other: str) -> pd.DataFrame:
    """The log ratio of two initializers' values by seed: a table of effects, empty if one is missing."""
    wide = np.log(table.pivot_table(index="seed", columns="initializer", values=column))
    both = wide[one] - wide[other] if {one, other} <= set(wide) else pd.Series([], name="seed", dtype=float)
    return pd.DataFrame({"seed": both.index, "effect": both.to_numpy()})


# models of texts, told apart by the width of the windows through which they see words

DAN, CNN = "DAN", "CNN, width "
BAGS = (DAN, f"{CNN}1")  # see single words alone


def systems(runs: pd.DataFrame) -> pd.Series:
    """The name of the system of each run: `DAN`, `CNN, width 2`, `CNN, width 2+3`, or the model's own."""
    widths = runs["filter_widths"].astype(str).str.replace("x", "+") if "filter_widths" in runs else ""
    return runs["model"].replace("dan", DAN).mask(runs["model"] == "text_cnn", CNN + widths)


def covering(names: Iterable[str], distance: int) -> str | None:
    """The narrowest CNN whose widest window reaches over a distance, for 0 the widest of all; None if none does."""
    widths = {name: max(map(int, name.removeprefix(CNN).split("+"))) for name in names if name.startswith(CNN)}
    wide = sorted((name for name in widths if widths[name] > max(distance, 1)), key=lambda name: widths[name])
    return next(iter(wide if distance else reversed(wide)), None)


def telling(names: Iterable[str], distance: int) -> list[str]:
    """The systems that are asked what the order of words is to them: of the CNNs those that are needed for it."""
    names = list(names)
    wanted = (*BAGS, covering(names, distance))
    return [name for name in names if name in wanted or not name.startswith(CNN)] or names
