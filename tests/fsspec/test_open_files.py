"""Files that are open: which bytes they have, what they cost, and when something is uploaded."""

import gc
import gzip
import io
import os
import pickle
import tempfile
import zipfile

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aioartifact
from aioartifact.fsspec.caching import AdaptiveCache
from aioartifact.fsspec.reading import ReadFile
from aioartifact.fsspec.sessions import wait_for
from aioartifact.testing import Fault

BIG = os.urandom(12 * 1024 * 1024)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def write_and_fail(fs, path, content, **options):
    """A block that writes, and fails."""
    with fs.open(path, "wb", **options) as file:
        file.write(content)
        raise RuntimeError


def abandon(fs, path, content, **options):
    """A file that is written and never closed."""
    file = fs.open(path, "wb", **options)
    file.write(content)
    del file
    gc.collect()


def fail_in_a_transaction(fs):
    with fs.transaction:
        with fs.open("data/a", "wb") as file:
            file.write(BIG)
        raise RuntimeError


def test_small_file_is_one_request(server, fs):
    server.put("data/f", b"0123456789")
    server.clear_log()
    with fs.open("artifactory://data/f") as file:
        assert file.size == 10
        assert file.read(3) == b"012"
        file.seek(-2, io.SEEK_END)
        assert file.read() == b"89"
        assert file.info()["name"] == "data/f"
        assert isinstance(file, ReadFile)
    assert len(server.requests) == 1
    assert file.closed
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_large_file_in_few_requests(server, fs):
    """A file that is read from start to end costs one request for the first 256 KiB, and one for each block."""
    server.put("data/f", BIG)
    server.clear_log()
    with fs.open("data/f", block_size=6 * 1024 * 1024) as file:
        assert b"".join(iter(lambda: file.read(100_000), b"")) == BIG
    assert len(server.requests) == 3


@given(
    st.integers(0, 3_000_000),
    st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 3_100_000)), st.integers(0, 800_000))),
)
def test_default_cache_returns_the_bytes(size, reads):
    """Reads at any positions, or where the last one ended, return what the file has there."""
    fetched = []

    def fetch(start, end):
        assert 0 <= start < end <= size
        fetched.append(end - start)
        return BIG[start:end]

    cache, position = AdaptiveCache(1_000_000, fetch, size), 0
    for start, length in reads:
        position = position if start is None else start
        found = cache._fetch(position, position + length)
        assert found == BIG[:size][position : position + length]
        position += len(found)


def test_default_cache_at_random_positions(server, fs):
    """Reads apart from each other fetch little more than what is read."""
    server.put("data/f", BIG)
    fs.info("data/f")
    server.clear_log()
    with fs.open("data/f") as file:
        for start in range(1_000_000, len(BIG), 2_000_000):
            file.seek(start)
            assert file.read(50_000) == BIG[start : start + 50_000]
    assert sum(record.bytes_sent for record in server.requests) < 6 * 600_000


@pytest.mark.parametrize(
    "cache_type", ["adaptive", "none", "readahead", "bytes", "blockcache", "all", "first", "background"]
)
def test_caches_of_fsspec(server, fs, cache_type):
    """Every cache of fsspec works."""
    server.put("data/f", BIG)
    with fs.open("data/f", cache_type=cache_type, block_size=1024 * 1024) as file:
        for start, length in [(0, 10), (5_000_000, 1000), (len(BIG) - 5, 50), (100, 2_000_000)]:
            file.seek(start)
            assert file.read(length) == BIG[start : start + length]


def test_text_lines_and_compression(server, fs):
    """The options of fsspec's open."""
    server.put("data/f.txt", "zwölf\nBoxkämpfer\n".encode())
    server.put("data/f.gz", gzip.compress(b"plain"))
    with fs.open("data/f.txt", "r", encoding="utf-8") as file:
        assert file.readlines() == ["zwölf\n", "Boxkämpfer\n"]
    with fs.open("data/f.gz", compression="infer") as file:
        assert file.read() == b"plain"
    with fs.open("data/f.txt.gz", "wt", compression="gzip", encoding="utf-8") as file:
        file.write("zwölf")
    assert gzip.decompress(server.read("data/f.txt.gz")) == "zwölf".encode()


def test_exception_in_a_compressed_file(server, fs):
    """It uploads nothing either, and neither does one that is abandoned."""
    with pytest.raises(RuntimeError):
        write_and_fail(fs, "data/f.gz", b"half", compression="infer")
    with pytest.warns(ResourceWarning, match="nothing was uploaded"):
        abandon(fs, "data/g.gz", b"half", compression="infer")
    assert fs.find("data") == []


def test_missing_file(server, fs):
    with pytest.raises(FileNotFoundError):
        fs.open("data/missing")
    with pytest.raises(IsADirectoryError):
        fs.open("data")
    with pytest.raises(IsADirectoryError):
        fs.open("")


def test_file_that_is_replaced_while_it_is_read(server, fs):
    """No caller gets bytes of two contents."""
    server.put("data/f", BIG)
    with fs.open("data/f") as file:
        assert file.read(100) == BIG[:100]
        server.put("data/f", b"x" * len(BIG))
        with pytest.raises(aioartifact.IntegrityError, match="changed"):
            file.read()
    with fs.open("data/f") as file:
        assert file.read(100) == b"x" * 100


def test_known_file_is_opened_without_a_request(server, fs):
    """Only what is read is requested of a file whose info is remembered, such as the end of a parquet file."""
    server.put("data/f", BIG)
    fs.find("data")
    server.clear_log()
    with fs.open("data/f") as file:
        file.seek(-8, io.SEEK_END)
        assert file.read() == BIG[-8:]
    assert [record.headers["range"] for record in server.requests] == [f"bytes={len(BIG) - 256 * 1024}-{len(BIG) - 1}"]


def test_file_that_was_replaced_after_it_was_listed(server, fs):
    """What is remembered is the content that is opened: an error, and the next try reads the new one."""
    server.put("data/f", b"old")
    fs.ls("data")
    server.put("data/f", b"new")
    with fs.open("data/f") as file, pytest.raises(aioartifact.IntegrityError):
        file.read()
    with fs.open("data/f") as file:
        assert file.read() == b"new"


def test_pickled_file(server, fs):
    """A file that is sent to another process continues there, with the same content only."""
    server.put("data/f", BIG)
    with fs.open("data/f") as file:
        file.seek(1000)
        pickled = pickle.dumps(file)
    with pickle.loads(pickled) as file:
        assert file.tell() == 1000
        assert file.read(10) == BIG[1000:1010]
    server.put("data/f", b"x" * len(BIG))
    with pytest.raises(aioartifact.IntegrityError, match="pickled"):
        pickle.loads(pickled)


def test_file_that_is_not_closed(server, fs):
    """What a file held is released with it."""
    server.put("data/f", BIG)
    server.fail("GET", "data/f", times=None, fault=Fault.ignore_range())
    file = fs.open("data/f")
    assert file.read(5) == BIG[:5]
    reader = file._reader
    del file
    gc.collect()
    wait_for(fs.loop, reader.close)
    assert reader._file._is_closed


def test_write(server, fs):
    """A file is uploaded when it is closed, in one request."""
    server.clear_log()
    with fs.open("data/new/f", "wb") as file:
        assert file.writable()
        assert not file.readable()
        file.write(b"01")
        file.write(memoryview(b"23"))
        assert file.tell() == 4
        assert not server.exists("data/new/f")
    assert server.read("data/new/f") == b"0123"
    assert [record.method for record in server.requests] == ["PUT"]
    with pytest.raises(ValueError, match="closed"):
        file.write(b"")
    file.close()


def test_write_large_file(server, fs, temporary):
    """Beyond 8 MiB, bytes wait in a temporary file, which is deleted."""
    with fs.open("data/f", "wb") as file:
        for start in range(0, len(BIG), 1_000_000):
            file.write(BIG[start : start + 1_000_000])
        assert len(list(temporary.iterdir())) == 1
    assert server.read("data/f") == BIG
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("content", [b"short", BIG])
def test_exception_uploads_nothing(server, fs, temporary, content):
    """Half of a file is no file: the existing one stays."""
    server.put("data/f", b"old")
    with pytest.raises(RuntimeError):
        write_and_fail(fs, "data/f", content)
    assert server.read("data/f") == b"old"
    assert list(temporary.iterdir()) == []


def test_abandoned_file_uploads_nothing(server, fs, temporary):
    """A file that is garbage-collected may be incomplete."""
    with pytest.warns(ResourceWarning, match="nothing was uploaded"):
        abandon(fs, "data/f", BIG)
    assert not server.exists("data/f")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("content", [b"short", BIG])
def test_failed_upload(server, new_fs, temporary, content):
    """The error is raised by close(), and no temporary file is left."""
    fs = new_fs(retry=aioartifact.RetryPolicy(attempts=1))
    server.put("data/f", b"old")
    server.fail("PUT", "data/f", times=None, fault=Fault.status(500))
    file = fs.open("data/f", "wb")
    file.write(content)
    with pytest.raises(aioartifact.ServerError):
        file.close()
    assert file.closed
    assert server.read("data/f") == b"old"
    assert list(temporary.iterdir()) == []


def test_exclusive_creation(server, fs):
    """A file that exists is not replaced, whether it existed before or was created in the meantime."""
    with fs.open("data/f", "xb") as file:
        file.write(b"first")
    with pytest.raises(FileExistsError):
        fs.open("data/f", "xb")
    file = fs.open("data/g", "xb")
    server.put("data/g", b"other")
    with pytest.raises(FileExistsError):
        file.close()
    assert (server.read("data/f"), server.read("data/g")) == (b"first", b"other")


@pytest.mark.parametrize("mode", ["ab", "r+b", "q"])
def test_mode_that_does_not_exist(fs, mode):
    """A file is replaced as a whole: there is no appending."""
    with pytest.raises(ValueError, match="replaced as a whole"):
        fs.open("data/f", mode)


def test_transaction(server, fs):
    """Files of a transaction are uploaded at its end."""
    with fs.transaction:
        for name in ("a", "b"):
            with fs.open(f"data/{name}", "wb") as file:
                file.write(name.encode())
        assert not server.exists("data/a")
    assert (server.read("data/a"), server.read("data/b")) == (b"a", b"b")
    with fs.open("data/c", "wb") as file:
        file.write(b"c")
    assert server.exists("data/c")


def test_failed_transaction(server, fs, temporary):
    """A transaction that fails uploads nothing."""
    with pytest.raises(RuntimeError):
        fail_in_a_transaction(fs)
    assert not server.exists("data/a")
    assert list(temporary.iterdir()) == []


def test_exception_inside_a_transaction_is_final(server, fs, temporary):
    """A block that failed is not uploaded, although the transaction goes on."""
    with fs.transaction:
        with pytest.raises(RuntimeError):
            write_and_fail(fs, "data/a", b"half")
        with fs.open("data/b", "wb") as file:
            file.write(b"whole")
    assert not server.exists("data/a")
    assert server.read("data/b") == b"whole"


def test_chains(server, fs, tmp_path):
    """Members of archives, and local copies, by fsspec's chains."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inside.txt", "from the zip")
    server.put("data/a.zip", packed.getvalue())
    options = {"artifactory": {"base_url": server.url}}
    with fsspec.open("zip://inside.txt::artifactory://data/a.zip", "rt", **options) as file:
        assert file.read() == "from the zip"
    url = f"artifactory+{server.url}/data/a.zip"
    for chain in ("simplecache", "filecache"):
        cached = {chain: {"cache_storage": str(tmp_path / chain)}}
        for _ in range(2):
            with fsspec.open(f"{chain}::{url}", **cached) as file:
                assert file.read() == packed.getvalue()
    server.clear_log()
    with fsspec.open(f"simplecache::{url}", simplecache={"cache_storage": str(tmp_path / "simplecache")}) as file:
        assert file.read() == packed.getvalue()
    assert server.count("GET", "data/a.zip") == 0


def test_file_cache_notices_a_new_content(server, fs, tmp_path):
    """The chain filecache compares the checksum of the server."""
    options = {"filecache": {"cache_storage": str(tmp_path), "check_files": True}}
    url = f"filecache::artifactory+{server.url}/data/f"
    for content in (b"one", b"two"):
        server.put("data/f", content)
        with fsspec.open(url, **options) as file:
            assert file.read() == content


def test_mapper(server, fs):
    """A mapping of keys to bytes, as zarr 2 uses it."""
    mapper = fs.get_mapper("data/store")
    mapper["a/b"] = b"1"
    mapper.setitems({"c": b"2", "d": b"3"})
    assert dict(mapper) == {"a/b": b"1", "c": b"2", "d": b"3"}
    assert mapper.getitems(["c", "missing"], on_error="omit") == {"c": b"2"}
    del mapper["c"]
    assert sorted(mapper) == ["a/b", "d"]
    assert "c" not in mapper
