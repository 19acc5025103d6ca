import pandas as pd

from jaxnets.evidence import depths, effects


def scored():
    """Two tasks: on one nets of one and of three layers, on the other of two."""
    rows = [
        ("digits", "tanh | 1", 0.2),
        ("digits", "sigmoid | 1", 0.4),
        ("digits", "tanh | 3", 0.3),
        ("digits", "sigmoid | 3", 0.9),
        ("wine", "tanh | 2", 0.1),
    ]
    table = pd.DataFrame(rows, columns=["task", "contestant", "test_loss"])
    return table.assign(block=0, number=0, seed=0, edge=False, test_share=0.0, test_accuracy=0.9, learning_rate=0.1)


def test_layers_are_counted_in_what_tables_show():
    names = depths.with_layers(pd.Series(["a", "b", "c", "d"]), pd.Series(["8x8x8", "16", "0", 4]))
    assert names.tolist() == ["a | 3", "b | 1", "c | 0", "d | 1"]


def test_a_task_with_nets_of_several_depths_becomes_a_task_for_each():
    table = depths.as_tasks(scored())
    assert table["task"].tolist() == ["digits, 1 layer"] * 2 + ["digits, 3 layers"] * 2 + ["wine"]
    assert table["contestant"].tolist() == ["tanh", "sigmoid", "tanh", "sigmoid", "tanh"]
    assert table["flattest"].tolist() == [True, True, False, False, True]
    assert depths.means(table)["test loss"].tolist() == [0.2, 0.4, 0.3, 0.9, 0.1]


def test_the_lead_of_the_deepest_is_contrasted_with_that_of_the_flattest():
    ends = depths.deepest_against_flattest(scored(), {"sigmoid": 1, "tanh": -1})
    found = effects.contrast(scored(), "test_loss", ends)
    assert found["effect"].round(6).tolist() == [0.4]  # 0.9 - 0.3 against 0.4 - 0.2
    flat = scored().iloc[[0, 1, 4]]
    nothing = depths.deepest_against_flattest(flat, {"sigmoid": 1, "tanh": -1})
    assert effects.contrast(flat, "test_loss", nothing).empty
