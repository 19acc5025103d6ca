"""Data sets of TFDS, texts and images."""

from jaxnets.data.assemble import Encoding, assemble_texts, check_unused
from jaxnets.data.dataset import Dataset
from jaxnets.data.folds import Splitting
from jaxnets.data.tokenized import tokenize
from jaxnets.data.tokenizer import Tokenizer

PREFIX = "tfds:"


def load(
    name: str,
    data_dir: str = "",
    text_feature: str = "",
    label_feature: str = "",
    tokenizer: str = "words",
    lowercase: bool = True,
    folds: int = 10,
    dev_share: float = 0.1,
    split_seed: int = 0,
    num_blocks: int = 1,
    min_count: int = 1,
    max_vocabulary: int = 0,
    length_percentile: float = 100.0,
    word_vectors: str = "",
) -> tuple[Dataset, ...]:
    """A classification set of TFDS, of texts or of images."""
    from jaxnets.data import features, tfds

    raw = tfds.read(name, data_dir, text_feature, label_feature)
    splitting, splitter = Splitting(folds, dev_share, split_seed, num_blocks), Tokenizer(tokenizer, lowercase)
    encoding = Encoding(min_count, max_vocabulary, length_percentile, word_vectors)
    if isinstance(raw.splits["train"].inputs, list):
        return assemble_texts(tokenize(raw, splitter), splitting, encoding, splitter)
    check_unused(raw.name, encoding, splitter)
    return features.assemble_features(raw, splitting, standardize=True)
