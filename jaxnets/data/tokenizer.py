"""From a text to its words."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache

from jaxnets import schema
from jaxnets.errors import UserError, unknown

KINDS = ("words", "whitespace")
VERSION = 2
_SHAPE = {"kind": KINDS, "lowercase": bool, "version?": (1, VERSION)}

# Blocks of scripts that set no space between words, as the content of a class of characters.
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
        if self.kind not in KINDS:
            raise unknown("tokenizer", self.kind, KINDS)
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
