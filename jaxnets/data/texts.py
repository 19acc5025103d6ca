"""Texts: from a text to its words, the word ids of many texts as one stream, and batches without padding between."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from jaxnets import schema
from jaxnets.errors import UserError, unknown


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts as one stream of word ids."""

    words: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.lengths)

    @cached_property
    def starts(self) -> np.ndarray:
        """`int32[texts]`: where each text begins in the stream; `int64` if that is longer."""
        return (np.cumsum(self.lengths) - self.lengths).astype(np.int32 if len(self.words) < 2**31 else np.int64)

    def __getitem__(self, row: int) -> np.ndarray:
        """The word ids of one text."""
        return self.words[self.starts[row] : self.starts[row] + self.lengths[row]]

    def take(self, rows: np.ndarray) -> "Texts":
        """The texts of some rows, in their order.

        >>> texts = Texts.of([[5, 6], [], [7]])
        >>> texts.take(np.array([2, 0])).words.tolist()
        [7, 5, 6]
        """
        lengths = self.lengths[rows]
        begin = np.repeat(self.starts[rows] - (np.cumsum(lengths) - lengths), lengths)
        return Texts(self.words[begin + np.arange(lengths.sum())], lengths)

    def truncated(self, longest: int) -> "Texts":
        """The first words of each text, `longest` at most."""
        position = np.arange(len(self.words)) - np.repeat(self.starts, self.lengths)
        return Texts(self.words[position < longest], np.minimum(self.lengths, longest))

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | np.ndarray]) -> "Texts":
        """The texts of these rows of word ids.

        >>> Texts.of([[5, 6], [], [7]]).lengths.tolist()
        [2, 0, 1]
        """
        lengths = np.array([len(row) for row in rows], np.int32)
        words = np.concatenate([np.asarray(row, np.int32) for row in rows]) if len(rows) else np.zeros(0, np.int32)
        return cls(words.astype(np.int32, copy=False), lengths)

    @classmethod
    def joined(cls, parts: Sequence["Texts"]) -> "Texts":
        """All texts of some collections, one collection after another.

        >>> Texts.joined([Texts.of([[5, 6]]), Texts.of([[], [7]])]).lengths.tolist()
        [2, 0, 1]
        """
        return cls(np.concatenate([part.words for part in parts]), np.concatenate([part.lengths for part in parts]))

    @classmethod
    def of_padded(cls, rows: np.ndarray) -> "Texts":
        """The texts of the rows of an array `int[texts, words]`, in which 0 is padding.

        >>> Texts.of_padded(np.array([[5, 6, 0], [7, 0, 0]])).words.tolist()
        [5, 6, 7]
        """
        return cls(rows[rows != 0].astype(np.int32), (rows != 0).sum(axis=1).astype(np.int32))


class Packed(NamedTuple):
    """Texts cut into batches of one shape."""

    words: np.ndarray
    text: np.ndarray
    lengths: np.ndarray
    rows: np.ndarray


def pack(texts: Texts, num_positions: int, most_texts: int) -> Packed:
    """Packs texts in their order into batches, each as full as it gets with whole texts.

    >>> pack(Texts.of([[5, 6], [7], [8, 9]]), 3, 8).words.tolist()
    [[5, 6, 7], [8, 9, 0]]
    """
    num_positions = max(num_positions, int(texts.lengths.max(initial=1)))
    firsts = batch_starts(texts.lengths, num_positions, most_texts)
    counts = np.diff([*firsts, len(texts)])
    batch = np.repeat(np.arange(len(firsts)), counts)
    place = np.arange(len(texts)) - np.repeat(firsts, counts)
    shape = (len(firsts), int(counts.max(initial=1)))
    lengths, rows = np.zeros(shape, np.int32), np.full(shape, -1, np.int32)
    lengths[batch, place] = texts.lengths
    rows[batch, place] = np.arange(len(texts))
    words = np.zeros((len(firsts), num_positions), np.int32)
    text = np.full((len(firsts), num_positions), shape[1], np.int32)
    word_batch = np.repeat(batch, texts.lengths)
    position = np.arange(len(texts.words)) - np.repeat(texts.starts[firsts][batch], texts.lengths)
    words[word_batch, position] = texts.words
    text[word_batch, position] = np.repeat(place, texts.lengths)
    return Packed(words, text, lengths, rows)


def batch_starts(lengths: np.ndarray, num_positions: int, most_texts: int) -> list[int]:
    """The first text of each batch."""
    ends = np.cumsum(lengths, dtype=np.int64)
    firsts = [0]
    while True:
        before = ends[firsts[-1]] - lengths[firsts[-1]]
        fitting = int(np.searchsorted(ends, before + num_positions, side="right"))
        following = min(fitting, firsts[-1] + most_texts)
        if following >= len(lengths):
            return firsts
        firsts.append(following)


def budgets(lengths: np.ndarray, batch_size: int) -> tuple[int, ...]:
    """The numbers of positions for which a training step is compiled; the last holds any batch.

    The words of a random batch are nearly normally distributed, so that most batches fit closely into a small budget,
    almost all others into one a little larger, and the rare rest into one for the longest texts together.
    """
    most = int(np.sort(lengths)[-batch_size:].sum(dtype=np.int64))
    mean, deviation = lengths.mean() * batch_size, lengths.std() * batch_size**0.5
    closer = [_rounded_up(mean + wide * deviation) for wide in (0.75, 2.5)]
    # where little is to be gained, compiling once is better
    if most < 1.5 * mean or most < _SMALL:
        return (max(most, 1),)
    return (*(budget for budget in closer if budget < most), most)


_SMALL = 1024
_MULTIPLE = 16


def _rounded_up(positions: float) -> int:
    return int(-(-positions // _MULTIPLE) * _MULTIPLE)


TOKENIZERS = ("words", "whitespace")
VERSION = 2
_SHAPE = {"kind": TOKENIZERS, "lowercase": bool, "version?": (1, VERSION)}

# Repeats of scripts that set no space between words, as the content of a class of characters.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff\uaa60-\uaa7f"  # Thai, Lao, Myanmar, Khmer
    "\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\ua9df\uaa80-\uaadf\U00011700-\U0001174f"  # Tai, Balinese, Javanese
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u312f\u31a0-\u31ff\uff66-\uff9f"  # kana, Bopomofo
    "\u3400-\u4dbf\u4e00-\ua4cf\uf900-\ufaff\U00016fe0-\U0001b2ff\U00020000-\U0003ffff"  # Han, Yi, Tangut
)
_JOINERS = "\u180e\u200c\u200d"
_TONES, _FLAG, _TAGS = "[\U0001f3fb-\U0001f3ff]", "[\U0001f1e6-\U0001f1ff]", "\U000e0020-\U000e007f"
_BEYOND_LATIN = re.compile("[\u0300-\U0010ffff]")


def _pattern(word: str, sign: str) -> re.Pattern[str]:
    """Finds the words of a text.

    In this order: n't and other endings; words that hold punctuation; what is left of a word before n't; words; signs.
    """
    return re.compile(
        rf"""
        n't\b | '(?:s|m|d|re|ve|ll|em|cause|til|tis|twas|n)\b | '\d0s\b
        | -[lr][rsc]b- | `` | \'\' | \\/ | \\\*
        | \d+(?:[.,:/]\d+)+ | (?:\w\.){{2,}} | \b(?:mr|mrs|ms|dr|vs|jr|sr)\. | \b[a-z]\.(?=\s+\w)
        | \w+?(?=n't\b)
        | {word}(?:(?:[-./&·״]|\\/){word} | '(?!(?:s|m|d|re|ve|ll|t)\b){word})*
        | \.{{2,}} | -{{2,}} | {sign}
        """,
        re.IGNORECASE | re.VERBOSE,
    )


_LATIN = _pattern(r"\w+", r"[^\w\s]")


def _marks(codes: Iterable[int]) -> str:
    """The characters among these that are marks of the letter before them."""
    return "".join(character for character in map(chr, codes) if unicodedata.category(character)[0] == "M")


@cache
def _of_all_scripts() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Finds words whose letters have marks and joiners (UAX #29); runs of letters that are words; and these letters."""
    near, far = map(_marks, (range(0x300, 0x10000), (*range(0x10000, 0x20000), *range(0xE0100, 0xE01F0))))
    beyond = rf"(?=[\U00010000-\U0010ffff])[{far}{_TAGS}]"  # looked up more slowly, so asked for last
    mark, extending = f"(?-i:[{near}]|{beyond})", f"(?-i:[{near}{_JOINERS}]|{beyond})"
    marks = near + far + _TAGS
    sign = rf"(?-i:[^\w\s{marks}{_JOINERS}])"
    emoji = rf"{_FLAG}{{2}} | {sign}(?:{extending}+(?:(?<=\u200d){sign})?|{_TONES})*"
    words = _pattern(rf"(?:\w+|{mark})(?:{extending}+\w*)*", emoji)
    letter = rf"(?!\d)[{_UNSPACED}]{extending}*"
    return words, re.compile(f"((?:{letter})+)"), re.compile(letter)


_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_QUOTES: dict[int, str | None] = {ord("’"): "'", ord("‘"): "'", ord("“"): '"', ord("”"): '"', 0xA0: " "}
# The zero-width space separates. What shows nothing within a word is dropped: soft hyphens, byte order marks, and what
# turns the direction of writing.
_UNSEEN = (0xAD, 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
_SIGNS = _QUOTES | {0x200B: " "} | dict.fromkeys(_UNSEEN)


@dataclass(frozen=True)
class Tokenizer:
    """How texts become words.

    With `words`, punctuation stands alone, and `n't`, `'s`, `'re` and their like are split off, as in the Penn
    Treebank; `<br />` is a space; curly quotes become straight; a text that is tokenized in this manner stays as it is.
    Marks and joiners belong to their letter; in scripts without spaces, such as Han and Thai, each letter is a word.
    With `whitespace`, texts are split where there is white space, and nowhere else.

    >>> Tokenizer().split("I don't like it.<br />It's well-made, though!")
    ['i', 'do', "n't", 'like', 'it', '.', 'it', "'s", 'well-made', ',', 'though', '!']
    >>> Tokenizer().split("i do n't like it . it 's well-made , though !") == _
    True
    >>> Tokenizer().split("मौसम अच्छा है"), Tokenizer().split("味道很好")
    (['मौसम', 'अच्छा', 'है'], ['味', '道', '很', '好'])
    """

    kind: str = "words"
    lowercase: bool = True
    version: int = VERSION

    def split(self, text: str) -> list[str]:
        """The words of a text, in order."""
        return self.splitter()(text)

    def splitter(self) -> Callable[[str], list[str]]:
        """The function from a text to its words."""
        if self.kind not in TOKENIZERS:
            raise unknown("tokenizer", self.kind, TOKENIZERS)
        lowered = str.lower if self.lowercase else str
        if self.kind == "whitespace":
            return lambda text: lowered(text).split()
        find, signs = (_words, _SIGNS) if self.version == VERSION else (_LATIN.findall, _QUOTES)
        return lambda text: find(lowered(_cleaned(text, signs)))

    def to_json(self) -> str:
        """The tokenizer as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Tokenizer":
        """The tokenizer of `to_json`."""
        try:
            return cls(**{"version": 1} | schema.parsed(text, _SHAPE))
        except ValueError as error:
            raise UserError(f"the tokenizer cannot be read: {error}.") from None


def _words(text: str) -> list[str]:
    if not _BEYOND_LATIN.search(text):
        return _LATIN.findall(text)
    words, runs, letters = _of_all_scripts()
    found = []
    for place, piece in enumerate(runs.split(text)):
        found += (letters if place % 2 else words).findall(piece)
    return found


def _cleaned(text: str, signs: Mapping[int, str | None]) -> str:
    """The text with one character for each sign, without HTML line breaks."""
    if "<" in text:
        text = _LINE_BREAK.sub(" ", text)
    return text if text.isascii() else unicodedata.normalize("NFC", text.translate(signs))
