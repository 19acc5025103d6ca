"""Seeds that answer together: against the mean of what each says by itself."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import jaxnets
from jaxnets.errors import UserError
from jaxnets.inference import explain, predict
from jaxnets.inference.predict import Ensemble

TEXTS = ["a superb plot , not dull", "so dull", "", "unheard"]
FLAGS = {"dataset": "unseen_negations", "num_sentences": 100, "embedding_dim": 4, "batch_size": 20, "progress": False}


@pytest.fixture(scope="module", params=["dan", pytest.param("text_cnn", marks=pytest.mark.slow)])
def results(request):
    """Three seeds, hardly trained, so that they disagree."""
    sizes = {"dan": {"hidden_units": 4}, "text_cnn": {"num_filters": 2, "filter_widths": [(2,)]}}[request.param]
    return jaxnets.sweep(**FLAGS, **sizes, model=request.param, num_seeds=3, num_steps=10, learning_rate=0.02)


def test_it_says_the_mean_of_what_its_members_say(results):
    together = results.ensemble([0, 1, 2])
    each = np.stack([results.probabilities(run, TEXTS) for run in range(3)])
    np.testing.assert_allclose(together.probabilities(TEXTS), each.mean(axis=0), rtol=1e-6)
    names = np.array(results.model(0).class_names)
    assert together.predict(TEXTS).tolist() == names[each.mean(axis=0).argmax(axis=1)].tolist()
    assert results.ensemble([1]).predict(TEXTS).tolist() == results.predict(1, TEXTS).tolist()


def test_the_words_are_explained_for_the_mean(results):
    found = explain.explain(results.ensemble([0, 1, 2]), TEXTS)
    each = np.stack([results.probabilities(run, TEXTS) for run in range(3)])
    for place, one in enumerate(found):
        np.testing.assert_allclose(list(one.probabilities.values()), each[:, place].mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose([list(member.values()) for member in one.members], each[:, place], rtol=1e-5)
        np.testing.assert_allclose(list(one.spread.values()), each[:, place].std(axis=0), atol=1e-6)
        assert one.agreeing == (each[:, place].argmax(axis=1) == each[:, place].mean(axis=0).argmax()).sum()
        assert one.windows == ()
    place = predict.splitter(results.model(0))(TEXTS[0]).index("superb")
    without = results.ensemble([0, 1, 2]).probabilities([TEXTS[0].replace("superb ", "")])[0]
    whole = each[:, 0].mean(axis=0)
    assert found[0].contributions[place] == pytest.approx(whole.max() - without[whole.argmax()], abs=1e-6)


def test_how_far_the_members_agree_is_shown_and_written(results):
    (found,) = explain.explain(results.ensemble([0, 1, 2]), TEXTS[:1])
    console = Console(file=io.StringIO(), width=100)
    explain.print_explanation(console, found)
    values = [member[found.prediction] for member in found.members]
    shown = f"{found.agreeing} of 3 members say {found.prediction}; their probabilities of it are {min(values):.3f} to"
    assert shown in console.file.getvalue()
    (written,) = json.loads(json.dumps(explain.as_json([found])))
    assert written["members"] == list(found.members)
    assert (written["spread"], written["agreeing"]) == (found.spread, found.agreeing)
    (single,) = explain.as_json(explain.explain(results.model(0), TEXTS[:1]))
    assert list(single) == ["text", "prediction", "probabilities", "words", "windows"]


def test_members_must_belong_together(results):
    with pytest.raises(UserError, match="one model at least"):
        Ensemble(())
    other = replace(results.model(1), class_names=("no", "yes"))
    with pytest.raises(UserError, match="share their classes"):
        Ensemble((results.model(0), other))
    with pytest.raises(UserError, match="keep=seeds keeps them"):
        results.ensemble()
