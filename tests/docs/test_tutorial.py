"""The tutorial is kept without outputs; the docs' build runs it, and fails if a cell does."""

import json
import runpy

from tests.docs.pages import ROOT

NOTEBOOK = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text(encoding="utf-8"))
CELLS = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_it_is_stripped_of_outputs():
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CELLS)


def test_its_cells_are_python():
    for number, cell in enumerate(CELLS):
        compile("".join(cell["source"]), f"cell {number}", "exec")


def test_the_build_runs_it_and_fails_with_it():
    settings = runpy.run_path(str(ROOT / "docs" / "conf.py"))
    assert settings["nb_execution_mode"] == "force"
    assert settings["nb_execution_raise_on_error"]
