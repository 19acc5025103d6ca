"""Training on texts by PyTorch and fastText, in their usual form, on the machine's CPU.

Texts are one stream of word ids, text after text, with the length of each; id 0 is padding. PyTorch's batches are cut
in the lean way: no `DataLoader`, but a shuffled order and texts that are tensors already. Cutting a batch is timed.
PyTorch's threads wait for each other in busy loops: where other work holds one of the cores, a step takes many times as
long, unless the process starts with `OMP_WAIT_POLICY=passive`.
"""

import itertools
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnets.errors import UserError

if TYPE_CHECKING:
    import torch

Batch = tuple[tuple["torch.Tensor", ...], "torch.Tensor"]
"""What the model is called with, and the labels."""

WARM_UP_STEPS, STRETCHES = 5, 5
MAX_NORM = 3.0
FASTTEXT = "fasttext-wheel==0.9.2"


def torch_dan_seconds_per_step(
    lengths: np.ndarray,
    words: np.ndarray,
    labels: np.ndarray,
    vocabulary_size: int,
    dim: int,
    hidden_units: Sequence[int],
    batch_size: int,
    sparse: bool,
    num_steps: int,
) -> float:
    """Seconds of a step of PyTorch's Deep Averaging Network; see `dan` and `dan_optimizers`.

    Args:
      lengths: `int[texts]`, the number of words of each text.
      words: `int[words]`, the word ids of all texts, text after text.
      labels: `int[texts]`, the class of each text, from 0.
      vocabulary_size: the number of word ids, padding included.
      dim: the length of a word vector.
      hidden_units: the width of each hidden layer.
      batch_size: texts in a batch.
      sparse: whether only the vectors of the batch's words are updated.
      num_steps: steps to time, in `STRETCHES` stretches, after `WARM_UP_STEPS` that are not.

    Returns:
      The median over the stretches.
    """
    model = dan(vocabulary_size, dim, hidden_units, int(labels.max()) + 1, sparse)
    optimizers = dan_optimizers(model, sparse)
    batches = batches_of(lengths, words, labels, batch_size, joined)
    return _seconds_per_step(lambda: step(model, optimizers, next(batches)), num_steps)


def torch_text_cnn_seconds_per_step(
    lengths: np.ndarray,
    words: np.ndarray,
    labels: np.ndarray,
    vocabulary_size: int,
    dim: int,
    batch_size: int,
    num_steps: int,
    *,
    filter_widths: Sequence[int] = (3, 4, 5),
    num_filters: int = 100,
    dropout_rate: float = 0.5,
    masked: bool = True,
) -> float:
    """Seconds of a step of PyTorch's text CNN, trained as in Kim (2014); see `text_cnn`.

    The optimizer is Adadelta (learning rate 1, decay 0.95), the vectors are trained, and after each step the last
    layer's weights of each class are scaled back to norm 3.

    Args:
      lengths: `int[texts]`, the number of words of each text.
      words: `int[words]`, the word ids of all texts, text after text.
      labels: `int[texts]`, the class of each text, from 0.
      vocabulary_size: the number of word ids, padding included.
      dim: the length of a word vector.
      batch_size: texts in a batch.
      num_steps: steps to time, as in `torch_dan_seconds_per_step`.
      filter_widths: how many neighbouring words each kind of window covers.
      num_filters: the number of filters of each width.
      dropout_rate: dropout of the pooled features.
      masked: whether windows that reach into the padding are left out.

    Returns:
      The median over the stretches.
    """
    from torch.optim import Adadelta

    model = text_cnn(vocabulary_size, dim, filter_widths, num_filters, int(labels.max()) + 1, dropout_rate, masked)
    optimizers = [Adadelta(model.parameters(), lr=1.0, rho=0.95)]
    batches = batches_of(lengths, words, labels, batch_size, padded_to(max(filter_widths)))
    return _seconds_per_step(lambda: step(model, optimizers, next(batches), limited=model.last), num_steps)


def dan(
    vocabulary_size: int, dim: int, hidden_units: Sequence[int], num_classes: int, sparse: bool
) -> "torch.nn.Module":
    """The mean of a text's word vectors, then an MLP with ReLU. Source: Iyyer et al. (2015), without word dropout.

    It is called with the words of a batch, text after text, and where each text begins.
    """
    from torch import nn

    class DAN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vectors = nn.EmbeddingBag(vocabulary_size, dim, mode="mean", sparse=sparse)
            sizes = [dim, *hidden_units]
            hidden = [(nn.Linear(inputs, outputs), nn.ReLU()) for inputs, outputs in itertools.pairwise(sizes)]
            self.mlp = nn.Sequential(*itertools.chain(*hidden), nn.Linear(sizes[-1], num_classes))

        def forward(self, words: "torch.Tensor", starts: "torch.Tensor") -> "torch.Tensor":
            return self.mlp(self.vectors(words, starts))

    return DAN()


def dan_optimizers(model: Any, sparse: bool, learning_rate: float = 1e-3) -> "list[torch.optim.Optimizer]":
    """Adam for all; or `SparseAdam` for the vectors, which updates those of the batch's words only."""
    from torch import optim

    if not sparse:
        return [optim.Adam(model.parameters(), lr=learning_rate)]
    of_vectors = optim.SparseAdam(model.vectors.parameters(), lr=learning_rate)
    return [of_vectors, optim.Adam(model.mlp.parameters(), lr=learning_rate)]


def text_cnn(
    vocabulary_size: int,
    dim: int,
    filter_widths: Sequence[int],
    num_filters: int,
    num_classes: int,
    dropout_rate: float = 0.5,
    masked: bool = True,
) -> "torch.nn.Module":
    """Windows of several widths, ReLU, the maximum over the text, dropout, a linear layer. Source: Kim (2014).

    It is called with padded texts and their lengths. If `masked`, a window that reaches beyond its text takes no part,
    except for the first one of a text that is shorter than the window; so the padding has no influence. Without, the
    windows over the padding compete for the maximum.
    """
    import torch
    from torch import nn

    class TextCNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vectors = nn.Embedding(vocabulary_size, dim, padding_idx=0)
            self.windows = nn.ModuleList(nn.Conv1d(dim, num_filters, width) for width in filter_widths)
            self.dropout = nn.Dropout(dropout_rate)
            self.last = nn.Linear(num_filters * len(filter_widths), num_classes)

        def forward(self, words: "torch.Tensor", lengths: "torch.Tensor") -> "torch.Tensor":
            vectors = self.vectors(words).transpose(1, 2)
            pooled = [self._pooled(window, vectors, lengths) for window in self.windows]
            return self.last(self.dropout(torch.cat(pooled, dim=1)))

        def _pooled(self, window: Any, vectors: "torch.Tensor", lengths: "torch.Tensor") -> "torch.Tensor":
            features = torch.relu(window(vectors))
            if masked:
                num_windows = (lengths - window.kernel_size[0] + 1).clamp(min=1)
                beyond = torch.arange(features.shape[2]) >= num_windows[:, None]
                features = features.masked_fill(beyond[:, None], 0.0)  # no maximum: after ReLU nothing is less
            return features.amax(dim=2)

    return TextCNN()


def joined(texts: "list[torch.Tensor]") -> "tuple[torch.Tensor, ...]":
    """The words of all texts, one text after another, and where each begins."""
    import torch

    lengths = torch.tensor([len(text) for text in texts])
    return torch.cat(texts), lengths.cumsum(0) - lengths


def padded_to(shortest: int) -> "Callable[[list[torch.Tensor]], tuple[torch.Tensor, ...]]":
    """Collates texts into rows, padded to the longest text's length and to `shortest` at least; and their lengths."""
    import torch

    def collate(texts: "list[torch.Tensor]") -> "tuple[torch.Tensor, ...]":
        lengths = torch.tensor([len(text) for text in texts])
        rows = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)
        return torch.nn.functional.pad(rows, (0, max(0, shortest - rows.shape[1]))), lengths

    return collate


def batches_of(
    lengths: np.ndarray, words: np.ndarray, labels: np.ndarray, batch_size: int, collate: Callable
) -> "Iterator[Batch]":
    """Batches without end: a new order for each pass, without the rest that is too small for a batch."""
    import torch

    texts = torch.from_numpy(words).long().split(lengths.tolist())
    classes = torch.from_numpy(labels).long()
    batch_size = min(batch_size, len(texts))
    while True:
        for rows in torch.randperm(len(texts)).split(batch_size):
            if len(rows) == batch_size:
                yield collate([texts[row] for row in rows.tolist()]), classes[rows]


def step(model: Any, optimizers: Sequence[Any], batch: Batch, limited: Any = None) -> float:
    """One step of training on the cross entropy; the weights of each class in the layer `limited` keep to `MAX_NORM`.

    The loss before the step is returned.
    """
    import torch

    inputs, labels = batch
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(*inputs), labels)
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    if limited is not None:
        with torch.no_grad():
            limited.weight.renorm_(p=2, dim=0, maxnorm=MAX_NORM)
    return loss.item()


def _seconds_per_step(take_step: Callable[[], Any], num_steps: int) -> float:
    """The median over stretches of equal length, together `num_steps` or a few more."""
    for _ in range(WARM_UP_STEPS):
        take_step()
    length, stretches = -(-num_steps // STRETCHES), []
    for _ in range(STRETCHES):
        start = time.perf_counter()
        for _ in range(length):
            take_step()
        stretches.append((time.perf_counter() - start) / length)
    return statistics.median(stretches)


def fasttext_train(
    train_texts: Sequence[str],
    train_labels: Sequence[int] | np.ndarray,
    test_texts: Sequence[str],
    test_labels: Sequence[int] | np.ndarray,
    *,
    epochs: int = 5,
    learning_rate: float = 0.1,
    dim: int = 100,
    word_ngrams: int = 1,
    threads: int = 2,
) -> tuple[float, float]:
    """Trains fastText's classifier; the defaults are its own. Source: Joulin et al. (2017).

    Args:
      train_texts: tokens with spaces between; line breaks count as spaces.
      train_labels: a class for each.
      test_texts: as `train_texts`.
      test_labels: as `train_labels`.
      epochs: passes over the training texts.
      learning_rate: the first one; it falls to 0 linearly.
      dim: the length of a word vector.
      word_ngrams: the longest sequence of words that has a vector of its own.
      threads: that train at once, without locks: with more than one, no two trainings are the same.

    Returns:
      Seconds of training, with fastText's reading of its file but without the writing, and in steps of about 0.1: that
      is how often fastText looks whether its threads are done; accuracy on the test texts.

    Raises:
      UserError: if a fastText is installed that cannot be measured, see `import_fasttext`.
    """
    fasttext = import_fasttext()
    with tempfile.TemporaryDirectory() as folder:
        train, test = os.path.join(folder, "train.txt"), os.path.join(folder, "test.txt")
        _write_labelled(train, train_texts, train_labels)
        _write_labelled(test, test_texts, test_labels)
        start = time.perf_counter()
        model = fasttext.train_supervised(
            input=train, epoch=epochs, lr=learning_rate, dim=dim, wordNgrams=word_ngrams, thread=threads, verbose=0
        )
        seconds = time.perf_counter() - start
        counted, precision, _ = model.test(test)
    # fastText leaves out test texts of a class that it has not been trained on: here they count as mistakes
    return seconds, counted * precision / len(test_texts) if counted else 0.0


def import_fasttext() -> Any:
    """The module `fasttext`, of a version whose results mean something.

    Its versions after 0.9.2 do not initialize most of the word vectors: with t threads the first t tenths are random,
    and the others are whatever the memory held, such as NaN, or the vectors of a model trained before.

    Raises:
      UserError: if it is such a version.
    """
    from importlib import metadata

    import fasttext

    for name in metadata.packages_distributions().get("fasttext", []):
        version = metadata.version(name)
        if [int(part) for part in re.findall(r"\d+", version)[:3]] > [0, 9, 2]:
            raise UserError(f"{name} {version} trains on uninitialized memory; install {FASTTEXT} in its place.")
    return fasttext


def _write_labelled(path: str, texts: Sequence[str], labels: Sequence[int] | np.ndarray) -> None:
    """A line for each text, in fastText's form: `__label__1 a fine film`."""
    with open(path, "w", encoding="utf-8") as file:
        for text, label in zip(texts, labels, strict=True):
            file.write(f"__label__{label} {' '.join(text.replace('__label__', ' ').split())}\n")
