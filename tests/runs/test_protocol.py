"""A comparison from its configuration to its tables: what is tuned, what is confirmed, and on which seeds."""

import numpy as np
import pandas as pd
import pytest

from jaxnets import tasks
from jaxnets.claims import effects
from jaxnets.cli import main as cli
from jaxnets.comparison.table import FINAL, TUNING, read
from jaxnets.config.config import Config
from jaxnets.engine import execute
from jaxnets.engine.keep import Compiled
from jaxnets.errors import UserError
from jaxnets.experiments import compare_optimizers, text_classification
from jaxnets.report.progress import Display
from jaxnets.runs import experiment, protocol, results, train
from jaxnets.runs.experiment import configure
from jaxnets.runs.protocol import Contest

EXPERIMENT = compare_optimizers.EXPERIMENT
SMALL = {"dataset": "wine", "hidden_units": 4, "num_steps": 8, "evaluate_every": 4, "batch_size": 16}
TUNED = {"optimizer": ["sgd", "adam"], "learning_rate": [0.001, 0.03], "num_seeds": 2, "final_seeds": 3}


def carry_out(directory, **values):
    config = configure(EXPERIMENT, {**SMALL, **TUNED, **values})
    contest = Contest("optimizer", config.options["final_seeds"])
    parts = list(protocol.parts(config, config.options["tasks"]))
    return protocol.carry_out(config, contest, parts, None, directory, writes=True)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    directory = tmp_path_factory.mktemp("comparison")
    return carry_out(directory, num_repeats=2).comparison, directory


def test_each_method_is_tuned_alike_and_confirmed_on_fresh_seeds(comparison):
    found, _ = comparison
    tuning, final = found.phase(TUNING), found.phase(FINAL)
    assert tuning.groupby(["optimizer", "repeat"]).size().tolist() == [4] * 4
    means = tuning.groupby(["optimizer", "repeat", "learning_rate"])["dev_accuracy"].mean()
    for (name, repeat), own in final.groupby(["optimizer", "repeat"]):
        assert len(own) == 3
        assert not set(own["seed"]) & set(tuning["seed"])
        (rate,) = set(own["learning_rate"])
        assert means[name, repeat, rate] == means[name, repeat].max()
    seeds = {repeat: set(own["seed"]) for repeat, own in final.groupby("repeat")}
    assert not seeds[0] & seeds[1]


def test_runs_are_numbered_through_and_what_belongs_to_them_is_written(comparison):
    found, directory = comparison
    assert found.runs["run"].tolist() == list(range(16 + 12))
    assert set(found.curves["run"]) == set(found.runs["run"])
    assert set(found.predictions["run"]) == set(found.phase(FINAL)["run"])
    last = found.curves.groupby("run")["dev_accuracy"].last()
    np.testing.assert_array_equal(last, found.runs["dev_accuracy"])
    again = read(directory)
    pd.testing.assert_frame_equal(again.runs, found.runs)
    assert again.protocol.spaces == {"learning_rate": "0.001, 0.03"}
    assert (again.protocol.num_trials, again.protocol.num_repeats) == (2, 2)


def test_the_confirmation_compiles_nothing(comparison):
    (part,) = protocol.parts(configure(EXPERIMENT, {**SMALL, **TUNED, "num_repeats": 2}), ["own"])
    one, other = part.sweep.folds
    assert not np.array_equal(one.test.inputs, other.test.inputs)
    train.carry_out(part.sweep, None, None)
    again = protocol.final_runs(part.sweep, comparison[0].phase(TUNING), "optimizer", 3)
    events = execute.execute(again.programs, again.folds, again.placement, again.options)
    assert [event.anew for event in events if isinstance(event, Compiled)] == [False, False]


def test_without_fresh_seeds_those_that_chose_report(tmp_path):
    studied = carry_out(tmp_path, final_seeds=0, optimizer="sgd")
    found, (last,) = studied.comparison, studied.trained
    assert set(found.runs["phase"]) == {TUNING}
    assert len(last.runs) == len(found.runs)
    assert set(found.predictions["run"]) == set(found.runs["run"])


def test_an_interruption_leaves_what_was_done(tmp_path, monkeypatch):
    def interrupted(self, *arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(Display, "advance", interrupted)
    studied = carry_out(tmp_path)
    assert studied.stages[-1].trained.interrupted
    assert studied.comparison.tasks == ()
    again = read(tmp_path)
    assert (len(again.runs), again.unfinished) == (8, ("wine",))
    assert again.whole.runs.empty


@pytest.mark.slow
def test_tasks_of_the_suite_bring_their_own_data_model_and_budget(tmp_path):
    found = carry_out(tmp_path, tasks=["wine", "spirals"], num_seeds=1, final_seeds=2, num_train=80).comparison
    assert [facts.name for facts in found.tasks] == ["wine", "spirals"]
    assert found.runs.groupby("task", sort=False).size().to_dict() == {"wine": 8, "spirals": 8}
    assert found.runs["run"].is_unique
    columns = list(found.runs.columns)
    assert columns.index("hidden_units") < columns.index("status") < columns.index("task")
    assert all(facts.target > facts.chance for facts in found.tasks)


def test_the_space_is_told_in_words_and_the_search_follows_it():
    config = configure(EXPERIMENT, {"weight_decay": [0.0, 0.1]})
    assert protocol.spaces(config, "optimizer") == {
        "learning_rate": "0.0001 to 1 in its logarithm, 9 values",
        "weight_decay": "0.0, 0.1",
    }
    drawn = configure(EXPERIMENT, {"search": "sobol"})
    assert protocol.spaces(drawn, "optimizer") == {"learning_rate": "0.0001 to 1 in its logarithm"}
    assert (drawn.num_seeds, drawn.num_trials, configure(EXPERIMENT, {}).num_seeds) == (1, 64, 8)
    assert configure(EXPERIMENT, {"search": "random", "num_seeds": 3}).num_seeds == 3
    ranges = ("learning_rate", "vector_range", "word_dropout_rate", "dropout_rate")
    searches = [
        configure(text_classification.EXPERIMENT, dict.fromkeys(names, 0.1)).search for names in (ranges, ranges[:1])
    ]
    assert searches == ["grid", "random"]  # nothing is left to draw
    with pytest.raises(UserError, match="Did you mean 'wine'"):
        list(protocol.parts(config, ["wne"]))


def asked(options=None, **values):
    values = {**SMALL, "num_repeats": 2, "learning_rate": [0.01, 0.1], "optimizer": "sgd", **values}
    return results.Results(Config(**values, options={"final_seeds": 3, **(options or {})}), None, None)


def test_a_claim_tunes_by_its_score_and_keeps_what_reports():
    own = asked(schedule=["constant", "cosine", "linear"])
    label = lambda runs: runs["schedule"].where(runs["schedule"] == "constant", "decaying")  # noqa: E731
    studied = own.comparison(label, score="train_loss", keep="last")
    table = effects.scores(studied.comparison)
    assert set(table["method"]) == {"constant", "decaying"}
    assert table.groupby(["method", "repeat"]).size().tolist() == [3] * 4
    assert len(own.further) == 2
    (reporting,) = studied.reporting.values()
    assert set(reporting.params(0))
    keys = ["method", "repeat", "schedule", "learning_rate"]
    best = studied.comparison.phase(TUNING).groupby(keys)["train_loss"].mean()
    for (name, repeat), of_one in studied.comparison.reporting.groupby(["method", "repeat"]):
        assert {(one.schedule, one.learning_rate) for one in of_one.itertuples()} == {best[name, repeat].idxmin()}


def test_tasks_may_have_values_of_their_own():
    changes = {"wine": (4,), "spirals": (5,)}
    studied = asked({"tasks": ["wine", "spirals"]}).comparison(
        "hidden_units", changes=lambda task: {"hidden_units": changes[task.name], "num_steps": 4}
    )
    runs = studied.comparison.runs
    assert dict(zip(runs["task"], runs["hidden_units"], strict=True)) == {"wine": "4", "spirals": "5"}
    assert set(runs["num_steps"]) == {4}
    assert [task.independent for task in studied.comparison.tasks] == [False, True]


@pytest.mark.parametrize("dataset", ["wine", pytest.param("spirals", marks=pytest.mark.slow)])
def test_another_base_seed_is_another_comparison(dataset):
    first, same, other = (
        effects.scores(asked(dataset=dataset, base_seed=seed).comparison("optimizer").comparison)
        for seed in (0, 0, 500)
    )
    assert first["train_loss"].tolist() == same["train_loss"].tolist()
    assert not set(first["seed"]) & set(other["seed"])
    assert not np.isin(first["test_loss"], other["test_loss"]).any()


def test_short_tasks_and_digits_with_several_depths():
    options = experiment.of_depths(1, 2, final_seeds=3)
    assert [option.name for option in options] == ["tasks", "final_seeds", "layers", "most_steps"]
    assert set(experiment.SHORT_TASKS) <= set(tasks.SMALL)
    changes = experiment.short_and_deep({"layers": [1, 3], "most_steps": 100})
    assert changes(tasks.KNOWN["digits"])["hidden_units"] == [(32,), (32, 32, 32)]
    assert changes(tasks.KNOWN["wine"]) == {"num_steps": 36, "evaluate_every": 36}
    assert changes(tasks.KNOWN["mnist1d"]) == {"num_steps": 100, "evaluate_every": 100}
    assert changes(None) == {}


@pytest.mark.slow
def test_the_kept_seeds_answer_together(tmp_path, capsys):
    flags = ["--optimizer=sgd,adam", "--learning_rate=0.001,0.03", "--num_seeds=2", "--final_seeds=3"]
    flags += ["--num_epochs=3", "--hidden_units=8", "--keep=seeds", "--dataset=ngrams", "--model=dan"]
    assert cli.run(EXPERIMENT, ["run.py", *flags, f"--output={tmp_path / 'kept'}"]) == 0
    assert "Report: " in capsys.readouterr().out
    assert (tmp_path / "kept" / "report.html").stat().st_size > 500_000
    loaded = results.load(tmp_path / "kept")
    own = loaded.runs[loaded.runs["run"].isin({run for run, _ in loaded.kept})]
    assert (own["phase"] == FINAL).all()
    assert own["optimizer"].nunique() == 1
    assert loaded.ensemble().probabilities(["a good film"]).shape == (1, 2)
