"""Traces the modules that a learning rate and a folder of texts pass, for a page: `python docs/trace_walks.py`.

A module is passed if one of its functions returns the value, in whatever form, or is on the stack when the walk ends.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import jaxnets
from jaxnets.cli import main
from jaxnets.experiments import train

PAGE, PACKAGE = Path(__file__).parent / "architecture.md", f"{Path(jaxnets.__file__).parent}/"
RATE, FOLDER, LOOP = 0.0123, "some_reviews", f"{PACKAGE}engine/segment.py"
DATA = {"Dataset", "Split", "RawDataset", "DeviceFolds", "PlacedFolds", "Examples", "TextStream", "Texts"}
SMALL = ("train", "--optimizer=sgd", "--num_steps=2", "--num_devices=1", "--compilation_cache=off", "--quiet")


def holds(value: Any, is_it: Callable[[Any], bool], depth: int = 3) -> bool:
    """Whether a value, or one in it, is what is followed."""
    if is_it(value) or depth == 0 or isinstance(value, str | type) or callable(value):
        return is_it(value)
    inside = value.values() if isinstance(value, Mapping) else getattr(value, "__dict__", {}).values()
    return any(holds(one, is_it, depth - 1) for one in (value[:20] if isinstance(value, list | tuple) else inside))


def is_rate(value: Any) -> bool:
    """The rate as a text, a number, in an array, or traced under its name."""
    if isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
        return bool(np.isclose(value, RATE).any())
    traced = isinstance(value, Mapping) and hasattr(value.get("learning_rate"), "shape")
    return traced or (isinstance(value, str) and str(RATE) in value)


def is_data(value: Any) -> bool:
    """The folder, or what is made of its texts."""
    return type(value).__name__ in DATA or (isinstance(value, str | Path) and FOLDER in str(value))


def walk(arguments: list[str], is_it: Callable[[Any], bool], last: str) -> list[str]:
    """The modules that a value passes until the function `last` is called in a segment."""
    files: dict[str, None] = {}

    def profile(frame: FrameType | None, event: str, result: Any) -> None:
        name, file = frame.f_code.co_name, frame.f_code.co_filename
        if event == "return" and file.startswith(PACKAGE) and name != "<module>":
            if holds(frame.f_locals.get("self") if name == "__init__" else result, is_it):
                files[file] = None
        elif event == "call" and file.startswith(PACKAGE) and name == last:
            stack = [file]
            while frame := frame.f_back:
                stack.append(frame.f_code.co_filename)
            if LOOP in stack:
                files.update(dict.fromkeys(reversed(stack)))
                raise KeyboardInterrupt

    sys.setprofile(profile)
    main.run(train.EXPERIMENT, [*SMALL, *arguments])  # an error of a profile takes it away
    return [file.removeprefix(PACKAGE) for file in files if file.startswith(PACKAGE)]


def with_walks(page: str) -> str:
    """The text of the page with both lists in their place."""
    with tempfile.TemporaryDirectory() as folder:
        (reviews := Path(folder, FOLDER)).mkdir()
        lines = (f"{n % 2}\tword{n % 7} {Path(folder).name} word{n % 5}\n" for n in range(200))  # in no cache
        (reviews / "train.tsv").write_text("".join(lines))
        texts = [f"--dataset={reviews}", "--model=dan", "--folds=1", f"--output={folder}/texts"]
        rate = walk([f"--learning_rate={RATE}", f"--output={folder}/rate"], is_rate, "build")
        for name, modules in {"learning rate": rate, "texts": walk(texts, is_data, "text_batch")}.items():
            text = f"{len(modules)} files: {', '.join(f'`{one}`' for one in modules)}."
            page = re.sub(f"(?s)(<!-- walk: {name} -->\n).*?(<!-- end)", rf"\g<1>{text}\n\2", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(with_walks(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
