"""The Python door: `jaxnets.sweep` and what it gives."""

import json
import signal
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
from flax import linen as nn
from flax import struct
from safetensors.flax import load_file

import jaxnets
from jaxnets.cli import main as cli
from jaxnets.models.blocks import Linear
from jaxnets.training.heads import Softmax
from jaxnets.training.word_rows import GivenVectors

XOR = {"dataset": "xor", "hidden_units": 3, "batch_size": 0, "num_steps": 6, "evaluate_every": 3, "progress": False}
RNG = np.random.default_rng(0)
FEATURES, LABELS = RNG.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 3
WITH_NAN = np.where(np.eye(60, 4)[:, ::-1], np.nan, FEATURES)
TEXTS = ["a good film", "a bad film", "good fun", "bad taste"] * 15


class Lost(nn.Module):
    """Gives one row for the whole batch."""

    num_outputs: int

    @nn.compact
    def __call__(self, inputs, *, train=False):
        return Linear(self.num_outputs)(inputs.mean(axis=0))


class Broken(nn.Module):
    """Raises when it is traced."""

    num_outputs: int
    width: int = 3

    @nn.compact
    def __call__(self, inputs, *, train=False):
        return inputs @ np.ones((self.width, 99))


class Empty(nn.Module):
    """Has no parameters."""

    num_outputs: int

    @nn.compact
    def __call__(self, inputs, *, train=False):
        return inputs[:, : self.num_outputs]


def halved(learning_rate, half=0.5):
    """Steps by a part of the rate.

    Args:
      learning_rate: the rate.
      half: the part.
    """
    return optax.sgd(learning_rate * half)


def failing(learning_rate):
    """Is no gradient transformation."""
    return learning_rate.no_such_attribute


def head_that(method, function):
    """A head whose losses, predictions or probabilities are changed by a function."""
    return type("Mine", (Softmax,), {method: lambda self, *given: function(getattr(Softmax, method)(self, *given))})()


WRONG_HEADS = {
    "losses of the shape () and type float32": head_that("losses", jnp.mean),
    "losses of the shape (5, 1) and type float32": head_that("losses", lambda losses: losses[:, None]),
    "losses of the shape (5, 2) and type float32": head_that("losses", lambda losses: jnp.stack([losses] * 2, axis=1)),
    "losses of the shape (2,) and type float32": head_that("losses", lambda losses: losses[:2]),
    "losses of the shape (5,) and type int32": head_that("losses", lambda losses: losses.astype(int)),
    "losses of the shape tuple and type object": head_that("losses", lambda losses: (losses, losses)),
    "predictions of the shape (5,) and type float32": head_that("predictions", lambda classes: classes.astype(float)),
    "predictions of the shape (5, 1) and type int32": head_that("predictions", lambda classes: classes[:, None]),
    "probabilities of the shape (5,) and type float32": head_that("probabilities", lambda shares: shares[:, 1]),
    "probabilities of the shape (5, 3) and type float32": head_that(
        "probabilities", lambda shares: jnp.pad(shares, ((0, 0), (0, 1)))
    ),
}


def model_of(params):
    """A model that keeps its parameters in a tree of its own."""

    class Tree(nn.Module):
        num_outputs: int

        @nn.compact
        def __call__(self, inputs, *, train=False):
            tree = self.param("tree", lambda key: params)
            return Linear(self.num_outputs)(inputs) + sum(leaf.sum() for leaf in jax.tree.leaves(tree))

    return Tree


@struct.dataclass
class Pair:
    """Two arrays."""

    first: jax.Array
    second: jax.Array


ONES = jnp.ones(3)
WRONG_PARAMS = {
    "list": [ONES],
    "tuple": (ONES, ONES),
    "Pair": Pair(ONES, ONES),
    "GivenVectors": GivenVectors(*[ONES] * 3),
}

MISTAKES = {
    **{part: {"head": head} for part, head in WRONG_HEADS.items()},
    **{
        f"model: 'Tree' keeps its parameter 'tree' as a {kind}; take a dict.": {
            "model": model_of(params),
            "hidden_units": None,
        }
        for kind, params in WRONG_PARAMS.items()
    },
    "learning_rate: '0.1' is a text, not a number.": {"learning_rate": "0.1"},
    "learning_rate: nan is not a finite number.": {"learning_rate": [0.1, float("nan")]},
    "learning_rate: the list is empty": {"learning_rate": []},
    "learning_rate: (0.1, 1) is not a number. A tuple is one value": {"learning_rate": (0.1, 1)},
    "hidden_units: '8x8' is a text; give a tuple of sizes such as (8, 8).": {"hidden_units": "8x8"},
    "hidden_units: (8, -1) has the size -1": {"hidden_units": (8, -1)},
    "hidden_units: {'sizes': 8} is not a whole number": {"hidden_units": {"sizes": 8}},
    "optimizer: 'adm' is not known. Did you mean 'adam'?": {"optimizer": ["sgd", "adm"]},
    "optimizer: 3 is neither a name nor an object": {"optimizer": 3},
    "keyword: 'optimiser' is not known. Did you mean 'optimizer'?": {"optimiser": "sgd"},
    "momentum: optimizer=adam has no 'momentum'. It belongs to:": {"momentum": 0.9},
    "batch_size: 100 is larger than the 4 training examples": {"batch_size": 100},
    "num_seeds: it takes one value, not a list.": {"num_seeds": [1, 2]},
    "seed: -1 is below 0.": {"seed": -1},
    "dropout_rate: 1.0 is not below 1.": {"dropout_rate": 1.0},
    "search: random has no range to draw from": {"search": "random"},
    "learning_rate: a grid needs the count of a range": {"learning_rate": jaxnets.log_range(1e-3, 1)},
    "dataset: 'xorr' is not known. Did you mean 'xor'?": {"dataset": "xorr"},
    "there are 60 inputs and 59 labels": {"dataset": (FEATURES, LABELS[:-1]), "hidden_units": 2},
    "dataset: 'arrays', row 0: feature 3 is nan": {"dataset": (WITH_NAN, LABELS)},
    "all labels are '0'; a classifier needs two": {"dataset": (FEATURES, np.zeros(60, int))},
    "takes text, but dataset=xor holds features": {"model": "dan", "hidden_units": None},
    "num_train: 99 asked for, but 'xor' has 4": {"num_train": 99},
    "export: 'model.bin' must end in .safetensors.": {"export": "model.bin"},
    "export: it writes the best model; keep=all": {"export": "model.safetensors", "keep": "all"},
    "model: 'Lost' gives (2,) for 2 examples": {"model": Lost, "hidden_units": None},
    "model: 'Broken' fails with TypeError": {"model": Broken, "hidden_units": None},
    "model: 'Empty' has no parameters": {"model": Empty, "hidden_units": None},
    "optimizer: 'failing' fails with": {"optimizer": failing},
    "model: 'builtins:int' is not a flax.linen.Module class": {"model": int},
    "has no attribute 'num_outputs'": {"model": nn.Dense},
}


@pytest.mark.parametrize("part", MISTAKES)
def test_a_wrong_call_is_one_helpful_line(part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = {name: value for name, value in (XOR | MISTAKES[part]).items() if value is not None}
    with pytest.raises(jaxnets.UserError) as error:
        jaxnets.sweep(**values)
    assert part in str(error.value), str(error.value)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def xor(tmp_path_factory):
    results = jaxnets.sweep(**{**XOR, "learning_rate": [0.1, 0.01]})
    return {"here": results, "read": jaxnets.load(results.save(tmp_path_factory.mktemp("xor") / "run"))}


CALLS = {
    "by: the list is empty": lambda xor: xor.best([]),
    "by: '3' is not known": lambda xor: xor.best(3),
    "by: 'None' is not known": lambda xor: xor.best(None),
    "by: 'learning_rat' is not known. Did you mean 'learning_rate'?": lambda xor: xor.best("learning_rat"),
    "by: ['seed', 'seed'] has a value twice": lambda xor: xor.best(["seed", "seed"]),
    "run: there is no run 99; the runs are 0 to 1": lambda xor: xor.model(99),
    "run: there is no run -1": lambda xor: xor.predict(-1, [[0, 0]]),
    "run: there is no run '0'": lambda xor: xor.model("0"),
    "run: there is no run None": lambda xor: xor.params(None),
    "run: there is no run True": lambda xor: xor.steps(True),
    "run: there is no run 1.0": lambda xor: xor.dataset(1.0),
    "runs: the list is empty": lambda xor: xor.ensemble([]),
    "runs: [0, 0] has a value twice": lambda xor: xor.ensemble([0, 0]),
    "run: there is no run 2": lambda xor: xor.ensemble([0, 2]),
    "step: the parameters of run 0 after step 'a' were not kept; kept are those after 6": lambda xor: xor.params(
        0, "a"
    ),
    "inputs: their shape is [2]; the model takes [examples, 2]": lambda xor: xor.predict(0, [0, 1]),
    "keyword: 'self' is not known": lambda xor: xor.train(self=1),
    "keyword: 'config' is not known": lambda xor: xor.train(config=1),
    "by: 'optimiser' is not known": lambda xor: xor.comparison("optimiser"),
    "by: 3 is neither the name of a hyperparameter nor a function": lambda xor: xor.comparison(3),
    "directory: None is not a path": lambda xor: xor.save(None),
}


@pytest.mark.parametrize("line", CALLS)
def test_a_wrong_argument_of_results_is_one_line(line, xor):
    for where in ("here", "read"):
        with pytest.raises(jaxnets.UserError) as error:
            CALLS[line](xor[where])
        assert line in str(error.value)


@pytest.mark.parametrize("call", [jaxnets.load, lambda path: jaxnets.sweep(output=path)])
@pytest.mark.parametrize("path", [3, b"x", ""])
def test_what_is_no_path_is_refused(call, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(jaxnets.UserError, match="is not a path"):
        call(path)
    assert not list(tmp_path.iterdir())


SCRIPT = """
import os, signal, sys, threading, time
import jaxnets
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # a shell may have this process ignore it
def send():
    while not os.path.exists(sys.argv[2] + "/runs.parquet"):  # it is written while the runs are under way
        time.sleep(0.05)
    os.kill(os.getpid(), int(sys.argv[1]))
threading.Thread(target=send, daemon=True).start()
values = dict(hidden_units=3, batch_size=0, num_steps=100_000_000, evaluate_every=500, progress=False)
results = jaxnets.sweep(dataset="xor", output=sys.argv[2], **values)
print("went on", results.interrupted)
try:
    results.best()
except jaxnets.UserError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("number", "status"), [("SIGTERM", -15), pytest.param("SIGHUP", -1, marks=pytest.mark.slow), ("SIGINT", 0)]
)
def test_a_signal_ends_a_script_and_ctrl_c_gives_what_there_is(number, status, tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(int(getattr(signal, number))), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status, done.stderr
    assert set(pd.read_parquet(tmp_path / "run" / "runs.parquet")["status"]) == {"interrupted"}
    assert done.stdout.startswith(
        "went on True\nbest: the sweep was interrupted before 1 of its 1 runs" if not status else ""
    )
    assert not status or done.stdout == ""


@pytest.mark.parametrize("dtype", [jnp.bfloat16, pytest.param(jnp.float16, marks=pytest.mark.slow)])
def test_parameters_of_16_bits_are_trained_written_and_asked_again(dtype, tmp_path):
    class Half(nn.Module):
        num_outputs: int

        @nn.compact
        def __call__(self, inputs, *, train=False):
            return nn.Dense(self.num_outputs, dtype=dtype, param_dtype=dtype)(inputs)

    given = {**XOR, "model": Half, "optimizer": "adam", "predictions": True, "keep": "all"}
    del given["hidden_units"]
    results = jaxnets.sweep(**given, output=tmp_path / "run")
    assert results.params(0)["Dense_0"]["kernel"].dtype == dtype
    read = load_file(tmp_path / "run" / "parameters.safetensors")
    np.testing.assert_array_equal(read["run_0.step_6.Dense_0.kernel"], results.params(0)["Dense_0"]["kernel"])
    inputs = [[0, 1], [1, 1]]
    assert results.probabilities(0, inputs).dtype == np.float32


def test_a_kernel_whose_fans_are_not_known_is_the_models_and_noted():
    class Mixing(nn.Module):
        num_outputs: int

        @nn.compact
        def __call__(self, inputs, *, train=False):
            kernel = self.param("kernel", nn.initializers.ones, (2, 3, self.num_outputs))
            return Linear(self.num_outputs)(jnp.einsum("bi,ijo->bo", inputs, kernel))

    given = {**XOR, "model": Mixing} | {"num_steps": 1}
    del given["hidden_units"]
    results = jaxnets.sweep(**given, initializer=["zeros", "he"])
    assert np.array_equal(results.start(0).params["kernel"], np.ones((2, 3, 2)))
    assert "model 'Mixing' draws kernel itself, whatever the initializer: the fans are not known." in results.notes
    assert not [note for note in jaxnets.sweep(**given, initializer="model").notes if "itself" in note]


def test_importing_takes_no_jax_and_names_are_there():
    code = "import sys, jaxnets; assert 'jax' not in sys.modules and 'pandas' not in sys.modules; print(dir(jaxnets))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(name in printed for name in ("sweep", "load", "log_range", "Config", "Dataset", "UserError"))
    with pytest.raises(AttributeError, match="no attribute 'swep'"):
        _ = jaxnets.swep


def test_the_two_doors_give_equal_tables(tmp_path):
    flags = ["--dataset=xor", "--hidden_units=3,2x2", "--optimizer=sgd", "--learning_rate=log:0.01:1:3"]
    flags += ["--batch_size=0", "--num_steps=6", "--evaluate_every=3", "--num_seeds=2", "--num_devices=2"]
    command = ["run.py", "train", "--keep=none", *flags, f"--output={tmp_path / 'shell'}"]
    assert cli.main(command) == 0
    results = jaxnets.sweep(
        dataset="xor",
        hidden_units=[3, (2, 2)],
        optimizer="sgd",
        learning_rate=jaxnets.log_range(0.01, 1, 3),
        batch_size=0,
        num_steps=6,
        evaluate_every=3,
        num_seeds=2,
        progress=False,
    )
    shell = jaxnets.load(tmp_path / "shell")
    for name in ("runs", "curves"):
        one, other = (getattr(of, name).drop(columns="seconds", errors="ignore") for of in (shell, results))
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert shell.best().equals(results.best())


def test_new_numbers_and_seeds_compile_nothing():
    values = XOR | {"hidden_units": 5, "optimizer": halved}
    first = jaxnets.sweep(**values, learning_rate=[0.1, 0.2], num_seeds=2)
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration, **_: compiled.append(event) if "backend_compile" in event else None
    )
    second = jaxnets.sweep(**values, learning_rate=[0.3, 0.4], seed=[7, 9])
    assert (first.num_programs, second.num_programs) == (1, 0)
    assert compiled == []
    assert second.runs["train_loss"].notna().all()
    assert not second.runs["train_loss"].equals(first.runs["train_loss"])


def test_nothing_is_written_unless_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = jaxnets.sweep(**XOR)
    assert list(tmp_path.iterdir()) == []
    assert results.directory is None
    written = jaxnets.sweep(**XOR, output=tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"config.json", "runs.parquet", "curves.parquet"}
    assert written.directory == tmp_path / "run"
    with pytest.raises(jaxnets.UserError, match="holds results already"):
        jaxnets.sweep(**XOR, output=tmp_path / "run")


DATA = {
    "arrays": (FEATURES, LABELS),
    "three pairs": ((FEATURES, LABELS), (FEATURES[:9], LABELS[:9]), (FEATURES[:6], LABELS[:6])),
    "other numbers": (FEATURES, LABELS * 10 - 10),
    "frame": pd.DataFrame(FEATURES, columns=list("abcd")).assign(label=LABELS),
    "Dataset": jaxnets.Dataset("mine", *(jaxnets.Split(FEATURES, LABELS),) * 3, class_names=("x", "y", "z")),
}


@pytest.mark.parametrize(
    "kind", [kind if kind in ("frame", "Dataset") else pytest.param(kind, marks=pytest.mark.slow) for kind in DATA]
)
def test_features_from_python_are_trained_on_asked_and_kept(kind, tmp_path):
    values = {"hidden_units": 4, "num_steps": 5, "batch_size": 16, "learning_rate": [0.1, 0.01], "progress": False}
    results = jaxnets.sweep(dataset=DATA[kind], **values)
    asked = results.predict(1, FEATURES[:7])
    expected = {"Dataset": {"x", "y", "z"}, "other numbers": {-10, 0, 10}}.get(kind, {0, 1, 2})
    assert set(asked.tolist()) <= expected
    np.testing.assert_allclose(results.probabilities(1, FEATURES).sum(axis=1), 1, rtol=1e-5)
    content = json.loads((results.save(tmp_path / "run") / "config.json").read_text())
    assert content["not_repeatable"].startswith("dataset")
    again = jaxnets.load(tmp_path / "run")
    np.testing.assert_array_equal(again.predict(1, FEATURES[:7]), asked)
    np.testing.assert_array_equal(again.params(0)["output"]["bias"], results.params(0)["output"]["bias"])
    for wrong in (FEATURES[:, :3], FEATURES[0], "text", [["a", "b", "c", "d"]]):
        with pytest.raises(jaxnets.UserError, match="inputs: "):
            again.predict(0, wrong)
    with pytest.raises(jaxnets.UserError, match="there is no run 2; the runs are 0 to 1"):
        again.predict(2, FEATURES)


def test_texts_from_python_are_trained_on_and_asked(tmp_path):
    labels = ["pos" if "good" in text else "neg" for text in TEXTS]
    small = {"embedding_dim": 4, "hidden_units": 4, "batch_size": 10, "num_epochs": 30, "learning_rate": 0.05}
    results = jaxnets.sweep(dataset=(TEXTS, labels), model="dan", **small, progress=False)
    assert list(results.predict(0, ["good", "a bad one"])) == ["pos", "neg"]
    again = jaxnets.load(results.save(tmp_path / "run"))
    assert list(again.predict(0, ["good", "a bad one"])) == ["pos", "neg"]
    for wrong in ("good", [1, 2]):
        with pytest.raises(jaxnets.UserError, match="inputs: "):
            again.predict(0, wrong)


def test_the_best_are_chosen_on_dev_and_shown_in_a_notebook():
    results = jaxnets.sweep(**XOR, optimizer=["sgd", "adam"], learning_rate=[0.1, 0.01], num_seeds=2)
    best = results.best(by=["optimizer", "learning_rate"])
    assert len(best) == 4
    assert list(results.best()["optimizer"]) == ["sgd", "adam"]
    with pytest.raises(jaxnets.UserError, match="Did you mean 'optimizer'"):
        results.best(by="optimiser")
    shown = results._repr_html_()
    assert "<table" in shown
    assert "<svg" in shown
    assert "8 runs" in shown
    assert repr(results).startswith("<Results: 8 runs (8 finished)")


def test_what_is_too_large_is_not_kept_by_itself(monkeypatch):
    from jaxnets import api

    monkeypatch.setattr(api, "KEPT_BYTES", 10)
    results = jaxnets.sweep(**XOR)
    with pytest.raises(jaxnets.UserError, match="were not kept; keep=last keeps them"):
        results.params(0)


def test_it_works_where_jax_was_used_before():
    code = (
        "import warnings, jax; jax.numpy.ones(3).sum(); import jaxnets\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    results = jaxnets.sweep(dataset='xor', hidden_units=2, num_steps=2, batch_size=0, progress=False)\n"
        "print(len(jax.devices()), results.runs['status'][0], [str(w.message) for w in caught if 'jaxnets' in str(w)])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("1 finished")
    assert "call jaxnets.configure() before anything else uses JAX" in ran.stdout
