"""Text data sets in the user's own files."""

from pathlib import Path

from jaxnets.data import files
from jaxnets.data.assemble import Encoding, assemble
from jaxnets.data.dataset import Dataset
from jaxnets.data.files import Columns, is_path
from jaxnets.data.tokenized import cached
from jaxnets.data.tokenizer import Tokenizer

__all__ = ["is_path", "load"]


def load(
    path: Path,
    label_column: str = "label",
    text_column: str = "text",
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
    """The texts of a folder or file; the folds of a cross-validation where there is no test split.

    Args:
      path: see `jaxnets.data.files.read`.
      label_column: name in .csv and .jsonl files.
      text_column: likewise.
      tokenizer: `words` or `whitespace`.
      lowercase: whether capitals become small letters.
      folds: see `jaxnets.data.assemble.Encoding`, also for the rest.
      dev_share: of the training examples.
      split_seed: of the draws.
      min_count: of a known word.
      max_vocabulary: known words.
      length_percentile: of the lengths.
      word_vectors: a file.

    Raises:
      UserError: for the first mistake found, with its file and line.
    """
    columns = Columns(label_column, text_column)
    splitter = Tokenizer(tokenizer, lowercase)
    sources = files.sources(path)
    tokenized = cached(sources, (path.name, columns), splitter, lambda: files.read(path, columns))
    encoding = Encoding(folds, dev_share, split_seed, min_count, max_vocabulary, length_percentile, word_vectors)
    return assemble(tokenized, encoding, splitter)
