"""Files that are opened with their info: no request before the first read, and bytes of the described content only."""

import random

import pytest

import aioartifact
from aioartifact.testing import Fault

DATA = random.Random(5).randbytes(1_500_000)
FILE = "generic-local/a/data.bin"


@pytest.fixture
async def described(server, session):
    """URL and info of a file, and no request so far."""
    server.put(FILE, DATA)
    info = await aioartifact.info(f"{server.url}/{FILE}", session=session)
    server.clear_log()
    return info.url, info


async def test_only_what_is_read_is_requested(server, session, described):
    """The end of a file is one request, without the first 256 KiB."""
    url, info = described
    async with aioartifact.open(url, info=info, session=session) as file:
        assert (file.size, file.info) == (len(DATA), info)
        await file.seek(-8, 2)
        assert server.requests == []
        assert await file.read() == DATA[-8:]
    assert [record.headers["range"] for record in server.requests] == ["bytes=1310720-1499999"]


async def test_replaced_file(server, session, described):
    """A file that was replaced after its info is not read, whether it has the same size or not."""
    url, info = described
    for content in (DATA[::-1], b"short"):
        server.put(FILE, content)
        async with aioartifact.open(url, info=info, session=session) as file:
            with pytest.raises(aioartifact.IntegrityError):
                await file.read(10)


async def test_file_that_is_replaced_while_it_is_read(server, session, described):
    url, info = described
    async with aioartifact.open(url, info=info, session=session) as file:
        assert await file.read(10) == DATA[:10]
        server.put(FILE, DATA[::-1])
        with pytest.raises(aioartifact.IntegrityError):
            await file.read()


@pytest.mark.parametrize(
    "fault", [Fault.ignore_range(), Fault.drop_checksums(), Fault.ignore_range() | Fault.drop_checksums()]
)
async def test_server_without_ranges_or_checksums(server, session, described, fault):
    """If parts cannot be requested, or not be identified, the whole file is received once and verified."""
    url, info = described
    server.fail("GET", FILE, times=None, fault=fault)
    async with aioartifact.open(url, info=info, session=session) as file:
        for start in (1_000_000, 0):
            await file.seek(start)
            assert await file.read(100) == DATA[start : start + 100]
    assert server.count("GET", FILE) == 2


async def test_info_without_checksums(server, session, described):
    """An info that does not identify the content is no reason to trust it: the present content is requested."""
    url, _ = described
    info = aioartifact.FileInfo(url, "generic-local", "a/data.bin", size=5)
    async with aioartifact.open(url, info=info, session=session) as file:
        assert file.size == len(DATA)


async def test_empty_file(server, session):
    server.put(FILE, b"")
    url = f"{server.url}/{FILE}"
    info = await aioartifact.info(url, session=session)
    async with aioartifact.open(url, info=info, session=session) as file:
        assert await file.read() == b""


@pytest.mark.parametrize("info", [{"size": 5}, "info", 5])
async def test_bad_info(server, session, info):
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected FileInfo"):
        async with aioartifact.open(f"{server.url}/{FILE}", info=info, session=session):
            pass
    assert server.requests == []
