"""Data sets of TFDS, texts and images."""

from jaxnets.data.assemble import Encoding, assemble
from jaxnets.data.dataset import Dataset
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
    min_count: int = 1,
    max_vocabulary: int = 0,
    length_percentile: float = 100.0,
    word_vectors: str = "",
) -> tuple[Dataset, ...]:
    """A classification set of TFDS with text or image features.

    Args:
      name: TFDS's own, such as `imdb_reviews` or `mnist`.
      data_dir: where TFDS keeps its data; empty for its own default.
      text_feature: the input, where there are several.
      label_feature: the label, where there are several.
      tokenizer: see `jaxnets.data.text_files.load`, also for the rest.
      lowercase: whether capitals become small letters.
      folds: of the cross-validation where there is no test split.
      dev_share: of the training examples.
      split_seed: of the draws.
      min_count: of a known word.
      max_vocabulary: known words.
      length_percentile: of the lengths.
      word_vectors: a file.

    Raises:
      UserError: if the set is not there or cannot be made, or an option does not fit it.
    """
    from jaxnets.data import features, tfds

    raw = tfds.read(name, data_dir, text_feature, label_feature)
    encoding = Encoding(folds, dev_share, split_seed, min_count, max_vocabulary, length_percentile, word_vectors)
    if not isinstance(raw.train.inputs, list):
        return features.assemble(raw, encoding)
    splitter = Tokenizer(tokenizer, lowercase)
    return assemble(tokenize(raw, splitter), encoding, splitter)
