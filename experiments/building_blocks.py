"""What models are made of: the parameters of each block, counted and by formula."""

import sys

import pandas as pd

from jaxnets.basics.errors import UserError
from jaxnets.lab import commandline

CLAIM = "A network is its blocks, and its parameters are the sum over them."

SWEEP = False
DEFAULTS: dict[str, str] = {}

FLAGS = {
    "features": ("64", "Numbers of an example, for the MLP."),
    "classes": ("10", "Outputs."),
    "units": ("128x128", "Hidden layers of the MLP and the DAN."),
    "vocabulary": ("16000", "Words of the DAN and the text CNN."),
    "dim": ("300", "Numbers of a word vector."),
    "widths": ("3x4x5", "Windows of the text CNN."),
    "filters": ("100", "Filters of each width."),
}


def _sizes(config):
    return {name: config.option(name, "sizes" if name in ("units", "widths") else "int") for name in FLAGS}


def check(config):
    """Refuses sizes of nothing."""
    for name, size in _sizes(config).items():
        if (isinstance(size, int) and size < 1) or (name == "widths" and not size):
            raise UserError(f"{name}: {config.options[name]} is below 1.")


def measure(results):
    """The blocks of the three models, and their totals for vocabularies of other sizes."""
    sizes = _sizes(results.config)
    growth = [sizes["vocabulary"] * factor // 4 for factor in range(1, 9)]
    totals = [blocks({**sizes, "vocabulary": max(2, words)}).assign(vocabulary=words) for words in growth]
    return {"blocks": blocks(sizes), "growth": pd.concat(totals)}


def blocks(sizes):
    """A row for each block of the three models: its parameters as counted, and by formula."""
    from jaxnets.analysis import parameters
    from jaxnets.models import DAN, MLP, TextCNN

    features, classes, units, words, dim, widths, filters = (sizes[name] for name in FLAGS)
    of_words = {"vocabulary_size": words, "embedding_dim": dim}
    made = {
        "mlp": (MLP(classes, units), features, parameters.mlp(features, units, classes)),
        "dan": (DAN(classes, hidden_units=units, **of_words), None, parameters.dan(words, dim, units, classes)),
        "text_cnn": (TextCNN(classes, filter_widths=widths, num_filters=filters, **of_words), None,
                     parameters.text_cnn(words, dim, widths, filters, classes)),
    }  # fmt: skip
    tables = []
    for name, (model, num_features, by_formula) in made.items():
        table = parameters.counted(model, num_features)
        # a block more on one side than on the other is a difference, too
        formulas = pd.Series(by_formula, name="by_formula").rename_axis("block").reset_index()
        tables.append(formulas.merge(table, on="block", how="outer", sort=False).assign(model=name))
    return pd.concat(tables, ignore_index=True)


def summary(tables):
    """The blocks with their shapes, and the sums."""
    table = tables["blocks"]
    shown = table[["model", "block", "shapes"]].assign(
        counted=table["parameters"].map("{:,.0f}".format), formula=table["by_formula"].map("{:,.0f}".format)
    )
    sums = table.groupby("model", sort=False)[["parameters", "by_formula"]].sum().map("{:,.0f}".format).reset_index()
    return {"Blocks": shown, "Sums": sums.rename(columns={"parameters": "counted", "by_formula": "formula"})}


def verdict(tables):
    """Every block must hold as many numbers as its formula says; then the sums agree as well."""
    from jaxnets.evidence import verdicts

    parts = []
    for name, table in pd.concat([tables["blocks"], tables["growth"]]).groupby("model", sort=False):
        wrong = table[table["parameters"] != table["by_formula"]]
        told = f"{len(table) - len(wrong)} of {len(table)} blocks agree"
        holds = None if table["parameters"].isna().all() else wrong.empty  # nothing could be counted
        parts.append(verdicts.exact(f"The parameters of {name} are those of its blocks.", holds, told, "all agree"))
    return verdicts.verdict(*parts)


def pictures(tables):
    """Where the parameters are, and how they grow with the vocabulary."""
    from matplotlib.ticker import PercentFormatter

    from jaxnets.report import charts
    from jaxnets.report.figures import COLOURS, Picture, panel

    table = tables["blocks"]
    figure, axes = panel(height=0.9 + 0.25 * len(table), xlabel="share of the model's parameters")
    for number, (name, group) in enumerate(table.groupby("model", sort=False)):
        names = [f"{name}: {block.rpartition('/')[2]}" for block in group["block"].astype(str)]
        axes.barh(names, group["parameters"] / group["parameters"].sum(), color=COLOURS[number])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    totals = tables["growth"].groupby(["model", "vocabulary"], sort=False)["parameters"].sum().reset_index()
    growth, _ = charts.lines(
        totals, "vocabulary", "parameters", "model", xlabel="words in the vocabulary", yscale="log"
    )
    return {
        "shares": Picture(figure, "Each block's share of its model's parameters: of texts, word vectors hold most."),
        "growth": Picture(growth, "Parameters of the whole model over the size of the vocabulary."),
    }


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))
