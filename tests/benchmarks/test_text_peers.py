import sys
import types
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from benchmarks import text_peers
from jaxnets.errors import UserError

VOCABULARY, DIM = 40, 8
MLP = [6, 5]


@pytest.fixture
def torch():
    module = pytest.importorskip("torch")
    module.manual_seed(0)
    num_threads = module.get_num_threads()
    module.set_num_threads(1)  # several wait for each other in busy loops, which is slow beside other work
    yield module
    module.set_num_threads(num_threads)


def texts(num_texts: int = 60):
    """Texts of 0 to 9 words from 1 on; words of the upper half of the vocabulary are more frequent in class 1."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(0, 10, num_texts)
    labels = generator.integers(0, 2, num_texts)
    upper = generator.random(lengths.sum()) < np.repeat(np.where(labels == 1, 0.9, 0.1), lengths)
    half = VOCABULARY // 2
    return lengths, generator.integers(1, half, lengths.sum()) + half * upper, labels


def losses(model, optimizers, collate, num_steps: int, limited=None) -> list[float]:
    batches = text_peers.batches_of(*texts(), 20, collate)
    return [text_peers.step(model, optimizers, next(batches), limited) for _ in range(num_steps)]


def test_training_lowers_the_loss_of_the_text_cnn_and_keeps_to_the_norm(torch, monkeypatch):
    monkeypatch.setattr(text_peers, "MAX_NORM", 0.6)
    model = text_peers.text_cnn(VOCABULARY, DIM, (2, 3), 7, 2, dropout_rate=0.0)
    with torch.no_grad():
        model.last.weight[0] *= 100
    curve = losses(model, [torch.optim.Adadelta(model.parameters(), lr=1.0, rho=0.95)], padded(3), 150, model.last)
    assert np.mean(curve[-10:]) < 0.6 * np.mean(curve[:10])
    assert model.last.weight.norm(dim=1).max() <= 0.6001
    assert not model.vectors.weight[0].any()  # padding stays zero


def padded(shortest: int):
    return text_peers.padded_to(shortest)


@pytest.mark.parametrize("sparse", [False, True])
def test_the_dan_is_the_mean_and_an_mlp(torch, sparse):
    model = text_peers.dan(VOCABULARY, DIM, MLP, 2, sparse)
    rows = [[3, 4, 3], [], [7]]
    logits = model(*text_peers.joined([torch.tensor(row, dtype=torch.long) for row in rows])).detach().numpy()
    parameters = {name: value.detach().double().numpy() for name, value in model.named_parameters()}
    vectors = parameters["vectors.weight"]
    hidden = np.stack([vectors[row].mean(axis=0) if row else np.zeros(DIM) for row in rows])
    for layer in (0, 2):
        hidden = np.maximum(hidden @ parameters[f"mlp.{layer}.weight"].T + parameters[f"mlp.{layer}.bias"], 0)
    expected = hidden @ parameters["mlp.4.weight"].T + parameters["mlp.4.bias"]
    np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_sparse_adam_leaves_the_vectors_of_absent_words(torch):
    model = text_peers.dan(VOCABULARY, DIM, MLP, 2, sparse=True)
    before = model.vectors.weight.detach().clone()
    batch = text_peers.joined([torch.tensor([3, 4]), torch.tensor([9])]), torch.tensor([0, 1])
    text_peers.step(model, text_peers.dan_optimizers(model, sparse=True), batch)
    changed = (model.vectors.weight.detach() != before).any(dim=1)
    assert changed.nonzero().flatten().tolist() == [3, 4, 9]


def cnn_by_hand(model, text: list[int], widths) -> np.ndarray:
    """The logits of one text by loops, in float64."""
    parameters = {name: value.detach().double().numpy() for name, value in model.named_parameters()}
    pooled = []
    for place, width in enumerate(widths):
        words = text + [0] * (width - len(text))
        vectors = parameters["vectors.weight"][words]
        kernel, bias = parameters[f"windows.{place}.weight"], parameters[f"windows.{place}.bias"]
        windows = [vectors[start : start + width] for start in range(len(words) - width + 1)]
        features = [np.einsum("wd,fdw->f", window, kernel) + bias for window in windows]
        pooled.append(np.maximum(np.max(features, axis=0), 0))
    return parameters["last.weight"] @ np.concatenate(pooled) + parameters["last.bias"]


def test_the_text_cnn_is_kims_and_padding_has_no_influence(torch):
    widths = (2, 3)
    model = text_peers.text_cnn(VOCABULARY, DIM, widths, 7, 2).eval()
    with torch.no_grad():
        for window in model.windows:
            window.bias += 1.0  # so that windows of padding alone would be seen in the maximum
    rows = [[5, 6, 7, 8], [9], [], [1, 2, 3, 4, 5, 6, 7, 8, 9]]
    logits = {}
    for shortest in (3, 30):
        batch = padded(shortest)([torch.tensor(row, dtype=torch.long) for row in rows])
        assert batch[0].shape == (4, max(9, shortest))
        logits[shortest] = model(*batch).detach().numpy()
    np.testing.assert_allclose(logits[3], logits[30], atol=1e-5)
    np.testing.assert_allclose(logits[3], [cnn_by_hand(model, row, widths) for row in rows], atol=1e-4)


def test_batches_have_every_text_once_a_pass(torch):
    lengths, words, labels = np.array([2, 0, 1, 3, 1]), np.arange(1, 8), np.array([0, 1, 2, 3, 4])
    batches = text_peers.batches_of(lengths, words, labels, 2, text_peers.joined)
    passes = np.array([[next(batches)[1].tolist() for _ in range(2)] for _ in range(9)])  # one text is too few
    assert all(len(set(seen)) == 4 for seen in passes.reshape(9, 4).tolist())
    assert len({tuple(seen) for seen in passes.reshape(9, 4).tolist()}) > 1
    whole = text_peers.batches_of(lengths, words, labels, 9, text_peers.joined)
    (stream, starts), classes = next(whole)
    ends = [*starts.tolist()[1:], len(stream)]
    ours = {int(c): stream[a:b].tolist() for c, a, b in zip(classes, starts.tolist(), ends, strict=True)}
    assert ours == {0: [1, 2], 1: [], 2: [3], 3: [4, 5, 6], 4: [7]}


def test_the_timed_functions_return_seconds(torch):
    lengths, words, labels = texts()
    for sparse in (False, True):
        seconds = text_peers.torch_dan_seconds_per_step(lengths, words, labels, VOCABULARY, DIM, MLP, 10, sparse, 5)
        assert 0 < seconds < 1
    assert 0 < text_peers.torch_text_cnn_seconds_per_step(lengths, words, labels, VOCABULARY, DIM, 10, 5) < 1


def fasttext_data(num_texts: int):
    lengths, words, labels = texts(num_texts)
    ends = np.cumsum(lengths)
    rows = [words[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    return [" ".join(f"w{word}" for word in row) for row in rows], labels


def test_fasttext_gets_a_line_for_each_text(monkeypatch):
    files = []

    class Model:
        def test(self, path):
            files.append(Path(path).read_text(encoding="utf-8"))
            return 2, 0.5, 0.5  # two of the four texts are of a class that it knows, one of these is right

    def train_supervised(input, **options):
        files.append(Path(input).read_text(encoding="utf-8"))
        assert options == {"epoch": 3, "lr": 0.1, "dim": 100, "wordNgrams": 1, "thread": 2, "verbose": 0}
        return Model()

    fake = types.SimpleNamespace(train_supervised=train_supervised)
    monkeypatch.setattr(text_peers, "import_fasttext", lambda: fake)
    train = ["a\nfine film", "__label__0 café"]
    seconds, accuracy = text_peers.fasttext_train(train, [1, 0], ["w", "", "y", "z"], np.array([0, 1, 2, 3]), epochs=3)
    assert 0 <= seconds < 1
    assert accuracy == 0.25
    assert files[0] == "__label__1 a fine film\n__label__0 0 café\n"  # the text's own mark is gone
    assert files[1] == "__label__0 w\n__label__1 \n__label__2 y\n__label__3 z\n"
    with pytest.raises(ValueError, match="shorter"):
        text_peers.fasttext_train(train, [1], ["w"], [0], epochs=1)


def test_fasttext_learns():
    pytest.importorskip("fasttext")
    try:
        text_peers.import_fasttext()
    except UserError as error:
        pytest.skip(str(error))
    rows, labels = fasttext_data(800)
    rows[0] = "w1\nw2 __label__7"
    seconds, accuracy = text_peers.fasttext_train(rows[:600], labels[:600], rows[600:], labels[600:], epochs=25)
    assert seconds > 0
    assert 0.75 < accuracy < 1
    unseen = text_peers.fasttext_train(rows[:600], labels[:600], rows[600:700], labels[600:700] + 5, epochs=1)
    assert unseen[1] == 0
    chance = text_peers.fasttext_train(rows[:600], 1 - labels[:600], rows[600:], labels[600:], epochs=25)
    assert chance[1] < 0.25


@pytest.mark.parametrize(("version", "fine"), [("0.9.2", True), ("0.9.3", False), ("0.10.4", False)])
def test_a_fasttext_that_trains_on_garbage_is_refused(monkeypatch, version, fine):
    monkeypatch.setitem(sys.modules, "fasttext", types.ModuleType("fasttext"))
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"fasttext": ["fasttext"]})
    monkeypatch.setattr(metadata, "version", lambda name: version)
    if fine:
        assert text_peers.import_fasttext().__name__ == "fasttext"
    else:
        with pytest.raises(UserError, match=f"fasttext {version} trains on uninitialized memory; install"):
            text_peers.import_fasttext()
