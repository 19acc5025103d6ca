"""What models of texts make of words, their order and their windows; and which texts hold which words and n-grams."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from jaxnets.data.grammars import BAD, GOOD, NEGATION
from jaxnets.data.texts import Texts
from jaxnets.engine.results import Trained
from jaxnets.errors import UserError
from jaxnets.inference import explain, predict
from jaxnets.inference.model import Model
from jaxnets.models.blocks import has_windows
from jaxnets.stats import baselines, selection


def holding(texts: Texts, vocabulary: Sequence[str], words: Collection[str]) -> Bool[np.ndarray, "texts"]:
    """Which texts contain one of the words."""
    ids = [place for place, word in enumerate(vocabulary) if word in words]
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    contained = np.zeros(len(texts), bool)
    contained[owner[np.isin(texts.words, ids)]] = True
    return contained


def behind(texts: Texts, vocabulary: Sequence[str], word: str) -> set[str]:
    """The words that follow directly after a word anywhere; none if it is not in the vocabulary."""
    if word not in vocabulary:
        return set()
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    chosen = (texts.words[:-1] == vocabulary.index(word)) & (owner[:-1] == owner[1:])
    return {vocabulary[other] for other in texts.words[1:][chosen]}


def all_unseen(train: Sequence[Texts], test: Texts, order: int, num_words: int) -> Bool[np.ndarray, "texts"]:
    """Which texts have n-grams, none of which occurs in the training texts."""
    _, indicators = baselines.matrices(Texts.joined(train), test, [order], num_words)
    return (test.lengths >= order) & (np.asarray(indicators.sum(axis=1)).ravel() == 0)


def judgements(trained: Trained, plain: str, negated: str) -> pd.DataFrame:
    """What the best run on dev says of sentences with each good and bad word put in the place of `{}`."""
    best = selection.finished(trained.runs).nsmallest(1, "dev_loss")["run"]
    if best.empty:
        return pd.DataFrame(columns=["word", "kind", "plain", "negated", "seen"])
    model, train = trained.model(best.iloc[0]), trained.dataset(best.iloc[0]).train.inputs
    assert isinstance(train, Texts)  # the sentences are texts
    known = [word for word in (*GOOD, *BAD) if word in model.vocabulary]
    columns: dict[str, Any] = {"word": known, "kind": ["good" if word in GOOD else "bad" for word in known]}
    for name, frame in (("plain", plain), ("negated", negated)):
        rows = predict.encode(model, [frame.replace("{}", word) for word in known])
        columns[name] = predict.log_odds(model, rows) if rows else []
    negations = behind(train, model.vocabulary, NEGATION)
    seen = [f"stood behind '{NEGATION}' in training" if word in negations else "never did" for word in known]
    return pd.DataFrame({**columns, "seen": seen})


def orders(trained: Trained, runs: pd.DataFrame, num_texts: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each run's accuracy on its first test texts in order and shuffled; and the log-odds of one run a method."""
    rows, odds = [], dict[str, pd.DataFrame]()
    for _, run in selection.finished(runs).iterrows():
        repeat, name = run.get("repeat", 0), run["method"]
        split = trained.folds[int(repeat)].test
        labels = split.labels[:num_texts]
        texts = [np.asarray(split.inputs[row]) for row in range(len(labels))]
        both = in_both_orders(trained.model(run["run"]), texts, np.random.default_rng([seed, int(run["seed"])]))
        right = [(said.argmax(1) == labels).mean() for said in both]
        rows.append((name, repeat, run["seed"], *right, np.abs(both[0] - both[1]).max(), len(labels)))
        odds.setdefault(name, pd.DataFrame(dict(zip(("plain", "shuffled"), map(_odds, both), strict=True))))
    columns = ["method", "repeat", "seed", "right", "shuffled", "change", "examples"]
    said = [table.assign(method=name) for name, table in odds.items()]
    none = pd.DataFrame(columns=["plain", "shuffled", "method"])
    return pd.DataFrame(rows, columns=columns), pd.concat(said, ignore_index=True) if said else none


def in_both_orders(
    model: Model, texts: Sequence[Int[np.ndarray, "words"]], generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities `[texts, classes]` of texts in their order, and with the words of each shuffled."""
    other = [generator.permutation(row) for row in texts]
    return predict.class_probabilities(model, texts), predict.class_probabilities(model, other)


def _odds(probabilities: np.ndarray) -> np.ndarray:
    """The logarithm of the odds of the last class, as far as numbers of 32 bits tell it from certainty."""
    last = np.clip(probabilities[:, -1].astype(np.float64), 1e-7, 1 - 1e-7)
    return np.log(last / (1 - last))


def likeness(trained: Trained, phrases: Sequence[str]) -> pd.DataFrame:
    """How similar a phrase is to one like it and one opposed, to the filters of text CNNs and to n-gram indicators.

    The nets are the first of each repeat that finished.
    """
    one, like, opposite = phrases
    rows, runs = [], selection.finished(trained.runs)
    runs = runs.assign(repeat=runs.get("repeat", 0)).drop_duplicates("repeat")
    for run, repeat in runs[["run", "repeat"]].to_numpy():
        model = trained.model(run)
        if "filter_widths" not in model.arguments or not has_windows(model.params):
            continue
        rows.append(
            {
                "like": similarity(model, one, like),
                "opposite": similarity(model, one, opposite),
                "one": one,
                "other": like,
                "contrary": opposite,
                "indicators": indicator_similarity(one, like, model.arguments["filter_widths"]),
                "repeat": repeat,
            }
        )
    return pd.DataFrame(rows)


def similarity(model: Model, first: str, second: str) -> float:
    """The mean cosine of the features that a text CNN has of two texts' windows at the same places, over all widths.

    Indicators of n-grams have a cosine of 1 for equal windows and 0 for all others. A window that no filter answers to
    has a cosine of 0 with every window.
    """
    encoded = predict.encode(model, [first, second])
    if len(encoded[0]) != len(encoded[1]) or not len(encoded[0]):
        raise UserError(f"'{first}' and '{second}' have no windows to compare: both need as many words, one at least.")
    cosines: list[float] = []
    found = [explain.window_features(model, row).values() for row in encoded]
    for (values, within), (others, _) in zip(*found, strict=True):
        one, other = values[within], others[within]
        sizes = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        cosines += list((one * other).sum(axis=1) / np.where(sizes > 0, sizes, 1))
    return float(np.mean(cosines))


def indicator_similarity(first: str, second: str, widths: Sequence[int]) -> float:
    """The similarity of two texts to indicators of n-grams: the share of equal windows at the same places."""
    one, other = first.split(), second.split()
    places = [(start, start + width) for width in widths for start in range(max(len(one) - width + 1, 1))]
    return float(np.mean([one[start:end] == other[start:end] for start, end in places]))
