"""The types of the keywords of `jaxnets.sweep` and `Config`, written by `python -m docs.write_keywords`."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict

import numpy as np

from jaxnets.config.values import Range

# fmt: off
Floats: TypeAlias = float | Sequence[float] | np.ndarray | Range | None
Ints: TypeAlias = int | Sequence[int] | np.ndarray | Range | None
Bools: TypeAlias = bool | Sequence[bool] | None
Texts: TypeAlias = str | Sequence[str] | None
Sizes: TypeAlias = int | Sequence[int | tuple[int, ...]] | None
Model: TypeAlias = object | Literal["dan", "mlp", "text_cnn"]
Optimizer: TypeAlias = object | Literal[
    "adabelief", "adadelta", "adafactor", "adagrad", "adam", "adamax", "adamaxw", "adamw", "adan", "amsgrad",
    "fromage", "lamb", "lars", "lbfgs", "lion", "momentum", "nadam", "nadamw", "nesterov", "noisy_sgd",
    "novograd", "optimistic_adam_v2", "optimistic_gradient_descent", "radam", "rmsprop", "rprop", "sgd",
    "sign_sgd", "signum", "sm3", "yogi",
]
Schedule: TypeAlias = object | Literal[
    "constant", "cosine", "exponential", "inverse_time", "linear", "step",
]
Dataset: TypeAlias = object | Literal[
    "breast_cancer", "digits", "digits_noise", "mixed_negations", "mnist1d", "negation", "ngrams", "parity",
    "spirals", "teacher_student", "unseen_negations", "unseen_ngrams", "wine", "word_order", "xor",
]
Initializer: TypeAlias = object | Literal["glorot", "he", "model", "pytorch", "xavier", "zeros"]
Head: TypeAlias = object | Literal["sigmoid", "softmax"]
Activation: TypeAlias = object | Literal[
    "celu", "elu", "gelu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "identity", "leaky_relu",
    "log1mexp", "log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_sign", "softplus",
    "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "tanh",
]
Pooling: TypeAlias = object | Literal["max", "mean"]


class Keywords(TypedDict, total=False):
    """A misspelt keyword is found by a type checker; what a plug-in of one's own takes is `arguments`."""

    dataset: Dataset
    model: Model
    head: Head
    optimizer: Optimizer
    learning_rate: Floats
    weight_decay: Floats
    gradient_clip: Floats
    max_norm: Floats
    train_word_vectors: Bools
    word_vector_updates: Literal["auto", "dense", "rows"] | Sequence[Literal["auto", "dense", "rows"]]
    schedule: Schedule
    warmup_steps: Floats
    initializer: Initializer
    initializer_scale: Floats
    batch_size: Ints
    num_epochs: Floats
    num_steps: Ints
    seed: Ints
    num_seeds: int
    base_seed: int
    num_repeats: int
    search: Literal["grid", "random", "sobol", "halving"]
    num_trials: int
    search_seed: int
    evaluate_every: int
    select: Literal["last", "best"]
    predictions: bool
    tensorboard: bool
    figures: str
    profile: bool
    baselines: bool
    num_train: int
    num_test: int
    keep: Literal["none", "best", "seeds", "last", "all"]
    export: str | None
    platform: Literal["cpu", "gpu", "tpu"] | None
    num_devices: int
    cluster: str | None
    gpus_per_worker: int
    memory_limit: float
    data: Literal["resident", "stream"] | None
    checkpoint_every: float
    compilation_cache: str | None
    hidden_units: Sizes
    activation: Activation
    dropout_rate: Floats
    embedding_dim: Ints
    vector_range: Floats
    word_dropout_rate: Floats
    filter_widths: Sizes
    num_filters: Ints
    pooling: Pooling
    b1: Floats
    b2: Floats
    eps: Floats
    eps_root: Floats
    nesterov: Bools
    rho: Floats
    min_dim_size_to_factor: Ints
    decay_rate: Floats
    decay_offset: Ints
    multiply_by_parameter_scale: Bools
    clipping_threshold: Floats
    momentum: Floats
    weight_decay_rate: Floats
    factored: Bools
    initial_accumulator_value: Floats
    b3: Floats
    bias_correction_mu: Bools
    bias_correction_nu: Bools
    min_norm: Floats
    trust_coefficient: Floats
    memory_size: Ints
    scale_init_precond: Bools
    eta: Floats
    gamma: Floats
    alpha: Floats
    beta: Floats
    threshold: Floats
    decay: Floats
    initial_scale: Floats
    eps_in_sqrt: Bools
    centered: Bools
    bias_correction: Bools
    eta_minus: Floats
    eta_plus: Floats
    min_step_size: Floats
    max_step_size: Floats
    schedule_rate: Floats
    schedule_drops: Floats
    schedule_slope: Floats
    schedule_end: Floats
    split_seed: int | None
    label_noise: float | None
    num_examples: int | None
    data_seed: int | None
    num_turns: float | None
    noise: float | None
    num_bits: int | None
    num_relevant: int | None
    num_features: int | None
    num_layers: int | None
    num_sentences: int | None
    negated_share: float | None
    distance: int | None
    word_vectors: str | None
