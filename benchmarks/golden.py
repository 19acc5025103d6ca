"""Whether two work trees give the same tables, bit for bit: `python -m benchmarks.golden OLD NEW`.

Both trees train on this machine with the same libraries, each in processes of its own. Tables of a tree are kept in
`--keep` and not made again while its commit is the same and it has no changes.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

_TEXT = ["--dataset=mixed_negations", "--num_train=200", "--num_steps=24", "--evaluate_every=8", "--batch_size=16"]
CASES = {
    "mlp": [
        "train",
        "--optimizer=sgd,momentum,adam",
        "--learning_rate=log:1e-3:1:4",
        "--num_seeds=3",
        "--num_epochs=2",
    ],
    "one_device": [
        "train",
        "--optimizer=sgd,adam",
        "--learning_rate=log:1e-3:1:4",
        "--num_devices=1",
        "--num_epochs=2",
    ],
    "diverging": ["train", "--optimizer=sgd", "--learning_rate=log:0.01:1e5:12", "--num_seeds=4", "--num_epochs=4"],
    "schedules": ["train", "--schedule=constant,cosine,step", "--warmup_steps=5", "--initializer=he,glorot,pytorch"],
    "regularized": ["train", "--dropout_rate=0.2", "--weight_decay=0,1e-3", "--gradient_clip=1", "--select=best"],
    "halving": ["train", "--search=halving", "--num_trials=18", "--learning_rate=log:1e-4:1", "--num_epochs=9"],
    "repeats": ["train", "--dataset=wine", "--num_repeats=3", "--num_seeds=2", "--learning_rate=0.01,0.1"],
    "dan": ["train", "--model=dan", *_TEXT, "--word_dropout_rate=0.3", "--num_seeds=3", "--max_norm=3"],
    "word_rows": ["train", "--model=dan", *_TEXT, "--word_vector_updates=rows", "--optimizer=adam,adagrad"],
    "text_cnn": ["train", "--model=text_cnn", *_TEXT, "--num_filters=8", "--num_seeds=2", "--pooling=max,mean"],
    "comparison": [],
}
TABLES = ("runs", "curves", "predictions")
RENAMED = {"block": "repeat", "contestant": "method"}
"""Columns that older trees call otherwise."""


def tables(tree: Path, kept: Path) -> dict[str, dict[str, pd.DataFrame] | str]:
    """The tables of each case, or what the command said where it failed."""
    state = [["git", "rev-parse", "HEAD"], ["git", "status", "--porcelain"]]
    head, dirty = (subprocess.check_output(words, cwd=tree, text=True).strip() for words in state)
    found = {}
    for name, words in CASES.items():
        folder = kept / f"{head}{'-changed' if dirty else ''}" / name
        if dirty or not (folder / "runs.parquet").exists():
            command = [sys.executable, "run.py", *words, f"--output={folder}-{os.getpid()}", "--predictions"]
            environment = os.environ | {"PYTHONPATH": str(tree)}
            ended = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
            if ended.returncode:
                found[name] = ended.stderr.strip().splitlines()[-1]
                continue
            folder = Path(f"{folder}-{os.getpid()}") if dirty else Path(f"{folder}-{os.getpid()}").rename(folder)
        found[name] = {
            table: pd.read_parquet(path) for table in TABLES if (path := folder / f"{table}.parquet").exists()
        }
    return found


def differences(old: dict[str, pd.DataFrame] | str, new: dict[str, pd.DataFrame] | str) -> list[str]:
    """What differs between the tables of a case in two trees."""
    if isinstance(old, str) or isinstance(new, str):
        return [f"old: {old if isinstance(old, str) else 'ran'}; new: {new if isinstance(new, str) else 'ran'}"]
    told = []
    for table in TABLES:
        if (table in old) != (table in new):
            told.append(f"{table}: in one alone")
        elif table in old:
            one, other = (
                of[table].drop(columns="seconds", errors="ignore").rename(columns=RENAMED) for of in (old, new)
            )
            if "phase" in one:
                one["phase"] = one["phase"].replace("confirmation", "final")
            told += [f"{table}.{column}: in one alone" for column in sorted(set(one) ^ set(other))]
            same = [column for column in one if column in other]
            told += [f"{table}.{column} differs" for column in same if not one[column].equals(other[column])]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs=2, type=Path)
    parser.add_argument("--keep", type=Path, default=Path("results/golden"))
    parsed = parser.parse_args()
    old, new = (tables(tree.resolve(), parsed.keep.resolve()) for tree in parsed.trees)
    told = {name: differences(old[name], new[name]) for name in CASES}
    for name, lines in told.items():
        print(f"{name}: {'; '.join(lines) or 'equal'}")
    sys.exit(any(told.values()))


if __name__ == "__main__":
    main()
