"""Small generated data sets: XOR, negation, and sentences in which negation or the order of words matters."""

from collections.abc import Sequence

import numpy as np

from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split, random_generator, stratified
from jaxnets.errors import UserError

# fmt: off
NEUTRAL = (
    "the", "a", "movie", "film", "plot", "actor", "scene", "music", "was", "is", "seems", "very", "so", "really",
    "quite", "rather", "it", "this", "that"
)
POSITIVE = (
    "good", "great", "wonderful", "brilliant", "lovely", "superb", "fine", "charming"
)
NEGATIVE = (
    "bad", "awful", "terrible", "boring", "dull", "poor", "weak", "dreadful"
)
# fmt: on
NEGATION = "not"
VOCABULARY = (PADDING, UNKNOWN, NEGATION, *NEUTRAL, *POSITIVE, *NEGATIVE)
MIN_SENTENCES = 20
MAX_WORDS, SENTENCE_WORDS, PAIR_WORDS = 12, 10, 16
MAX_DISTANCE = 4
"""From a negation to the word that it negates."""


def xor() -> Dataset:
    """The four patterns of two bits, 0 and 1, labelled by whether the bits differ; all splits are these four.

    Source: Minsky and Papert (1969); coded with 0 and 1 as in Rumelhart, Hinton and Williams (1986).
    """
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
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
    """Sentences of 4 to 12 words with one or two judgements, each a good or a bad word that "not" may negate.

    The judgements of a sentence agree, and are its label. A "not" may also precede a neutral word, where it has no
    effect, so that pairs of neighbouring words determine the label and single words do not. 70% train, 15% dev, 15%
    test, no sentence twice, as many positive as negative ones in each split.

    Args:
      num_sentences: how many sentences there are.
      data_seed: the seed of the draws.

    Raises:
      UserError: if there are fewer than 20 sentences, or the seed is negative.
    """
    generator = generator_of(num_sentences, data_seed)
    # a dictionary keeps each sentence once, in the order of the draws
    sentences: dict[tuple[str, ...], int] = {}
    while len(sentences) < num_sentences:
        label = len(sentences) % 2
        sentences.setdefault(_sentence(generator, label), label)
    # the widest possible, so that the shape is the same for all seeds
    inputs = np.zeros((num_sentences, MAX_WORDS), np.int32)
    for row, words in zip(inputs, sentences, strict=True):
        row[: len(words)] = _ids(words)
    labels = np.array(list(sentences.values()), np.int32)
    return _dataset("ngrams", inputs, labels, stratified(labels, split_sizes(num_sentences), generator))


def mixed_negations(num_sentences: int = 1000, negated_share: float = 0.25, data_seed: int = 0) -> Dataset:
    """Sentences of ten words with one judgement, a good or a bad word, which "not" turns around in a share of them.

    In half of the sentences another "not" stands before a neutral word, where it has no effect. Labels and both kinds
    of "not" are drawn independently, so that single words tell at most what is not negated, and counts of words tell
    more, but not all. 70% train, 15% dev, 15% test.

    Args:
      num_sentences: how many sentences there are.
      negated_share: the share of sentences in which "not" stands before the judgement; 0 to 1.
      data_seed: the seed of the draws.

    Raises:
      UserError: if there are fewer than 20 sentences, the share is none, or the seed is negative.
    """
    generator = generator_of(num_sentences, data_seed)
    if not 0 <= negated_share <= 1:
        raise UserError(f"negated_share: {negated_share:g} is not a share from 0 to 1.")
    rows, half = np.arange(num_sentences), SENTENCE_WORDS // 2
    inputs = _of_words(generator, NEUTRAL, (num_sentences, SENTENCE_WORDS))
    labels = (rows % 2).astype(np.int32)
    negated, without_effect = (generator.random(num_sentences) < share for share in (negated_share, 0.5))
    good, bad = (_of_words(generator, words, num_sentences) for words in (POSITIVE, NEGATIVE))
    # the judgement stands in one half of the sentence, the "not" without effect in the other
    start = half * generator.integers(0, 2, num_sentences)
    places = start + generator.integers(1, half, num_sentences)
    others = half - start + generator.integers(0, half - 1, num_sentences)
    inputs[rows, places] = np.where((labels == 1) != negated, good, bad)
    inputs[rows[negated], places[negated] - 1] = _ids([NEGATION])
    inputs[rows[without_effect], others[without_effect]] = _ids([NEGATION])
    return _dataset("mixed_negations", inputs, labels, stratified(labels, split_sizes(num_sentences), generator))


def word_order(num_sentences: int = 2000, distance: int = 1, data_seed: int = 0) -> Dataset:
    """Pairs of sentences with the same words in another order: "not good ... bad" and "not bad ... good".

    Each has a good and a bad word, one of which follows "not" at a distance. The two sentences of a pair differ in
    which, and have opposite labels: negative if the good word is negated, else positive. All other words are neutral,
    so that windows of `distance` words or fewer are drawn alike in both classes: no classifier that looks through
    these, or at single words, can do better than chance. Both sentences are in the same split, so that a model that
    ignores the order is right on exactly one of them. 70% train, 15% dev, 15% test of the pairs.

    Args:
      num_sentences: how many, two for each pair.
      distance: from "not" to the word that it negates; 1 if they are neighbours, 4 at most.
      data_seed: the seed of the draws.

    Raises:
      UserError: if there are fewer than 20 sentences or their number is odd, the distance is none, or the seed is
        negative.
    """
    generator = generator_of(num_sentences, data_seed)
    if num_sentences % 2:
        raise UserError(f"num_sentences: {num_sentences} is odd; two sentences are a pair.")
    if not 1 <= distance <= MAX_DISTANCE:
        raise UserError(f"distance: {distance} is not from 1 to {MAX_DISTANCE}.")
    pairs = _pairs(generator, num_sentences // 2, distance)
    labels = np.tile(np.array([0, 1], np.int32), num_sentences // 2)
    splits = np.split(np.arange(num_sentences), 2 * np.cumsum(split_sizes(num_sentences // 2))[:2])
    return _dataset("word_order", pairs, labels, splits)


def _pairs(generator: np.random.Generator, count: int, distance: int) -> np.ndarray:
    """Word ids `int32[2 * count, words]`: a negative and a positive sentence of the same words, pair after pair."""
    neutral, rows = _of_words(generator, NEUTRAL, (count, PAIR_WORDS)), np.arange(count)
    judgements = np.stack([_of_words(generator, words, count) for words in (POSITIVE, NEGATIVE)])
    first = generator.integers(MAX_DISTANCE, MAX_DISTANCE + 2, count)
    # so far apart that a "not" before the second is no nearer to the first
    places = np.stack([first, first + 2 * MAX_DISTANCE + generator.integers(0, 2, count)])
    negated = generator.integers(0, 2, count)  # the place, the first or the second, in both sentences
    sentences = []
    for label in (0, 1):
        sentence = neutral.copy()
        sentence[rows, places[negated, rows]] = judgements[label]
        sentence[rows, places[1 - negated, rows]] = judgements[1 - label]
        sentence[rows, places[negated, rows] - distance] = _ids([NEGATION])
        sentences.append(sentence)
    return np.stack(sentences, axis=1).reshape(2 * count, PAIR_WORDS)


def generator_of(num_sentences: int, data_seed: int) -> np.random.Generator:
    """What draws a data set of so many sentences.

    Raises:
      UserError: if they are too few to split, or the seed is negative.
    """
    if num_sentences < MIN_SENTENCES:
        raise UserError(f"num_sentences: {num_sentences} are too few to split; take {MIN_SENTENCES} or more.")
    return random_generator("data_seed", data_seed)


def split_sizes(count: int) -> tuple[int, int, int]:
    """70% for train, 15% for dev, the rest for test."""
    num_train, num_dev = count * 70 // 100, count * 15 // 100
    return num_train, num_dev, count - num_train - num_dev


def _ids(words: Sequence[str]) -> np.ndarray:
    return np.array([VOCABULARY.index(word) for word in words], np.int32)


def _of_words(generator: np.random.Generator, words: Sequence[str], shape: int | tuple[int, ...]) -> np.ndarray:
    """Ids of some of the words, all equally likely."""
    return _ids(words)[generator.integers(len(words), size=shape)]


def _dataset(name: str, inputs: np.ndarray, labels: np.ndarray, rows: Sequence[np.ndarray]) -> Dataset:
    """The data set of these sentences, cut into splits; its vocabulary is that of all that can be drawn."""
    train, dev, test = (Split(inputs[of_split], labels[of_split]) for of_split in rows)
    return Dataset(name, train, dev, test, ("negative", "positive"), VOCABULARY)


def _sentence(generator: np.random.Generator, label: int) -> tuple[str, ...]:
    """3 to 7 neutral words, among which are one or two judgements and perhaps a "not" without effect."""
    pieces = [[draw(generator, NEUTRAL)] for _ in range(generator.integers(3, 8))]
    if generator.random() < 0.5:
        pieces[generator.integers(len(pieces))].insert(0, NEGATION)
    for _ in range(generator.integers(1, 3)):
        pieces.insert(int(generator.integers(len(pieces) + 1)), _judgement(generator, label))
    return tuple(word for piece in pieces for word in piece)


def _judgement(generator: np.random.Generator, label: int) -> list[str]:
    negated = generator.random() < 0.3
    word = draw(generator, POSITIVE if label != negated else NEGATIVE)
    return [NEGATION, word] if negated else [word]


def draw(generator: np.random.Generator, words: tuple[str, ...]) -> str:
    """One of the words, all equally likely."""
    # several times as fast as `choice`, which makes an array of the words each time
    return words[generator.integers(len(words))]
