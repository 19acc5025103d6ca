"""Text data sets in the user's own files."""

from pathlib import Path

from jaxnets.data import files
from jaxnets.data.assemble import Encoding, assemble_texts
from jaxnets.data.dataset import Dataset
from jaxnets.data.file_rows import Columns
from jaxnets.data.folds import Splitting
from jaxnets.data.tokenized import cached
from jaxnets.data.tokenizer import Tokenizer


def load(
    path: Path,
    label_column: str = "",
    text_column: str = "",
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
    """The texts of a folder or file; the folds of a cross-validation if there is no test split."""
    columns = Columns(label_column, text_column)
    splitter = Tokenizer(tokenizer, lowercase)
    sources = files.sources(path)
    splitting = Splitting(folds, dev_share, split_seed, num_blocks)
    encoding = Encoding(min_count, max_vocabulary, length_percentile, word_vectors)
    options = (path.name, columns, *files.on_unread(path))
    tokenized = cached(sources, options, splitter, lambda: files.read(path, columns))
    return assemble_texts(tokenized, splitting, encoding, splitter)
