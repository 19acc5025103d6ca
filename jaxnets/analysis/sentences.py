"""What a model of texts makes of sentences that differ in one word, or in the order of their words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from jaxnets.analysis import words
from jaxnets.data.grammars import BAD, GOOD, NEGATION
from jaxnets.data.texts import Texts
from jaxnets.engine.trained import Trained
from jaxnets.inference import predict
from jaxnets.inference.model import Model
from jaxnets.stats import selection


def judgements(trained: Trained, plain: str, negated: str) -> pd.DataFrame:
    """What the best run on dev says of sentences with each good and bad word put into them."""
    best = selection.finished(trained.runs).nsmallest(1, "dev_loss")["run"]
    none = pd.DataFrame(columns=["word", "kind", "plain", "negated", "seen"])
    return pd.concat([_judgements(trained, run, plain, negated) for run in best]) if len(best) else none


def _judgements(trained: Trained, run: int, plain: str, negated: str) -> pd.DataFrame:
    """What a run says of these sentences."""
    model, train = trained.model(run), trained.dataset(run).train.inputs
    assert isinstance(train, Texts)  # the sentences are texts
    known = [word for word in (*GOOD, *BAD) if word in model.vocabulary]
    columns: dict[str, Any] = {"word": known, "kind": ["good" if word in GOOD else "bad" for word in known]}
    for name, frame in (("plain", plain), ("negated", negated)):
        rows = predict.encode(model, [frame.replace("{}", word) for word in known])
        columns[name] = predict.log_odds(model, rows) if rows else []
    behind = words.behind(train, model.vocabulary, NEGATION)
    seen = [f"stood behind '{NEGATION}' in training" if word in behind else "never did" for word in known]
    return pd.DataFrame({**columns, "seen": seen})


def in_both_orders(
    model: Model, texts: Sequence[Int[np.ndarray, "words"]], generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """What a model says of texts in their order, and with the words of each shuffled."""
    other = [generator.permutation(row) for row in texts]
    return predict.class_probabilities(model, texts), predict.class_probabilities(model, other)


def orders(trained: Trained, runs: pd.DataFrame, num_texts: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What some runs make of the order of words."""
    rows, texts = [], _test_texts(trained, num_texts)
    odds: dict[str, pd.DataFrame] = {}
    for _, run in selection.finished(runs).iterrows():
        inputs, labels = texts[int(run.get("block", 0))]
        shuffles = np.random.default_rng([seed, int(run["seed"])])
        plain, shuffled = in_both_orders(trained.model(run["run"]), inputs, shuffles)
        right = {"right": (plain.argmax(1) == labels).mean(), "shuffled": (shuffled.argmax(1) == labels).mean()}
        rows.append(
            {"contestant": run["contestant"], "block": run.get("block", 0), "seed": run["seed"], **right}
            | {"change": np.abs(plain - shuffled).max(), "examples": len(labels)}
        )
        odds.setdefault(run["contestant"], pd.DataFrame({"plain": _odds(plain), "shuffled": _odds(shuffled)}))
    columns = ["contestant", "block", "seed", "right", "shuffled", "change", "examples"]
    said = [table.assign(contestant=name) for name, table in odds.items()]
    none = pd.DataFrame(columns=["plain", "shuffled", "contestant"])
    return pd.DataFrame(rows, columns=columns), pd.concat(said, ignore_index=True) if said else none


def _test_texts(trained: Trained, count: int) -> list[tuple[list[np.ndarray], np.ndarray]]:
    """The first test texts of each block, and their labels."""
    splits = [(fold.test, fold.test.inputs) for fold in trained.folds]
    return [
        ([np.asarray(inputs[row]) for row in range(min(len(split), count))], split.labels[:count])
        for split, inputs in splits
    ]


def _odds(probabilities: np.ndarray) -> np.ndarray:
    """The logarithm of the odds of the last class, as far as numbers of 32 bits tell it from certainty."""
    last = np.clip(probabilities[:, -1].astype(np.float64), 1e-7, 1 - 1e-7)
    return np.log(last / (1 - last))
