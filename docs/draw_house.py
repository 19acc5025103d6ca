"""Draws the rooms of jaxnets and which of them know which, read from the imports: `python docs/draw_house.py`.

An arrow that follows from others is left out, and so are those to `errors` and its neighbours, which serve all rooms.
"""

import ast
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
DRAWING = ROOT / "docs" / "house.svg"

SERVING = "errors, io, schema"
# the place of each room: column, row; and what it holds
ROOMS = {
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
    SERVING: (0, 9, "for all rooms"),
}
WIDTH, HEIGHT, COLUMN, ROW = 190, 48, 250, 84
FRAMEWORKS = ("jax", "flax", "optax")


def files(room: str) -> list[Path]:
    """The Python files of a room."""
    if room in ("run.py", "experiments"):
        return [ROOT / room] if room == "run.py" else sorted((ROOT / room).rglob("*.py"))
    if room == SERVING:  # the modules at the top that are no room of their own
        return [path for path in (ROOT / "jaxnets").glob("[a-z]*.py") if path.stem not in ROOMS]
    file = ROOT / "jaxnets" / f"{room}.py"
    return [file] if file.exists() else sorted((ROOT / "jaxnets" / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The modules that a file imports, with what it takes from them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def known(room: str) -> set[str]:
    """The other rooms that a room imports from."""
    rooms = set()
    for name in set().union(*map(imported, files(room))):
        first, _, rest = name.partition(".")
        inner = rest.partition(".")[0]
        serving = first == "jaxnets" and inner and inner not in ROOMS
        rooms.add(SERVING if serving else inner if first == "jaxnets" else first)
    return (rooms & set(ROOMS)) - {room}


def uses_jax(room: str) -> bool:
    """Whether a file of the room imports JAX or what is built on it."""
    return any(name.partition(".")[0] in FRAMEWORKS for file in files(room) for name in imported(file))


def reachable(graph: dict[str, set[str]], room: str) -> set[str]:
    """All rooms that a room knows, directly or through others."""
    return graph[room].union(*(reachable(graph, other) for other in graph[room]))


def arrows(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """The arrows that do not follow from others."""
    return [
        (room, other)
        for room, others in graph.items()
        for other in sorted(others - {SERVING})
        if not any(other in reachable(graph, third) for third in others - {other})
    ]


def draw() -> str:
    """The drawing as SVG."""
    graph = {room: known(room) for room in ROOMS}
    lines = [_arrow(*arrow) for arrow in arrows(graph)]
    boxes = [_box(room, jax=uses_jax(room)) for room in ROOMS]
    width, height = 2 * COLUMN + WIDTH + 40, 9 * ROW + HEIGHT + 84
    legend = _legend(height - 26)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'font-family="system-ui, sans-serif" text-anchor="middle">',
            "<title>The rooms of jaxnets: each knows only those below it</title>",
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


def _corner(room: str) -> tuple[int, int]:
    column, row, _ = ROOMS[room]
    return 20 + column * COLUMN, 24 + row * ROW


def _box(room: str, *, jax: bool) -> str:
    x, y = _corner(room)
    fill, edge = ("#ddf0ff", "#0072b2") if jax else ("#fff1d6", "#b37a00")
    middle = x + WIDTH // 2
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="{edge}"/>'
        f'<text x="{middle}" y="{y + 20}" font-size="15" font-weight="600" fill="#1f2328">{escape(room)}</text>'
        f'<text x="{middle}" y="{y + 38}" font-size="12" fill="#424a53">{escape(ROOMS[room][2])}</text>'
    )


def _arrow(room: str, other: str) -> str:
    (x, y), (other_x, other_y) = _corner(room), _corner(other)
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
