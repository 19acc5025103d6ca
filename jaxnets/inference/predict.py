"""Predictions of a trained model, or of the average of several: for features as arrays, for texts as strings or ids."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Float, Int

from jaxnets import jax_settings
from jaxnets.data.dataset import Split
from jaxnets.data.texts import Texts, Tokenizer, batch_starts, pack
from jaxnets.errors import UserError
from jaxnets.inference.model import Model
from jaxnets.models.blocks import TextBatch
from jaxnets.plugins import Plugin
from jaxnets.training.state import TRACED_ANEW, variables, widened
from jaxnets.user_code import fingerprint, is_foreign

_TOGETHER, _POSITIONS = 1024, 1 << 13  # texts, and word positions, that are put through a model at a time
_MOST_POSITIONS = 1 << 18  # where texts are long
_MOST_ROWS = 1 << 14  # of features that are put through a model at a time


@jax_settings.pinned()
def probabilities(model: Model, inputs: Any) -> Float[np.ndarray, "examples classes"]:
    """The probability of each class."""
    if model.vocabulary:
        return class_probabilities(model, encode(model, checked_strings(inputs)))
    return _of_features(model, features(model, inputs))


def labels(model: Model, inputs: Any) -> np.ndarray:
    """The most probable class of each example, of the type in which labels were given; see `probabilities`."""
    return named(model, probabilities(model, inputs))


def named(model: Model, scores: Float[np.ndarray, "examples classes"]) -> np.ndarray:
    """The label of the largest score of each example; see `labels`."""
    return np.array(model.labels)[scores.argmax(axis=1)]


def of_split(model: Model, split: Split) -> Int[np.ndarray, "examples"]:
    """The most probable class of each example of a split, by its number."""
    if isinstance(split.inputs, Texts):
        return class_probabilities(model, [split.inputs[row] for row in range(len(split))]).argmax(axis=1)
    return _of_features(model, np.asarray(split.inputs)).argmax(axis=1)


def _of_features(model: Model, rows: np.ndarray) -> Float[np.ndarray, "examples classes"]:
    apply = _compiled(model)
    parts = [
        np.asarray(model.head.value.probabilities(apply(variables(model.params), rows[first : first + _MOST_ROWS])))
        for first in range(0, max(1, len(rows)), _MOST_ROWS)
    ]
    return np.concatenate(parts)


def checked_strings(inputs: Any) -> list[str]:
    """Texts from a list or an array of strings."""
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


def encode(model: Model, texts: Sequence[str]) -> list[Int[np.ndarray, "words"]]:
    """The word ids of texts, cut as in training; a word that the model does not know is 1."""
    split, ids, longest = splitter(model), model.ids, model.max_length or None
    return [np.array([ids.get(word, 1) for word in split(text)[:longest]], np.int32) for text in texts]


@jax_settings.pinned()
def class_probabilities(model: Model, rows: Sequence[np.ndarray]) -> Float[np.ndarray, "texts classes"]:
    """The probability of each class for texts given as word ids."""
    return _in_batches(model, rows, model.head.value.probabilities)


def log_odds(model: Model, rows: Sequence[np.ndarray]) -> Float[np.ndarray, "texts"]:
    """The logarithm of the odds of the last class against all others, for texts given as word ids."""
    scores = logits(model, rows)
    return scores[:, 0] if scores.shape[1] == 1 else scores[:, -1] - np.logaddexp.reduce(scores[:, :-1], axis=1)


@jax_settings.pinned()
def logits(model: Model, rows: Sequence[np.ndarray]) -> Float[np.ndarray, "texts outputs"]:
    """What a model of texts gives for texts given as word ids."""
    return _in_batches(model, rows, lambda outputs: outputs)


def _in_batches(
    model: Model, rows: Sequence[np.ndarray], of_logits: Callable[[jax.Array], jax.Array]
) -> Float[np.ndarray, "texts numbers"]:
    """What is made of a model's logits for texts given as word ids.

    The rows are taken a few at a time, so that they may be made one by one, and memory does not grow with their number.
    Batches have few shapes, so that little is compiled.
    """
    lengths = np.array([len(row) for row in rows] or [0], np.int64)
    longest = int(lengths.max())
    together = max(_POSITIONS, longest, min(4 * longest, _MOST_POSITIONS))
    num_positions = _power_of_two(min(int(lengths.sum()), together), 512)
    most = _power_of_two(min(len(rows), _TOGETHER), 32)
    parts, apply = [], _compiled(model)
    params = jax.tree.map(jnp.asarray, model.params)
    for first, end in pairwise([*batch_starts(lengths, num_positions, most), len(lengths)]):
        some = [rows[number] for number in range(first, min(end, len(rows)))]
        packed = pack(Texts.of([*some, *[np.zeros(0, np.int32)] * (most - len(some))]), num_positions, most)
        batch = TextBatch(*(jnp.asarray(part[0]) for part in (packed.words, packed.text, packed.lengths)))
        parts.append(np.asarray(of_logits(apply(variables(params), batch)))[: len(some)])
    return np.concatenate(parts)


def _power_of_two(count: int, least: int) -> int:
    return max(least, 1 << (count - 1).bit_length())


def _compiled(model: Model) -> Callable:
    """The function of a model's module, traced once for all models that differ in their parameters alone.

    That of others is traced anew where what it reads is not what it was, or cannot be told.
    """
    parts = (model.plugin.value, *(value.value for value in model.arguments.values() if isinstance(value, Plugin)))
    if not any(map(is_foreign, parts)):
        return _jitted(model.module, None)
    told = fingerprint(parts)
    apply = _anew(model.module) if told is None else _jitted(model.module, told)

    def as_it_is(*arguments: Any) -> Any:
        with TRACED_ANEW(told or object()):
            return apply(*arguments)

    return as_it_is


@cache
def _jitted(module: nn.Module, told: str | None) -> Callable:
    return _anew(module)


def _anew(module: nn.Module) -> Callable:
    return jax.jit(lambda variables, inputs: widened(module.apply(variables, inputs)))


@dataclass(frozen=True)
class Ensemble:
    """Trained models that answer together, with the mean of their probabilities, such as the seeds of a setting."""

    members: tuple[Model, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise UserError("an ensemble needs one model at least.")
        shared = {
            (one.class_names, one.label_type, one.vocabulary, one.tokenizer, one.max_length) for one in self.members
        }
        if len(shared) > 1:
            raise UserError(
                "the models of an ensemble must share their classes, their vocabulary and how texts are cut."
            )

    @property
    def first(self) -> Model:
        """A member, for what all of them share."""
        return self.members[0]

    def predict(self, inputs: Any) -> np.ndarray:
        """The class of each example that is most probable on average, as its label was given."""
        return named(self.first, self.probabilities(inputs))

    def probabilities(self, inputs: Any) -> Float[np.ndarray, "examples classes"]:
        """The mean probability of each class."""
        if self.first.vocabulary:
            return self.of_members(encode(self.first, checked_strings(inputs))).mean(axis=0)
        return np.mean([probabilities(one, inputs) for one in self.members], axis=0)

    def of_members(self, rows: Sequence[np.ndarray]) -> Float[np.ndarray, "members texts classes"]:
        """The probabilities of each member for texts given as word ids."""
        return np.stack([class_probabilities(one, rows) for one in self.members])
