"""universal-pathlib and DuckDB."""

import duckdb
import pytest
from upath import UPath


@pytest.mark.filterwarnings("ignore:UPath 'artifactory':UserWarning")  # it has no class of its own for us
def test_path(table_on_server, options):
    """A path that works like pathlib's."""
    folder = UPath("artifactory://data/years", **options)
    assert [path.parent.name for path in sorted(folder.rglob("*.parquet"))] == ["year=2023", "year=2024", "year=2025"]
    assert len(table_on_server.requests) == 1
    file = folder.parent / "small.csv"
    assert file.read_text().startswith("c0,c1,")
    assert file.stat().st_size == len(table_on_server.read("data/small.csv"))
    (folder / "note.txt").write_text("written")
    assert table_on_server.read("data/years/note.txt") == b"written"
    (folder / "note.txt").unlink()
    assert not (folder / "note.txt").exists()


def test_duckdb(table_on_server, table, fs):
    """SQL over parquet reads the columns that a query needs."""
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        query = "select sum(c1) from 'artifactory://data/table.parquet'"
        ((total,),) = connection.sql(query).fetchall()
        assert total == pytest.approx(table["c1"].sum())
        assert len(table_on_server.requests) <= 4
        query = (
            "select count(*) from read_parquet('artifactory://data/years/*/*.parquet', hive_partitioning=true) "
            "where year = 2024"
        )
        table_on_server.clear_log()
        assert connection.sql(query).fetchall() == [(1000,)]
        assert table_on_server.count("GET", "data/years/year=2025/part.parquet") == 0
        assert connection.sql("select count(*) from read_csv('artifactory://data/small.csv')").fetchall() == [(100,)]
