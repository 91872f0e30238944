"""pandas: ``artifactory://`` URLs in read_csv, read_parquet and their counterparts."""

import io
import zipfile

import pandas as pd
import pytest

import aioartifact


def test_csv(table_on_server, table, options):
    """A small file is one request, one of some MB two."""
    found = pd.read_csv("artifactory://data/small.csv", storage_options=options)
    pd.testing.assert_frame_equal(found, table.head(100))
    assert len(table_on_server.requests) == 1
    table_on_server.clear_log()
    found = pd.read_csv("artifactory://data/large.csv", storage_options=options)
    pd.testing.assert_frame_equal(found, table)
    assert len(table_on_server.requests) == 2


@pytest.mark.parametrize("columns", [["c7"], ["c2", "c17"], None])
def test_parquet(table_on_server, table, options, columns):
    """The info, the footer and the columns: 3 requests."""
    found = pd.read_parquet("artifactory://data/table.parquet", columns=columns, storage_options=options)
    pd.testing.assert_frame_equal(found, table[columns] if columns else table)
    assert len(table_on_server.requests) <= 4


def test_columns_of_a_large_file(table_on_server, table, options):
    """Of a file of 40 MB in 20 row groups, one column needs a quarter of the bytes."""
    found = pd.read_parquet("artifactory://data/groups.parquet", columns=["c7"], storage_options=options)
    assert found["c7"].sum() == pytest.approx(20 * table["c7"].sum())
    assert sum(record.bytes_sent for record in table_on_server.requests) < 10_000_000
    assert len(table_on_server.requests) <= 23


def test_write(server, table, options):
    """A file is uploaded when it is complete, in one request."""
    table.to_parquet("artifactory://data/out.parquet", storage_options=options)
    assert [record.line for record in server.requests] == ["PUT data/out.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(server.read("data/out.parquet"))), table)
    table.head(5).to_csv("artifactory://data/out.csv.gz", storage_options=options)
    found = pd.read_csv("artifactory://data/out.csv.gz", index_col=0, storage_options=options)
    pd.testing.assert_frame_equal(found, table.head(5))


def test_full_url(table_on_server):
    """A URL that names its server needs no option."""
    found = pd.read_csv(f"artifactory+{table_on_server.url}/data/small.csv")
    assert len(found) == 100


def test_chains(table_on_server, table, options, tmp_path):
    """A member of a zip file, and a copy on the local disk."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", table.head(10).to_csv(index=False))
    table_on_server.put("data/tables.zip", packed.getvalue())
    table_on_server.clear_log()
    assert len(pd.read_csv("zip://inner.csv::artifactory://data/tables.zip")) == 10
    assert len(table_on_server.requests) == 1
    cached = {"simplecache": {"cache_storage": str(tmp_path)}}
    table_on_server.clear_log()
    for _ in range(2):
        assert len(pd.read_csv("simplecache::artifactory://data/small.csv", storage_options=cached)) == 100
    assert table_on_server.count("GET", "data/small.csv") == 1


def test_missing_file_and_bad_login(server, options):
    """Errors are those that pandas users expect."""
    with pytest.raises(FileNotFoundError):
        pd.read_csv("artifactory://data/missing.csv", storage_options=options)
    with pytest.raises(PermissionError):
        pd.read_csv("artifactory://data/f.csv", storage_options={"auth": ("stranger", "wrong")})


def test_file_that_is_replaced_while_it_is_read(table_on_server, table):
    """Chunks of two contents are never mixed."""
    table_on_server.put("data/large.csv", pd.concat([table] * 3).to_csv(index=False).encode())
    with pd.read_csv("artifactory://data/large.csv", chunksize=100) as chunks:
        next(chunks)
        table_on_server.put("data/large.csv", table.to_csv(index=False).encode())
        with pytest.raises(aioartifact.IntegrityError):
            list(chunks)
