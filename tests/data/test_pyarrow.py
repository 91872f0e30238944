"""pyarrow: tables and datasets of many files."""

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest


def test_table(table_on_server, table, fs):
    """The info, the footer and one column: 3 requests."""
    found = pq.read_table("data/table.parquet", filesystem=fs, columns=["c3"])
    assert found["c3"].to_pylist() == table["c3"].to_list()
    assert len(table_on_server.requests) <= 4


def test_dataset(table_on_server, fs):
    """A dataset of folders lists once; a filter on the folders reads only what matches, besides one schema."""
    dataset = ds.dataset("data/years", filesystem=fs, partitioning="hive")
    found = dataset.to_table(columns=["c1", "year"], filter=ds.field("year") == 2024)
    assert (found.num_rows, set(found["year"].to_pylist())) == (1000, {2024})
    assert table_on_server.count("GET", "data/years/year=2025/part.parquet") == 0
    assert len(table_on_server.requests) <= 4


def test_write_a_dataset(server, fs):
    """Each file of a dataset is uploaded when it is complete."""
    made = pa.table({"part": ["a", "b", "b"], "n": [1, 2, 3]})
    ds.write_dataset(made, "data/out", filesystem=fs, partitioning=["part"], format="parquet")
    assert fs.find("data/out") == ["data/out/a/part-0.parquet", "data/out/b/part-0.parquet"]
    found = ds.dataset("data/out", filesystem=fs, partitioning=["part"]).to_table()
    assert sorted(found["n"].to_pylist()) == [1, 2, 3]


def test_missing_file(server, fs):
    with pytest.raises(FileNotFoundError):
        pq.read_table("data/missing.parquet", filesystem=fs)
