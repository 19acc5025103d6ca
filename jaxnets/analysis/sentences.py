"""What a model of texts makes of sentences that differ in one word, or in the order of their words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from jaxnets.analysis import words
from jaxnets.data.generated import NEGATION
from jaxnets.data.sentences import BAD, GOOD
from jaxnets.data.texts import Texts
from jaxnets.engine.trained import Trained
from jaxnets.trained import predict
from jaxnets.trained.model import Model


def judgements(model: Model, train: Texts, plain: str, negated: str) -> pd.DataFrame:
    """What a model says of sentences with each good and bad word put into them.

    Args:
      model: of texts; words that it does not know are left out.
      train: the texts that it learned from.
      plain: a sentence in which `{}` stands for the word.
      negated: its negation.

    Returns:
      A row for each word: `word`; `kind`, good or bad; `plain` and `negated`, the log-odds of the last class; and
      `seen`, whether the word stood behind a negation in training.
    """
    known = [word for word in (*GOOD, *BAD) if word in model.vocabulary]
    columns: dict[str, Any] = {"word": known, "kind": ["good" if word in GOOD else "bad" for word in known]}
    for name, frame in (("plain", plain), ("negated", negated)):
        rows = [predict.encode(model, frame.replace("{}", word)) for word in known]
        columns[name] = predict.log_odds(model, rows) if rows else []
    behind = words.behind(train, model.vocabulary, NEGATION)
    seen = [f"stood behind '{NEGATION}' in training" if word in behind else "never did" for word in known]
    return pd.DataFrame({**columns, "seen": seen})


def in_both_orders(
    model: Model, texts: Sequence[Int[np.ndarray, "words"]], generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """What a model says of texts in their order, and with the words of each shuffled.

    Args:
      model: of texts.
      texts: word ids of each.
      generator: of the shuffles.

    Returns:
      The probabilities of the classes in their order, those of the shuffled texts, and a table of the log-odds of the
      last class: `plain` and `shuffled`, a row for each text.
    """
    other = [generator.permutation(row) for row in texts]
    odds = {"plain": predict.log_odds(model, texts), "shuffled": predict.log_odds(model, other)}
    plain, shuffled = (predict.class_probabilities(model, rows) for rows in (texts, other))
    return plain, shuffled, pd.DataFrame(odds)


def orders(trained: Trained, runs: pd.DataFrame, num_texts: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What some runs make of the order of words.

    Args:
      trained: what the runs belong to; their parameters were kept.
      runs: rows of its table, one at least.
      num_texts: how many test texts are asked about, the first ones.

    Returns:
      A row for each run: `seed`, `fold`; `right`, its accuracy; `shuffled`, that on the same texts with their words
      shuffled; `change`, by how much a probability changes at most; `ceiling`, see `bag_ceiling`; `examples`, the
      number of texts. And the first run's log-odds, see `in_both_orders`.
    """
    generator, rows, odds = np.random.default_rng(0), [], []
    for _, run in runs.iterrows():
        test = trained.dataset(run["run"]).test
        texts = [np.asarray(test.inputs[row]) for row in range(min(len(test), num_texts))]
        labels = test.labels[: len(texts)]
        plain, shuffled, of_run = in_both_orders(trained.model(run["run"]), texts, generator)
        right = {"right": (plain.argmax(1) == labels).mean(), "shuffled": (shuffled.argmax(1) == labels).mean()}
        limits = {"change": np.abs(plain - shuffled).max(), "ceiling": bag_ceiling(texts, labels)}
        limits["examples"] = len(texts)
        rows.append({"seed": run["seed"], "fold": run.get("fold", 0)} | right | limits)
        odds.append(of_run)
    return pd.DataFrame(rows), odds[0]


def bag_ceiling(texts: Sequence[Int[np.ndarray, "words"]], labels: Int[np.ndarray, "texts"]) -> float:
    """The accuracy on these texts that nothing can exceed which sees only how often each word occurs.

    >>> bag_ceiling([np.array([1, 2]), np.array([2, 1]), np.array([3])], np.array([0, 1, 1]))
    0.6666666666666666
    """
    bags = pd.Series([np.sort(row).tobytes() for row in texts])
    largest = pd.Series(labels).groupby(bags).agg(lambda of_bag: of_bag.value_counts().max())
    return float(largest.sum() / len(texts))
