"""Small generated data sets: XOR, negation, and sentences in which word order matters."""

import numpy as np

from jaxnets.basics.errors import UserError
from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split, random_generator, stratified

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
MAX_WORDS = 12
MIN_SENTENCES = 20


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
    if num_sentences < MIN_SENTENCES:
        raise UserError(f"num_sentences: {num_sentences} are too few to split; take {MIN_SENTENCES} or more.")
    generator = random_generator("data_seed", data_seed)
    vocabulary = (PADDING, UNKNOWN, NEGATION, *NEUTRAL, *POSITIVE, *NEGATIVE)
    ids = {word: number for number, word in enumerate(vocabulary)}
    # a dictionary keeps each sentence once, in the order of the draws
    sentences: dict[tuple[str, ...], int] = {}
    while len(sentences) < num_sentences:
        label = len(sentences) % 2
        sentences.setdefault(_sentence(generator, label), label)
    # the widest possible, so that the shape is the same for all seeds
    inputs = np.zeros((num_sentences, MAX_WORDS), np.int32)
    for row, words in zip(inputs, sentences, strict=True):
        row[: len(words)] = [ids[word] for word in words]
    labels = np.array(list(sentences.values()), np.int32)
    num_train, num_dev = num_sentences * 70 // 100, num_sentences * 15 // 100
    sizes = (num_train, num_dev, num_sentences - num_train - num_dev)
    train, dev, test = (Split(inputs[rows], labels[rows]) for rows in stratified(labels, sizes, generator))
    return Dataset("ngrams", train, dev, test, ("negative", "positive"), vocabulary)


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
