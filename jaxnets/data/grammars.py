"""Generated sentences in which negations, the order of words, or n-grams that training never saw decide."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

import numpy as np

from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split, WordVectors, random_generator, stratified
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

Sentence = tuple[str, ...]
Labelled = dict[Sentence, int]
"""Each sentence once, with its label."""

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
GOOD = (
    *POSITIVE, "excellent", "delightful", "moving", "funny", "clever", "elegant", "fresh", "gripping", "touching",
    "warm", "witty", "splendid", "perfect", "pleasant", "stunning", "tender"
)
BAD = (
    *NEGATIVE, "horrible", "tedious", "stupid", "lame", "clumsy", "ugly", "stale", "bland", "hollow", "cold",
    "silly", "pathetic", "messy", "annoying", "shallow", "tired"
)
LIKING = ("like", "love", "enjoy", "adore", "cherish", "relish")
DISLIKING = ("hate", "dislike", "detest", "loathe", "despise", "abhor")
AFFIRMING = ("really", "truly", "certainly", "always", "deeply")
DENYING = ("never", "hardly", "barely", "seldom", "rarely")
SUBJECTS = ("i", "we", "they", "you", "people", "children")
OBJECTS = (
    "spinach", "bread", "soup", "cheese", "rice", "fish", "beans", "apples", "noodles", "olives", "carrots", "eggs"
)
OPENINGS = ("today", "honestly", "sometimes", "indeed", "perhaps", "frankly", "here", "now")
CLOSINGS = ("together", "outside", "alone", "again", "everywhere", "anyway", "though", "daily")
# fmt: on
NEGATION = "not"
VOCABULARY = (PADDING, UNKNOWN, NEGATION, *NEUTRAL, *POSITIVE, *NEGATIVE)
MIN_SENTENCES = 20
MAX_WORDS, SENTENCE_WORDS, PAIR_WORDS = 12, 10, 16
MAX_DISTANCE = 4
"""From a negation to the word that it negates."""
NAMES = ("negative", "positive")
KINDS = ((LIKING, DISLIKING), (AFFIRMING, DENYING), (SUBJECTS,), (OBJECTS,), (OPENINGS,), (CLOSINGS,))
"""The words of each kind, those of one meaning together."""
DIM = 32
MOST_IN_VAIN = 2_000


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
    generator = _drawing(num_sentences, data_seed)
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
    return _fixed("ngrams", inputs, labels, stratified(labels, _sizes(num_sentences), generator))


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
    generator = _drawing(num_sentences, data_seed)
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
    return _fixed("mixed_negations", inputs, labels, stratified(labels, _sizes(num_sentences), generator))


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
    generator = _drawing(num_sentences, data_seed)
    if num_sentences % 2:
        raise UserError(f"num_sentences: {num_sentences} is odd; two sentences are a pair.")
    if not 1 <= distance <= MAX_DISTANCE:
        raise UserError(f"distance: {distance} is not from 1 to {MAX_DISTANCE}.")
    pairs = _pairs(generator, num_sentences // 2, distance)
    labels = np.tile(np.array([0, 1], np.int32), num_sentences // 2)
    splits = np.split(np.arange(num_sentences), 2 * np.cumsum(_sizes(num_sentences // 2))[:2])
    return _fixed("word_order", pairs, labels, splits)


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


def _drawing(num_sentences: int, data_seed: int) -> np.random.Generator:
    if num_sentences < MIN_SENTENCES:
        raise UserError(f"num_sentences: {num_sentences} are too few to split; take {MIN_SENTENCES} or more.")
    return random_generator("data_seed", data_seed)


def _sizes(count: int) -> tuple[int, int, int]:
    """70% for train, 15% for dev, the rest for test."""
    num_train, num_dev = count * 70 // 100, count * 15 // 100
    return num_train, num_dev, count - num_train - num_dev


def _ids(words: Sequence[str]) -> np.ndarray:
    return np.array([VOCABULARY.index(word) for word in words], np.int32)


def _of_words(generator: np.random.Generator, words: Sequence[str], shape: int | tuple[int, ...]) -> np.ndarray:
    """Ids of some of the words, all equally likely."""
    return _ids(words)[generator.integers(len(words), size=shape)]


def _fixed(name: str, inputs: np.ndarray, labels: np.ndarray, rows: Sequence[np.ndarray]) -> Dataset:
    """The data set of these sentences, cut into splits; its vocabulary is that of all that can be drawn."""
    train, dev, test = (Split(inputs[of_split], labels[of_split]) for of_split in rows)
    return Dataset(name, train, dev, test, NAMES, VOCABULARY)


def _sentence(generator: np.random.Generator, label: int) -> tuple[str, ...]:
    """3 to 7 neutral words, among which are one or two judgements and perhaps a "not" without effect."""
    pieces = [[_draw(generator, NEUTRAL)] for _ in range(generator.integers(3, 8))]
    if generator.random() < 0.5:
        pieces[generator.integers(len(pieces))].insert(0, NEGATION)
    for _ in range(generator.integers(1, 3)):
        pieces.insert(int(generator.integers(len(pieces) + 1)), _judgement(generator, label))
    return tuple(word for piece in pieces for word in piece)


def _judgement(generator: np.random.Generator, label: int) -> list[str]:
    negated = generator.random() < 0.3
    word = _draw(generator, POSITIVE if label != negated else NEGATIVE)
    return [NEGATION, word] if negated else [word]


def _draw(generator: np.random.Generator, words: Sequence[str]) -> str:
    """One of the words, all equally likely."""
    # several times as fast as `choice`, which makes an array of the words each time
    return words[int(generator.integers(len(words)))]


def unseen_negations(num_sentences: int = 2000, data_seed: int = 0) -> Dataset:
    """Sentences with one judgement, a good or bad word, turned around by a "not" before it; test has new pairs.

    In train and dev every fourth good and bad word never follows "not"; in each test sentence one of these words does.
    The other judgements of train and dev are negated in half of the cases, so that neither they nor "not" determine
    the label alone. 70% train, 15% dev, 15% test, no sentence twice, as many positive as negative ones.

    Args:
      num_sentences: how many sentences there are.
      data_seed: the seed of the draws.

    Raises:
      UserError: if there are fewer than 20 sentences, or the seed is negative.
    """
    generator = _drawing(num_sentences, data_seed)
    plain = GOOD[::4] + BAD[::4]
    others = tuple(word for word in GOOD + BAD if word not in plain)

    def seen(label: int) -> Sentence:
        kind = generator.choice(3, p=(0.4, 0.4, 0.2))
        return _with_judgement(generator, label, plain if kind == 2 else others, turned=kind == 0)

    num_train, num_dev, num_test = _sizes(num_sentences)
    known = _distinct(seen, num_train + num_dev)
    new = _distinct(lambda label: _with_judgement(generator, label, plain, turned=True), num_test)
    return _dataset("unseen_negations", known, num_train, new)


def _with_judgement(generator: np.random.Generator, label: int, words: Sequence[str], *, turned: bool) -> Sentence:
    """3 to 7 neutral words and one of `words` that makes the label, with "not" before it if it is turned around."""
    of_class = GOOD if label != turned else BAD
    judgement = _draw(generator, tuple(word for word in words if word in of_class))
    sentence = [_draw(generator, NEUTRAL) for _ in range(generator.integers(3, 8))]
    place = int(generator.integers(len(sentence) + 1))
    sentence[place:place] = [NEGATION, judgement] if turned else [judgement]
    return tuple(sentence)


def unseen_ngrams(num_sentences: int = 2000, data_seed: int = 0, word_vectors: str = "") -> Dataset:
    """Sentences such as "i really like spinach", and test sentences all of whose trigrams are new.

    An adverb affirms or denies, a verb expresses liking or disliking, and the label is the meaning of both together, so
    that no single word determines it. Train and dev have two thirds of the pairs of an adverb and a verb, such as
    "really like"; the test sentences have the others, such as "really love", and no trigram that occurs in train or
    dev. In the optional word vectors, words with similar meanings are close. 70% train, 15% dev, 15% test, no sentence
    twice, as many positive as negative ones.

    Args:
      num_sentences: how many sentences there are.
      data_seed: the seed of the draws, including those of the vectors.
      word_vectors: `made` to get word vectors; empty for no vectors.

    Raises:
      UserError: if there are fewer than 20 sentences or more than can be made, the seed is negative, or
        `word_vectors` has another value.
    """
    generator = _drawing(num_sentences, data_seed)
    if word_vectors not in ("", "made"):
        raise UserError(f"word_vectors: '{word_vectors}' is not known; 'unseen_ngrams' has 'made', or no vectors.")
    num_train, num_dev, num_test = _sizes(num_sentences)
    known = _distinct(lambda label: _opinion(generator, label, new=False), num_train + num_dev)
    seen = {gram for sentence in known for gram in _trigrams(sentence)}

    def unseen(label: int) -> Sentence | None:
        sentence = _opinion(generator, label, new=True)
        return None if seen.intersection(_trigrams(sentence)) else sentence

    new = _distinct(unseen, num_test)
    vectors = _vectors(generator) if word_vectors else {}
    return _dataset("unseen_ngrams", known, num_train, new, vectors)


def _trigrams(sentence: Sentence) -> Iterable[Sentence]:
    return zip(sentence, sentence[1:], sentence[2:], strict=False)


def _opinion(generator: np.random.Generator, label: int, *, new: bool) -> Sentence:
    """A subject, an adverb, a verb and an object, often with a word before or after them."""
    affirmed = generator.random() < 0.5
    adverbs, verbs = AFFIRMING if affirmed else DENYING, LIKING if affirmed == bool(label) else DISLIKING
    # a third of all pairs are of the test sentences
    pairs = [pair for pair in product(range(len(adverbs)), range(len(verbs))) if (sum(pair) % 3 == 1) == new]
    adverb, verb = pairs[generator.integers(len(pairs))]
    sentence = [_draw(generator, SUBJECTS), adverbs[adverb], verbs[verb], _draw(generator, OBJECTS)]
    if generator.random() < 0.5:
        sentence.insert(0, _draw(generator, OPENINGS))
    if generator.random() < 0.5:
        sentence.append(_draw(generator, CLOSINGS))
    return tuple(sentence)


def _vectors(generator: np.random.Generator) -> dict[str, np.ndarray]:
    """A vector for each word: the sum of a vector of its kind, one of its meaning, and one of its own.

    All verbs are of one kind, and so are all adverbs, because opposites are close in real word vectors as well.
    """
    vectors = {}
    for meanings in KINDS:
        kind = generator.normal(size=DIM)
        for words in meanings:
            meaning = generator.normal(size=DIM)
            for word in words:
                vectors[word] = 0.1 * (kind + meaning + 0.7 * generator.normal(size=DIM))
    return vectors


def _distinct(make: Callable[[int], Sentence | None], count: int) -> Labelled:
    """Different sentences with alternating labels; `make` gives None where the draw is to be repeated."""
    sentences: Labelled = {}
    in_vain = 0
    while len(sentences) < count:
        label, before = len(sentences) % 2, len(sentences)
        sentence = make(label)
        if sentence is not None:
            sentences.setdefault(sentence, label)
        in_vain = 0 if len(sentences) > before else in_vain + 1
        if in_vain > MOST_IN_VAIN:
            raise UserError(f"num_sentences: for a split of {count} only {len(sentences)} can be made.")
    return sentences


def _dataset(
    name: str, known: Labelled, num_train: int, new: Labelled, vectors: Mapping[str, np.ndarray] | None = None
) -> Dataset:
    """The data set of known sentences, the first for train, the others for dev, and of new ones for test."""
    items = list(known.items())
    train = items[:num_train]
    vocabulary = (PADDING, UNKNOWN, *sorted({word for sentence, _ in train for word in sentence}))
    ids = {word: number for number, word in enumerate(vocabulary)}
    given = None
    if vectors:
        table = np.stack([vectors.get(word, np.zeros(DIM)) for word in vocabulary]).astype(np.float32)
        given = WordVectors(table, np.arange(len(vocabulary)) >= 2)
    train_split, dev, test = (
        Split(
            Texts.of([[ids.get(word, 1) for word in sentence] for sentence, _ in part]),
            np.array([label for _, label in part], np.int32),
        )
        for part in (train, items[num_train:], list(new.items()))
    )
    return Dataset(name, train_split, dev, test, NAMES, vocabulary, given)
