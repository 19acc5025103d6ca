"""What a trained model says: of features as arrays, of texts as strings or word ids."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Float, Int

from jaxnets.basics import jax_settings
from jaxnets.basics.errors import UserError
from jaxnets.data.texts import Texts, pack
from jaxnets.data.tokenizer import Tokenizer
from jaxnets.models.blocks import TextBatch
from jaxnets.trained.model import Model
from jaxnets.training import precision

_TOGETHER, _MOST_POSITIONS = 32, 1 << 18  # texts, and word positions, that are put through the model at a time


@jax_settings.pinned()
def probabilities(model: Model, inputs: Any) -> Float[np.ndarray, "examples classes"]:
    """The probability of each class.

    Args:
      model: of features or of texts.
      inputs: features `[examples, features]`, in the form of those that the model learned from; or texts, a string
        each.

    Raises:
      UserError: if the inputs are not what the model takes.
    """
    if model.vocabulary:
        return class_probabilities(model, [encode(model, text) for text in _strings(inputs)])
    rows = features(model, inputs)
    return np.asarray(model.head.value.probabilities(_compiled(model.module)({"params": model.params}, rows)))


def labels(model: Model, inputs: Any) -> np.ndarray:
    """The most probable class of each example, as its label was given: a whole number if all classes are called so.

    Args and errors are those of `probabilities`.
    """
    return named(model, probabilities(model, inputs))


def named(model: Model, scores: Float[np.ndarray, "examples classes"]) -> np.ndarray:
    """The label of the largest score of each example; see `labels`."""
    whole = all(name.removeprefix("-").isdecimal() for name in model.class_names)
    return np.array([int(name) for name in model.class_names] if whole else model.class_names)[scores.argmax(axis=1)]


def _strings(inputs: Any) -> list[str]:
    if isinstance(inputs, str):
        raise UserError("inputs: a single text; give a list of texts.")
    texts = list(inputs)
    if not all(isinstance(text, str) for text in texts):
        raise UserError("inputs: the model takes texts; give a list of strings.")
    return texts


def features(model: Model, inputs: Any) -> np.ndarray:
    """Rows of as many numbers as the model learned from."""
    try:
        rows = np.asarray(inputs, np.float32)
    except (TypeError, ValueError):
        raise UserError("inputs: they must be rows of numbers, all of one length.") from None
    wanted = model.about.get("num_features")
    if rows.ndim != 2 or (wanted is not None and rows.shape[1] != wanted):
        shape = f"[examples, {wanted}]" if wanted is not None else "[examples, features]"
        raise UserError(f"inputs: their shape is {list(rows.shape)}; the model takes {shape}.")
    return rows


def splitter(model: Model) -> Callable[[str], list[str]]:
    """What splits a text into words as the model's training texts were split."""
    return (Tokenizer.from_json(model.tokenizer) if model.tokenizer else Tokenizer("whitespace", False)).splitter()


def encode(model: Model, text: str) -> Int[np.ndarray, "words"]:
    """The word ids of a text; a word that the model does not know is 1."""
    ids = {word: number for number, word in enumerate(model.vocabulary)}
    return np.array([ids.get(word, 1) for word in splitter(model)(text)], np.int32)


@jax_settings.pinned()
def class_probabilities(model: Model, rows: Sequence[np.ndarray]) -> Float[np.ndarray, "texts classes"]:
    """The probability of each class for texts given as word ids."""
    return np.asarray(model.head.value.probabilities(jnp.asarray(logits(model, rows))))


def log_odds(model: Model, rows: Sequence[np.ndarray]) -> Float[np.ndarray, "texts"]:
    """The logarithm of the odds of the last class against all others, for texts given as word ids."""
    scores = logits(model, rows)
    return scores[:, 0] if scores.shape[1] == 1 else scores[:, -1] - np.logaddexp.reduce(scores[:, :-1], axis=1)


@jax_settings.pinned()
def logits(model: Model, rows: Sequence[np.ndarray]) -> Float[np.ndarray, "texts outputs"]:
    """What a model of texts gives for texts given as word ids.

    The rows are taken a few at a time, so that they may be made one by one, and memory does not grow with their number.
    """
    longest = max(1, max((len(row) for row in rows), default=0))
    together = min(_TOGETHER, max(1, _MOST_POSITIONS // longest), max(1, len(rows)))
    parts, apply = [], _compiled(model.module)
    for first in range(0, max(1, len(rows)), together):
        some = [rows[number] for number in range(first, min(first + together, len(rows)))]
        missing = [np.zeros(0, np.int32)] * (together - len(some))
        packed = pack(Texts.of([*some, *missing]), longest * together, together)
        ((words, owner, lengths),) = zip(packed.words, packed.text, packed.lengths, strict=True)
        batch = TextBatch(jnp.asarray(words), jnp.asarray(owner), jnp.asarray(lengths))
        parts.append(np.asarray(apply({"params": model.params}, batch))[: len(some)])
    return np.concatenate(parts)


@cache
def _compiled(module: nn.Module) -> Callable:
    """The module's function, traced once for all models that differ in their parameters alone."""
    return jax.jit(lambda variables, inputs: precision.widened(module.apply(variables, inputs)))
