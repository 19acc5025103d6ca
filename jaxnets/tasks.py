"""A suite of small problems, on which a comparison takes minutes: a row each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxnets.errors import UserError, unknown


@dataclass(frozen=True)
class BenchmarkTask:
    """A problem on which optimizers or models are compared: a data set, a net, a budget, and an accuracy to reach."""

    name: str
    about: str
    values: Mapping[str, Any]
    target: float
    chance: float
    source: str


def _budget(batch_size: int, num_steps: int, evaluate_every: int) -> dict[str, int]:
    return {"batch_size": batch_size, "num_steps": num_steps, "evaluate_every": evaluate_every}


_TASKS = (
    BenchmarkTask(
        "digits",
        "Handwritten digits by an MLP of one layer.",
        {"dataset": "digits", "model": "mlp", "hidden_units": (32,), **_budget(64, 72, 4)},
        target=0.955,
        chance=0.1,
        source="Alpaydin and Kaynak (1998)",
    ),
    BenchmarkTask(
        "digits_noise",
        "Handwritten digits of which a fifth of the training labels are wrong.",
        {"dataset": "digits_noise", "label_noise": 0.2, "model": "mlp", "hidden_units": (64,), **_budget(64, 216, 12)},
        target=0.93,
        chance=0.1,
        source="Alpaydin and Kaynak (1998); noise as in Zhang et al. (2017)",
    ),
    BenchmarkTask(
        "deep_narrow_digits",
        "Handwritten digits through six narrow layers, in which signals and gradients fade.",
        {"dataset": "digits", "model": "mlp", "hidden_units": (12, 12, 12, 12, 12, 12), **_budget(64, 288, 16)},
        target=0.915,
        chance=0.1,
        source="Alpaydin and Kaynak (1998)",
    ),
    BenchmarkTask(
        "breast_cancer",
        "Malignant or benign tumours by 30 measurements of their cells.",
        {"dataset": "breast_cancer", "model": "mlp", "hidden_units": (16, 16), **_budget(32, 36, 2)},
        target=0.955,
        chance=0.63,
        source="Street, Wolberg and Mangasarian (1993)",
    ),
    BenchmarkTask(
        "wine",
        "Three cultivars by 13 measurements of their wines.",
        {"dataset": "wine", "model": "mlp", "hidden_units": (8, 8), **_budget(16, 36, 2)},
        target=0.94,
        chance=0.4,
        source="Aeberhard, Coomans and de Vel (1994)",
    ),
    BenchmarkTask(
        "mnist1d",
        "Ten shapes of a line, moved, stretched and noisy.",
        {"dataset": "mnist1d", "model": "mlp", "hidden_units": (32, 32), **_budget(100, 810, 45)},
        target=0.555,
        chance=0.1,
        source="Greydanus and Kobak (2024)",
    ),
    BenchmarkTask(
        "spirals",
        "Two spirals around each other, to be told apart.",
        {"dataset": "spirals", "model": "mlp", "hidden_units": (16, 16), **_budget(50, 540, 30)},
        target=0.97,
        chance=0.5,
        source="Lang and Witbrock (1988)",
    ),
    BenchmarkTask(
        "parity",
        "Whether an odd number of five among sixteen bits is set.",
        {
            "dataset": "parity",
            "num_bits": 16,
            "num_relevant": 5,
            "model": "mlp",
            "hidden_units": (32,),
            **_budget(50, 486, 27),
        },
        target=0.815,
        chance=0.5,
        source="Minsky and Papert (1969); Barak et al. (2022)",
    ),
    BenchmarkTask(
        "teacher_student",
        "The labels of a deep net with random weights.",
        {"dataset": "teacher_student", "model": "mlp", "hidden_units": (16, 16), **_budget(50, 540, 30)},
        target=0.92,
        chance=0.5,
        source="Seung, Sompolinsky and Tishby (1992)",
    ),
    BenchmarkTask(
        "dan_text",
        "Sentences with negations, by a deep averaging network.",
        {"dataset": "ngrams", "model": "dan", "embedding_dim": 8, "hidden_units": (16,), **_budget(32, 243, 27)},
        target=0.75,
        chance=0.5,
        source="generated sentences",
    ),
    BenchmarkTask(
        "text_cnn_text",
        "Sentences with negations, by convolutions over words.",
        {
            "dataset": "ngrams",
            "num_sentences": 1000,
            "model": "text_cnn",
            "embedding_dim": 8,
            "filter_widths": (2, 3),
            "num_filters": 4,
            **_budget(32, 90, 10),
        },
        target=0.96,
        chance=0.5,
        source="generated sentences",
    ),
    BenchmarkTask(
        "mnist1d_wide",
        "MNIST-1D by an MLP of the published size.",
        {"dataset": "mnist1d", "model": "mlp", "hidden_units": (100, 100), **_budget(100, 3600, 200)},
        target=0.645,
        chance=0.1,
        source="Greydanus and Kobak (2024)",
    ),
)
KNOWN: dict[str, BenchmarkTask] = {task.name: task for task in _TASKS}
LARGE = ("mnist1d_wide",)
SMALL = tuple(name for name in KNOWN if name not in LARGE)
"""The names of the tasks that take little time: 64 runs of one optimizer train within seconds."""


def find(text: str) -> tuple[BenchmarkTask, ...]:
    """The tasks that a text names, each once.

    >>> [task.name for task in find("wine,digits")]
    ['wine', 'digits']
    """
    groups = {"small": SMALL, "all": tuple(KNOWN)}
    names = [name for item in text.split(",") if item.strip() for name in groups.get(item.strip(), (item.strip(),))]
    if not names:
        raise UserError(f"tasks: '{text}' names no task; give small, all, or names: {', '.join(sorted(KNOWN))}.")
    for name in names:
        if name not in KNOWN:
            raise unknown("tasks", name, (*groups, *KNOWN))
    return tuple(KNOWN[name] for name in dict.fromkeys(names))
