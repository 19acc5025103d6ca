"""The configuration of a sweep: each field is a keyword and a flag, and its description is the flag's help."""

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Unpack

from jaxnets.config.keywords import Keywords
from jaxnets.config.values import MOST_INT, Field, Kind
from jaxnets.errors import UserError

Role = Literal["hyperparameter", "setting"]
MOST_SEED = 1_000_000_000
"""Seeds of repeats and of final runs follow those that are given, and must fit into 32 bits as well."""

SEEDS_OF_BASE = 100_000
"""A base seed has so many seeds of its own, the next one those that follow."""


def _field(role: Role, kind: Kind, default: Any, description: str, **limits: Any) -> Any:
    metadata = {"role": role, "kind": kind, "help": description, "optional": default is None, **limits}
    return dataclasses.field(default=default, metadata=metadata)


def hyperparameter(kind: Kind, default: Any, description: str, **limits: Any) -> Any:
    """A field that may be a list or a range: the sweep crosses the lists. `limits` are those of `Field`."""
    return _field("hyperparameter", kind, default, description, **limits)


def setting(kind: Kind, default: Any, description: str, **limits: Any) -> Any:
    """A field that says how the sweep is carried out, and has one value."""
    return _field("setting", kind, default, description, **limits)


@dataclass(frozen=True, init=False)
class Config:
    """A sweep, as typed values: numbers, names, tuples, functions. A list or a range is an axis of the sweep.

    Keywords that are no fields are arguments of the plug-ins: of the model, the optimizer, the schedule and the data
    set; those of a plug-in of one's own may be given as `arguments={"width": 3}`, which a type checker knows. Each
    keyword is the flag of the same name.

    Raises:
      UserError: for a value of the wrong type or out of range.

    >>> config = Config(optimizer=["sgd", "adam"], learning_rate=0.1, hidden_units=[(8, 8), 16])
    >>> config.learning_rate, config.arguments
    (0.1, {'hidden_units': [(8, 8), 16]})
    """

    dataset: Any = setting(
        "plugin",
        "digits",
        "Data set: a name; a folder with train, dev and test, or a file, as .tsv, .csv or .jsonl; tfds:NAME; or an "
        "import path 'package.module:name'.",
    )
    model: Any = hyperparameter("plugin", "mlp", "Model: a name, or an import path.")
    head: Any = hyperparameter(
        "plugin", "softmax", "Last layer and loss: a name, or an import path. sigmoid is for two classes."
    )
    optimizer: Any = hyperparameter(
        "plugin", "adam", "Optimizer: a name, any alias of Optax among them, or an import path."
    )
    learning_rate: Any = hyperparameter(
        "float",
        None,
        "Learning rate, before the schedule's factor; otherwise the optimizer's own default, or 0.001.",
        least=0,
    )
    weight_decay: Any = hyperparameter(
        "float", None, "L2 added to the gradient; the optimizer's own decay where it has one, as adamw does.", least=0
    )
    gradient_clip: Any = hyperparameter("float", None, "Largest global norm of the gradient.", above=0)
    max_norm: Any = hyperparameter(
        "float", None, "Largest norm of the weights of each unit of the last layer, kept after each step.", above=0
    )
    train_word_vectors: Any = hyperparameter("bool", True, "Whether word vectors are trained.")
    word_vector_updates: Any = hyperparameter(
        "text",
        "auto",
        "rows updates only the vectors of a batch's words, dense all; auto takes rows for a large vocabulary.",
        choices=("auto", "dense", "rows"),
    )
    schedule: Any = hyperparameter("plugin", "constant", "Learning-rate schedule: a name, or an import path.")
    warmup_steps: Any = hyperparameter("float", 0.0, "Steps over which the learning rate rises linearly.", least=0)
    initializer: Any = hyperparameter(
        "plugin", "he", "Initializer: a name, model for the model's own, or an import path."
    )
    initializer_scale: Any = hyperparameter("float", 1.0, "Factor on the initial kernels.", least=0)
    batch_size: Any = hyperparameter("int", 64, "Examples in a batch; 0 is the whole training set.", least=0)
    num_epochs: Any = hyperparameter(
        "float", 30.0, "Passes over the training data; num_steps takes precedence.", above=0, most=1e9
    )
    num_steps: Any = hyperparameter("int", None, "Updates of a run, instead of num_epochs.", least=1)
    seed: Any = hyperparameter("int", None, "Seeds of the runs, instead of num_seeds.", least=0, most=MOST_SEED)
    num_seeds: int = setting("int", 1, "Number of seeds: 0 to N-1.", least=1)
    base_seed: int = setting(
        "int",
        0,
        f"Repeats the whole with other seeds, splits and draws: N has the seeds from N × {SEEDS_OF_BASE:,} on.",
        least=0,
        most=(MOST_INT + 1) // SEEDS_OF_BASE - 1,
    )
    num_repeats: int = setting(
        "int",
        1,
        "Repetitions of the whole protocol, each with a new split of the data, new draws and new seeds, side by side "
        "as runs of one program.",
        least=1,
    )
    search: str = setting(
        "text",
        "grid",
        "grid crosses all lists; random draws from the ranges; sobol covers them with scrambled Sobol points; halving "
        "draws as random does, and drops the worst two thirds of the draws at 1/9 and 1/3 of the steps.",
        choices=("grid", "random", "sobol", "halving"),
    )
    num_trials: int = setting("int", 16, "Draws from the ranges for each point of the other lists.", least=1)
    search_seed: int = setting("int", 0, "Seed of the draws.", least=0)
    evaluate_every: int = setting("int", 0, "Steps between two evaluations; 0 is each epoch.", least=0)
    select: str = setting(
        "text",
        "last",
        "The evaluation that a run is judged by: last, or best for the best accuracy on dev.",
        choices=("last", "best"),
    )
    predictions: bool = setting("bool", False, "Whether to keep the probabilities of all test examples.")
    tensorboard: bool = setting("bool", False, "Whether to write curves and hyperparameters for TensorBoard as well.")
    figures: str = setting(
        "text",
        "png",
        "Kinds of files in which each figure is written: png, svg and pdf, one or several with commas.",
        choices=tuple(",".join(kinds) for n in (1, 2, 3) for kinds in itertools.permutations(("png", "svg", "pdf"), n)),
    )
    profile: bool = setting(
        "bool", False, "Whether to tell the seconds of each phase, and write JAX's trace into the run directory."
    )
    baselines: bool = setting("bool", False, "Whether text_classification fits its classical baselines as well.")
    num_train: int = setting(
        "int", 0, "Training examples to learn from, with the classes in proportion; 0 is all.", least=0
    )
    num_test: int = setting(
        "int", 0, "Dev examples and test examples to judge by, at most, the classes in proportion; 0 is all.", least=0
    )
    keep: str = setting(
        "text",
        "none",
        "best keeps the model of the run that is best on dev; seeds keeps the models of all seeds of the setting that "
        "is best on dev: predict then answers with their average; last the parameters of all runs after their last "
        "step, or with select=best where they are judged, all those at each evaluation; none keeps none.",
        choices=("none", "best", "seeds", "last", "all"),
    )
    export: str | None = setting("text", None, "A file .safetensors for the parameters of the model that is kept.")
    output: str | None = setting("text", None, "The run directory; otherwise results/<experiment>/<time>-<hash>.")
    platform: str | None = setting(
        "text", None, "cpu, gpu or tpu; otherwise the best there is.", choices=("cpu", "gpu", "tpu")
    )
    num_devices: int = setting(
        "int", 0, "Devices to use, or workers of a cluster; 0 is all: on a CPU, one for each core.", least=0, most=1024
    )
    cluster: str | None = setting(
        "text", None, "Trains on a Ray cluster: local starts one on this machine, an address or auto joins one."
    )
    gpus_per_worker: int = setting(
        "int",
        0,
        "GPUs that each worker of a cluster takes, or with platform=tpu its chips; 0 is a CPU core.",
        least=0,
        most=64,
    )
    memory_limit: float = setting(
        "float",
        0.0,
        "GiB that the runs may fill at a time, and the data set; 0 is half of what is free.",
        least=0,
        most=1e6,
    )
    data: str | None = setting(
        "text",
        None,
        "resident keeps the training examples in memory; stream reads them as they are needed, with the same results; "
        "otherwise they are streamed if they take more than memory_limit.",
        choices=("resident", "stream"),
    )
    checkpoint_every: float = setting(
        "float",
        60.0,
        "Seconds between two checkpoints of runs that are under way, at least; 0 writes one only when a signal ends "
        "the sweep.",
        least=0,
        most=1e9,
    )
    compilation_cache: str | None = setting(
        "text", None, "Folder for compiled programs, or 'off'; otherwise JAX's own setting, or the user's cache."
    )
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict, metadata={"role": "arguments"})
    """What is given to the plug-ins: the arguments of the model, the optimizer, the schedule and the data set."""
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict, metadata={"role": "options"})
    """The values of the experiment's own flags."""

    def __init__(
        self,
        /,
        *,
        output: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        **values: Unpack[Keywords],
    ) -> None:
        given = {**values, **_arguments(arguments), "output": output}
        for declared in fields():
            object.__setattr__(self, declared.name, typed(declared, given.pop(declared.name, declared.default)))
        object.__setattr__(self, "arguments", given)
        object.__setattr__(self, "options", dict(options or {}))

    @property
    def first_seed(self) -> int:
        """The first of the seeds that belong to the base seed."""
        return self.base_seed * SEEDS_OF_BASE

    def values(self) -> dict[str, Any]:
        """All fields and arguments by name; not the options."""
        return {declared.name: getattr(self, declared.name) for declared in fields()} | dict(self.arguments)

    def changed(self, /, arguments: Mapping[str, Any] | None = None, **values: Any) -> "Config":
        """The configuration with some values changed; an argument of a plug-in that is None is taken away.

        >>> Config(width=3).changed(width=None, seed=1).arguments
        {}
        """
        names = {declared.name for declared in fields()}
        changed = {**self.values(), **values, **_arguments(arguments)}
        kept = {name: value for name, value in changed.items() if value is not None or name in names}
        return Config(**kept, options=self.options)


def _arguments(given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The arguments that are given as `arguments=`, none of them a field."""
    for declared in fields():
        if given and declared.name in given:
            raise UserError(f"arguments: '{declared.name}' is not an argument of a plug-in; give it as a keyword.")
    return given or {}


def fields() -> list[dataclasses.Field]:
    """The fields that are keywords and flags of their own."""
    return [f for f in dataclasses.fields(Config) if f.metadata["role"] in ("hyperparameter", "setting")]


def typed(declared: dataclasses.Field, value: Any) -> Any:
    """A value of a field of `Config`, converted and checked; a setting has no axis."""
    metadata = declared.metadata
    limits = {name: metadata[name] for name in ("least", "most", "above", "choices", "optional") if name in metadata}
    field = Field(declared.name, metadata["kind"], **limits)
    if declared.name == "dataset" and not isinstance(value, str | int | float | None):
        return value  # a list of texts with their labels, say, is one data set
    return field.axis(value) if metadata["role"] == "hyperparameter" else field.value(value)
