"""Peers that train many runs at once: what they train, the order of their batches, and how their time is taken."""

import functools
import importlib
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from benchmarks import workloads

# Stretches of equal length as for the sweeps of jaxnets; see `benchmarks.throughput`.
STRETCH, STRETCHES = 1.0, 3

Losses = Float[np.ndarray, "runs steps"]
Peer = Callable[[Int[np.ndarray, "runs steps batch"]], Losses]
"""Goes on to train all runs on the examples of these rows, and gives the loss of each batch before its step."""


@dataclass(frozen=True)
class Problem:
    """Runs of one workload, the same for every peer.

    Attributes:
      model: `mlp`, `dan` or `text_cnn`.
      params: `float32[runs, ...]` each, by the names that they have in jaxnets.
      inputs: features, `float32[examples, features]`, or word ids, `int32[examples, words]`, padded with 0.
      lengths: the words of each example, `int32[examples]`; None for features.
      labels: `int32[examples]`.
      learning_rates: `float32[runs]`.
      batch_size: examples in a batch.
      optimizer: `adam` or `sgd`.
    """

    model: str
    params: Mapping[str, np.ndarray]
    inputs: np.ndarray
    lengths: np.ndarray | None
    labels: np.ndarray
    learning_rates: np.ndarray
    batch_size: int
    optimizer: str

    @property
    def num_runs(self) -> int:
        """How many runs."""
        return len(self.learning_rates)

    def of_runs(self, runs: Int[np.ndarray, "some"]) -> "Problem":
        """Some of the runs."""
        params = {name: value[runs] for name, value in self.params.items()}
        return replace(self, params=params, learning_rates=self.learning_rates[runs])

    @property
    def layers(self) -> list[str]:
        """The names of the linear layers after the inputs or what is pooled of them, the first one first."""
        kernels = sorted(name for name in self.params if "Linear_" in name or "output" in name)
        return list(dict.fromkeys(name.rpartition("/")[0] for name in kernels))

    @property
    def windows(self) -> dict[int, str]:
        """The names of the layers of windows, by their width."""
        named = {name.rpartition("/")[0] for name in self.params if name.startswith("windows_")}
        return {int(name.removeprefix("windows_")): name for name in sorted(named)}

    @property
    def vectors(self) -> str:
        """The name of the word vectors."""
        return next(name for name in self.params if name.endswith("/vectors"))


def problem(model: str, num_runs: int) -> Problem:
    """The runs of a workload, with parameters drawn by NumPy and the learning rate that jaxnets has by default."""
    generator = np.random.default_rng(0)
    values = workloads.WORKLOADS[model].values
    inputs, lengths, labels = _examples(model)
    params = {
        name: 0.1 * generator.standard_normal((num_runs, *shape), np.float32) for name, shape in _shapes(model).items()
    }
    rates = np.full(num_runs, 1e-3, np.float32)
    return Problem(model, params, inputs, lengths, labels, rates, values["batch_size"], values["optimizer"])


def _examples(model: str) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    if model == "mlp":
        split = workloads.features().train
        return np.asarray(split.inputs), None, split.labels
    if model == "text_cnn":
        split = workloads.sentences().train
        words = np.asarray(split.inputs)
        return words, np.full(len(words), words.shape[1], np.int32), split.labels
    stream, lengths, labels = workloads.review_stream()
    return padded(stream, lengths), lengths, labels


def padded(stream: Int[np.ndarray, "words"], lengths: Int[np.ndarray, "texts"]) -> Int[np.ndarray, "texts longest"]:
    """Texts one after another as rows that are filled up with 0.

    >>> padded(np.array([5, 6, 7]), np.array([1, 2])).tolist()
    [[5, 0], [6, 7]]
    """
    rows = np.zeros((len(lengths), lengths.max()), np.int32)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = stream
    return rows


def _shapes(model: str) -> dict[str, tuple[int, ...]]:
    """The shapes of one run's parameters."""
    if model == "mlp":
        return _linear("", workloads.MLP_SIZES)
    if model == "dan":
        sizes = (workloads.REVIEW_DIM, *workloads.DAN_HIDDEN, 2)
        return {"WordVectors_0/vectors": (workloads.REVIEW_VOCABULARY, sizes[0]), **_linear("MLP_0/", sizes)}
    dim, filters, widths = workloads.TEXT_DIM, workloads.TEXT_FILTERS, workloads.TEXT_WIDTHS
    kernels = {f"windows_{width}/kernel": (width, dim, filters) for width in widths}
    biases = {f"windows_{width}/bias": (filters,) for width in widths}
    vectors = {"WordVectors_0/vectors": (workloads.TEXT_VOCABULARY, dim)}
    return {**vectors, **kernels, **biases, **_linear("", (filters * len(widths), 2))}


def _linear(prefix: str, sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    names = [*(f"{prefix}Linear_{layer}" for layer in range(len(sizes) - 2)), f"{prefix}output"]
    shapes = {f"{name}/kernel": shape for name, shape in zip(names, itertools.pairwise(sizes), strict=True)}
    return shapes | {f"{name}/bias": (size,) for name, size in zip(names, sizes[1:], strict=True)}


def orders(of: Problem, num_epochs: int) -> Int[np.ndarray, "runs steps batch"]:
    """The rows of each batch: a permutation of the examples for each run and epoch, without what is left over."""
    generator = np.random.default_rng(1)
    steps = len(of.labels) // of.batch_size
    drawn = generator.permuted(
        np.tile(np.arange(len(of.labels), dtype=np.int32), (of.num_runs * num_epochs, 1)), axis=1
    )
    return drawn[:, : steps * of.batch_size].reshape(of.num_runs, num_epochs * steps, of.batch_size)


# The module of each peer, and what makes it of a problem; in a module of its own, which imports its library.
_MAKERS = {
    "torch_stacked": ("benchmarks.torch_stacked", "stacked"),
    "torch_grouped": ("benchmarks.torch_stacked", "grouped"),
    "torch_cores": ("benchmarks.torch_stacked", "by_core"),
    "torch_compiled": ("benchmarks.torch_stacked", "compiled"),
    "jax_vmap": ("benchmarks.jax_loops", "by_vmap"),
    "jax_loop": ("benchmarks.jax_loops", "loop"),
}
MODELS = {
    "torch_stacked": ("mlp", "dan", "text_cnn"),
    "torch_grouped": ("text_cnn",),
    "torch_cores": ("mlp", "dan", "text_cnn"),
    "torch_compiled": ("mlp", "text_cnn"),
    "jax_vmap": ("mlp", "dan", "text_cnn"),
    "jax_loop": ("mlp", "dan", "text_cnn"),
}
"""The models that each peer trains."""


def make(system: str, of: Problem) -> Peer:
    """A peer that is about to train a problem."""
    module, name = _MAKERS[system]
    return getattr(importlib.import_module(module), name)(of)


def microseconds(system: str, model: str, num_runs: int, stretch: float = STRETCH) -> float:
    """A peer's microseconds per step and run: the fastest of some stretches, after a call that compiles.

    Permutations are drawn before, so that shuffling costs the peers nothing.
    """
    of = problem(model, num_runs)
    train = make(system, of)
    few = orders(of, 1)
    train(few)
    start = time.perf_counter()
    train(few)
    once = time.perf_counter() - start
    epochs = max(1, round(stretch / 4 / once))
    rows = orders(of, epochs) if epochs > 1 else few
    if epochs > 1:
        train(rows)  # compiled for its shape
    return min(_stretch(functools.partial(train, rows), stretch) for _ in range(STRETCHES)) / rows[..., 0].size * 1e6


def _stretch(call: Callable[[], object], seconds: float) -> float:
    """Seconds of a call, over as many calls as fill a stretch."""
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        call()
        calls += 1
    return (time.perf_counter() - start) / calls
