"""Parameters that are not what they claim are refused before memory is taken."""

import json
import shutil
import struct

import pytest

import jaxnets
from jaxnets.errors import UserError
from jaxnets.inference import model as models
from tests.by_hand import may_be_changed

XOR = {"dataset": "xor", "hidden_units": 4, "num_steps": 2, "batch_size": 0, "progress": False}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "run"
    models.save(jaxnets.sweep(**XOR).save(directory), jaxnets.load(directory).model(0))
    return may_be_changed(directory)


@pytest.fixture
def copy(written, tmp_path):
    return shutil.copytree(written, tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"hidden_units": [5]}, "another module than that of the parameters"),
        ({"hidden_units": [4, 4]}, "another module"),
        ({"hidden_units": [10**9]}, "another module"),
        ({"hidden_units": [0]}, "sizes are 1 to 2147483647"),
        ({"num_outputs": 3}, "another module"),
        ({"num_outputs": "x"}, "num_outputs"),
        ({"width": 3}, "'width' is not known"),
        ({"activation": "relo"}, "Did you mean 'relu'"),
        ({"activation": 3}, "activation"),
    ],
)
def test_the_description_must_be_that_of_the_parameters(change, problem, copy):
    path = copy / "checkpoint" / "model.json"
    content = json.loads(path.read_text())
    content["arguments"] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=problem):
        models.load(copy)
    content["arguments"] = json.loads((copy / "models.json").read_text())["runs"]["0"]["arguments"]
    path.write_text(json.dumps(content | {"class_names": ["a", "b", "c"]}))
    with pytest.raises(UserError, match="3 classes need 3"):
        models.load(copy)


@pytest.mark.parametrize("claim", [{"data_offsets": [0, 2**40], "shape": [2**38]}, {"shape": [2**38]}])
def test_a_header_that_claims_more_than_the_file_holds_is_refused(claim, copy):
    path = copy / "parameters.safetensors"
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    next(value for name, value in header.items() if name != "__metadata__").update(claim)
    changed = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(changed)) + changed + content[8 + length :])
    with pytest.raises(UserError, match=r"parameters\.safetensors: cannot be read"):
        jaxnets.load(copy)
    path.write_bytes(struct.pack("<Q", 2**60) + content[8:])
    with pytest.raises(UserError, match=r"parameters\.safetensors: cannot be read"):
        jaxnets.load(copy)
