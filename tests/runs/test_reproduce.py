"""A run directory that is trained again: equal bits, or what differs and why."""

import json

import pandas as pd
import pytest

from jaxnets import io
from jaxnets.cli import main as cli

SWEEP = ["compare_optimizers", "--dataset=xor", "--model=mlp", "--hidden_units=4", "--batch_size=0", "--num_steps=8"]
SMALL = ["--num_blocks=1", "--num_seeds=2", "--confirm_seeds=0", "--learning_rate=0.1,1.0", "--optimizer=sgd,adam"]


def launch(*words):
    return cli.main(["run.py", *words])


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert launch(*SWEEP, *SMALL, "--predictions", f"--output={folder}") == 0
    return folder


def test_the_same_numbers_come_out(directory, capsys):
    assert launch("reproduce", str(directory)) == 0
    said = capsys.readouterr().out
    assert "Bit-equal." in said
    assert all(name in said for name in ("runs", "curves", "predictions"))


def test_what_differs_and_why_is_said(directory, tmp_path, capsys):
    changed = tmp_path / "changed"
    changed.mkdir()
    for path in directory.iterdir():
        if path.is_file() and path.name != io.CHECKSUMS:
            (changed / path.name).write_bytes(path.read_bytes())
    runs = pd.read_parquet(changed / "runs.parquet")
    runs.loc[1, "dev_loss"] += 0.5
    runs.to_parquet(changed / "runs.parquet", index=False)
    environment = json.loads((changed / "environment.json").read_text())
    environment["versions"]["optax"] = "0.0.1"
    environment["data"][0]["fingerprint"] = "0" * 64
    (changed / "environment.json").write_text(json.dumps(environment))
    assert launch("reproduce", str(changed), f"--output={tmp_path / 'kept'}") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "Different." in said
    assert "dev_loss by" in said
    assert "optax: 0.0.1 was used, and" in said
    assert "data 'xor': 000000000000 was used, and" in said
    assert (tmp_path / "kept" / "runs.parquet").exists()
    assert launch("reproduce", str(changed), "--tolerance=1e3") == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["reproduce"], "error: directory: reproduce takes one run directory, not 0; see --help.\n"),
        (["reproduce", "nowhere"], "error: there is not a run directory 'nowhere'.\n"),
        (["reproduce", ".", "--tolerance=much"], None),
        (["--resume=nowhere"], "error: there is not a run directory 'nowhere'.\n"),
        (
            ["train", "--resume=nowhere", "--output=there"],
            "error: output: --resume goes on with what 'nowhere' holds; leave --output out.\n",
        ),
    ],
)
def test_mistakes_are_one_line(words, line, capsys):
    assert launch(*words) == 2
    said = capsys.readouterr().err
    assert said == line if line else said.count("\n") == 1


def test_a_run_directory_is_resumed_by_its_name_alone(directory, tmp_path, capsys):
    folder = tmp_path / "run"
    assert launch(*SWEEP, *SMALL, f"--output={folder}") == 0
    assert launch(f"--resume={folder}") == 2
    assert f"error: resume: what '{folder}' holds is finished." in capsys.readouterr().err
    (folder / "parts").mkdir()  # as if it had been killed at its last file
    for name in ("runs.parquet", "curves.parquet"):
        (folder / name).unlink()
    assert launch(f"--resume={folder}", "--learning_rate=0.3") == 2
    assert "another command began" in capsys.readouterr().err
    assert launch("--resume", str(folder), "--num_devices=1") == 0
    one, other = (pd.read_parquet(path / "runs.parquet").drop(columns="seconds") for path in (folder, directory))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
