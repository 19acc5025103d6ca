import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.basics.errors import UserError
from jaxnets.data.tokenizer import Tokenizer

RAW_AND_WORDS = [
    ("I don't like it.", "i do n't like it ."),
    ("It's John's, isn't it?", "it 's john 's , is n't it ?"),
    ("They'd've... we'll, you're", "they 'd 've ... we 'll , you 're"),
    ("can't won't", "ca n't wo n't"),
    ("Great!<br /><br />See it<br>twice", "great ! see it twice"),
    ("“Quoted” – it’s fine", '" quoted " – it \'s fine'),
    ("a well-made, 21st-century film (2/3 of it)", "a well-made , 21st-century film ( 2/3 of it )"),
    ("at 3.5 stars, $1,000 & 10:30", "at 3.5 stars , $ 1,000 & 10:30"),
    ("the U.S. and Mr. Smith", "the u.s. and mr. smith"),
    ("naïve café déjà-vu", "naïve café déjà-vu"),
    ("rock 'n' roll o'brien", "rock 'n ' roll o'brien"),
    ("映画 😀!", "映画 😀 !"),
    ("", ""),
    (" \t ", ""),
]


@pytest.mark.parametrize(("raw", "words"), RAW_AND_WORDS)
def test_raw_text(raw, words):
    assert Tokenizer().split(raw) == words.split()


@pytest.mark.parametrize(
    "words",
    [words for _, words in RAW_AND_WORDS]
    + [
        "effective but too-tepid biopic",
        "`` a '' -lrb- b -rrb- mr. x 's \\/ films ... 1\\/2 the '70s , n't it -- so .",
    ],
)
def test_tokenized_text_stays_as_it_is(words):
    assert Tokenizer().split(words) == words.split()
    assert Tokenizer("whitespace").split(words) == words.split()


@given(st.text(max_size=40))
def test_nothing_but_white_space_is_lost_and_splitting_twice_changes_little(text):
    tokenizer = Tokenizer(lowercase=False)
    words = tokenizer.split(text.replace("<", ""))
    assert all(word and not any(character.isspace() for character in word) for word in words)
    kept = "".join(words)
    import unicodedata

    quotes = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})
    expected = unicodedata.normalize("NFC", text.replace("<", "")).translate(quotes)
    assert kept == "".join(expected.split())


def test_capitals_may_stay_and_kinds_are_known():
    assert Tokenizer(lowercase=False).split("I DON'T") == ["I", "DO", "N'T"]
    with pytest.raises(UserError, match=r"tokenizer: 'word' is not known\. Did you mean 'words'"):
        Tokenizer("word").split("a")


def test_json_and_back():
    assert Tokenizer.from_json(Tokenizer("whitespace", False).to_json()) == Tokenizer("whitespace", False)
    for text in ("{}", "[]", "no json"):
        with pytest.raises(UserError, match="tokenizer cannot be read"):
            Tokenizer.from_json(text)
