"""The types of the keywords: those of today, and what a type checker finds by them."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import jaxnets
from jaxnets.config import keywords
from jaxnets.config.config import Config
from jaxnets.errors import UserError

ROOT = Path(__file__).parents[2]


def test_the_types_are_those_of_the_fields_and_of_the_built_in_plug_ins():
    written = runpy.run_path(str(ROOT / "docs" / "write_keywords.py"))["text"]()
    assert Path(keywords.__file__).read_text() == written, "python -m docs.write_keywords writes it anew"


def test_arguments_are_keywords_of_plug_ins_alone():
    assert Config(arguments={"width": 3}) == Config(width=3) == Config().changed(arguments={"width": 3})
    with pytest.raises(UserError, match="arguments: 'seed' is not an argument of a plug-in; give it as a keyword"):
        Config(arguments={"seed": 3})


@pytest.mark.slow
def test_a_type_checker_finds_a_misspelt_keyword_and_a_value_that_is_none(tmp_path):
    right = [
        "jaxnets.sweep(optimizer=['sgd', len], learning_rate=[0.1, 1], hidden_units=[(), (2, 2)], output='here')",
        "jaxnets.sweep(dataset=([[1.0]], [0]), arguments={'width': 3}, search='sobol', seed=range(3))",
        "jaxnets.Config(learning_rate=jaxnets.log_range(0.1, 1), activation='relu', weight_decay=None)",
        "jaxnets.load('here').train(num_steps=7, arguments={'width': 3})",
    ]
    wrong = [
        "jaxnets.sweep(learning_rat=0.1)",
        "jaxnets.Config(search='gird')",
        "jaxnets.load('here').train(nesterov=3.5)",
    ]
    (tmp_path / "mine.py").write_text("\n".join(["import jaxnets", *right, *wrong]) + "\n")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--follow-imports=silent", "mine.py"]
    environment = os.environ | {"MYPYPATH": str(Path(jaxnets.__file__).parents[1])}
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    errors = [line for line in found.stdout.splitlines() if "error:" in line]
    assert sorted({int(line.split(":")[1]) for line in errors}) == [6, 7, 8], found.stdout
