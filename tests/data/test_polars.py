"""polars: through an open file or pyarrow; its own readers of parquet do not use fsspec."""

import polars as pl
import pyarrow.dataset as ds
import pytest


def test_open_file(table_on_server, table, fs):
    """A file of fsspec is read whole."""
    with fs.open("data/table.parquet") as file:
        found = pl.read_parquet(file, columns=["c1"])
    assert found["c1"].to_list() == table["c1"].to_list()
    assert len(table_on_server.requests) <= 2


def test_lazy_frame(table_on_server, table, fs):
    """A lazy frame over a dataset of pyarrow reads only the columns."""
    frame = pl.scan_pyarrow_dataset(ds.dataset("data/table.parquet", filesystem=fs))
    assert frame.select(pl.col("c1").sum()).collect().item() == pytest.approx(table["c1"].sum())
    assert len(table_on_server.requests) <= 4


def test_csv(table_on_server, fs):
    with fs.open("data/small.csv") as file:
        assert pl.read_csv(file).shape == (100, 20)
    assert len(table_on_server.requests) == 1


def test_write(server, fs, table):
    with fs.open("data/out.parquet", "wb") as file:
        pl.DataFrame({"n": [1, 2]}).write_parquet(file)
    with fs.open("data/out.parquet") as file:
        assert pl.read_parquet(file)["n"].to_list() == [1, 2]


def test_url_is_not_known(table_on_server):
    """The readers of polars know no other protocol than their own: the documentation says so."""
    with pytest.raises(FileNotFoundError):
        pl.scan_parquet("artifactory://data/table.parquet").collect()
