"""The configuration of an experiment: each field is a flag, and its description is the flag's help."""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jaxnets.basics.errors import UserError
from jaxnets.config.arguments import Kind
from jaxnets.config.values import parse_one

Role = Literal["hyperparameter", "setting"]


def _field(role: Role, kind: Kind, default: str, description: str, least: float | None = None) -> Any:
    metadata = {"role": role, "kind": kind, "help": description, "least": least}
    return field(default=default, metadata=metadata)


def hyperparameter(kind: Kind, default: str, description: str, least: float | None = None) -> Any:
    """A field that may be a list: the sweep crosses the lists. The text is kept as the user wrote it."""
    return _field("hyperparameter", kind, default, description, least)


def setting(kind: Kind, default: str, description: str, least: float | None = None) -> Any:
    """A field that says how the sweep is carried out, and has one value."""
    return _field("setting", kind, default, description, least)


@dataclass(frozen=True)
class Config:
    """One experiment. Every value is a text, in the form in which a flag takes it; an empty text is 'not given'."""

    dataset: str = setting(
        "text",
        "digits",
        "Data set: digits, xor, negation, ngrams, unseen_negations, word_order, unseen_ngrams; a folder with train, "
        "dev and test, or a file, as .tsv, .csv or .jsonl; tfds:NAME; or an import path.",
    )
    model: str = hyperparameter("text", "mlp", "Model: mlp, dan, text_cnn, or an import path 'package.module:Name'.")
    head: str = hyperparameter("text", "softmax", "Last layer and loss: softmax, or sigmoid for two classes.")
    optimizer: str = hyperparameter(
        "text", "adam", "Optimizer: sgd, momentum, nesterov, adam, any alias of Optax, or an import path."
    )
    learning_rate: str = hyperparameter("float", "0.001", "Learning rate, before the schedule's factor.", least=0)
    weight_decay: str = hyperparameter(
        "float", "", "L2 added to the gradient; the optimizer's own decay where it has one, as adamw does.", least=0
    )
    gradient_clip: str = hyperparameter("float", "", "Largest global norm of the gradient.", least=0)
    max_norm: str = hyperparameter(
        "float", "", "Largest norm of the weights of each unit of the last layer, kept after each step.", least=0
    )
    train_word_vectors: str = hyperparameter("bool", "true", "Whether word vectors learn.")
    word_vector_updates: str = hyperparameter(
        "text", "auto", "rows changes only the vectors of a batch's words, dense all; auto is rows if they are many."
    )
    schedule: str = hyperparameter(
        "text", "constant", "Learning-rate schedule: constant, step, exponential, inverse_time, linear, cosine."
    )
    warmup_steps: str = hyperparameter("float", "0", "Steps over which the learning rate rises linearly.", least=0)
    initializer: str = hyperparameter(
        "text", "he", "Initializer: he, xavier, glorot, pytorch, zeros, or model for the model's own."
    )
    initializer_scale: str = hyperparameter("float", "1", "Factor on the initial kernels.", least=0)
    batch_size: str = hyperparameter("int", "64", "Examples in a batch; 0 is the whole training set.", least=0)
    num_epochs: str = hyperparameter("float", "30", "Passes over the training data; --num_steps goes before.", least=0)
    num_steps: str = hyperparameter("int", "", "Updates of a run, instead of --num_epochs.", least=1)
    seed: str = hyperparameter("int", "", "Seeds of the runs, instead of --num_seeds.", least=0)
    num_seeds: str = setting("int", "1", "Number of seeds: 0 to N-1.", least=1)
    search: str = setting("text", "grid", "grid crosses all lists; random draws from the ranges.")
    num_trials: str = setting("int", "16", "Draws of --search=random for each point of the other lists.", least=1)
    search_seed: str = setting("int", "0", "Seed of the draws of --search=random.", least=0)
    evaluate_every: str = setting("int", "0", "Steps between two evaluations; 0 is each epoch.", least=0)
    select: str = setting(
        "text", "last", "The evaluation that a run is judged by: last, or best for the best accuracy on dev."
    )
    predictions: str = setting("bool", "false", "Whether to keep the probabilities of all test examples.")
    baselines: str = setting("bool", "false", "Whether text_classification fits its classical baselines as well.")
    num_train: str = setting("int", "0", "Training examples to learn from, the classes in their shares; 0 is all.", 0)
    keep: str = setting(
        "text",
        "none",
        "best keeps the model of the run that is best on dev; last the parameters of all runs after their last step, "
        "all those at each evaluation; none keeps none.",
    )
    export: str = setting("text", "", "A file .safetensors for the parameters of the model that is kept.")
    output: str = setting("text", "", "The run directory; otherwise results/<experiment>/<time>-<hash>.")
    platform: str = setting("text", "", "cpu, gpu or tpu; otherwise the best there is.")
    num_devices: str = setting("int", "0", "Devices to use; 0 is all: on a CPU, one for each core.", least=0)
    memory_limit: str = setting(
        "float", "0", "GiB that the runs may fill at a time; 0 is half of what is free.", least=0
    )
    compilation_cache: str = setting("text", "", "Folder for compiled programs, or 'off'; otherwise the user's cache.")
    arguments: Mapping[str, str] = field(default_factory=dict, metadata={"role": "arguments"})
    """What is given to the plug-ins: the arguments of the model, the optimizer, the schedule and the data set."""
    options: Mapping[str, str] = field(default_factory=dict, metadata={"role": "options"})
    """The flags that the experiment has of its own."""

    def texts(self) -> dict[str, str]:
        """All that differs from the defaults, by flag: `Config.from_texts` makes an equal configuration of it."""
        changed = {f.name: getattr(self, f.name) for f in fields() if getattr(self, f.name) != f.default}
        return changed | dict(self.arguments) | dict(self.options)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], options: Collection[str] = ()) -> "Config":
        """The configuration of these flags; what is neither a field nor an option goes to the plug-ins."""
        names = {f.name for f in fields()}
        own = {name: str(text) for name, text in texts.items() if name in names}
        chosen = {name: str(text) for name, text in texts.items() if name in options}
        arguments = {name: str(text) for name, text in texts.items() if name not in names and name not in chosen}
        return cls(**own, arguments=arguments, options=chosen)

    def changed(self, **texts: str) -> "Config":
        """The configuration with some flags changed; an empty text takes an argument of a plug-in away."""
        changed = {**self.texts(), **texts}
        own = {f.name for f in fields()}
        return Config.from_texts({name: text for name, text in changed.items() if text or name in own}, self.options)

    def number(self, name: str) -> Any:
        """The value of a setting that is a number.

        Raises:
          UserError: if it is none, or out of range.
        """
        declared = next(f for f in fields() if f.name == name)
        value = parse_one(name, getattr(self, name), declared.metadata["kind"])
        return in_range(name, value, declared.metadata["least"])

    def option(self, name: str, kind: Kind) -> Any:
        """The value of a flag that the experiment has of its own.

        Raises:
          UserError: if it is not of this kind.
        """
        return parse_one(name, self.options[name], kind)


def fields() -> list[dataclasses.Field]:
    """The fields that are flags of their own."""
    return [f for f in dataclasses.fields(Config) if f.metadata["role"] in ("hyperparameter", "setting")]


def in_range(name: str, value: Any, least: float | None) -> Any:
    """The value, if it is not below the least one allowed.

    Raises:
      UserError: if it is.
    """
    if least is not None and value < least:
        raise UserError(f"{name}: {value} is below {least:g}.")
    return value
