import numpy as np

from jaxnets.analysis import all_examples
from jaxnets.config.config import Config
from jaxnets.engine.recorder import Recorder
from jaxnets.engine.sweep import prepare


def test_a_run_of_some_examples_takes_steps_on_all():
    small = {"num_steps": 2, "hidden_units": 2, "num_train": 50, "num_blocks": 2}
    sweep = prepare(Config(dataset="wine", optimizer="sgd", batch_size=[8, 0], **small))
    planned = Recorder(sweep).trained(interrupted=False, seconds=0.0)  # nothing is trained
    whole = all_examples.on_all(planned)
    assert len(planned.dataset(0).train) == 50
    assert len(whole.dataset(0).train) == len(whole.dataset(3).train) == 106
    sizes = {program.task.batch_size: program.task.num_examples for program in whole.programs}
    assert sizes == {8: 106, 106: 106}
    first, other = (one.start(0).params["output"]["kernel"] for one in (planned, whole))
    np.testing.assert_array_equal(first, other)
