"""Blocks side by side against each alone."""

import numpy as np
import pytest

import jaxnets
from jaxnets import data
from jaxnets.data.dataset import random_generator

FEATURES = np.random.default_rng(0).normal(size=(150, 5)).astype(np.float32)
LABELS = (FEATURES[:, 0] > 0).astype(int)
VALUES = {"hidden_units": 24, "batch_size": 64, "num_steps": 9, "learning_rate": [0.1, 0.01], "progress": False}
SCORES = ["train_loss", "dev_loss", "dev_accuracy", "test_loss", "test_accuracy"]
WORDS = ["good", "bad", "fine", "dull", "plot", "film"]


@pytest.mark.usefixtures("fully_compiled")
def test_a_repeat_has_the_bits_that_its_data_set_has_alone():
    together = jaxnets.sweep(dataset=(FEATURES, LABELS), num_repeats=3, num_seeds=2, predictions=True, **VALUES)
    assert together.num_programs == 1
    assert list(together.runs.columns[-20:]).count("repeat") == 1
    repeats = data.load_repeats((FEATURES, LABELS), 3)
    for number, repeat in enumerate(repeats):
        alone = jaxnets.sweep(dataset=repeat, seed=[2 * number, 2 * number + 1], **VALUES)
        own = together.runs[together.runs["repeat"] == number].reset_index(drop=True)
        assert own["seed"].tolist() == alone.runs["seed"].tolist()
        assert own[SCORES].equals(alone.runs[SCORES])
        said = together.predictions[together.predictions["run"] == own["run"][0]]
        assert (said["fold"] == number).all()
        assert said["label"].tolist() == repeat.test.labels.tolist()
        assert together.dataset(int(own["run"][0])) is together.folds[number]


def test_a_batch_of_the_longest_texts_of_any_repeat_fits():
    generator = random_generator("seed", 0)
    texts = [" ".join(generator.choice(WORDS, size)) for size in (*[3] * 90, *[40] * 10)]
    labels = [int("good" in text) for text in texts]
    values = {"model": "dan", "embedding_dim": 4, "hidden_units": 4, "batch_size": 0, "num_steps": 2}
    results = jaxnets.sweep(dataset=(texts, labels), num_repeats=4, progress=False, **values)
    most = max(int(repeat.train.inputs.lengths.sum()) for repeat in results.folds)
    assert len({int(repeat.train.inputs.lengths.sum()) for repeat in results.folds}) > 1
    assert results.programs[0].task.budgets[-1] >= most


def test_repeats_do_not_go_with_folds():
    with pytest.raises(jaxnets.UserError, match="num_repeats: repeats take the place of folds"):
        jaxnets.sweep(dataset=(FEATURES, LABELS), folds=3, num_repeats=2, **VALUES)
