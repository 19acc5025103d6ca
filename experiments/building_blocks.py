"""What models are made of: the parameters of each block, counted and by formula."""

import math

import pandas as pd

from jaxnets.analysis import parameters
from jaxnets.claims.verdicts import IDENTITY, Fact, Rule
from jaxnets.errors import UserError
from jaxnets.models import DAN, MLP, TextCNN
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import Claim, Option
from jaxnets.stats.estimates import Estimate

CLAIM = "A network is its blocks, and its parameters are the sum over them."

RULES = {
    name: Rule(
        statement=f"Each block of {what} holds as many parameters as its formula says.", kind=IDENTITY, test="exact"
    )
    for name, what in {"mlp": "the MLP", "dan": "the DAN", "text_cnn": "the text CNN"}.items()
}


def check(config):
    """Refuses other models: those with a formula are always the same three."""
    if config.model != "mlp":
        raise UserError("model: this experiment has formulas for mlp, dan and text_cnn, and always counts these three.")


def measure(results):
    """The blocks of the three models, and their totals for vocabularies of other sizes."""
    sizes = dict(results.options)
    growth = [sizes["vocabulary"] * factor // 4 for factor in range(1, 9)]
    totals = [blocks(**{**sizes, "vocabulary": max(2, words)}).assign(vocabulary=words) for words in growth]
    return {"blocks": blocks(**sizes), "growth": pd.concat(totals)}


def blocks(features, classes, units, vocabulary, dim, widths, filters):
    """A row for each block of the three models: its parameters as counted, and by formula."""
    of_words = {"vocabulary_size": vocabulary, "embedding_dim": dim}
    models = {
        "mlp": (MLP(classes, units), features),
        "dan": (DAN(classes, hidden_units=units, **of_words), None),
        "text_cnn": (TextCNN(classes, filter_widths=widths, num_filters=filters, **of_words), None),
    }
    formulas = {
        "mlp": parameters.mlp(features, units, classes),
        "dan": parameters.dan(vocabulary, dim, units, classes),
        "text_cnn": parameters.text_cnn(vocabulary, dim, widths, filters, classes),
    }
    tables = []
    for name, (model, num_features) in models.items():
        by_formula = pd.Series(formulas[name], name="by_formula").rename_axis("block").reset_index()
        counted = parameters.counted(model, num_features)
        # a block more on one side than on the other is a difference, too
        tables.append(by_formula.merge(counted, on="block", how="outer", sort=False).assign(model=name))
    return pd.concat(tables, ignore_index=True)


def summary(tables):
    """The blocks with their shapes, and the sums."""
    table = tables["blocks"].rename(columns={"parameters": "counted", "by_formula": "formula"})
    numbers = table[["counted", "formula"]].map("{:,.0f}".format)
    sums = table.groupby("model", sort=False)[["counted", "formula"]].sum().map("{:,.0f}".format)
    return {"Blocks": table[["model", "block", "shapes"]].join(numbers), "Sums": sums.reset_index()}


def evidence(tables):
    """Of each model how many blocks agree, at all sizes of the vocabulary; if all do, the sums agree as well."""
    by_model = pd.concat([tables["blocks"], tables["growth"]]).groupby("model", sort=False)
    return {name: _agreement(table) for name, table in by_model}


def _agreement(table):
    right = (table["parameters"] == table["by_formula"]).sum()
    holds = None if table["parameters"].isna().all() else bool(right == len(table))  # None: nothing could be counted
    return Fact(holds, f"{right} of {len(table)} blocks agree", holds is None)


def pictures(tables):
    """Where the parameters are, and how they grow with the vocabulary."""
    return {"shares": _shares_picture(tables["blocks"]), "growth": _growth_picture(tables["growth"])}


def _shares_picture(table):
    names = table["model"] + ": " + table["block"].astype(str).str.rpartition("/")[2]
    shares = table["parameters"] / table.groupby("model")["parameters"].transform("sum")
    shown = {name: Estimate(share, math.nan, math.nan) for name, share in zip(names, shares, strict=True)}
    figure = figures.dots(shown, zero=0.0, percent=True, xlabel="share of the model's parameters")
    return Picture(figure, "Each block's share of its model's parameters: of texts, word vectors hold most.")


def _growth_picture(table):
    totals = table.groupby(["model", "vocabulary"], sort=False)["parameters"].sum().reset_index()
    labels = {"xlabel": "words in the vocabulary", "yscale": "log"}
    figure = figures.lines(totals, "vocabulary", "parameters", "model", **labels)
    return Picture(figure, "Parameters of the whole model over the size of the vocabulary.")


EXPERIMENT = Claim(
    name="building_blocks",
    about=CLAIM,
    lecture="An architecture is an arrangement of blocks. Its parameters are the sum over them; word vectors have one "
    "for each word of the vocabulary and dimension.",
    measured="The parameters of each block of three models are counted in the arrays that the code makes, and by "
    "formulas that know nothing of the code, for vocabularies of eight sizes.",
    rules=RULES,
    check=check,
    options=(
        Option("features", 64, "Numbers of an example, for the MLP.", least=1),
        Option("classes", 10, "Outputs.", least=1),
        Option("units", (128, 128), "Hidden layers of the MLP and the DAN."),
        Option("vocabulary", 16000, "Words of the DAN and the text CNN.", least=1),
        Option("dim", 300, "Numbers of a word vector.", least=1),
        Option("widths", (3, 4, 5), "Windows of the text CNN.", distinct=True),
        Option("filters", 100, "Filters of each width.", least=1),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    pictures=pictures,
)
