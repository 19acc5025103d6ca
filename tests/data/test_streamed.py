import numpy as np

from jaxnets.data import streamed, texts
from jaxnets.data.dataset import Split
from jaxnets.data.texts import Texts

TEXTS = Split(Texts.of([[5, 6], [], [7], [8, 9, 4]]), np.array([0, 1, 2, 3], np.int32))


def test_some_texts_as_a_stream():
    words, starts, lengths, labels = streamed.stream(TEXTS, np.array([0, 2, 3]), 4, 8)
    assert words.tolist() == [5, 6, 7, 8, 9, 4, 0, 0]
    assert starts.tolist() == [0, 2, 3, 6]
    assert lengths.tolist() == [2, 1, 3, 0]
    assert labels.tolist() == [0, 2, 3, 0]


def test_batches_of_consecutive_texts_are_those_of_all():
    whole = texts.pack(TEXTS.inputs, 3, 2)
    starts = [*texts.batch_starts(TEXTS.inputs.lengths, 3, 2), 4]
    for number, rows in enumerate(map(range, starts, starts[1:])):
        packed, labels = streamed.pack(TEXTS, rows, 3, 2)
        np.testing.assert_array_equal(packed.words, whole.words[number : number + 1])
        np.testing.assert_array_equal(labels, TEXTS.labels[rows.start : rows.stop])


def test_the_memory_of_an_example():
    assert streamed.example_bytes(TEXTS) == 6 + 16
    assert streamed.example_bytes(Split(np.zeros((2, 10), np.uint8), np.zeros(2, np.int32))) == 48
