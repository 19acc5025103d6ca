"""Which networks learn XOR: the share of seeds that solve it, by hidden units and non-linearity."""

import sys

from jaxnets import commandline

CLAIM = "A network with one hidden layer learns XOR; without one, none can."

DEFAULTS = {
    "dataset": "xor",
    "model": "mlp",
    "hidden_units": "0,2,4,8",
    "activation": "sigmoid,tanh,relu",
    "head": "sigmoid",
    "optimizer": "adam",
    "learning_rate": "0.03",
    "batch_size": "0",
    "num_steps": "2000",
    "evaluate_every": "200",
    "num_seeds": "256",
    "initializer": "xavier",
}


def report(results, console):
    """A table: for each width and non-linearity, the share of seeds that get all four patterns right."""
    from jaxnets import statistics
    from jaxnets.report import tables

    rows = []
    ended = results.runs[results.runs["status"] != "interrupted"]
    for (units, activation), runs in ended.groupby(["hidden_units", "activation"], sort=False):
        solved = int((runs["train_accuracy"] == 1.0).sum())
        share, low, high = statistics.share_interval(solved, len(runs))
        best = f"{runs['train_accuracy'].max():.2f}"
        rows.append([units, activation, f"{share:.3f}", f"{low:.3f} to {high:.3f}", best, str(len(runs))])
    header = ["hidden units", "activation", "solved", "95% interval", "best accuracy", "runs"]
    tables.print_table(console, "Runs that get all four patterns right", header, rows)


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))
