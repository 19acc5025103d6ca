"""The pages of the docs, and what their code blocks hold."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
}


def blocks(text: str, language: str = "") -> list[str]:
    """The code blocks of a language; those of commands have none."""
    fenced = re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [content for of_block, content in fenced if of_block == language]


def commands(text: str) -> list[list[str]]:
    """The commands of a page as words without `python`, those in running text at the end.

    `NAME="..."` is put in where `$NAME` stands.
    """
    lines = re.sub(r"\\\n *", "", "".join(blocks(text))).splitlines()
    lines += [line.replace("\n", " ") for line in re.findall(r"[^`]`(python [^`]+)`[^`]", text) if "NAME" not in line]
    variables = {"DATA": "sets", "VECTORS": "vectors.vec"}
    found = []
    for line in lines:
        for name, value in variables.items():
            line = line.replace(f"${name}", value)
        assignment = re.fullmatch(r'([A-Z]+)="(.*)"', line)
        if assignment:
            variables[assignment[1]] = assignment[2]
        elif line.startswith("python "):
            found.append(shlex.split(line, comments=True)[1:])
    return found
