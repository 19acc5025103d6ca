"""A comparison from its configuration to its tables: what is tuned, what is confirmed, and on which seeds."""

import numpy as np
import pandas as pd
import pytest

from jaxnets.comparison.table import CONFIRMATION, TUNING, read
from jaxnets.engine import execute
from jaxnets.engine.keep import Compiled
from jaxnets.errors import UserError
from jaxnets.experiments import compare_optimizers, text_classification
from jaxnets.report.progress import Display
from jaxnets.runs import protocol, results, train
from jaxnets.runs.experiment import configure
from jaxnets.runs.protocol import Contest

SMALL = {
    "optimizer": ["sgd", "adam"],
    "learning_rate": [0.001, 0.03],
    "num_seeds": 2,
    "confirm_seeds": 3,
    "num_train": 200,
    "num_epochs": 3,
    "hidden_units": 8,
}


def carry_out(directory, **values):
    config = configure(compare_optimizers.EXPERIMENT, {**SMALL, **values})
    parts = list(protocol.parts(config, config.options["tasks"]))
    contest = Contest("optimizer", config.options["confirm_seeds"])
    studied = protocol.carry_out(config, contest, parts, None, directory, writes=True)
    return studied.study, studied.stages[-1].trained


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    directory = tmp_path_factory.mktemp("study")
    found, _ = carry_out(directory)
    return found, directory


def test_each_contestant_is_tuned_alike_and_confirmed_on_fresh_seeds(study):
    found, _ = study
    tuning, confirming = found.phase(TUNING), found.phase(CONFIRMATION)
    assert tuning.groupby("optimizer").size().tolist() == [4, 4]
    for _, own in confirming.groupby("optimizer"):
        assert sorted(own["seed"]) == [2, 3, 4]
        assert own["learning_rate"].nunique() == 1


def test_the_choice_is_that_of_dev(study):
    found, _ = study
    means = found.phase(TUNING).groupby(["optimizer", "learning_rate"])["dev_accuracy"].mean().unstack()
    chosen = found.phase(CONFIRMATION).groupby("optimizer")["learning_rate"].first()
    assert chosen.to_dict() == means.idxmax(axis=1).to_dict()


def test_runs_are_numbered_through_and_their_curves_and_predictions_belong_to_them(study):
    found, _ = study
    assert found.runs["run"].tolist() == list(range(14))
    assert set(found.curves["run"]) == set(range(14))
    assert set(found.predictions["run"]) == set(found.phase(CONFIRMATION)["run"])
    last = found.curves.groupby("run")["dev_accuracy"].last()
    np.testing.assert_array_equal(last, found.runs["dev_accuracy"])


def test_what_is_written_is_what_was_found(study):
    found, directory = study
    pd.testing.assert_frame_equal(read(directory).runs, found.runs)
    assert read(directory).protocol.spaces == {"learning_rate": "0.001, 0.03"}
    assert read(directory).protocol.num_trials == 2


def test_the_confirmation_compiles_nothing(study):
    found, _ = study
    config = configure(compare_optimizers.EXPERIMENT, SMALL)
    (part,) = protocol.parts(config, ["own"])
    train.carry_out(part.sweep, None, None)
    again = protocol.confirmation(part.sweep, found.phase(TUNING), "optimizer", 3)
    events = execute.execute(again.programs, again.folds, again.placement, again.options)
    assert [event.anew for event in events if isinstance(event, Compiled)] == [False, False]


def test_blocks_have_splits_seeds_and_choices_of_their_own(tmp_path):
    found, _ = carry_out(tmp_path, num_blocks=2)
    assert found.protocol.num_blocks == 2
    for phase, count in ((TUNING, 2), (CONFIRMATION, 3)):
        seeds = {block: set(own["seed"]) for block, own in found.phase(phase).groupby("block")}
        assert [len(of_block) for of_block in seeds.values()] == [count, count]
        assert not seeds[0] & seeds[1]
    labels = [
        tuple(found.predictions[found.predictions["run"] == own["run"].iloc[0]]["label"])
        for _, own in found.phase(CONFIRMATION).groupby("block")
    ]
    assert labels[0] != labels[1]


@pytest.mark.slow
def test_tasks_of_the_suite_bring_their_own_data_model_and_budget(tmp_path):
    found, _ = carry_out(tmp_path, tasks=["wine", "spirals"], num_seeds=1, confirm_seeds=2, num_train=80)
    assert [facts.name for facts in found.tasks] == ["wine", "spirals"]
    assert found.runs.groupby("task", sort=False).size().to_dict() == {"wine": 8, "spirals": 8}
    assert found.runs["run"].is_unique
    columns = list(found.runs.columns)
    assert columns.index("hidden_units") < columns.index("status") < columns.index("task")
    assert all(facts.target > facts.chance for facts in found.tasks)


def test_without_fresh_seeds_those_that_chose_report(tmp_path):
    found, last = carry_out(tmp_path, confirm_seeds=0)
    assert set(found.runs["phase"]) == {TUNING}
    assert len(last.runs) == len(found.runs)
    assert set(found.predictions["run"]) == set(found.runs["run"])


def test_an_interruption_leaves_what_was_done(tmp_path, monkeypatch):
    def interrupted(self, *arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(Display, "advance", interrupted)
    found, last = carry_out(tmp_path)
    assert last.interrupted
    assert found.tasks == ()
    assert len(pd.read_parquet(tmp_path / "runs.parquet")) == 8
    again = read(tmp_path)
    assert len(again.runs) == 8
    assert again.unfinished == ("digits",)
    assert again.whole.runs.empty


def test_the_space_is_told_in_words():
    config = configure(compare_optimizers.EXPERIMENT, {"weight_decay": [0.0, 0.1]})
    assert protocol.spaces(config, "optimizer") == {
        "learning_rate": "0.0001 to 1 in its logarithm, 9 values",
        "weight_decay": "0.0, 0.1",
    }
    drawn = configure(compare_optimizers.EXPERIMENT, {"search": "sobol"})
    assert protocol.spaces(drawn, "optimizer") == {"learning_rate": "0.0001 to 1 in its logarithm"}


def test_a_search_of_its_own_becomes_a_grid_where_nothing_is_left_to_draw():
    ranges = ("learning_rate", "vector_range", "word_dropout_rate", "dropout_rate")
    given = configure(text_classification.EXPERIMENT, dict.fromkeys(ranges, 0.1))
    assert given.search == "grid"
    assert configure(text_classification.EXPERIMENT, {"learning_rate": 0.1}).search == "random"


def test_an_unknown_task_is_told_with_the_nearest():
    config = configure(compare_optimizers.EXPERIMENT, {"tasks": ["wne"]})
    with pytest.raises(UserError, match="Did you mean 'wine'"):
        list(protocol.parts(config, config.options["tasks"]))


def test_drawn_settings_take_one_seed_each_unless_told_otherwise():
    drawn = configure(compare_optimizers.EXPERIMENT, {"search": "random"})
    assert (drawn.num_seeds, drawn.num_trials) == (1, 64)
    assert configure(compare_optimizers.EXPERIMENT, {"search": "random", "num_seeds": 3}).num_seeds == 3
    assert configure(compare_optimizers.EXPERIMENT, {}).num_seeds == 8


@pytest.mark.slow
def test_the_kept_seeds_answer_together(tmp_path, capsys):
    from jaxnets.cli import main as cli

    arguments = [f"--{name}={_text(value)}" for name, value in {**SMALL, "keep": "seeds", "dataset": "ngrams"}.items()]
    arguments[-1:] = ["--dataset=ngrams", "--model=dan", f"--output={tmp_path / 'kept'}"]
    assert cli.run(compare_optimizers.EXPERIMENT, ["run.py", *arguments]) == 0
    assert "Report: " in capsys.readouterr().out
    assert (tmp_path / "kept" / "report.html").stat().st_size > 500_000
    loaded = results.load(tmp_path / "kept")
    kept = sorted({run for run, _ in loaded.kept})
    own = loaded.runs[loaded.runs["run"].isin(kept)]
    assert (own["phase"] == CONFIRMATION).all()
    assert own["optimizer"].nunique() == 1
    assert loaded.ensemble().probabilities(["a good film"]).shape == (1, 2)


def _text(value):
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
