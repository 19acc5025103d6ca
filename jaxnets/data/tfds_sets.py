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
    """A classification set of TFDS, of texts or of images.

    Args:
      name: TFDS's own, such as `imdb_reviews` or `mnist`.
      data_dir: where TFDS keeps its data; empty for its own default.
      text_feature: name of the input, if there are several.
      label_feature: name of the label, if there are several.
      tokenizer: how texts are split into words: `words` or `whitespace`.
      lowercase: whether capitals become small letters.
      folds: of the cross-validation if there is no test split; 1 holds out a tenth instead.
      dev_share: share of the training examples that become the dev split if there is none.
      split_seed: seed of the draws of missing splits.
      num_blocks: above 1, all splits are drawn anew, so many times.
      min_count: a word is known if it occurs at least this often in the training texts.
      max_vocabulary: number of words, the most frequent, that are known at most; 0 is no limit.
      length_percentile: texts are cut to the length of this percentile of the training texts.
      word_vectors: file of word vectors, .vec, .txt or .npz.

    Raises:
      UserError: if the set is neither prepared nor can be downloaded, or an option does not fit it.
    """
    from jaxnets.data import features, tfds

    raw = tfds.read(name, data_dir, text_feature, label_feature)
    splitting, splitter = Splitting(folds, dev_share, split_seed, num_blocks), Tokenizer(tokenizer, lowercase)
    encoding = Encoding(min_count, max_vocabulary, length_percentile, word_vectors)
    if isinstance(raw.splits["train"].inputs, list):
        return assemble_texts(tokenize(raw, splitter), splitting, encoding, splitter)
    check_unused(raw.name, encoding, splitter)
    return features.assemble_features(raw, splitting, standardize=True)
