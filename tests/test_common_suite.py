"""What every plug-in must pass, built in or a guest: it trains, is kept, is read back, and says the same."""

import importlib
import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import jaxnets
from jaxnets.claims.verdicts import NOT_TESTED, OUTCOMES
from jaxnets.cli import flags
from jaxnets.cli.main import sentences
from jaxnets.engine.sweep import prepare
from jaxnets.errors import UserError
from jaxnets.plugins import KINDS
from jaxnets.runs.experiment import Experiment
from jaxnets.runs.experiment import run as carry_out
from tests import guests

GUESTS = {
    "model": guests.WaveNet,
    "optimizer": guests.sign_descent,
    "schedule": guests.halving,
    "initializer": guests.identity_like,
    "activation": guests.bent,
    "head": guests.Smoothed,
    "dataset": guests.circle,
}
XOR = {"dataset": "xor", "batch_size": 0, "num_steps": 4, "evaluate_every": 2, "learning_rate": 0.1, "progress": False}
TEXT = {"dataset": "ngrams", "num_sentences": 40, "batch_size": 10, "num_steps": 3, "embedding_dim": 3}
# Models, optimizers and activations are compiled each; their sweeps are of one run, and of the smallest size.
SIZES = {"hidden_units": 2}
OF_TEXT = {"dan": SIZES, "text_cnn": {"filter_widths": 2, "num_filters": 2}}


def slow(plugin):
    """A built-in plug-in, which other tests train as well."""
    return pytest.param(plugin, marks=pytest.mark.slow)


def name_of(plugin):
    """The name of a test's parameter."""
    return plugin if isinstance(plugin, str) else plugin.__name__


def check(results, folder, inputs):
    """The results are finite, and the same after they were written and read."""
    assert set(results.runs["status"]) == {"finished"}
    assert np.isfinite(results.curves[["train_loss", "dev_loss"]].to_numpy(float)).all()
    again = jaxnets.load(results.save(folder / "run"), trust=True)
    written, first = (of.runs.astype(object).where(of.runs.notna(), None) for of in (again, results))
    pd.testing.assert_frame_equal(written, first)
    for run in (0, len(results.runs) - 1):
        np.testing.assert_array_equal(again.probabilities(run, inputs), results.probabilities(run, inputs))
    return again


@pytest.mark.parametrize(
    "kind", ["optimizer", pytest.param("schedule", marks=pytest.mark.slow), "initializer", "activation"]
)
def test_features_with_every_plug_in_of_a_kind(kind, tmp_path):
    values = [*KINDS[kind].known(), GUESTS[kind]]
    if kind == "optimizer":  # all of Optax's aliases have tests of their own
        values = ["nesterov", GUESTS[kind]]
    if kind == "activation":
        values = ["silu", GUESTS[kind]]
    results = jaxnets.sweep(**XOR, **SIZES, **{kind: values})
    assert len(results.runs) == len(values)
    assert results.runs[kind].iloc[-1] == f"{GUESTS[kind].__module__}:{GUESTS[kind].__name__}"
    again = check(results, tmp_path, results.folds[0].test.inputs)
    repeated = jaxnets.sweep(again.config, progress=False)
    pd.testing.assert_frame_equal(repeated.curves, results.curves, check_exact=True)


@pytest.mark.parametrize("head", [slow("sigmoid"), slow("softmax"), GUESTS["head"]], ids=name_of)
def test_every_head(head, tmp_path):
    results = jaxnets.sweep(**XOR, **SIZES, head=head)
    check(results, tmp_path, results.folds[0].test.inputs)


@pytest.mark.parametrize(
    "model", [slow("mlp"), GUESTS["model"], slow("dan"), slow("text_cnn"), guests.BestWord], ids=name_of
)
def test_every_model(model, tmp_path):
    of_text = model in OF_TEXT or model is guests.BestWord
    sizes = OF_TEXT.get(model, {}) if isinstance(model, str) else {}
    values = {**XOR, **TEXT} if of_text else {**XOR, "initializer": "model"}
    results = jaxnets.sweep(**values, **sizes, model=model, optimizer=guests.sign_descent)
    check(results, tmp_path, ["it was good", ""] if of_text else results.folds[0].test.inputs)


@pytest.mark.parametrize("dataset", [*KINDS["dataset"].known(), GUESTS["dataset"]], ids=name_of)
def test_every_data_set(dataset):
    loader = KINDS["dataset"].find(dataset)
    small = {"num_sentences": 40} if "num_sentences" in loader.arguments else {}
    config = jaxnets.Config(dataset=dataset, **small, model=_model_for(dataset), num_steps=2, batch_size=4)
    sweep = prepare(config)  # traces a step; that guests train is tested above
    assert sweep.folds[0].kind == ("features" if config.model == "mlp" else "text")
    assert len(sweep.programs) == 1


def _model_for(dataset):
    of_text = ("ngrams", "mixed_negations", "unseen_negations", "word_order", "unseen_ngrams")
    return guests.BestWord if dataset in of_text else "mlp"


ALL = {name: importlib.import_module(f"jaxnets.experiments.{name}").EXPERIMENT for name in sentences()}
EXPERIMENTS = {name: one for name, one in ALL.items() if isinstance(one, Experiment)}
SMALL = {
    "activations": "--repetitions=2 --size=64",
    "batch_size": "--batch_size=4,16 --draws=20 --rounds=2 --num_repeats=1",
    "building_blocks": "",
    "compare_optimizers": "--optimizer=sgd,adam",
    "computing_gradients": "--places=3 --widths=8,16 --repetitions=2",
    "dan_vs_naive_bayes": "--num_repeats=2 --final_seeds=2",
    "depth_vs_width": "--layers=1 --width=8",
    "initialization": "--initializer=zeros,he,xavier --layers=2",
    "learning_rate": "--tasks=own --num_repeats=2 --draws=16 --probes=2",
    "linear_collapse": "",
    "local_optima": "--optimizer=sgd,adam",
    "momentum_and_adam": "--optimizer=sgd,adam --rates=3 --steps=20",
    "negation": "--starts=4",
    "schedules": "--schedule=constant,cosine --warmup_steps=0,2 --num_train=0",
    "sgd_vs_full_gradient": "--batch_size=8,0 --rounds=2",
    "text_classification": "",
    "train": "",
    "unseen_ngrams": "",
    "word_order": "--examples=10 --num_repeats=1 --distances=1",
    "xor": "",
}
REFUSED = {
    "activations": "model: ",
    "building_blocks": "model: this experiment has formulas",
    "computing_gradients": "model: this experiment is made for 'mlp' alone",
    "depth_vs_width": "model: 'tests.guests:WaveNet' has an argument 'width'; that is a flag of depth_vs_width.",
    "initialization": "model: ",
    "linear_collapse": "model: 'tests.guests:WaveNet' has no 'hidden_units'",
    "negation": "model: 'tests.guests:BestWord' has no 'hidden_units'",
    "unseen_ngrams": "model: 'tests.guests:BestWord' has no 'vector_range'",
    "xor": "model: 'tests.guests:WaveNet' has no 'hidden_units'",
}
"""How an experiment refuses a guest model before it trains anything."""


QUICK = ("train", *REFUSED)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in EXPERIMENTS]
)
def test_a_guest_model_runs_in_every_experiment_or_is_refused_in_one_line(name, tmp_path):
    experiment = EXPERIMENTS[name]
    takes_text = experiment.takes == "text" or name == "text_classification"
    model, dataset = ("BestWord", "ngrams --num_sentences=60") if takes_text else ("WaveNet", "tests.guests:circle")
    words = f"--model=tests.guests:{model} --dataset={dataset} --num_steps=4 --evaluate_every=2 --num_seeds=4"
    words += f" --learning_rate=0.01,0.1 --batch_size=8 {SMALL[name]}"
    if name in REFUSED:
        with pytest.raises(UserError) as error:
            flags.parse(experiment, words.split())
        assert str(error.value).startswith(REFUSED[name])
        return
    config = flags.parse(experiment, [*words.split(), f"--output={tmp_path / 'run'}"])
    results, finding = carry_out(experiment, config, Console(file=io.StringIO()), progress=None)
    assert results.directory == tmp_path / "run"
    if finding is not None:
        assert finding.verdict.outcome in (*OUTCOMES, NOT_TESTED)
