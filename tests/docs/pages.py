"""The pages of the docs, and what their code blocks hold."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
        *sorted((ROOT / "docs").glob("*.md")),
    )
}


def blocks(text: str, language: str = "bash") -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[list[str]]:
    """The commands of a page as words without `python`, those in running text at the end.

    `NAME="..."` is put in where `$NAME` stands.
    """
    lines = re.sub(r"\\\n *", "", "".join(blocks(text))).splitlines()
    lines += [line.replace("\n", " ") for line in re.findall(r"[^`]`(python [^`]+)`[^`]", text)]
    variables = {"DATA": "sets", "VECTORS": "vectors.vec"}
    found = []
    for line in lines:
        for name, value in variables.items():
            line = line.replace(f"${name}", value)
        if assignment := re.fullmatch(r'([A-Z]+)="(.*)"', line):
            variables[assignment[1]] = assignment[2]
        elif line.startswith("python "):
            found.append(shlex.split(line, comments=True)[1:])
    return found
