"""Models: Flax linen modules that map a batch of inputs to logits, one file each."""

from flax import linen as nn

from jaxnets.basics import errors
from jaxnets.config.arguments import Argument, arguments
from jaxnets.models.dan import DAN
from jaxnets.models.mlp import MLP
from jaxnets.models.text_cnn import TextCNN

KNOWN: dict[str, type[nn.Module]] = {"mlp": MLP, "dan": DAN, "text_cnn": TextCNN}

# What jaxnets itself gives a model that asks for it, from the data set and the head.
GIVEN = ("num_outputs", "vocabulary_size")


def find(name: str) -> type[nn.Module]:
    """The module of a name, or of an import path such as `my_lab.nets:MyNet`.

    Raises:
      UserError: if there is none of that name, or it is no Flax module.
    """
    model = errors.lookup("model", name, KNOWN)
    if not (isinstance(model, type) and issubclass(model, nn.Module)):
        raise errors.UserError(f"model: '{name}' is not a flax.linen.Module class.")
    return model


def hyperparameters(model: type[nn.Module]) -> dict[str, Argument]:
    """The attributes of a model that a user may set: each is a flag."""
    return arguments(model, skip=(*GIVEN, "name", "parent"))
