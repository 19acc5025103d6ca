"""Generated sentences with negations or n-grams that do not occur in training."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split, WordVectors
from jaxnets.data.generated import NEGATION, NEGATIVE, NEUTRAL, POSITIVE, draw, generator_of, split_sizes
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

Sentence = tuple[str, ...]
Labelled = dict[Sentence, int]
"""Each sentence once, with its label."""

NAMES = ("negative", "positive")

# fmt: off
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
KINDS = ((LIKING, DISLIKING), (AFFIRMING, DENYING), (SUBJECTS,), (OBJECTS,), (OPENINGS,), (CLOSINGS,))
"""The words of each kind, those of one meaning together."""
DIM = 32


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
    generator = generator_of(num_sentences, data_seed)
    plain = GOOD[::4] + BAD[::4]
    others = tuple(word for word in GOOD + BAD if word not in plain)

    def seen(label: int) -> Sentence:
        kind = generator.choice(3, p=(0.4, 0.4, 0.2))
        return _with_judgement(generator, label, plain if kind == 2 else others, turned=kind == 0)

    num_train, num_dev, num_test = split_sizes(num_sentences)
    known = _distinct(seen, num_train + num_dev)
    new = _distinct(lambda label: _with_judgement(generator, label, plain, turned=True), num_test)
    return _dataset("unseen_negations", _cut(known, num_train) | {"test": new})


def _with_judgement(generator: np.random.Generator, label: int, words: Sequence[str], *, turned: bool) -> Sentence:
    """3 to 7 neutral words and one of `words` that makes the label, with "not" before it if it is turned around."""
    of_class = GOOD if label != turned else BAD
    judgement = draw(generator, tuple(word for word in words if word in of_class))
    sentence = [draw(generator, NEUTRAL) for _ in range(generator.integers(3, 8))]
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
    generator = generator_of(num_sentences, data_seed)
    if word_vectors not in ("", "made"):
        raise UserError(f"word_vectors: '{word_vectors}' is not known; 'unseen_ngrams' has 'made', or no vectors.")
    num_train, num_dev, num_test = split_sizes(num_sentences)
    known = _distinct(lambda label: _opinion(generator, label, new=False), num_train + num_dev)
    seen = {gram for sentence in known for gram in _trigrams(sentence)}

    def unseen(label: int) -> Sentence | None:
        sentence = _opinion(generator, label, new=True)
        return None if seen.intersection(_trigrams(sentence)) else sentence

    new = _distinct(unseen, num_test)
    vectors = _vectors(generator) if word_vectors else {}
    return _dataset("unseen_ngrams", _cut(known, num_train) | {"test": new}, vectors)


def _trigrams(sentence: Sentence) -> Iterator[Sentence]:
    return zip(sentence, sentence[1:], sentence[2:], strict=False)


def _is_new(adverb: int, verb: int) -> bool:
    """Whether the adverb and the verb of these numbers are a pair of the test sentences: a third of all pairs are."""
    return (adverb + verb) % 3 == 1


def _opinion(generator: np.random.Generator, label: int, *, new: bool) -> Sentence:
    """A subject, an adverb, a verb and an object, often with a word before or after them."""
    affirmed = generator.random() < 0.5
    adverbs, verbs = AFFIRMING if affirmed else DENYING, LIKING if affirmed == bool(label) else DISLIKING
    pairs = [pair for pair in product(range(len(adverbs)), range(len(verbs))) if _is_new(*pair) == new]
    adverb, verb = pairs[generator.integers(len(pairs))]
    sentence = [draw(generator, SUBJECTS), adverbs[adverb], verbs[verb], draw(generator, OBJECTS)]
    if generator.random() < 0.5:
        sentence.insert(0, draw(generator, OPENINGS))
    if generator.random() < 0.5:
        sentence.append(draw(generator, CLOSINGS))
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
    """A number of different sentences, with alternating labels.

    Args:
      make: draws a sentence with a label; None if the draw is to be repeated.
      count: how many.

    Raises:
      UserError: if there are no more new sentences.
    """
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


MOST_IN_VAIN = 2_000


def _cut(sentences: Labelled, num_train: int) -> dict[str, Labelled]:
    """The first `num_train` sentences as train, the others as dev."""
    items = list(sentences.items())
    return {"train": dict(items[:num_train]), "dev": dict(items[num_train:])}


def _dataset(name: str, splits: Mapping[str, Labelled], vectors: Mapping[str, np.ndarray] | None = None) -> Dataset:
    """The data set of these sentences; its vocabulary is that of the training split."""
    vocabulary = (PADDING, UNKNOWN, *sorted({word for sentence in splits["train"] for word in sentence}))
    ids = {word: number for number, word in enumerate(vocabulary)}

    def split(sentences: Labelled) -> Split:
        texts = Texts.of([[ids.get(word, 1) for word in sentence] for sentence in sentences])
        return Split(texts, np.array(list(sentences.values()), np.int32))

    given = None
    if vectors:
        table = np.zeros((len(vocabulary), DIM), np.float32)
        for word in vocabulary[2:]:
            table[ids[word]] = vectors[word]
        given = WordVectors(table, np.arange(len(vocabulary)) >= 2)
    train, dev, test = (split(splits[which]) for which in ("train", "dev", "test"))
    return Dataset(name, train, dev, test, NAMES, vocabulary, given)
