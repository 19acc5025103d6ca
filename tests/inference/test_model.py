"""A model that is trained on texts of one's own, kept, asked and exported, from the command line on."""

import gzip
import itertools
import json
import re
import shutil
import subprocess
import sys
import tracemalloc
from functools import partial
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import jaxnets
from benchmarks.reliability import injections
from jaxnets import data, io
from jaxnets.cli import main as cli
from jaxnets.data import dataset as classes
from jaxnets.data import text_files
from jaxnets.data.texts import Texts, pack
from jaxnets.errors import UserError
from jaxnets.inference import explain, predict
from jaxnets.inference import model as saved
from jaxnets.models.blocks import TextBatch
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


@pytest.fixture(scope="module", params=["dan", "text_cnn", pytest.param("text_cnn mean", marks=pytest.mark.slow)])
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
    assert cli.main(command) == 0
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
    console = Console(file=StringIO(), width=100)
    for one in (empty, unknown):
        explain.print_explanation(console, one)
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
    description.write_text(json.dumps(content | {"form": 1}))  # that of 0.4
    with pytest.raises(UserError, match=r"model\.json: cannot be read: it has the form 1; this version reads 2"):
        saved.load(copy)
    description.write_text("{")
    with pytest.raises(UserError, match=r"model\.json: cannot be read"):
        saved.load(copy)
    description.write_text(json.dumps(content))
    (copy / "checkpoint" / "parameters.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match=r"parameters\.safetensors: cannot be read") as error:
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
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(standard_input)))
        return cli.main(["run.py", "predict", *map(str, arguments)])

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


def test_texts_in_many_batches_have_the_logits_of_each_alone(run_directory, monkeypatch):
    model = saved.load(run_directory)
    generator = np.random.default_rng(1)
    rows = [generator.integers(1, len(model.vocabulary), length).astype(np.int32) for length in (0, 1, 9, 600) * 20]
    packed, apply = pack(Texts.of(rows[:8]), 0, 1), jax.jit(model.module.apply)
    alone = [
        np.asarray(apply({"params": model.params}, TextBatch(*map(jnp.asarray, parts))))[0]
        for *parts, _ in zip(*packed, strict=True)
    ]
    together = predict.logits(model, rows)
    np.testing.assert_allclose(together[:8], alone, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(predict, "_POSITIONS", 512)
    monkeypatch.setattr(predict, "_MOST_POSITIONS", 512)
    np.testing.assert_allclose(predict.logits(model, rows), together, rtol=1e-4, atol=1e-5)
    assert predict.logits(model, []).shape == (0, 3)


@pytest.mark.parametrize("run_directory", ["dan"], indirect=True)
def test_many_texts_are_few_programs_and_few_batches(run_directory, monkeypatch):
    """2,000 short texts and a long one are put through together; none is a batch of its own."""
    model, shapes = saved.load(run_directory), []
    texts = [f"the {'film ' * (number % 3)}was superb" for number in range(2000)]
    texts[1] = "dull " * 12_500
    compiled = predict._compiled

    def counting(module):
        def apply(variables, batch):
            shapes.append((batch.words.shape, batch.lengths.shape))
            return compiled(module)(variables, batch)

        return apply

    monkeypatch.setattr(predict, "_compiled", counting)
    found = predict.labels(model, texts)
    assert found.tolist() == ["good", "bad", *["good"] * 1998]
    assert len(set(shapes)) == 1
    assert len(shapes) <= 4


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


@pytest.mark.parametrize("run_directory", ["dan"], indirect=True)
def test_a_text_that_would_take_hours_to_explain_is_answered_with_the_others(run_directory):
    model, texts = saved.load(run_directory), ["a superb plot", "dull " * 10_001, "so weird"]
    found = explain.explain(model, texts)
    assert [one.prediction for one in found] == ["good", "bad", "odd"]
    assert [one.contributions is None for one in found] == [False, True, False]
    assert [one["words"] is None for one in explain.as_json(found)] == [False, True, False]
    assert all(one.contributions is None for one in explain.explain(model, texts, reasons=False))


LABELS = {
    "strings": ["0", "1"],
    "zeros before": ["0001", "0010"],
    "one number, two names": ["1", "01"],
    "negative": [-1, 1],
    "numbers": [2, 10],
    "numbers of NumPy": list(np.array([0, 1], np.int8)),
    "large": [2**70, 3],
    "truth values": [True, False],
    "names of truth values": ["True", "False"],
}


@pytest.mark.parametrize("given", LABELS)
def test_predictions_are_of_the_type_of_the_labels(given):
    labels, texts = LABELS[given] * 20, ["good film", "dull plot"] * 20
    wanted = {repr(label.item() if isinstance(label, np.generic) else label) for label in labels}
    for dataset in ((texts, labels), (np.eye(2)[[0, 1] * 20], labels), pd.DataFrame({"text": texts, "label": labels})):
        loaded = data.load(dataset)
        found = classes.typed(loaded.class_names, loaded.label_type)
        assert set(map(repr, found)) == wanted


def test_labels_of_files_are_strings_unless_they_are_numbers_of_json(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    written = {
        "a.csv": ("label,text\n" + "0,x\n1,y\n" * 20, ["0", "1"]),
        "b.tsv": ("0\tx\n1\ty\n" * 20, ["0", "1"]),
        "c.jsonl": ('{"label": 0, "text": "x"}\n{"label": 1, "text": "y"}\n' * 20, [0, 1]),
        "d.jsonl": ('{"label": "0", "text": "x"}\n{"label": "1", "text": "y"}\n' * 20, ["0", "1"]),
        "e.jsonl": ('{"label": 0, "text": "x"}\n{"label": "1", "text": "y"}\n' * 20, ["0", "1"]),
    }
    for name, (content, expected) in written.items():
        (tmp_path / name).write_text(content)
        for _ in range(2):  # the second time from the cache
            (loaded,) = text_files.load(tmp_path / name, folds=1, length_percentile=90)
            assert classes.typed(loaded.class_names, loaded.label_type) == expected
            assert loaded.max_length == 1


def test_a_kept_model_says_what_the_sweep_says(tmp_path):
    """Labels that are strings of digits, and texts that are cut as those of the sweep were."""
    generator = np.random.default_rng(0)
    texts, labels = [], []
    for number in range(200):
        late = number % 4 == 0  # what tells the class comes after where texts are cut
        words = [*generator.choice(["the", "film", "was"], 6), *(["of"] * 20 * late), ["dull", "fine"][number % 2]]
        texts.append(" ".join(words))
        labels.append(["01", "1"][number % 2])
    pairs = ((texts[:150], labels[:150]), (texts[150:], labels[150:]))
    axes = {"embedding_dim": 8, "hidden_units": 8, "learning_rate": 0.03, "num_epochs": 5, "batch_size": 30}
    results = jaxnets.sweep(
        dataset=pairs, model="dan", length_percentile=70, **axes, output=tmp_path / "run", progress=False
    )
    test_texts, test_labels = pairs[1]
    for found in (results, jaxnets.load(tmp_path / "run")):
        predictions = found.predict(0, test_texts)
        assert predictions.dtype.kind == "U"
        assert (predictions == test_labels).mean() == pytest.approx(results.runs["test_accuracy"][0])
    model = jaxnets.load(tmp_path / "run").model(0)
    assert model.max_length == 7
    (found,) = explain.explain(model, ["the film was " * 5])
    assert (len(found.words), len(found.contributions), found.num_cut) == (7, 7, 8)
    assert explain.as_json([found])[0]["words_cut"] == 8
    content = model.described()
    for name in ("label_type", "max_length"):  # of a version that did not keep them
        del content[name]
    old = saved.from_description(tmp_path / "model.json", json.loads(json.dumps(content)), model.params, trust=False)
    assert old.labels == ["01", "1"]
    with pytest.raises(UserError, match="not called as labels of the type int"):
        saved.from_description(
            tmp_path / "m", json.loads(json.dumps(content | {"label_type": "int"})), model.params, False
        )


def ask(capsys, *arguments):
    status = cli.main(["run.py", "predict", *map(str, arguments)])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


FILES = {
    "a.csv": 'id,text,label\n1,"a superb, ""fine""\nplot",good\n2,so dull,odd\n3,,\n',
    "a.tsv": "label\ttext\ngood\ta superb plot\nodd\tso dull\n\t\n",
    "plain.tsv": "good\ta superb plot\nodd\tso dull\ngood\t\n",
    "one.tsv": "text\na superb plot\nso dull\n\n",
    "a.jsonl": '{"text": "a superb plot", "label": "good"}\n{"text": "so dull", "label": "odd"}\n{"text": ""}\n',
    "a.txt": "a superb plot\nso dull\n\n",
    "lines": "a superb plot\nso dull\n\n",
}


@pytest.mark.parametrize("run_directory", ["dan"], indirect=True)
@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_by_its_form_and_a_row_is_an_answer(run_directory, tmp_path, capsys, name, packed):
    path, content = tmp_path / f"{name}{packed}", FILES[name].encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    status, out, told = ask(capsys, run_directory, f"--file={path}", "--json", "--noexplain")
    assert status == 0, told
    found = json.loads(out)
    assert [one["prediction"] for one in found[:2]] == ["good", "bad"]
    assert [" ".join(one["text"].replace('"', "").replace(",", "").split()) for one in found] in (
        ["a superb plot", "so dull", ""],
        ["a superb fine plot", "so dull", ""],
    )
    labelled = name in ("a.csv", "a.tsv", "plain.tsv", "a.jsonl")
    assert ("Accuracy: 0." in told) == labelled
    assert ("label" in found[0]) == labelled
    for form in (".csv", ".jsonl"):
        output = tmp_path / f"answers{form}"
        assert ask(capsys, run_directory, f"--file={path}", f"--output={output}", "--top=2")[0] == 0
        table = pd.read_csv(output) if form == ".csv" else pd.read_json(output, lines=True)
        assert table["row"].tolist() == [1, 2, 3]
        assert table["answer"].tolist()[:2] == ["good", "bad"]
        second = table["answer_2"] if form == ".csv" else [one[1]["answer"] for one in table["top"]]
        assert all(answer != other for answer, other in zip(table["answer"], second, strict=True))
        np.testing.assert_allclose(table["probability"][0], max(found[0]["probabilities"].values()), atol=1e-6)


@pytest.mark.parametrize("run_directory", ["dan"], indirect=True)
def test_files_that_cannot_be_asked_about_are_one_line_and_nothing_is_written(run_directory, tmp_path, capsys):
    def file(name, content="text\nfine\n"):
        (tmp_path / name).write_text(content)
        return f"--file={tmp_path / name}"

    there = tmp_path / "there.csv"
    there.write_text("mine")
    for arguments, told in (
        ([file("a.json", "[]")], "is in no form that is read"),
        ([file("A.CSV")], "is in no form that is read"),
        ([file("ids.tsv", "17\tfine\n18\tdull\n")], "line 1: the label '17' is not one of the training set's"),
        ([file("head.tsv", "id\tsentence\n1\tfine\n")], "this is a header: 1 'id', 2 'sentence'"),
        ([file("a.tsv", "sentence\nfine\n")], "line 1: this is a header: 'sentence'"),
        ([file("b.csv", "comment\nfine\n")], "no column 'text' among comment"),
        ([file("c.csv"), "--label_column=label"], "no column 'label' among text"),
        ([file("d.csv", "text\n")], "the file is empty; it must have a text in each line"),
        ([file("e.txt"), "--text_column=text"], "has no columns"),
        ([file("f.csv"), "--output=answers.parquet"], "must end in .csv or .jsonl"),
        ([file("g.csv"), f"--output={there}"], "is there already"),
        ([file("h.csv"), f"--output={tmp_path / 'none' / 'a.csv'}"], "there is no folder"),
        ([file("i.csv"), "--top=0"], "top: 0"),
        ([file("j.csv", "text,label\nfine,good\ndull,Bad\n"), f"--output={tmp_path / 'n.csv'}"], "the label 'Bad'"),
    ):
        status, out, error = ask(capsys, run_directory, *arguments)
        assert (status, out, error.count("\n")) == (2, "", 1), arguments
        assert told in error
    assert there.read_text() == "mine"
    assert not (tmp_path / "n.csv").exists()
    aside = ask(capsys, run_directory, f"--file={tmp_path / 'j.csv'}", "--label_column=", "--json")
    assert aside[0] == 0
    assert "label" not in json.loads(aside[1])[0]
    by_number = ask(capsys, run_directory, f"--file={tmp_path / 'ids.tsv'}", "--text_column=2", "--json")
    assert [one["text"] for one in json.loads(by_number[1])] == ["fine", "dull"]


@pytest.mark.parametrize("run_directory", ["dan"], indirect=True)
def test_few_texts_are_explained_and_many_if_asked(run_directory, tmp_path, capsys):
    for count, flags, explained in (
        (20, [], True),
        (21, [], False),
        (21, ["--explain"], True),
        (2, ["--noexplain"], False),
    ):
        (tmp_path / "t.txt").write_text("so dull\n" * count)
        found = json.loads(ask(capsys, run_directory, f"--file={tmp_path / 't.txt'}", "--json", *flags)[1])
        assert [one["words"] is not None for one in found] == [explained] * count


def test_a_model_on_a_full_disk_is_one_line_and_the_one_before_stays(tmp_path):
    kept = jaxnets.sweep(dataset="xor", hidden_units=4, num_steps=2, batch_size=0, progress=False).model(0)
    saved.save(tmp_path, kept)
    for first in itertools.count(1):
        with injections.changes(tmp_path, injections.failing(injections.FULL, first), injections.MAKING) as count:
            try:
                saved.save(tmp_path, kept)
                refused = ""
            except UserError as error:
                refused = str(error)
        assert ("no space left on the device" in refused) == (count() >= first)
        assert saved.load(tmp_path).about == kept.about
        if count() < first:
            break
    assert first > 2


@pytest.mark.parametrize("name", [".checkpoint.new", ".checkpoint.old"])
def test_a_model_is_found_that_a_kill_left_between_two_names(tmp_path, name):
    kept = jaxnets.sweep(dataset="xor", hidden_units=4, num_steps=2, batch_size=0, progress=False).model(0)
    saved.save(tmp_path, kept)
    (tmp_path / "checkpoint").rename(tmp_path / name)
    assert saved.load(tmp_path).about == kept.about
    (tmp_path / name / io.CHECKSUMS).unlink()  # it is not whole
    assert not saved.is_kept(tmp_path)
