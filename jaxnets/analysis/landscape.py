"""The loss as a surface: between solutions, over the plane of a net's inputs, and of functions of two variables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn
from jaxtyping import Array, Float, Int
from scipy.optimize import linear_sum_assignment

from jaxnets import jax_settings
from jaxnets.data.dataset import Split
from jaxnets.engine import devices
from jaxnets.engine.execute import execute
from jaxnets.engine.keep import KeepLast, Options
from jaxnets.engine.results import Recorder, Trained
from jaxnets.engine.sweep import Sweep
from jaxnets.errors import UserError
from jaxnets.models.blocks import OUTPUT, hidden_layers, is_mlp, linear_layer
from jaxnets.plugins import ACTIVATION, OPTIMIZER
from jaxnets.stats import selection
from jaxnets.training.heads import Head
from jaxnets.training.state import widened

POINTS = 11
OTHER_METHOD, OTHER_ORDER = "same start, other method", "same start, other batches"
OTHER_START, ALIGNED = "other start", "other start, aligned"


def mean_loss(model: nn.Module, head: Head, inputs: Array, labels: Array, params: Any) -> Float[Array, ""]:
    """The mean loss of a model on examples, in nats."""
    return head.losses(widened(model.apply({"params": params}, inputs)), labels).mean()


def loss_parts(trained: Trained, run: int) -> tuple[nn.Module, Head, Array, Array]:
    """What `mean_loss` takes before the parameters: a run's model and head, and its training examples, features."""
    examples, program = trained.dataset(run).train, trained.program(run)[0]
    if program.state.collections:
        raise UserError(
            f"model: it keeps {', '.join(program.state.collections)}; its loss is none of parameters alone."
        )
    return trained.module(run), program.task.head, jnp.asarray(examples.inputs), jnp.asarray(examples.labels)


class _Pair(NamedTuple):
    """Two solutions, the methods that led to them, and the run on whose examples the loss is taken."""

    kind: str
    methods: tuple[str, str]
    run: int
    first: Any
    second: Any


def pairs(trained: Trained, by: str, within: str = "", *, starts: bool = True) -> pd.DataFrame:
    """The training losses along the lines between the ends of runs, on features.

    Pairs are made of methods that have one start, as they have one seed; of runs of a method with their batches in
    another order; and of starts of a method, each in one pair, as they are and with the hidden units of an MLP aligned.
    Runs that diverged have no end, and no pairs.
    """
    again, runs = in_another_order(trained), selection.finished(trained.runs)
    runs = runs.assign(repeat=runs.get("repeat", 0))
    about, scale, tables = runs.set_index("run"), np.log(trained.folds[0].num_classes), []
    columns = ["kind", "first", "second", "repeat", "seed", "distance", "barrier"]
    for model, own in runs.groupby(within, sort=False) if within else [("", runs)]:
        made = [*_of_one_start(trained, again, own, by), *(_of_two_starts(trained, own, by) if starts else ())]
        losses = along_lines(trained, *([getattr(pair, name) for pair in made] for name in _Pair._fields[2:]))
        rows = [
            (
                *(pair.kind, *pair.methods, *about.loc[pair.run, ["repeat", "seed"]]),
                *(distance(pair.first, pair.second), barrier(line) / scale),
            )
            for pair, line in zip(made, losses, strict=True)
        ]
        table, shares = pd.DataFrame(rows, columns=columns), np.tile(np.linspace(0, 1, POINTS), len(rows))
        table = table.loc[table.index.repeat(POINTS)].assign(share=shares, loss=losses.ravel())
        tables.append(table.assign(**{within: str(model)}) if within else table)
    none = pd.DataFrame(columns=[*columns, "share", "loss", *([within] if within else [])])
    return pd.concat(tables, ignore_index=True) if tables else none


def _of_one_start(trained: Trained, again: Trained, runs: pd.DataFrame, by: str) -> Iterator[_Pair]:
    repeated = set(selection.finished(again.runs)["run"])
    for _, of_start in runs.groupby(["repeat", "seed"], sort=False):
        numbers = of_start.drop_duplicates(by).set_index(by)["run"].astype(int).to_dict()
        for (first, run), (second, other) in combinations(numbers.items(), 2):
            yield _Pair(OTHER_METHOD, (str(first), str(second)), run, trained.params(run), trained.params(other))
        for name, run in numbers.items():
            if run in repeated:
                yield _Pair(OTHER_ORDER, (str(name), str(name)), run, trained.params(run), again.params(run))


def _of_two_starts(trained: Trained, runs: pd.DataFrame, by: str) -> Iterator[_Pair]:
    for (_, name), own in runs.groupby(["repeat", by], sort=False):
        numbers = own.sort_values("seed")["run"].astype(int).tolist()
        for run, other in zip(numbers[::2], numbers[1::2], strict=False):
            end, far = trained.params(run), trained.params(other)
            yield _Pair(OTHER_START, (str(name), str(name)), run, end, far)
            if is_mlp(far):
                yield _Pair(ALIGNED, (str(name), str(name)), run, end, aligned(far, end))


def in_another_order(trained: Trained, seed: int = 0) -> Trained:
    """The runs of a sweep of features once more, each from its own start, but with its batches in another order.

    The training examples are put in another order, so that the same seeds draw other batches; right after the sweep, in
    the same process, nothing is compiled. Batches of all examples have no order: their runs are left out.
    """
    folds = []
    for place, fold in enumerate(trained.folds):
        rows = np.random.default_rng([seed, place]).permutation(len(fold.train))
        folds.append(replace(fold, train=Split(np.asarray(fold.train.inputs)[rows], fold.train.labels[rows])))
    programs = [one for one in trained.programs if one.task.batch_size < one.task.num_examples]
    steps = max((one.task.num_steps for one in programs), default=1)
    options = Options(steps, trained.config.memory_limit, keeping=KeepLast())
    placement = devices.placement(trained.config.num_devices)
    sweep = Sweep(trained.config, trained.table, tuple(folds), programs, placement, options, trained.notes)
    recorder = Recorder(sweep)
    for event in execute(programs, sweep.folds, placement, options) if programs else ():
        recorder.take(event)
    return recorder.trained(interrupted=False, seconds=0.0)


@jax_settings.pinned()
def along_lines(
    trained: Trained, runs: Sequence[int], firsts: Sequence[Any], seconds: Sequence[Any]
) -> Float[np.ndarray, "lines points"]:
    """The training loss, in nats, at `POINTS` points on straight lines between solutions, ends included."""
    if not runs:
        return np.zeros((0, POINTS))
    inputs, labels = (
        jnp.asarray(np.stack([getattr(fold.train, name) for fold in trained.folds])) for name in ("inputs", "labels")
    )
    folds = jnp.array([int(trained.numbers(run).get("fold", 0)) for run in runs])
    ends = (jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *params) for params in (firsts, seconds))
    model, head = trained.module(runs[0]), trained.program(runs[0])[0].task.head
    return np.asarray(_losses(model, head, inputs, labels, folds, *ends))


@partial(jax.jit, static_argnums=(0, 1))
def _losses(
    model: nn.Module, head: Head, inputs: Array, labels: Array, folds: Int[Array, " lines"], firsts: Any, seconds: Any
) -> Float[Array, "lines points"]:
    def line(one: tuple[Array, Any, Any]) -> Array:
        fold, *ends = one

        def at(share: Array) -> Array:
            params = jax.tree.map(lambda a, b: (1 - share) * a + share * b, *ends)
            return mean_loss(model, head, inputs[fold], labels[fold], params)

        return jax.lax.map(at, jnp.linspace(0.0, 1.0, POINTS))

    return jax.lax.map(line, (folds, firsts, seconds))


def distance(first: Any, second: Any) -> float:
    """The distance of two solutions, relative to the geometric mean of their norms."""
    a, b = (
        np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in jax.tree.leaves(params)])
        for params in (first, second)
    )
    return float(np.linalg.norm(a - b) / (np.linalg.norm(a) * np.linalg.norm(b)) ** 0.5)


def barrier(losses: Float[np.ndarray, "points"]) -> float:
    """By how much the loss rises at most above the line between its ends; negative where it lies below throughout.

    Source: Frankle et al. (2020), section 2, with the ends themselves left out.
    """
    ends = np.linspace(losses[0], losses[-1], len(losses))
    return float(np.max((losses - ends)[1:-1]))


def aligned(params: Mapping[str, Any], reference: Mapping[str, Any], rounds: int = 10) -> dict[str, Any]:
    """An MLP with its hidden units in the order in which its weights come closest to those of another.

    It computes the same. Layers are matched in turn, by weights that enter and leave a unit, until nothing changes.
    Source: Ainsworth, Hayase and Srinivasa (2023), section 3.2.
    """
    names = [*hidden_layers(params), OUTPUT]
    ours, theirs = (
        {name: {kind: np.asarray(array) for kind, array in of[name].items()} for name in names}
        for of in (params, reference)
    )
    for _ in range(rounds):
        changed = False
        for name, after in pairwise(names):
            gain = theirs[name]["kernel"].T @ ours[name]["kernel"] + theirs[after]["kernel"] @ ours[after]["kernel"].T
            gain += np.outer(theirs[name]["bias"], ours[name]["bias"])
            order = linear_sum_assignment(gain, maximize=True)[1]
            ours[name] = {"kernel": ours[name]["kernel"][:, order], "bias": ours[name]["bias"][order]}
            ours[after] = {**ours[after], "kernel": ours[after]["kernel"][order]}
            changed |= bool((order != np.arange(len(order))).any())
        if not changed:
            break
    return ours


def of_inputs(trained: Trained, run: int, low: float = -0.5, high: float = 1.5, count: int = 41) -> pd.DataFrame:
    """What a run with one logit says of a grid over the plane of its inputs."""
    places = np.linspace(low, high, count)
    x, y = (axis.ravel() for axis in np.meshgrid(places, places))
    logits = trained.logits(run, np.stack([x, y], axis=1).astype(np.float32))[:, 0]
    return pd.DataFrame({"x": x, "y": y, "probability": 1 / (1 + np.exp(-logits))})


def of_hidden_layer(trained: Trained, run: int) -> pd.DataFrame:
    """The training examples in the hidden layer (two units) of an MLP, and its decision line there."""
    patterns, params = trained.dataset(run).train, trained.params(run)
    features = np.asarray(patterns.inputs)
    first, last = params[linear_layer(0)], params[OUTPUT]
    activation = ACTIVATION.find(trained.runs["activation"][run]).value
    units = np.asarray(activation(features @ first["kernel"] + first["bias"]))
    a, b = (float(weight) for weight in np.asarray(last["kernel"])[:, 0])
    inputs = ["".join(f"{bit:.0f}" for bit in pattern) for pattern in features]
    table = pd.DataFrame({"input": inputs, "label": patterns.labels, "h1": units[:, 0], "h2": units[:, 1]})
    return table.assign(a=a, b=b, c=float(last["bias"][0]))


@dataclass(frozen=True)
class Landscape:
    """A function of two variables, from where it is made small, what is low, and the window that is drawn."""

    function: Callable[[Float[Array, "2"]], Array]
    start: tuple[float, float]
    low: float
    window: tuple[tuple[float, float], tuple[float, float]]


LANDSCAPES = {
    "ravine": Landscape(  # curvatures 1 and 50
        lambda p: 0.5 * (p[0] ** 2 + 50 * p[1] ** 2),
        start=(-4.0, 1.0),
        low=1e-3,
        window=((-5, 2), (-1.5, 1.5)),
    ),
    "saddle": Landscape(  # at the origin the gradient is zero, and the way out is across
        lambda p: 0.5 * p[0] ** 2 - 0.5 * p[1] ** 2 + 0.25 * p[1] ** 4,
        start=(-1.5, 1e-3),
        low=-0.249,
        window=((-2, 1), (-0.6, 1.6)),
    ),
    "plateau": Landscape(  # far from the minimum there is hardly a gradient
        lambda p: 1 - jnp.exp(-(p[0] ** 2 + p[1] ** 2) / 2),
        start=(-3.0, 2.0),
        low=1e-3,
        window=((-3.6, 1.6), (-1.6, 2.6)),
    ),
    "two valleys": Landscape(  # the path begins in the one that is less deep
        lambda p: 0.25 * p[0] ** 4 - 0.5 * p[0] ** 2 + 0.15 * p[0] + 0.5 * p[1] ** 2,
        start=(1.8, 1.0),
        low=-0.38,
        window=((-2.1, 2.1), (-1.2, 1.2)),
    ),
}


@jax_settings.pinned()
def walk(landscape: Landscape, optimizer: Any, learning_rates: np.ndarray, num_steps: int) -> np.ndarray:
    """The points `float32[rates, steps + 1, 2]` that an optimizer comes to, for each learning rate."""
    plugin = OPTIMIZER.find(optimizer)
    arguments = {name: a.default for name, a in plugin.arguments.items() if a.default is not None}

    def one(rate: Array) -> Array:
        transformation = plugin.value(rate, **arguments)
        start = jnp.array(landscape.start)

        def step(carry: tuple, _: None) -> tuple[tuple, Array]:
            point, state = carry
            updates, state = transformation.update(jax.grad(landscape.function)(point), state, point)
            point = point + updates
            return (point, state), point

        _, points = jax.lax.scan(step, (start, transformation.init(start)), length=num_steps)
        return jnp.concatenate([start[None], points])

    return np.asarray(jax.jit(jax.vmap(one))(jnp.asarray(learning_rates, jnp.float32)))


@jax_settings.pinned()
def arrivals(landscape: Landscape, points: Float[np.ndarray, "rates points 2"]) -> Float[np.ndarray, "rates"]:
    """The steps after which each path is low for good; infinite if it never is."""
    values = np.asarray(jax.vmap(jax.vmap(landscape.function))(jnp.asarray(points)))
    high = ~(values <= landscape.low)  # what is not finite is not low
    last_high = high.shape[1] - 1 - np.argmax(high[:, ::-1], axis=1)
    steps = np.where(high.any(axis=1), last_high + 1, 0).astype(float)
    return np.where(steps > values.shape[1] - 1, np.inf, steps)


def best_paths(optimizers: Mapping[str, Any], learning_rates: np.ndarray, num_steps: int) -> pd.DataFrame:
    """For each landscape and optimizer, the path at the rate that arrives first."""
    tables = []
    for title, landscape in LANDSCAPES.items():
        for name, optimizer in optimizers.items():
            points = walk(landscape, optimizer, learning_rates, num_steps)
            steps = arrivals(landscape, points)
            best = int(np.argmin(steps))
            table = pd.DataFrame({"step": np.arange(num_steps + 1), "x": points[best, :, 0], "y": points[best, :, 1]})
            path: dict[str, Any] = {"landscape": title, "optimizer": name, "arriving": int(np.isfinite(steps).sum())}
            tables.append(table.assign(**path, learning_rate=learning_rates[best], arrival=steps[best]))
    return pd.concat(tables, ignore_index=True)


@jax_settings.pinned()
def heights(name: str, size: int = 81) -> pd.DataFrame:
    """A landscape over its window: `x`, `y` and `height` on a grid."""
    landscape = LANDSCAPES[name]
    x, y = (axis.ravel() for axis in np.meshgrid(*(np.linspace(*bounds, size) for bounds in landscape.window)))
    values = jax.vmap(landscape.function)(jnp.stack([x, y], axis=1))
    return pd.DataFrame({"landscape": name, "x": x, "y": y, "height": np.asarray(values, np.float64)})
