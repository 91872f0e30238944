"""dask: data frames of many files, in threads and in other processes."""

import dask
import dask.dataframe as dd
import pytest
from distributed import Client, LocalCluster


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def test_parquet(table_on_server, options):
    """Files of a pattern, one column of each."""
    frame = dd.read_parquet("artifactory://data/years/*/*.parquet", columns=["c1"], storage_options=options)
    assert frame.compute().shape == (3000, 1)
    assert len(table_on_server.requests) <= 15


def test_csv(table_on_server, options):
    frame = dd.read_csv("artifactory://data/*.csv", storage_options=options)
    assert len(frame) == 10_100
    assert len(table_on_server.requests) <= 10


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_write(server, table, options, fs):
    dd.from_pandas(table, npartitions=3).to_parquet("artifactory://data/out", storage_options=options)
    assert len([name for name in fs.find("data/out") if name.endswith(".parquet")]) == 3
    assert len(dd.read_parquet("artifactory://data/out", storage_options=options)) == 10_000


@pytest.mark.filterwarnings("default")  # those of other libraries in other threads
def test_two_processes(table_on_server, options):
    """Workers find their own credentials: the graph has none."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        dask.config.set(scheduler="distributed"),
    ):
        frame = dd.read_parquet("artifactory://data/years/*/*.parquet", columns=["c1"], storage_options=options)
        assert frame["c1"].count().compute() == 3000
