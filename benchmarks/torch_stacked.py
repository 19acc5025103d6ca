"""PyTorch with the parameters of all runs stacked: what an expert writes for many small nets on one machine.

The optimizers are PyTorch's fused ones, with a group of parameters for each learning rate: in the benchmark all runs
have one, so that an update of all runs is one call.
"""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional

from benchmarks.many_runs import Losses, Peer, Problem
from jaxnets.engine.devices import num_cores

LossOfRuns = Callable[[dict[str, Tensor], Tensor, Tensor | None, Tensor], Tensor]
"""Of parameters `[runs, ...]`, inputs `[runs, batch, ...]`, lengths and labels `[runs, batch]`: losses `[runs]`."""


def stacked(problem: Problem) -> Peer:
    """Batched products by `baddbmm`; windows are laid side by side first."""
    return _Runs(problem, _losses(problem, _windows))


def grouped(problem: Problem) -> Peer:
    """As `stacked`, with the windows of all runs as one convolution of a group for each run."""
    return _Runs(problem, _losses(problem, _convolution))


def compiled(problem: Problem) -> Peer:
    """As `stacked`, forward and backward compiled by `torch.compile`, which takes a compiler of C++."""
    return _Runs(problem, torch.compile(_losses(problem, _windows), dynamic=False))


def by_core(problem: Problem) -> Peer:
    """As `stacked`, with the runs shared out among as many threads as there are cores, each computing by itself."""
    torch.set_num_threads(1)
    shares = np.array_split(np.arange(problem.num_runs), min(num_cores(), problem.num_runs))
    peers = [stacked(problem.of_runs(share)) for share in shares]
    pool = ThreadPoolExecutor(len(shares))

    def go_on(orders: Int[np.ndarray, "runs steps batch"]) -> Losses:
        losses = pool.map(lambda peer, share: peer(orders[share]), peers, shares)
        return np.concatenate(list(losses))

    return go_on


class _Runs:
    """All runs of a problem, as a `Peer`."""

    def __init__(self, problem: Problem, losses: LossOfRuns) -> None:
        self._losses = losses
        self._inputs, self._labels = torch.from_numpy(problem.inputs), torch.from_numpy(problem.labels).long()
        self._lengths = None if problem.lengths is None else torch.from_numpy(problem.lengths)
        self._params = {name: torch.tensor(value, requires_grad=True) for name, value in problem.params.items()}
        self._in_rows = problem.model == "dan"
        self._parts, self._optimizers = self._optimized(problem)

    def _optimized(self, problem: Problem) -> tuple[list[tuple[Tensor, Tensor, slice]], list[torch.optim.Optimizer]]:
        """The runs of each learning rate as parts of the stacked parameters, and what updates them."""
        parts, groups = [], []
        for runs, rate in _by_rate(problem.learning_rates):
            own = [(whole, whole.detach()[runs], runs) for name, whole in self._dense(problem)]
            parts += own
            groups.append({"params": [part for _, part, _ in own], "lr": rate})
        kind = torch.optim.Adam if problem.optimizer == "adam" else torch.optim.SGD
        optimizers: list[torch.optim.Optimizer] = [kind(groups, lr=groups[0]["lr"], fused=True)]
        if self._in_rows:
            assert len(groups) == 1, "the gradients of rows are not cut by runs"
            optimizers.append(torch.optim.SparseAdam([self._params[problem.vectors]], lr=groups[0]["lr"]))
        return parts, optimizers

    def _dense(self, problem: Problem) -> Sequence[tuple[str, Tensor]]:
        """The parameters that are updated as a whole; the word vectors of a DAN become rows of one table."""
        if not self._in_rows:
            return list(self._params.items())
        vectors = self._params[problem.vectors].detach()
        self._params[problem.vectors] = vectors.flatten(0, 1).requires_grad_()
        return [(name, value) for name, value in self._params.items() if name != problem.vectors]

    def __call__(self, orders: Int[np.ndarray, "runs steps batch"]) -> Losses:
        rows = torch.from_numpy(orders)
        return torch.stack([self._step(rows[:, step]) for step in range(rows.shape[1])], dim=1).numpy()

    def _step(self, rows: Tensor) -> Tensor:
        lengths = None if self._lengths is None else self._lengths[rows]
        for whole in self._params.values():
            whole.grad = None
        losses = self._losses(self._params, self._inputs[rows], lengths, self._labels[rows])
        losses.sum().backward()
        for whole, part, runs in self._parts:
            part.grad = whole.grad[runs]
        for optimizer in self._optimizers:
            optimizer.step()
        return losses.detach()


def _by_rate(rates: np.ndarray) -> list[tuple[slice, float]]:
    """The runs, and the rate, of each stretch of runs that have one learning rate."""
    starts = [0, *(np.flatnonzero(np.diff(rates)) + 1).tolist(), len(rates)]
    return [(slice(a, b), float(rates[a])) for a, b in itertools.pairwise(starts)]


def _losses(problem: Problem, windows: Callable) -> LossOfRuns:
    """The mean loss of each run's batch."""

    def losses(params: dict[str, Tensor], inputs: Tensor, lengths: Tensor | None, labels: Tensor) -> Tensor:
        hidden = inputs
        if lengths is not None:
            is_dan = problem.model == "dan"
            hidden = _mean(problem, params, inputs, lengths) if is_dan else _pooled(problem, params, inputs, windows)
        for layer in problem.layers[:-1]:
            hidden = torch.relu(_linear(params, layer, hidden))
        logits = _linear(params, problem.layers[-1], hidden)
        each = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
        return each.view(labels.shape).mean(dim=1)

    return losses


def _linear(params: dict[str, Tensor], layer: str, inputs: Tensor) -> Tensor:
    return torch.baddbmm(params[f"{layer}/bias"][:, None], inputs, params[f"{layer}/kernel"])


def _mean(problem: Problem, params: dict[str, Tensor], words: Tensor, lengths: Tensor) -> Tensor:
    """The mean of each text's word vectors: one bag for each text of each run, out of the table of all runs."""
    runs, texts, longest = words.shape
    table = params[problem.vectors]
    own = words + torch.arange(runs)[:, None, None] * (len(table) // runs)
    stream = own[torch.arange(longest) < lengths[..., None]]
    ends = lengths.flatten().cumsum(0)
    bags = functional.embedding_bag(stream, table, ends - lengths.flatten(), mode="mean", sparse=True)
    return bags.view(runs, texts, -1)


def _pooled(problem: Problem, params: dict[str, Tensor], words: Tensor, windows: Callable) -> Tensor:
    """The maxima over the windows of texts of equal length."""
    table = params[problem.vectors]
    own = words + torch.arange(len(words))[:, None, None] * table.shape[1]
    vectors = functional.embedding(own, table.flatten(0, 1))
    named = problem.windows.items()
    return torch.cat([torch.relu(windows(params, name, width, vectors)) for width, name in named], dim=-1)


def _windows(params: dict[str, Tensor], name: str, width: int, vectors: Tensor) -> Tensor:
    """The largest output of each filter, by one batched product over windows laid side by side."""
    runs, texts, words, _ = vectors.shape
    count = words - width + 1
    side_by_side = torch.cat([vectors[:, :, start : start + count] for start in range(width)], dim=-1)
    kernel = params[f"{name}/kernel"].flatten(1, 2)
    outputs = torch.baddbmm(params[f"{name}/bias"][:, None], side_by_side.flatten(1, 2), kernel)
    return outputs.view(runs, texts, count, -1).amax(dim=2)


def _convolution(params: dict[str, Tensor], name: str, width: int, vectors: Tensor) -> Tensor:
    """The largest output of each filter, by one convolution with a group for each run."""
    runs, texts, words, dim = vectors.shape
    kernel = params[f"{name}/kernel"]
    channels = vectors.permute(1, 0, 3, 2).reshape(texts, runs * dim, words)
    filters = kernel.permute(0, 3, 2, 1).reshape(-1, dim, width)
    outputs = functional.conv1d(channels, filters, params[f"{name}/bias"].flatten(), groups=runs)
    return outputs.amax(dim=2).view(texts, runs, -1).transpose(0, 1)
