"""A model that is trained on texts of one's own, kept, asked and exported, from the command line on."""

import io
import itertools
import json
import re
import shutil
import subprocess
import sys
import threading
import tracemalloc
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import experiments
import jaxnets
from jaxnets import data
from jaxnets.basics import checksums
from jaxnets.basics.errors import UserError
from jaxnets.data.texts import Texts, pack
from jaxnets.lab import commandline
from jaxnets.models.blocks import TextBatch
from jaxnets.report import explanations
from jaxnets.trained import explain, predict
from jaxnets.trained import model as saved
from tests.breaking import injections
from tests.by_hand import may_be_changed

ROOT = Path(__file__).parents[2]
JUDGEMENTS = {
    "good": ["lovely", "superb", "fine"],
    "bad": ["awful", "dull", "poor"],
    "odd": ["weird", "strange", "queer"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sentences of three classes with names, as .csv."""
    generator = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("mine")
    for split, size in (("train", 240), ("dev", 30), ("test", 30)):
        rows = ["text,label"]
        for number in range(size):
            label = list(JUDGEMENTS)[number % 3]
            words = [*generator.choice(["the", "plot", "was", "a", "film"], 4), generator.choice(JUDGEMENTS[label])]
            rows.append(f'"{" ".join(generator.permutation(words))}, it was.",{label}')
        (folder / f"{split}.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module", params=["dan", "text_cnn", "text_cnn mean"])
def run_directory(request, folder, tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "run"
    model, _, pooling = request.param.partition(" ")
    flags = ["--embedding_dim=8", "--num_epochs=12", "--batch_size=20", "--learning_rate=0.02", "--select=best"]
    flags += ["--filter_widths=2x3", "--num_filters=8"] if model == "text_cnn" else ["--hidden_units=8"]
    flags += ["--pooling=mean"] if pooling else []
    export = directory.parent / "model.safetensors"
    command = [
        "run.py",
        "train",
        f"--dataset={folder}",
        f"--model={model}",
        f"--output={directory}",
        *flags,
        f"--export={export}",
    ]
    assert commandline.launch(experiments, command, "train") == 0
    return directory


def test_it_trains_and_predicts_by_name(run_directory, folder):
    model = saved.load(run_directory)
    assert model.class_names == ("bad", "good", "odd")
    for label, words in JUDGEMENTS.items():
        for found in explain.explain(model, [f"The film was {word}!" for word in words]):
            assert found.prediction == label
            decisive = found.words[int(np.argmax(found.contributions))]
            assert decisive in words
    test = data.load(str(folder)).test
    rows = [test.inputs[row] for row in range(len(test))]
    accuracy = (predict.class_probabilities(model, rows).argmax(axis=1) == test.labels).mean()
    table = pd.read_parquet(run_directory / "runs.parquet")
    assert np.isclose(accuracy, table.loc[0, "test_accuracy"])


def test_a_notebook_asks_what_the_command_line_trained(run_directory):
    results = jaxnets.load(run_directory)
    assert list(results.predict(0, ["a superb plot", "so dull"])) == ["good", "bad"]
    assert results.runs["model"][0] == results.model(0).plugin.name


def test_leave_one_out_is_what_leaving_out_does(run_directory):
    model = saved.load(run_directory)
    ids = {word: number for number, word in enumerate(model.vocabulary)}
    row = np.array([ids[word] for word in ["the", "film", "was", "superb"]], np.int32)
    contributions = explain.leave_one_out(partial(predict.class_probabilities, model), row)
    whole = predict.class_probabilities(model, [row])[0]
    for place in range(4):
        without = predict.class_probabilities(model, [np.delete(row, place)])[0]
        assert np.isclose(contributions[place], whole[whole.argmax()] - without[whole.argmax()], atol=1e-6)


def test_windows_add_up_to_the_logit(run_directory):
    model = saved.load(run_directory)
    (found,) = explain.explain(model, ["a lovely film, it was dull"])
    if model.plugin.name == "dan":
        assert found.windows == ()
        return
    row = np.array([model.vocabulary.index(word) if word in model.vocabulary else 1 for word in found.words], np.int32)
    batch = TextBatch(jnp.asarray(row), jnp.zeros(len(row), jnp.int32), jnp.array([len(row)]))
    logits = np.asarray(model.module.apply({"params": model.params}, batch), np.float64)[0] - np.asarray(
        model.params["output"]["bias"]
    )
    predicted = list(model.class_names).index(found.prediction)
    expected = logits[predicted] - np.delete(logits, predicted).mean()
    assert np.isclose(sum(window.contribution for window in found.windows), expected, atol=1e-4)
    assert np.isclose(sum(found.contributions), expected, atol=1e-4)
    if model.arguments["pooling"].name == "max":
        assert sum(window.filters for window in found.windows) == 16


def test_texts_without_words_or_with_unknown_ones(run_directory):
    model = saved.load(run_directory)
    empty, unknown = explain.explain(model, ["", "Supercalifragilistic"])
    assert empty.words == ()
    assert np.isclose(sum(empty.probabilities.values()), 1, atol=1e-5)
    assert unknown.known == (False,)
    console = Console(file=io.StringIO(), width=100)
    for one in (empty, unknown):
        explanations.print_explanation(console, one)
    assert "not in the vocabulary: supercalifragilistic" in console.file.getvalue()


def test_export_holds_the_parameters(run_directory):
    from safetensors.numpy import load_file

    tensors = load_file(run_directory.parent / "model.safetensors")
    model = saved.load(run_directory)
    assert tensors["WordVectors_0.vectors"].shape == (len(model.vocabulary), 8)
    np.testing.assert_array_equal(tensors["WordVectors_0.vectors"], model.params["WordVectors_0"]["vectors"])


def test_a_damaged_run_directory_is_told(run_directory, tmp_path):
    with pytest.raises(UserError, match="there is not a run directory"):
        saved.load(tmp_path / "none")
    with pytest.raises(UserError, match="holds no model; 'train' keeps one"):
        saved.load(tmp_path)
    copy = tmp_path / "copy"
    may_be_changed(shutil.copytree(run_directory, copy))
    description = copy / "checkpoint" / "model.json"
    content = json.loads(description.read_text())
    description.write_text(json.dumps(content | {"vocabulary": content["vocabulary"][:-1]}))
    with pytest.raises(UserError, match=r"word vectors, but the vocabulary in model\.json has"):
        saved.load(copy)
    description.write_text("{")
    with pytest.raises(UserError, match=r"model\.json: cannot be read"):
        saved.load(copy)
    description.write_text(json.dumps(content))
    for file in (copy / "checkpoint" / "params").rglob("*"):
        if file.is_file() and "ocdbt" not in file.name:
            file.write_bytes(b"")
    with pytest.raises(UserError, match="the checkpoint cannot be read") as error:
        saved.load(copy)
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("run_directory", ["dan"], indirect=True)
def test_predict_from_the_command_line(run_directory, tmp_path):
    (tmp_path / "texts.txt").write_text("a superb plot\nso dull\n")

    def ask(*arguments, **kwargs):
        command = [sys.executable, "run.py", "predict", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **kwargs)

    shown = ask(run_directory, "--text=A superb plot!", input="")
    assert shown.returncode == 0, shown.stderr
    assert re.match(r"good  \(good [01]\.\d+", shown.stdout)
    found = json.loads(ask(run_directory, f"--file={tmp_path / 'texts.txt'}", "--json").stdout)
    assert [one["prediction"] for one in found] == ["good", "bad"]
    assert found[0]["words"][1]["word"] == "superb"


def test_predict_in_process_reads_lines_and_tells_mistakes(run_directory, tmp_path, capsys, monkeypatch):
    def ask(*arguments, standard_input=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(standard_input)))
        return commandline.launch(experiments, ["run.py", "predict", *map(str, arguments)], "train")

    assert ask(run_directory, "--json", standard_input="très strange\n".encode()) == 0
    assert json.loads(capsys.readouterr().out)[0]["prediction"] == "odd"
    (tmp_path / "latin").write_bytes(b"fine\ncaf\xe9\n")
    for arguments, told in (
        ([], "predict takes one run directory, not 0"),
        ([run_directory, "--txt=a"], "Did you mean 'text'"),
        ([run_directory, "--file=none"], "file: 'none' cannot be read"),
        ([run_directory, f"--file={tmp_path / 'latin'}"], "line 2: byte 4 is not UTF-8"),
        ([tmp_path, "--text=a"], "holds no model"),
    ):
        assert ask(*arguments) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1


def test_texts_in_many_batches_have_the_bits_that_all_at_once_have(run_directory):
    model = saved.load(run_directory)
    generator = np.random.default_rng(1)
    rows = [generator.integers(1, len(model.vocabulary), length).astype(np.int32) for length in (0, 1, 9, 40) * 20]
    packed, apply = pack(Texts.of(rows), 40 * 32, 32), jax.jit(model.module.apply)
    expected = [
        np.asarray(apply({"params": model.params}, TextBatch(*map(jnp.asarray, parts))))[numbers >= 0]
        for *parts, numbers in zip(*packed, strict=True)
    ]
    np.testing.assert_array_equal(predict.logits(model, rows), np.concatenate(expected))
    assert predict.logits(model, []).shape == (0, 3)


def test_memory_does_not_grow_with_the_square_of_the_words(run_directory):
    model, most, words = saved.load(run_directory), 0, 1000
    row = np.arange(words, dtype=np.int32) % len(model.vocabulary)

    def probabilities(rows):
        nonlocal most
        most = len(rows) * words * 4
        return predict.class_probabilities(model, rows)

    tracemalloc.start()
    explain.leave_one_out(probabilities, row)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.8 * most  # the texts themselves are never there together


def test_a_text_that_would_take_hours_is_refused(run_directory):
    with pytest.raises(UserError, match="has 10,001 words; up to 10,000 can be explained"):
        explain.explain(saved.load(run_directory), ["word " * 10_001])


def test_a_model_on_a_full_disk_is_one_line_and_leaves_no_thread(tmp_path):
    kept = jaxnets.sweep(dataset="xor", hidden_units=4, num_steps=2, batch_size=0, progress=False).model(0)
    before = {thread for thread in threading.enumerate() if not thread.daemon}
    saved.save(tmp_path, kept)
    for first in itertools.count(1):
        with injections.changes(tmp_path, injections.failing(injections.FULL, first), injections.MAKING) as count:
            try:
                saved.save(tmp_path, kept)
                refused = ""
            except UserError as error:
                refused = str(error)
        assert ("no space left on the device" in refused) == (count() >= first)
        waiting = {thread.name for thread in threading.enumerate() if not thread.daemon and thread not in before}
        assert all(name.startswith("asyncio") for name in waiting)  # a pool's, which ends with the process
        assert saved.load(tmp_path).about == kept.about
        if count() < first:
            break
    assert first > 5


@pytest.mark.parametrize("name", [".checkpoint.new", ".checkpoint.old"])
def test_a_model_is_found_that_a_kill_left_between_two_names(tmp_path, name):
    kept = jaxnets.sweep(dataset="xor", hidden_units=4, num_steps=2, batch_size=0, progress=False).model(0)
    saved.save(tmp_path, kept)
    (tmp_path / "checkpoint").rename(tmp_path / name)
    assert saved.load(tmp_path).about == kept.about
    (tmp_path / name / checksums.FILE).unlink()  # it is not whole
    assert not saved.is_kept(tmp_path)
