"""What comes from outside, and what becomes of the output, from the command line on."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import jaxnets
from jaxnets.cli import main as cli
from jaxnets.cli.flags import command_values
from jaxnets.errors import UserError
from jaxnets.experiments import predict

ROOT = Path(__file__).parents[1]
HELP = [sys.executable, "run.py", "--help"]


@pytest.mark.slow
def test_a_wheel_is_whole_in_a_clean_environment(tmp_path):
    """It is installed beside the libraries of this environment, of which the checkout is no part."""

    def ran(*command):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(command, cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    source = shutil.copytree(ROOT, tmp_path / "source", symlinks=True, ignore=shutil.ignore_patterns(".git", "build"))
    ran(sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", f"--wheel-dir={tmp_path}", source)
    ran(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    python, (wheel,) = tmp_path / "venv" / "bin" / "python", tmp_path.glob("*.whl")
    ran(sys.executable, "-m", "pip", f"--python={python}", "install", "--no-deps", "--no-index", wheel)
    (site,) = tmp_path.glob("venv/lib/*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    shutil.rmtree(source)
    assert ran(python, "-c", "import jaxnets; print(jaxnets.__file__)") == f"{site / 'jaxnets' / '__init__.py'}\n"
    assert (site / "jaxnets" / "py.typed").exists()
    assert ran(python.parent / "jaxnets", "--version") == f"jaxnets {jaxnets.__version__}\n"
    assert "--quick" in ran(python, "-m", "jaxnets", "lecture", "--help")
    words = ("--dataset=xor", "--batch_size=0", "--num_steps=2", "--evaluate_every=2", "--output=run")
    assert "Results: run" in ran(python.parent / "jaxnets", "train", *words)
    assert (tmp_path / "run" / "runs.parquet").exists()


def test_the_list_of_experiments_needs_no_library():
    told = subprocess.run(
        [*HELP[:1], "-X", "importtime", *HELP[1:]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
    assert "jaxnets.errors" in imported
    assert not {"numpy", "pandas", "jax"} & imported


def test_a_reader_who_has_enough_ends_it_quietly():
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(HELP, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert process.stderr == ""
    assert process.returncode == cli.UNHEARD_STATUS


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_an_output_that_is_full_is_told_in_a_line():
    with open("/dev/full", "w") as full:
        process = subprocess.run(HELP, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert process.stderr == "error: standard output: No space left on device.\n"
    assert process.returncode == cli.USER_ERROR_STATUS


@pytest.mark.slow
def test_names_and_texts_of_others_are_only_text(tmp_path, capsys):
    path = tmp_path / "[red]$x$ \x1b]0;t\x07.jsonl"
    rows = [{"label": f"[/{place % 2}]\x1b[2J$a$", "text": f"the \x1b[31m{place % 2} [/b]"} for place in range(60)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    values = ["--folds=1", "--num_epochs=2", "--batch_size=8", "--embedding_dim=4", "--hidden_units=4"]
    values += ["--tokenizer=whitespace", "--model=dan", f"--dataset={path}", f"--output={tmp_path / 'run'}"]
    assert cli.main(["run.py", "train", *values]) == 0
    text = "the \x1b[31m0 \x1b]0;t\x07 [/b] \udc80"
    for more in ([], ["--json"]):
        command = ["run.py", "predict", str(tmp_path / "run"), f"--text={text}", *more]
        assert cli.main(command) == 0
    printed = capsys.readouterr()
    for stream in (printed.out, printed.err):
        stream.encode()
        assert "\x1b" not in stream
        assert "\x07" not in stream
    assert "[/b]" in printed.out
    assert json.loads(printed.out[printed.out.index("[\n") :])[0]["text"] == text


@pytest.mark.parametrize("name", ["x" * 5000 + ".csv", "none/\x1b[2J.csv", "pipe.csv", "half\udc80.csv"])
def test_a_path_that_is_no_file_is_one_line(name, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.csv")
    for flags in (["--dataset={}"], ["--dataset=digits", "--export={}/x.safetensors"]):
        command = ["run.py", "train", *(flag.format(tmp_path / name) for flag in flags), f"--output={tmp_path / 'run'}"]
        assert cli.main(command) == cli.USER_ERROR_STATUS
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert line.isprintable()
    assert not (tmp_path / "run").exists()


def test_files_that_predict_asks_about(tmp_path):
    (tmp_path / "long.txt").write_bytes(b"x" * 10_000_000)
    (tmp_path / "latin.txt").write_bytes(b"fine\ncaf\xe9\n")
    for name, fragment in (("long.txt", "line 1: the line is longer"), ("latin.txt", "line 2: byte 4 is not UTF-8")):
        given = command_values(predict.EXPERIMENT, [f"--file={tmp_path / name}"])
        with pytest.raises(UserError, match=fragment):
            predict.texts(given, ())
