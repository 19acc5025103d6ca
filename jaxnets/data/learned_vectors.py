"""Word vectors learned from texts without labels, by which words keep company, and vectors made less alike."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, WordVectors, random_generator
from jaxnets.data.grammars import KINDS
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

Loader = Callable[..., tuple[Dataset, ...]]

WINDOW = 2
DEVIATION = 0.16  # of the numbers of all vectors
COMPANIONS = 10  # of a meaning; those of a kind are as many for each of its meanings
OF_MEANING, OF_KIND = 0.4, 0.3  # how often a companion is one of the word's own meaning, and of its own kind


def learned(texts: Texts, num_words: int, dim: int, window: int = WINDOW, seed: int = 0) -> WordVectors:
    """Vectors from the words that stand near each other: positive pointwise mutual information, factorized.

    The vectors are the left singular vectors times the square roots of the singular values, all of one length. A word
    that never stands near another has no vector; ids of `num_words` and more are companions alone, and get none.
    Source: Levy and Goldberg (2014), sections 3.2 and 4.
    """
    from sklearn.decomposition import TruncatedSVD

    information = positive_information(
        cooccurrences(texts, max(num_words, int(texts.words.max(initial=0)) + 1), window)
    )
    svd = TruncatedSVD(dim, random_state=seed)
    vectors = svd.fit_transform(information)[:num_words] / np.sqrt(np.maximum(svd.singular_values_, 1e-9))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    given = (lengths[:, 0] > 1e-9) & (np.arange(num_words) >= 2)
    scaled = np.where(given[:, None], DEVIATION * dim**0.5 * vectors / np.maximum(lengths, 1e-9), 0)
    return WordVectors(scaled.astype(np.float32), given)


def cooccurrences(texts: Texts, num_words: int, window: int) -> sparse.csr_matrix:
    """How often each word stands near each other one in a text, `float64[words, words]`, symmetric.

    >>> cooccurrences(Texts.of([[0, 1, 2], [0]]), 3, window=1).toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    owner = np.repeat(np.arange(len(texts)), texts.lengths)
    counts = sparse.csr_matrix((num_words, num_words))
    for distance in range(1, window + 1):
        within = owner[:-distance] == owner[distance:]
        pairs = texts.words[:-distance][within], texts.words[distance:][within]
        counts = counts + sparse.csr_matrix((np.ones(len(pairs[0])), pairs), counts.shape)
    return (counts + counts.T).tocsr()


def positive_information(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """The positive part of log(count of a pair × all counts / (counts of its two words)); 0 where the count is 0."""
    pairs = counts.tocoo()
    sums = np.asarray(counts.sum(axis=1)).ravel()
    information = np.log(pairs.data * sums.sum() / (sums[pairs.row] * sums[pairs.col]))
    return sparse.csr_matrix((np.maximum(information, 0), (pairs.row, pairs.col)), counts.shape)


def company(vocabulary: Sequence[str], num_sentences: int, seed: int) -> Texts:
    """Sentences without labels, each of a word of the generated opinions among companions, as word ids.

    Words of like meaning keep like company, as Harris (1954) says of words in general: of the four companions some are
    those of the word's meaning, some those of its kind, which opposites share, and the others are anyone's. Their ids
    lie behind those of the vocabulary, which is that of a data set `unseen_ngrams`.
    """
    generator = random_generator("base_seed", seed, 1)
    ids = {word: place for place, word in enumerate(vocabulary) if word not in (PADDING, UNKNOWN)}
    groups = [(kind, [ids[word] for word in words if word in ids]) for kind, of in enumerate(KINDS) for words in of]
    return Texts.of([_kept_company(generator, groups, len(vocabulary)) for _ in range(num_sentences)])


def _kept_company(
    generator: np.random.Generator, groups: Sequence[tuple[int, list[int]]], first: int
) -> Int[np.ndarray, "words"]:
    """A word with two companions before it and two behind; the companions of a group are numbered from `first`."""
    group = int(generator.integers(len(groups)))
    kind, words = groups[group]
    of_kind = [number for number, (own, _) in enumerate(groups) if own == kind]
    shares = [OF_MEANING, OF_KIND, 1 - OF_MEANING - OF_KIND]
    sources = [[group], of_kind, list(range(len(groups)))]
    row = [generator.choice(sources[source]) for source in generator.choice(3, size=4, p=shares)]
    companions = [first + int(source) * COMPANIONS + int(generator.integers(COMPANIONS)) for source in row]
    return np.array([*companions[:2], words[generator.integers(len(words))], *companions[2:]], np.int32)


def diluted(vectors: WordVectors, similarity: float, generator: np.random.Generator) -> WordVectors:
    """Vectors of which a share of the variance is kept, and the rest is random.

    The cosine of two words becomes on average that of their vectors times the share: 0 leaves nothing of them.
    """
    if similarity > 1:
        raise UserError(f"degrees: {similarity:g} is more than 1, the vectors as they are.")
    noise: Float[np.ndarray, "words dim"] = generator.normal(scale=vectors.deviation, size=vectors.vectors.shape)
    mixed = np.sqrt(similarity) * vectors.vectors + np.sqrt(1 - similarity) * noise
    return WordVectors(np.where(vectors.given[:, None], mixed, 0).astype(np.float32), vectors.given)


def by_degree(
    folds: Sequence[Dataset], vectors: WordVectors, degrees: Sequence[float], seed: int
) -> dict[float, Loader]:
    """The same data with vectors diluted to each degree of likeness, ascending, each with random numbers of its own."""
    return {
        degree: loader(folds, diluted(vectors, degree, random_generator("base_seed", seed, 2, place)))
        for place, degree in enumerate(sorted(degrees))
    }


def loader(folds: Sequence[Dataset], vectors: WordVectors | None) -> Loader:
    """A loader of the same folds or repeats with other vectors in the place of their own; None for no vectors."""
    changed = tuple(replace(fold, word_vectors=vectors) for fold in folds)
    return lambda num_repeats=1: changed
