"""Small sets made for a claim: XOR, negation, and sentences in which word order matters."""

import numpy as np

from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split

NEUTRAL = tuple("the a movie film plot actor scene music was is seems very so really quite rather it this that".split())
POSITIVE = tuple("good great wonderful brilliant lovely superb fine charming".split())
NEGATIVE = tuple("bad awful terrible boring dull poor weak dreadful".split())
NEGATION = "not"


def xor() -> Dataset:
    """The four patterns of two bits, coded as -1 and 1, labelled by whether the bits differ; all splits are these four.

    Source: Minsky and Papert (1969); Rumelhart, Hinton and Williams (1986).
    """
    inputs = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], np.float32)
    split = Split(inputs, np.array([0, 1, 1, 0], np.int32))
    return Dataset("xor", split, split, split, ("same", "different"))


def negation() -> Dataset:
    """Features of a sentence: it has a good word, it has a bad word, it has "not".

    The patterns are "good", "bad", "not good" and "not bad", labelled positive, negative, negative, positive. No linear
    classifier fits them: the sum of the two positive patterns is the sum of the two negative ones.
    """
    inputs = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]], np.float32)
    split = Split(inputs, np.array([1, 0, 0, 1], np.int32))
    return Dataset("negation", split, split, split, ("negative", "positive"))


def ngrams(num_sentences: int = 2000, data_seed: int = 0) -> Dataset:
    """Sentences of 4 to 12 words with one or two judgements: a good or bad word; "not" before it turns it around.

    The judgements of a sentence agree, and its label is theirs. A "not" may also stand before a neutral word, where it
    means nothing: only pairs of neighbouring words tell. 70% train, 15% dev, 15% test, no sentence twice.

    Args:
      num_sentences: how many.
      data_seed: of the draws.
    """
    generator = np.random.default_rng(data_seed)
    vocabulary = (PADDING, UNKNOWN, NEGATION, *NEUTRAL, *POSITIVE, *NEGATIVE)
    ids = {word: number for number, word in enumerate(vocabulary)}
    # a dictionary keeps each sentence once, in the order of the draws
    sentences: dict[tuple[str, ...], int] = {}
    while len(sentences) < num_sentences:
        label = len(sentences) % 2
        sentences.setdefault(_sentence(generator, label), label)
    rows = np.zeros((num_sentences, max(map(len, sentences))), np.int32)
    for row, words in zip(rows, sentences, strict=True):
        row[: len(words)] = [ids[word] for word in words]
    labels = np.array(list(sentences.values()), np.int32)
    parts = np.split(generator.permutation(num_sentences), [num_sentences * 70 // 100, num_sentences * 85 // 100])
    train, dev, test = (Split(rows[part], labels[part]) for part in parts)
    return Dataset("ngrams", train, dev, test, ("negative", "positive"), vocabulary)


def _sentence(generator: np.random.Generator, label: int) -> tuple[str, ...]:
    """Neutral words with judgements and an idle "not" put among them."""
    pieces = [[str(generator.choice(NEUTRAL))] for _ in range(generator.integers(3, 7))]
    if generator.random() < 0.5:
        pieces[generator.integers(len(pieces))].insert(0, NEGATION)
    for _ in range(generator.integers(1, 3)):
        pieces.insert(int(generator.integers(len(pieces) + 1)), _judgement(generator, label))
    return tuple(word for piece in pieces for word in piece)


def _judgement(generator: np.random.Generator, label: int) -> list[str]:
    negated = generator.random() < 0.3
    words = POSITIVE if label != negated else NEGATIVE
    word = str(generator.choice(words))
    return [NEGATION, word] if negated else [word]
