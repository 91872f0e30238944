"""Files that coroutines read and write."""

import asyncio
import gc

import pytest

import aioartifact
from aioartifact.testing import Fault

CONTENT = bytes(range(256)) * 8000


@pytest.fixture
def run(new_fs):
    """Runs a coroutine function with a file system for coroutines."""
    return lambda call: asyncio.run(call(new_fs(asynchronous=True)))


def test_read_a_stream(server, run):
    """One request for the whole file, in pieces of any size."""
    server.put("data/f", CONTENT)
    server.clear_log()

    async def read(fs):
        async with await fs.open_async("artifactory://data/f") as file:
            assert file.size == len(CONTENT)
            assert not file.seekable()
            pieces = [await file.read(10), await file.read(0), await file.read(1_000_000)]
            assert file.tell() == 1_000_010
            pieces.append(await file.read())
            assert await file.read() == b""
            with pytest.raises(OSError, match="cannot seek"):
                file.seek(0)
        with pytest.raises(ValueError, match="closed"):
            await file.read()
        return pieces

    assert run(read) == [CONTENT[:10], b"", CONTENT[10:1_000_010], CONTENT[1_000_010:]]
    assert len(server.requests) == 1


def test_damaged_stream(server, run):
    """A stream is verified at its end."""
    server.put("data/f", CONTENT)
    server.fail("GET", "data/f", times=None, fault=Fault.flip(1000))

    async def read(fs):
        async with await fs.open_async("data/f") as file:
            await file.read()

    with pytest.raises(aioartifact.IntegrityError):
        run(read)


def test_stream_that_is_left_early(server, run):
    server.put("data/f", CONTENT)

    async def read(fs):
        file = await fs.open_async("data/f")
        assert await file.read(5) == CONTENT[:5]
        await file.close()

    run(read)


def test_stream_that_is_not_closed(server, run):
    """Its connection is released with it."""
    server.put("data/f", CONTENT)

    async def read(fs):
        file = await fs.open_async("data/f")
        assert await file.read(5) == CONTENT[:5]
        before = asyncio.all_tasks()
        del file
        gc.collect()
        await asyncio.sleep(0)
        closing = asyncio.all_tasks() - before
        assert closing
        await asyncio.gather(*closing)

    run(read)


def test_write(server, run):
    async def write(fs):
        async with await fs.open_async("data/f", "wb") as file:
            assert await file.write(b"01") == 2
            await file.flush()
            await file.write(b"23")
            assert file.tell() == 4
            assert not server.exists("data/f")
        await file.close()
        with pytest.raises(ValueError, match="closed"):
            await file.write(b"")

    run(write)
    assert server.read("data/f") == b"0123"


def test_exception_uploads_nothing(server, run):
    async def write(fs):
        async with await fs.open_async("data/f", "wb") as file:
            await file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run(write)
    assert not server.exists("data/f")


def test_exclusive_creation(server, run):
    async def write(fs):
        file = await fs.open_async("data/f", "xb")
        server.put("data/f", b"other")
        with pytest.raises(FileExistsError):
            await file.close()
        with pytest.raises(FileExistsError):
            await fs.open_async("data/f", "xb")

    run(write)
    assert server.read("data/f") == b"other"


@pytest.mark.parametrize(("mode", "options"), [("ab", {}), ("r", {}), ("rb", {"compression": "gzip"})])
def test_what_is_not_available(run, server, mode, options):
    async def opened(fs):
        await fs.open_async("data/f", mode, **options)

    with pytest.raises(ValueError, match=r"expected|not available"):
        run(opened)


def test_missing_file(run, server):
    async def opened(fs):
        await fs.open_async("data/missing")

    with pytest.raises(FileNotFoundError):
        run(opened)
