"""zarr and xarray: arrays in chunks, read and written by coroutines."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import FsspecStore

pytestmark = pytest.mark.filterwarnings("ignore::zarr.errors.ZarrUserWarning")


def store_of(path):
    return FsspecStore.from_url(f"artifactory://{path}", storage_options={"listings_expiry_time": None})


def test_zarr(server):
    """One request for each chunk that is read or written, and some for the metadata."""
    numbers = np.arange(10_000.0).reshape(100, 100)
    array = zarr.create_array(store_of("data/a.zarr"), shape=(100, 100), chunks=(50, 50), dtype="f8")
    array[:] = numbers
    assert server.count("PUT") == 5
    server.clear_log()
    found = zarr.open_array(store_of("data/a.zarr"), mode="r", zarr_format=3)
    assert (found[60, :] == numbers[60, :]).all()
    assert server.count("GET", "data/a.zarr/c/**") == 2
    assert len(server.requests) <= 5


def test_xarray(server):
    """A dataset is written and read; one variable needs its chunks only."""
    made = xr.Dataset({"t": (("x", "y"), np.arange(100.0).reshape(10, 10)), "u": ("x", np.arange(10.0))})
    made.to_zarr("artifactory://data/x.zarr")
    server.clear_log()
    found = xr.open_zarr("artifactory://data/x.zarr")
    assert float(found.t.sum()) == 4950.0
    assert server.count("GET", "data/x.zarr/u/c/**") == 0
    assert len(server.requests) <= 6
    xr.testing.assert_equal(found.load(), made)


def test_program_ends_without_a_word(server):
    """The loop of zarr is closed at the end of a program: the session is closed before."""
    code = (
        "import zarr; from zarr.storage import FsspecStore\n"
        "a = zarr.create_array(FsspecStore.from_url('artifactory://data/p.zarr'), shape=(2,), dtype='f8')\n"
        "a[:] = 1; print(a[:].sum())"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("2.0\n", "")
