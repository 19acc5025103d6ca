"""From texts to words, word ids and batches."""

import gzip
import hashlib
import itertools
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.data.texts import Texts, Tokenizer, budgets, pack
from jaxnets.errors import UserError

ROWS = st.lists(st.lists(st.integers(1, 99), max_size=9), min_size=1, max_size=20)


@given(ROWS, st.data())
def test_texts_are_the_rows_they_were_made_of(rows, drawn):
    texts = Texts.of(rows)
    assert [list(texts[row]) for row in range(len(texts))] == rows
    chosen = drawn.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1))
    taken = texts.take(np.array(chosen))
    assert [list(taken[row]) for row in range(len(taken))] == [rows[row] for row in chosen]
    longest = drawn.draw(st.integers(1, 9))
    cut = texts.truncated(longest)
    assert [list(cut[row]) for row in range(len(cut))] == [row[:longest] for row in rows]


@given(ROWS, st.integers(1, 30), st.integers(1, 7))
def test_every_text_is_in_one_batch_whole_and_in_order(rows, num_positions, most_texts):
    packed = pack(Texts.of(rows), num_positions, most_texts)
    result = []
    for words, owner, lengths, numbers in zip(*packed, strict=True):
        assert (numbers >= 0).sum() <= most_texts
        assert (np.diff(owner) >= 0).all()
        for place, number in enumerate(numbers):
            of_text = words[owner == place]
            assert len(of_text) == lengths[place]
            if number >= 0:
                result.append((int(number), of_text.tolist()))
        assert not words[owner == len(numbers)].any()
    assert result == list(enumerate(rows))
    assert packed.words.shape[1] == max(num_positions, *map(len, rows), 1)


@given(st.lists(st.integers(0, 300), min_size=5, max_size=400), st.integers(1, 50))
def test_the_last_budget_holds_any_batch(lengths, batch_size):
    lengths = np.array(lengths)
    result = budgets(lengths, min(batch_size, len(lengths)))
    longest = np.sort(lengths)[-batch_size:].sum()
    assert result[-1] == max(longest, 1)
    assert list(result) == sorted(set(result))


def test_most_batches_fit_closely():
    generator = np.random.default_rng(0)
    lengths = generator.poisson(20, 5000) + 50 * (generator.random(5000) < 0.01)
    totals = np.array([generator.choice(lengths, 50, replace=False).sum() for _ in range(2000)])
    first, second, last = budgets(lengths, 50)
    assert 0.6 < (totals <= first).mean() < 0.9
    assert (totals <= second).mean() > 0.98
    assert first < 1.1 * totals.mean() < second < 0.8 * last


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
    ("映画 😀!", "映 画 😀 !"),
    ("", ""),
    (" \t ", ""),
]


OF_ALL_SCRIPTS = [
    ("आज मौसम अच्छा है।", ["आज", "मौसम", "अच्छा", "है", "।"]),  # Hindi
    ("কথা ভালো, হৃদয়", ["কথা", "ভালো", ",", "হৃদয়"]),  # Bangla
    ("కథ చాలా హైదరాబాద్\u200cలో", ["కథ", "చాలా", "హైదరాబాద్\u200cలో"]),  # Telugu
    ("מִלָּה צה״ל", ["מִלָּה", "צה״ל"]),  # Hebrew
    ("كَلِمَةٌ می\u200cخواهم", ["كَلِمَةٌ", "می\u200cخواهم"]),  # Arabic, Persian
    ("col·lecció İstanbul ngày", ["col·lecció", "i̇stanbul", "ngày"]),
    ("한국어 좋아요", ["한국어", "좋아요"]),
    ("味道很好，AI芯片v2！", ["味", "道", "很", "好", "，", "ai", "芯", "片", "v2", "！"]),
    ("コーヒー３杯", ["コ", "ー", "ヒ", "ー", "３", "杯"]),
    ("ดีมาก ๑๒๓", ["ดี", "ม", "า", "ก", "๑๒๓"]),  # Thai
    ("ລາວ ញុំ မြန်", ["ລ", "າ", "ວ", "ញុំ", "မြ", "န်"]),  # Lao, Khmer, Myanmar
    ("\U00020000𠀁", ["\U00020000", "𠀁"]),  # beyond the first plane
    ("co\u00adoper\u00adate \ufeffa\u2060b \u200fc", ["cooperate", "ab", "c"]),
    ("so\u200bso\u200b", ["so", "so"]),
    ("\u200d x\u200c \u200c", ["x\u200c"]),
    ("👩\u200d🚀👍🏽 ❤\ufe0f🇩🇪🇫🇷 1\ufe0f\u20e3!", ["👩\u200d🚀", "👍🏽", "❤\ufe0f", "🇩🇪", "🇫🇷", "1\ufe0f\u20e3", "!"]),
    ("🏴\U000e0067\U000e0062\U000e007f👨\u200d👩\u200d👧", ["🏴\U000e0067\U000e0062\U000e007f", "👨\u200d👩\u200d👧"]),
]


@pytest.mark.parametrize(("raw", "words"), OF_ALL_SCRIPTS)
def test_words_are_those_of_unicode(raw, words):
    assert Tokenizer().split(raw) == [unicodedata.normalize("NFC", word) for word in words]
    assert Tokenizer().split(" ".join(words)) == Tokenizer().split(raw)


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
    dropped = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
    quotes = str.maketrans(
        {"’": "'", "‘": "'", "“": '"', "”": '"', "\u200b": " "} | dict.fromkeys("\u00ad\u2060\ufeff")
    )
    kept = dropped.sub("", "".join(words))
    expected = unicodedata.normalize("NFC", text.replace("<", "").translate(quotes))
    assert kept == dropped.sub("", "".join(expected.split()))


def test_capitals_may_stay_and_kinds_are_known():
    assert Tokenizer(lowercase=False).split("I DON'T") == ["I", "DO", "N'T"]
    with pytest.raises(UserError, match=r"tokenizer: 'word' is not known\. Did you mean 'words'"):
        Tokenizer("word").split("a")


def test_json_and_back():
    assert Tokenizer.from_json(Tokenizer("whitespace", False).to_json()) == Tokenizer("whitespace", False)
    for text in ("{}", "[]", "no json"):
        with pytest.raises(UserError, match="tokenizer cannot be read"):
            Tokenizer.from_json(text)


def test_models_of_before_keep_their_words():
    old = Tokenizer.from_json('{"kind": "words", "lowercase": true}')
    assert old.split("मौसम 很好 co\u00adop It’s") == ["म", "ौ", "सम", "很好", "co", "\u00ad", "op", "it", "'s"]
    assert Tokenizer.from_json(Tokenizer().to_json()) == Tokenizer() != old
    with pytest.raises(UserError, match="it has the version 3; this version reads 1 and 2"):
        Tokenizer.from_json('{"kind": "words", "lowercase": true, "version": 3}')


@pytest.mark.parametrize(
    ("name", "num_texts", "digest"),
    [
        ("mr/all", None, "7191493222b95935"),
        ("subj/all", None, "dfa9ed6830e45736"),
        ("sst1/train", None, "cf136dc7acc1eb91"),
        ("sst1/dev", None, "b30bdb4c40edce78"),
        ("sst1/test", None, "e9ad307f1f7cdd4b"),
        ("imdb/test", 300, "ac6a1ed4698ec35b"),
    ],
)
def test_english_keeps_the_words_of_version_0_4(name, num_texts, digest):
    path = Path(__file__).parents[3] / "shared" / "data" / f"{name}.tsv.gz"
    if not path.exists():
        pytest.skip("the set is not here")
    split, found = Tokenizer().splitter(), hashlib.sha256()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in itertools.islice(lines, num_texts):
            found.update(f"{' '.join(split(line.partition(chr(9))[2]))}\n".encode())
    assert found.hexdigest()[:16] == digest
