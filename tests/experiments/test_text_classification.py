"""Nets and baselines compared on texts, from the command line to the table and the figure."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from jaxnets.cli import flags
from jaxnets.cli import main as cli
from jaxnets.engine.table import runs
from jaxnets.experiments import train

WORDS = ["the", "a", "plot", "film", "was", "is", "very", "so"]
SIGNS = {"0": ["dull", "poor"], "1": ["fine", "good"], "2": ["odd", "weird"]}


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """120 texts in one file, each with a word that tells its class."""
    generator, path = np.random.default_rng(0), tmp_path_factory.mktemp("texts") / "reviews.tsv"
    lines = []
    for number in range(120):
        label = str(number % 3)
        words = [*generator.choice(WORDS, 5), generator.choice(SIGNS[label])]
        lines.append(f"{label}\t{' '.join(generator.permutation(words))} {number}\n")
    path.write_text("".join(lines))
    return path


@pytest.fixture(autouse=True)
def no_pages(monkeypatch):
    """The pages and figures of a comparison have tests of their own."""
    monkeypatch.setattr("jaxnets.report.comparison_page.on_paper", lambda *_: {})
    monkeypatch.setattr("jaxnets.report.comparison_page.html", lambda *arguments, **keywords: "")


def launch(*arguments):
    return cli.main(["run.py", *map(str, arguments)])


NETS = ["--embedding_dim=8", "--num_filters=4", "--filter_widths=2", "--hidden_units=8", "--batch_size=20"]


@pytest.mark.slow
def test_systems_folds_confusions_and_mistakes(reviews, tmp_path, capsys):
    directory = tmp_path / "run"
    sizes = ["--folds=3", "--num_seeds=2", "--num_epochs=12", "--search=grid", "--learning_rate=0.03"]
    given = ["--vector_range=0.05", "--dropout_rate=0.5", "--final_seeds=0", "--keep=best"]
    assert launch("text_classification", f"--dataset={reviews}", f"--output={directory}", *NETS, *sizes, *given) == 0
    printed = capsys.readouterr().out
    table, predictions = (pd.read_parquet(directory / f"{name}.parquet") for name in ("runs", "predictions"))
    assert len(table) == 2 * 2 * 3
    assert len(predictions) == 2 * 2 * 120
    for name in (
        "naive_bayes",
        "naive_bayes_pairs",
        "logistic_regression",
        "nbsvm",
        *(f"{net}{of}" for net in ("dan", "text_cnn") for of in ("", " × 2")),
    ):
        # a list, as the table with its intervals is wider than 80 columns
        assert re.search(rf"^system: {name}\n *test accuracy: [01]\.\d{{3}} ", printed, re.MULTILINE), name
    for _, run in table.iterrows():
        own = predictions[predictions["run"] == run["run"]]
        assert np.isclose((own["prediction"] == own["label"]).mean(), run["test_accuracy"])
    assert table["test_accuracy"].mean() > 0.8
    assert "examples of each class (row) by predicted class" in printed
    assert "the most certain mistakes" not in printed  # the best system makes none
    assert (directory / "figures" / "confusion.png").stat().st_size > 5000


def test_it_tunes_alike_confirms_on_fresh_seeds_and_predict_answers_with_them(reviews, tmp_path, capsys):
    directory = tmp_path / "run"
    sizes = [
        "--folds=1",
        "--num_trials=3",
        "--num_seeds=2",
        "--final_seeds=2",
        "--num_epochs=4",
        "--learning_rate=log:0.01:0.1",
    ]
    assert launch("text_classification", f"--dataset={reviews}", f"--output={directory}", *NETS, *sizes) == 0
    table = pd.read_parquet(directory / "runs.parquet")
    tuning, final = (table[table["phase"] == phase] for phase in ("tuning", "final"))
    assert (tuning.groupby("model")["learning_rate"].nunique() == 3).all()
    assert (final.groupby("model")["seed"].nunique() == 2).all()
    assert not set(tuning["seed"]) & set(final["seed"])
    for model, members in final.groupby("model"):
        dev = tuning[tuning["model"] == model].groupby("learning_rate")["dev_accuracy"].mean()
        assert set(members["learning_rate"]) <= set(dev.index[np.isclose(dev, dev.max())])
    capsys.readouterr()
    assert launch("predict", directory, "--text=the film was dull", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert len(found["members"]) == 2
    for name, probability in found["probabilities"].items():
        assert np.isclose(np.mean([member[name] for member in found["members"]]), probability)
    assert launch("predict", directory, "--text=the film was dull") == 0
    assert f"of 2 members say {found['prediction']}" in capsys.readouterr().out


def test_without_a_net_that_finished_there_is_no_table(tmp_path, capsys):
    sizes = [
        "--num_sentences=60",
        "--embedding_dim=4",
        "--num_steps=3",
        "--batch_size=20",
        "--num_trials=2",
        "--final_seeds=1",
    ]
    lost = ["--model=dan", "--optimizer=sgd", "--learning_rate=1e30", "--evaluate_every=3"]
    assert launch("text_classification", "--dataset=ngrams", f"--output={tmp_path / 'run'}", *sizes, *lost) == 0
    assert "No net finished." in capsys.readouterr().out


@pytest.mark.parametrize("preset", ["dan2015", "kim2014"])
def test_a_preset_sets_what_the_paper_tells_and_flags_change_it(preset):
    config = flags.parse(train.EXPERIMENT, [f"--preset={preset}", "--dataset=ngrams", "--batch_size=7"])
    expected = {"dan2015": ("dan", "adagrad", 300), "kim2014": ("text_cnn", "adadelta", 300)}[preset]
    assert (config.model, config.optimizer, config.arguments["embedding_dim"]) == expected
    assert config.batch_size == 7
    assert flags.parse(train.EXPERIMENT, ["--dataset=ngrams", "--model=dan"]).batch_size == 64


def test_a_preset_makes_the_runs_of_the_paper():
    (run,) = runs(flags.parse(train.EXPERIMENT, ["--preset=kim2014", "--dataset=ngrams", "--num_filters=3"]))
    assert (run["max_norm"], run["rho"], run["dropout_rate"], run["num_filters"]) == (3.0, 0.95, 0.5, 3)


MISTAKES = {
    "--preset=kim201": "Did you mean 'kim2014'",
    "--dataset=none.tsv": "dataset: there is no file or folder 'none.tsv'",
    "--keep=some": "keep: 'some' is not known",
    "--select=first": "select: 'first' is not known",
    "--export=model.bin": "must end in .safetensors",
    "--export=none/model.safetensors": "there is no folder 'none'",
    "--predictions=maybe": "predictions",
    "--word_vector_updates=row": "Did you mean 'rows'",
    "--word_vector_updates=rows --optimizer=lbfgs": "take 'dense'",
    "--word_dropout_rate=-1": "word_dropout_rate",
    "--max_norm=3 --model=tests.experiments.nothing:Net": "cannot import",
}


@pytest.mark.parametrize("given", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(given, tmp_path, capsys):
    output = tmp_path / "run"
    dataset = [] if "dataset" in given else ["--dataset=ngrams", "--num_sentences=120"]
    assert launch("text_classification", *dataset, f"--output={output}", *given.split()) == 2
    error = capsys.readouterr().err
    assert MISTAKES[given] in error
    assert error.count("\n") == 1
    assert not output.exists()


def test_folders_with_mistakes_leave_nothing(tmp_path, capsys):
    (tmp_path / "train.tsv").write_text("a\tx\nb\ty\n")
    (tmp_path / "test.tsv").write_text("a\tx\nc\ty\n")
    assert launch("train", f"--dataset={tmp_path}", "--model=dan", f"--output={tmp_path / 'run'}") == 2
    assert "test.tsv, line 2: the label 'c'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
