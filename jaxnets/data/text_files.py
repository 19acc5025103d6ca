"""Text data sets in the user's own files."""

from collections.abc import Sequence
from pathlib import Path

from jaxnets.data import files, text_streams
from jaxnets.data.assemble import Encoding, assemble_texts
from jaxnets.data.dataset import Dataset
from jaxnets.data.file_rows import Columns
from jaxnets.data.folds import Splitting
from jaxnets.data.tokenized import cached
from jaxnets.data.tokenizer import Tokenizer

# Strings, words and their places take about six times the bytes of a text; packed texts grow to threefold.
_READ, _PACKED = 6, 18


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
    stream_above: int | None = None,
) -> tuple[Dataset, ...]:
    """The texts of a folder or file; the folds of a cross-validation if there is no test split.

    Args:
      path: a folder or file, see `jaxnets.data.files.read`.
      label_column: column of the label: its name in the header, or its number from 1 if there is no header; by default
        `label`, and in a .tsv file, which then has no header, what stands before the first tab.
      text_column: column of the text, likewise; by default `text`, and in a .tsv file what stands after the first tab.
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
      stream_above: training texts stay on disk if reading them takes more bytes; None for never.

    Raises:
      UserError: for the first mistake, with its file and line.
    """
    columns = Columns(label_column, text_column)
    splitter = Tokenizer(tokenizer, lowercase)
    sources = files.sources(path)
    splitting = Splitting(folds, dev_share, split_seed, num_blocks)
    encoding = Encoding(min_count, max_vocabulary, length_percentile, word_vectors)
    one_split = num_blocks == 1 and (folds == 1 or "test" in files.files_of(path))
    if one_split and stream_above is not None and _bytes(sources) > stream_above:
        return (text_streams.load(path, columns, splitter, splitting, encoding),)
    options = (path.name, columns, *files.on_unread(path))
    tokenized = cached(sources, options, splitter, lambda: files.read(path, columns))
    return assemble_texts(tokenized, splitting, encoding, splitter)


def _bytes(sources: Sequence[Path]) -> int:
    """The memory that reading some files takes, by their sizes."""
    return sum(path.stat().st_size * (_PACKED if path.suffix == ".gz" else _READ) for path in sources)
