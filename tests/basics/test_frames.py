import pandas as pd

from jaxnets import schema


def test_every_column_holds_one_kind_of_value(tmp_path):
    mixed = pd.DataFrame(
        {
            "count": pd.Series([None, 2], dtype=object),
            "rate": pd.Series(
                [
                    0.1,
                    2,
                ],
                dtype=object,
            ),
            "switch": pd.Series([False, None], dtype=object),
            "nothing": pd.Series([None, None], dtype=object),
            "either": pd.Series([3, "auto"], dtype=object),
            "text": pd.Series([None, "a"], dtype=object),
            "fine": [1, 2],
        }
    )
    table = schema.typed(mixed)
    assert [str(dtype) for dtype in table.dtypes] == ["Int64", "float64", "boolean", "float64", "str", "str", "int64"]
    assert table["either"].tolist() == ["3", "auto"]
    assert table.isna().to_numpy().tolist() == mixed.isna().to_numpy().tolist()
    table.to_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), table)


def test_a_table_of_plain_columns_stays_as_it_is():
    table = pd.DataFrame({"a": [1.5, None], "b": ["x", None], "c": pd.array([True, None], "boolean")})
    pd.testing.assert_frame_equal(schema.typed(table), table)
    assert schema.typed(pd.DataFrame()).empty
