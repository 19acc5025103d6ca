import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.data.texts import Texts, budgets, pack

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
