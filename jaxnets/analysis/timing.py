"""How long things take, measured in turns, so that a busy machine slows all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array

from jaxnets import jax_settings, training
from jaxnets.analysis import landscape
from jaxnets.data.dataset import Dataset
from jaxnets.engine.results import Trained
from jaxnets.engine.sweep import load_folds
from jaxnets.models import MLP
from jaxnets.models.blocks import Activation
from jaxnets.training.batches import Examples
from jaxnets.training.heads import Softmax
from jaxnets.training.state import TrainState

FUNCTIONS: Mapping[str, Activation] = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}

_LEAST_OF = 5

Calls = Mapping[Any, Callable[[], Any]]


def in_turns(functions: Calls, repetitions: int, inner: int = 1) -> pd.DataFrame:
    """Seconds of each function, in rounds: every round calls each of them."""
    for function in functions.values():
        jax.block_until_ready(function())
    rows = []
    for _ in range(repetitions):
        row = {}
        for name, function in functions.items():
            start = time.perf_counter()
            for _ in range(inner):
                result = function()
            jax.block_until_ready(result)
            row[name] = (time.perf_counter() - start) / inner
        rows.append(row)
    return pd.DataFrame(rows)


def _fastest(functions: Calls, rounds: int) -> pd.DataFrame:
    """Seconds by round, each the least of five measurements, as what else a machine does only adds to one."""
    turns = in_turns(functions, rounds * _LEAST_OF)
    return turns.groupby(turns.index // _LEAST_OF).min()


def activation_calls(size: int) -> Calls:
    """A call of each non-linearity on `size` numbers from -4 to 4, forward and backward, with them as the cotangent."""
    x = jnp.linspace(-4, 4, size)

    def both(function: Activation, x: Array) -> Array:
        return jax.vjp(function, x)[1](x)[0]

    return {name: partial(jax.jit(partial(both, function)), x) for name, function in FUNCTIONS.items()}


def step_calls(width: int, examples: int) -> Calls:
    """A step of gradient descent of an MLP with two hidden layers of each non-linearity."""
    inputs = jnp.sin(jnp.arange(examples * width, dtype=jnp.float32)).reshape(examples, width)
    labels = jnp.arange(examples) % 10

    def step(model: MLP, params: Any) -> Any:
        slopes = jax.grad(partial(landscape.mean_loss, model, Softmax(), inputs, labels))(params)
        return jax.tree.map(lambda value, slope: value - 0.1 * slope, params, slopes)

    models = {name: MLP(10, (width, width), function) for name, function in FUNCTIONS.items()}
    return {
        name: partial(jax.jit(partial(step, model)), model.init(jax.random.key(0), inputs)["params"])
        for name, model in models.items()
    }


@jax_settings.pinned()
def gradient_costs(
    repeats: Sequence[Dataset], widths: Sequence[int], repetitions: int, seed: int = 0, num_examples: int = 256
) -> pd.DataFrame:
    """What the loss of MLPs with two hidden layers costs alone and with its gradient, by their width."""
    tables = []
    for width in widths:
        model = MLP(repeats[0].num_classes, (width, width), jnp.tanh)

        def loss(params: Any, inputs: Array, labels: Array, model: MLP = model) -> Array:
            return landscape.mean_loss(model, Softmax(), inputs, labels, params)

        forward, gradient = jax.jit(loss), jax.jit(jax.value_and_grad(loss))
        for repeat, dataset in enumerate(repeats):
            inputs = jnp.asarray(np.asarray(dataset.train.inputs)[:num_examples])
            params = model.init(jax.random.key(seed + repeat), inputs)["params"]
            arguments = (params, inputs, jnp.asarray(dataset.train.labels[:num_examples]))
            calls = {"forward": partial(forward, *arguments), "gradient": partial(gradient, *arguments)}
            if repeat == 0:  # as the compiler counts them
                operations = _operations(gradient, *arguments) / _operations(forward, *arguments)
            about = {"parameters": sum(leaf.size for leaf in jax.tree.leaves(params)), "operations": operations}
            times = _fastest(calls, repetitions).assign(repeat=repeat, round=range(repetitions))
            tables.append(times.assign(**about, width=width))
    return pd.concat(tables, ignore_index=True)


def _operations(function: Any, *arguments: Any) -> float:
    return float(function.lower(*arguments).compile().cost_analysis()["flops"])


def on_all_examples(trained: Trained) -> Trained:
    """The runs of a sweep of features with all examples of the first training split in place of `num_train`.

    A batch of all examples stays one of all. Nothing is trained: what the runs have learned is left out.
    """
    (fold, *_) = load_folds(trained.config.changed(num_train=0, num_repeats=1))
    size, programs = len(fold.train), []
    for program in trained.programs:
        batch = size if program.task.batch_size == program.task.num_examples else program.task.batch_size
        task = replace(program.task, num_examples=size, batch_size=batch)
        first = {name: values * 0 if name == "fold" else values for name, values in program.hyperparameters.items()}
        programs.append(replace(program, task=task, hyperparameters=first))
    return replace(trained, folds=(fold,), programs=tuple(programs), kept={}, _init={})


@jax_settings.pinned()
def step_seconds(runs: Mapping[Any, tuple[Trained, int]], rounds: int, steps: int = 20) -> pd.DataFrame:
    """Seconds of a training step of single runs, on features, each alone on one device and from its start."""
    calls = {name: _steps(trained, run, trained.start(run), steps) for name, (trained, run) in runs.items()}
    return in_turns(calls, rounds) / steps


@jax_settings.pinned()
def size_seconds(trained: Trained, rounds: int, steps: int = 20) -> pd.DataFrame:
    """Seconds of a step by batch size, of runs on features: from one start, as that does not depend on the size."""
    firsts = trained.runs.drop_duplicates("batch_size").set_index("batch_size")["run"].sort_index()
    start = trained.start(int(firsts.iloc[0]))
    seconds = _fastest({size: _steps(trained, int(run), start, steps) for size, run in firsts.items()}, rounds) / steps
    return seconds.rename_axis("round").reset_index().melt("round", var_name="method", value_name="seconds")


def _steps(trained: Trained, run: int, start: TrainState, steps: int) -> Callable[[], Any]:
    examples = Examples(*landscape.loss_parts(trained, run)[2:])
    train = jax.jit(partial(training.train, trained.program(run)[0].task))
    return partial(train, start, examples, jnp.int32(0), jnp.int32(steps))
