"""Spirals, parity and the labels of a teacher are what they are said to be."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from jaxnets import data
from jaxnets.data.toy import parity, spirals, teacher_student
from jaxnets.errors import UserError

MAKERS = [spirals, parity, teacher_student]


def joined(dataset):
    """Inputs and labels of all splits."""
    splits = (dataset.train, dataset.dev, dataset.test)
    return np.concatenate([s.inputs for s in splits]), np.concatenate([s.labels for s in splits])


@pytest.mark.parametrize("make", MAKERS)
def test_examples_are_drawn_once_balanced_and_of_the_seed(make):
    dataset, again, other = make(500, data_seed=3), make(500, data_seed=3), make(500, data_seed=4)
    inputs, labels = joined(dataset)
    assert len(np.unique(inputs, axis=0)) == 500
    assert [len(split) for split in (dataset.train, dataset.dev, dataset.test)] == [300, 100, 100]
    for split in (dataset.train, dataset.dev, dataset.test):
        assert abs(split.labels.mean() - labels.mean()) < 0.011
    assert abs(labels.mean() - 0.5) < (0.12 if make is parity else 0.002)  # 5 standard deviations of 500 coins
    np.testing.assert_array_equal(joined(again)[0], inputs)
    assert (joined(other)[0] != inputs).any()


def test_points_lie_on_their_spiral_within_the_noise():
    for noise in (0.0, 0.05):
        points, labels = joined(spirals(2000, num_turns=2.0, noise=noise))
        radius = np.linspace(0, 1, 4001)
        for label in (0, 1):
            curve = radius[:, None] * np.array([np.cos(4 * np.pi * radius), np.sin(4 * np.pi * radius)]).T
            curve *= 1 - 2 * label
            distance = np.linalg.norm(points[labels == label][:, None] - curve, axis=2).min(axis=1)
            # normal to a curve, the distance has the deviation of one coordinate
            assert np.sqrt((distance**2).mean()) == pytest.approx(noise, abs=2e-3 if not noise else 6e-3)


def test_spirals_need_more_than_a_line():
    dataset = spirals()
    linear = LogisticRegression().fit(dataset.train.inputs, dataset.train.labels)
    near = KNeighborsClassifier(5).fit(dataset.train.inputs, dataset.train.labels)
    assert linear.score(dataset.test.inputs, dataset.test.labels) < 0.75
    assert near.score(dataset.test.inputs, dataset.test.labels) > 0.93


@pytest.mark.parametrize("num_relevant", [1, 3, 5])
def test_some_bits_and_no_others_determine_the_parity(num_relevant):
    inputs, labels = joined(parity(900, 10, num_relevant, data_seed=2))
    assert set(np.unique(inputs)) == {-1, 1}
    bits = (inputs == 1).astype(int)
    fitting = [
        chosen
        for count in range(1, 7)
        for chosen in combinations(range(10), count)
        if (bits[:, chosen].sum(axis=1) % 2 == labels).all()
    ]
    assert [len(chosen) for chosen in fitting] == [num_relevant]


def test_fewer_than_all_relevant_bits_tell_nothing():
    inputs, labels = joined(parity(4096, 12, 3))  # every row there is
    signs = 1 - 2 * labels
    for chosen in (*combinations(range(12), 1), *combinations(range(12), 2)):
        assert inputs[:, chosen].prod(axis=1) @ signs == 0


def test_a_teacher_without_layers_is_linear_and_a_deep_one_is_not():
    scores = {}
    for num_layers in (0, 4):
        dataset = teacher_student(data_seed=1, num_layers=num_layers)
        model = LogisticRegression(C=1e4, max_iter=1000).fit(dataset.train.inputs, dataset.train.labels)
        scores[num_layers] = model.score(dataset.test.inputs, dataset.test.labels)
    assert scores[0] > 0.98
    near = KNeighborsClassifier(5).fit(dataset.train.inputs, dataset.train.labels)
    assert scores[4] < near.score(dataset.test.inputs, dataset.test.labels) - 0.05


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("spirals", {"num_examples": 19}, "num_examples: 19 are too few to split; take 20 or more"),
        ("spirals", {"num_turns": -1.0}, "num_turns: -1 is negative"),
        ("spirals", {"noise": -0.5}, "noise: -0.5 is negative"),
        ("parity", {"num_relevant": 0}, "num_relevant: of 12 bits 0 count"),
        ("parity", {"num_relevant": 13}, "num_relevant: of 12 bits 13 count"),
        ("parity", {"num_bits": 25}, "of 25 bits 3 count; 1 to all of at most 24 can"),
        ("parity", {"num_bits": 10}, "num_examples: 10 bits make 1,024 rows that differ, not 2,000"),
        ("teacher_student", {"num_features": 0}, "num_features: 0 is below 1"),
        ("teacher_student", {"num_layers": -1}, "num_layers: -1 is below 0"),
        ("teacher_student", {"data_seed": -1}, "data_seed: -1 is negative"),
        ("mnist1d", {"num_examples": 100}, "num_examples: 100 are too few to split; take 110 or more"),
    ],
)
def test_mistakes_are_reported(name, given, message):
    with pytest.raises(UserError) as error:
        data.load(name, **given)
    assert message in str(error.value)
