"""Which small faults the tests notice: `python -m benchmarks.mutants --sample=40 --seed=0 [--tree=DIR]`.

A mutant is a tree with one changed comparison, sign, number, condition or return value within a function. A fixed-seed
sample is spread evenly over packages, and within a package over its functions. For each mutant the tests run that cover
its line, as `coverage` noted them (`pytest --cov=jaxnets --cov-context=test`, then `--contexts=.coverage`; mutants are
then made in covered lines alone), or else those of the package's folder. A mutant is killed if one fails or none ends.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("engine", "training", "stats", "evidence", "data")  # `evidence` is what `stats` was
_PAIRS = (
    *((ast.Lt, ast.GtE), (ast.Gt, ast.LtE), (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn)),
    *((ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.And, ast.Or)),
)
_OPPOSITE = dict(_PAIRS) | {other: one for one, other in _PAIRS}


@dataclass(frozen=True)
class Mutation:
    """An expression of a file that is replaced: from `start` to `end`, in bytes."""

    path: Path
    function: str
    line: int
    start: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function}: {self.old} -> {self.new}"

    def applied(self, source: bytes) -> bytes:
        """The source with the fault."""
        return source[: self.start] + self.new.encode() + source[self.end :]


def mutations(path: Path, source: bytes) -> Iterator[Mutation]:
    """Each mutation of each function of a file."""
    lines = [0]
    for line in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            for node in _within(function):
                for old, new in _changes(node):
                    start, end = lines[old.lineno - 1] + old.col_offset, lines[old.end_lineno - 1] + old.end_col_offset
                    texts = ast.unparse(old), f"({new})" if isinstance(old, ast.expr) and " " in new else new
                    yield Mutation(path, function.name, old.lineno, start, end, *texts)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function's body: no annotations, no texts, nothing of what is raised, no function within it."""
    for child in node.body if isinstance(node, ast.FunctionDef) else ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef | ast.Raise | ast.JoinedStr | ast.Assert):
            continue
        if isinstance(node, ast.AnnAssign) and child is node.annotation:
            continue
        yield child
        yield from _within(child)


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What may be replaced at a node, and by which text."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _OPPOSITE:
        yield node, ast.unparse(ast.Compare(node.left, [_OPPOSITE[type(node.ops[0])]()], node.comparators))
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPPOSITE:
        yield node, ast.unparse(ast.BinOp(node.left, _OPPOSITE[type(node.op)](), node.right))
    elif isinstance(node, ast.BoolOp):
        yield node, ast.unparse(ast.BoolOp(_OPPOSITE[type(node.op)](), node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, ast.unparse(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield node, repr(node.value + 1)
    elif isinstance(node, ast.Return) and node.value and ast.unparse(node.value) != "None":
        yield node.value, "None"
    elif isinstance(node, ast.If | ast.IfExp):
        yield node.test, "False"


def chosen(tree: Path, sample: int, seed: int, contexts: Mapping[Path, Mapping[int, set[str]]]) -> list[Mutation]:
    """A sample of a tree's mutations: package after package, each of a function drawn anew."""
    generator, found = random.Random(seed), {}
    for package in PACKAGES:
        functions: dict[tuple[Path, str], list[Mutation]] = {}
        for path in sorted((tree / "jaxnets" / package).rglob("*.py")):
            inside = path.relative_to(tree)
            for mutation in mutations(inside, path.read_bytes()):
                if not contexts or contexts.get(inside, {}).get(mutation.line):
                    functions.setdefault((inside, mutation.function), []).append(mutation)
        if functions:
            found[package] = generator.sample([generator.choice(own) for own in functions.values()], len(functions))
    number = max(map(len, found.values()), default=0)
    in_turn = [own[place] for place in range(number) for own in found.values() if place < len(own)]
    return in_turn[:sample]


def read_contexts(path: Path, tree: Path) -> dict[Path, dict[int, set[str]]]:
    """The files of tests that run each line of each file, from the data of `coverage`."""
    from coverage import CoverageData

    data, found = CoverageData(str(path)), {}
    data.read()
    for name in data.measured_files():
        lines = data.contexts_by_lineno(name)
        found[Path(os.path.relpath(tree / name, tree))] = {
            line: {one.partition("::")[0] for one in tests if "::" in one} for line, tests in lines.items()
        }
    return found


def is_killed(copy: Path, mutation: Mutation, tests: Sequence[str], timeout: float) -> bool:
    """Whether tests notice a mutation of a copied tree, which is as it was afterwards."""
    path = copy / mutation.path
    source = path.read_bytes()
    path.write_bytes(mutation.applied(source))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=timeout).returncode != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_bytes(source)


def main() -> None:
    """Prints each mutant's fate, the survivors and the killed share."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tree", type=Path, default=Path.cwd())
    parser.add_argument("--contexts", type=Path, help="data of coverage, with contexts of tests")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds for the tests of a mutant")
    asked = parser.parse_args()
    contexts = read_contexts(asked.contexts, asked.tree) if asked.contexts else {}
    survivors, sample = [], chosen(asked.tree, asked.sample, asked.seed, contexts)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        left_out = shutil.ignore_patterns(".git", "__pycache__", ".*_cache", "*.pyc")
        shutil.copytree(asked.tree, copy, symlinks=True, ignore=left_out)
        for mutation in sample:
            covering = contexts.get(mutation.path, {}).get(mutation.line, ())
            killed = is_killed(copy, mutation, sorted(covering) or [f"tests/{mutation.path.parts[1]}"], asked.timeout)
            survivors += [] if killed else [mutation]
            print(f"{'killed' if killed else 'SURVIVED'}: {mutation}", flush=True)
    print(f"{len(sample) - len(survivors)} of {len(sample)} mutants are killed; survivors:", *survivors, sep="\n")


if __name__ == "__main__":
    main()
