"""The same training by other libraries, in their usual form; microseconds per step, one run at a time."""

import functools
import time
import warnings
from collections.abc import Callable

import numpy as np

from benchmarks import text_peers, workloads


def torch_mlp(num_epochs: int, lean: bool = False) -> float:
    """PyTorch's usual loop with Adam; see `_torch_loop` for `lean`."""
    import torch

    dataset = workloads.features()
    sizes = workloads.MLP_SIZES
    layers = [torch.nn.Linear(sizes[0], sizes[1]), torch.nn.ReLU(), torch.nn.Linear(sizes[1], sizes[2])]
    model = torch.nn.Sequential(*layers, torch.nn.ReLU(), torch.nn.Linear(sizes[2], sizes[3]))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return _torch_loop(model, optimizer, dataset.train, workloads.MLP_BATCH, num_epochs, lean)


def torch_text_cnn(num_epochs: int, lean: bool = False) -> float:
    """PyTorch's usual text CNN: `Conv1d` over the words, max pooling, SGD."""
    import torch

    class TextCNN(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vectors = torch.nn.Embedding(workloads.TEXT_VOCABULARY, workloads.TEXT_DIM, padding_idx=0)
            self.windows = torch.nn.ModuleList(
                torch.nn.Conv1d(workloads.TEXT_DIM, workloads.TEXT_FILTERS, width) for width in workloads.TEXT_WIDTHS
            )
            self.last = torch.nn.Linear(workloads.TEXT_FILTERS * len(workloads.TEXT_WIDTHS), 2)

        def forward(self, words: "torch.Tensor") -> "torch.Tensor":
            vectors = self.vectors(words).transpose(1, 2)
            pooled = [torch.relu(window(vectors)).amax(dim=2) for window in self.windows]
            return self.last(torch.cat(pooled, dim=1))

    model = TextCNN()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    return _torch_loop(model, optimizer, workloads.sentences().train, workloads.TEXT_BATCH, num_epochs, lean)


def _torch_loop(model, optimizer, split, batch_size: int, num_epochs: int, lean: bool) -> float:
    """Trains in the form of PyTorch's own tutorials, with a `DataLoader`.

    The lean form does without: batches are cut from the tensors, which is about as fast as a loop of steps can be.
    """
    import torch

    inputs, labels = torch.from_numpy(split.inputs), torch.from_numpy(split.labels).long()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, labels), batch_size, shuffle=True)

    def cut():
        return ((inputs[rows], labels[rows]) for rows in torch.randperm(len(labels)).split(batch_size))

    epochs = []
    for _ in range(num_epochs + 1):
        start = time.perf_counter()
        for batch_inputs, batch_labels in cut() if lean else loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(batch_inputs), batch_labels).backward()
            optimizer.step()
        epochs.append((time.perf_counter() - start) / len(loader))
    return min(epochs[1:]) * 1e6


def sklearn_mlp(num_epochs: int) -> float:
    """scikit-learn's `MLPClassifier` with Adam."""
    from sklearn.neural_network import MLPClassifier

    split = workloads.features().train
    steps = num_epochs * -(-len(split) // workloads.MLP_BATCH)
    model = MLPClassifier(
        workloads.MLP_SIZES[1:-1], batch_size=workloads.MLP_BATCH, max_iter=num_epochs, n_iter_no_change=num_epochs
    )
    fits = []
    for _ in range(3):
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged is no news
            model.fit(split.inputs, split.labels)
        fits.append((time.perf_counter() - start) / steps)
    return min(fits) * 1e6


def torch_dan(num_steps: int, sparse: bool = False) -> float:
    """PyTorch's `EmbeddingBag` and an MLP with Adam, for the vectors `SparseAdam` if `sparse`."""
    words, lengths, labels = workloads.review_stream()
    sizes = workloads.REVIEW_VOCABULARY, workloads.REVIEW_DIM, workloads.DAN_HIDDEN, workloads.TEXT_BATCH
    seconds = text_peers.torch_dan_seconds_per_step(lengths, words, labels, *sizes, sparse, 10 * num_steps)
    return seconds * 1e6


def torch_kim_cnn(num_steps: int) -> float:
    """PyTorch's `Conv1d` on batches padded to their longest text, in Kim's setting."""
    words, lengths, labels = workloads.review_stream()
    sizes = workloads.REVIEW_VOCABULARY, workloads.REVIEW_DIM, workloads.TEXT_BATCH
    return text_peers.torch_text_cnn_seconds_per_step(lengths, words, labels, *sizes, 4 * num_steps) * 1e6


PEERS: dict[tuple[str, str], Callable[[int], float]] = {
    ("torch", "mlp"): torch_mlp,
    ("torch_lean", "mlp"): functools.partial(torch_mlp, lean=True),
    ("torch", "text_cnn"): torch_text_cnn,
    ("torch_lean", "text_cnn"): functools.partial(torch_text_cnn, lean=True),
    ("sklearn", "mlp"): sklearn_mlp,
    ("torch", "dan"): torch_dan,
    ("torch_sparse", "dan"): functools.partial(torch_dan, sparse=True),
    ("torch", "kim_cnn"): torch_kim_cnn,
}


def numpy_product_gflops(seconds: float) -> float:
    """The best rate of NumPy's matrix product over several sizes, each for so many seconds."""
    best = 0.0
    for size in (512, 1024, 2048):
        a, count, start = np.ones((size, size), np.float32), 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            a @ a
            count += 1
        best = max(best, 2 * size**3 * count / (time.perf_counter() - start) / 1e9)
    return best
