"""Draws the packages of jaxnets and what imports what: `python docs/draw_architecture.py`.

An arrow that follows from others is left out, and so are those to `errors` and its neighbours, which serve all.
"""

import ast
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
DRAWING = ROOT / "docs" / "architecture.svg"

SERVING = "errors, io, schema"
# the place of each package: column, row; and what it holds
PACKAGES = {
    "run.py": (1, 0, "the launcher"),
    "experiments": (1, 1, "a claim or a job each"),
    "api": (2, 1, "the Python API"),
    "cli": (0, 2, "flags, commands"),
    "runs": (1, 3, "from a config to a directory"),
    "analysis": (2, 3, "questions to trained nets"),
    "report": (0, 4, "figures, pages, tables"),
    "claims": (0, 5, "rules, verdicts, measures"),
    "comparison": (0, 6, "leaderboard, sentences"),
    "stats": (0, 7, "intervals, tests, choice"),
    "engine": (2, 4, "runs, programs, chunks"),
    "inference": (1, 5, "save, load, predict"),
    "tasks": (2, 5, "a suite of problems"),
    "plugins": (1, 6, "names become objects"),
    "data": (0, 8, "data sets, texts"),
    "config": (1, 7, "typed values"),
    "training": (2, 7, "init, step, evaluate"),
    "models": (2, 8, "blocks, MLP, DAN, TextCNN"),
    SERVING: (0, 9, "for all packages"),
}
WIDTH, HEIGHT, COLUMN, ROW = 190, 48, 250, 84
FRAMEWORKS = ("jax", "flax", "optax")


def files(package: str) -> list[Path]:
    """The Python files of a package."""
    if package in ("run.py", "experiments"):
        return [ROOT / package] if package == "run.py" else sorted((ROOT / package).rglob("*.py"))
    if package == SERVING:  # the modules at the top that are no package of their own
        return [path for path in (ROOT / "jaxnets").glob("[a-z]*.py") if path.stem not in PACKAGES]
    file = ROOT / "jaxnets" / f"{package}.py"
    return [file] if file.exists() else sorted((ROOT / "jaxnets" / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The modules that a file imports, with what it takes from them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def known(package: str) -> set[str]:
    """The other packages that a package imports from."""
    packages = set()
    for name in set().union(*map(imported, files(package))):
        first, _, rest = name.partition(".")
        inner = rest.partition(".")[0]
        serving = first == "jaxnets" and inner and inner not in PACKAGES
        packages.add(SERVING if serving else inner if first == "jaxnets" else first)
    return (packages & set(PACKAGES)) - {package}


def uses_jax(package: str) -> bool:
    """Whether a file of the package imports JAX or what is built on it."""
    return any(name.partition(".")[0] in FRAMEWORKS for file in files(package) for name in imported(file))


def reachable(graph: dict[str, set[str]], package: str) -> set[str]:
    """All packages that a package knows, directly or through others."""
    return graph[package].union(*(reachable(graph, other) for other in graph[package]))


def arrows(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """The arrows that do not follow from others."""
    return [
        (package, other)
        for package, others in graph.items()
        for other in sorted(others - {SERVING})
        if not any(other in reachable(graph, third) for third in others - {other})
    ]


def draw() -> str:
    """The drawing as SVG."""
    graph = {package: known(package) for package in PACKAGES}
    lines = [_arrow(*arrow) for arrow in arrows(graph)]
    boxes = [_box(package, jax=uses_jax(package)) for package in PACKAGES]
    width, height = 2 * COLUMN + WIDTH + 40, 9 * ROW + HEIGHT + 84
    legend = _legend(height - 26)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'font-family="system-ui, sans-serif" text-anchor="middle">',
            "<title>The packages of jaxnets: each knows only those below it</title>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>',
            f'<rect width="{width}" height="{height}" rx="10" fill="#fbfcfd"/>',
            *lines,
            *boxes,
            legend,
            "</svg>",
            "",
        ]
    )


def _corner(package: str) -> tuple[int, int]:
    column, row, _ = PACKAGES[package]
    return 20 + column * COLUMN, 24 + row * ROW


def _box(package: str, *, jax: bool) -> str:
    x, y = _corner(package)
    fill, edge = ("#ddf0ff", "#0072b2") if jax else ("#fff1d6", "#b37a00")
    middle = x + WIDTH // 2
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="{edge}"/>'
        f'<text x="{middle}" y="{y + 20}" font-size="15" font-weight="600" fill="#1f2328">{escape(package)}</text>'
        f'<text x="{middle}" y="{y + 38}" font-size="12" fill="#424a53">{escape(PACKAGES[package][2])}</text>'
    )


def _arrow(package: str, other: str) -> str:
    (x, y), (other_x, other_y) = _corner(package), _corner(other)
    lean = (other_x > x) - (other_x < x)  # leaves and arrives off the middle, so that arrows do not meet
    start, end = x + WIDTH // 2 + 40 * lean, other_x + WIDTH // 2 - 40 * lean
    path = f"M{start} {y + HEIGHT}L{end} {other_y - 2}"
    return f'<path d="{path}" fill="none" stroke="#57606a" stroke-width="1.4" marker-end="url(#tip)"/>'


def _legend(y: int) -> str:
    return (
        f'<rect x="20" y="{y - 12}" width="16" height="16" rx="3" fill="#ddf0ff" stroke="#0072b2"/>'
        f'<text x="44" y="{y}" font-size="12" fill="#424a53" text-anchor="start">imports JAX</text>'
        f'<rect x="140" y="{y - 12}" width="16" height="16" rx="3" fill="#fff1d6" stroke="#b37a00"/>'
        f'<text x="164" y="{y}" font-size="12" fill="#424a53" text-anchor="start">does not</text>'
        f'<text x="236" y="{y}" font-size="12" fill="#424a53" text-anchor="start">'
        "→ imports from. Left out: what follows from others, and what serves all.</text>"
    )


if __name__ == "__main__":
    DRAWING.write_text(draw(), encoding="utf-8")
