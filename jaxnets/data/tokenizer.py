"""From a text to its words."""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass

from jaxnets.basics import stored
from jaxnets.basics.errors import UserError, unknown

KINDS = ("words", "whitespace")

# In this order: n't and other endings; words that hold punctuation; what is left of a word before n't; words; the rest.
_PATTERN = re.compile(
    r"""
    n't\b | '(?:s|m|d|re|ve|ll|em|cause|til|tis|twas|n)\b | '\d0s\b
    | -[lr][rsc]b- | `` | '' | \\/ | \\\*
    | \d+(?:[.,:/]\d+)+ | (?:\w\.){2,} | \b(?:mr|mrs|ms|dr|vs|jr|sr)\. | \b[a-z]\.(?=\s+\w)
    | \w+?(?=n't\b)
    | \w+(?:(?:[-./&]|\\/)\w+ | '(?!(?:s|m|d|re|ve|ll|t)\b)\w+)*
    | \.{2,} | -{2,} | [^\w\s]
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " "})


@dataclass(frozen=True)
class Tokenizer:
    """How texts become words.

    With `words`, punctuation stands alone, and `n't`, `'s`, `'re` and their like are split off, as in the Penn
    Treebank; `<br />` is a space; curly quotes become straight; a text that is tokenized in this manner stays as it is.
    With `whitespace`, texts are split where there is white space, and nowhere else.

    >>> Tokenizer().split("I don't like it.<br />It's well-made, though!")
    ['i', 'do', "n't", 'like', 'it', '.', 'it', "'s", 'well-made', ',', 'though', '!']
    >>> Tokenizer().split("i do n't like it . it 's well-made , though !") == _
    True
    """

    kind: str = "words"
    lowercase: bool = True

    def split(self, text: str) -> list[str]:
        """The words of a text, in order."""
        return self.splitter()(text)

    def splitter(self) -> Callable[[str], list[str]]:
        """The function from a text to its words.

        Raises:
          UserError: if there is no such kind.
        """
        if self.kind not in KINDS:
            raise unknown("tokenizer", self.kind, KINDS)
        find = _PATTERN.findall if self.kind == "words" else str.split
        clean = _cleaned if self.kind == "words" else _unchanged
        if self.lowercase:
            return lambda text: find(clean(text).lower())
        return lambda text: find(clean(text))

    def to_json(self) -> str:
        """The tokenizer as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Tokenizer":
        """The tokenizer of `to_json`.

        Raises:
          UserError: if it is none.
        """
        try:
            return cls(**stored.parsed(text, {"kind": KINDS, "lowercase": bool}))
        except ValueError as error:
            raise UserError(f"the tokenizer cannot be read: {error}.") from None


def _unchanged(text: str) -> str:
    return text


def _cleaned(text: str) -> str:
    """The text with one character for each sign, without HTML line breaks."""
    if "<" in text:
        text = _LINE_BREAK.sub(" ", text)
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_QUOTES)
