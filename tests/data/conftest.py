"""What the tests of other libraries share: a server, and tables of known content."""

import io

import numpy as np
import pandas as pd
import pytest
from fsspec_fixtures import fs, module_server, new_fs, server

__all__ = ["fs", "module_server", "new_fs", "server"]


@pytest.fixture(scope="session")
def table():
    """Numbers in 20 columns: 2 MB of parquet, in one row group."""
    numbers = np.random.default_rng(1).normal(size=(10_000, 20))
    return pd.DataFrame(numbers, columns=[f"c{number}" for number in range(20)])


def parquet_of(table, **options):
    """The table as a parquet file."""
    file = io.BytesIO()
    table.to_parquet(file, **options)
    return file.getvalue()


@pytest.fixture
def options():
    """Storage options for tests that count requests: what is remembered does not depend on the clock."""
    return {"listings_expiry_time": None}


@pytest.fixture(scope="session")
def files(table):
    """The table as files of several formats."""
    found = {
        "table.parquet": parquet_of(table),
        "groups.parquet": parquet_of(pd.concat([table] * 20, ignore_index=True), row_group_size=10_000),
        "small.csv": table.head(100).to_csv(index=False).encode(),
        "large.csv": table.to_csv(index=False).encode(),
    }
    return found | {f"years/year={year}/part.parquet": parquet_of(table.head(1000)) for year in (2023, 2024, 2025)}


@pytest.fixture
def table_on_server(server, files):
    """These files on the server, which has had no request so far."""
    for name, content in files.items():
        server.put(f"data/{name}", content)
    server.clear_log()
    return server
