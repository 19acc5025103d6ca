"""Runs that learned from some of the training examples, as if they did from all: to time a step of them."""

from dataclasses import replace

from jaxnets.engine.plan import Program
from jaxnets.engine.sweep import load_folds
from jaxnets.engine.trained import Trained


def on_all(trained: Trained) -> Trained:
    """The runs of a sweep of features with all training examples of its first split in place of `num_train`.

    A batch of all examples stays one of all. Nothing is trained: what the runs have learned is left out.
    """
    (fold, *_) = load_folds(trained.config.changed(num_train=0, num_blocks=1))
    programs = tuple(_resized(program, len(fold.train)) for program in trained.programs)
    return replace(trained, folds=(fold,), programs=programs, kept={}, _init={})


def _resized(program: Program, size: int) -> Program:
    task = program.task
    batch = size if task.batch_size == task.num_examples else task.batch_size
    first = {name: values * 0 if name == "fold" else values for name, values in program.hyperparameters.items()}
    return replace(program, task=replace(task, num_examples=size, batch_size=batch), hyperparameters=first)
