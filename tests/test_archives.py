"""list_archive() and read_archive_member(): the content of archives of any origin, read by few of their bytes."""

import asyncio
import gzip
import hashlib
import io
import os
import random
import stat
import tarfile
import tracemalloc
import zipfile

import anyio
import pytest

import aioartifact
from aioartifact import ArchiveMember
from aioartifact._archives import list_members, read_member
from aioartifact._transfer.receive.blocking_file import run_on_file
from aioartifact.testing import ArtifactoryServer, Fault

BIG = random.Random(3).randbytes(600_000)
CONTENT = {"a.txt": "Grüße".encode(), "dir/big.bin": BIG, "dir/b c#.txt": b"b", "empty": b""}
LISTED = [ArchiveMember(name, len(data), "file") for name, data in CONTENT.items()]


def zipped(content=CONTENT, compression=zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(content=CONTENT, mode="w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


@pytest.fixture
async def oss():
    """A session with a server of the open source edition, which looks into no archive."""
    async with ArtifactoryServer(edition="oss") as server:
        auth, retry = (server.username, server.password), aioartifact.RetryPolicy(attempts=3, backoff_initial=0)
        async with aioartifact.session(server.url, auth=auth, retry=retry) as session:
            yield server, session


KINDS = pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("x.zip", zipped(), id="zip"),
        pytest.param("x.jar", zipped(compression=zipfile.ZIP_STORED), id="stored"),
        pytest.param("x.zip", zipped(compression=zipfile.ZIP_LZMA), id="zip-lzma"),
        pytest.param("x.zip", zipped(compression=zipfile.ZIP_BZIP2), id="zip-bzip2"),
        pytest.param("x.bin", zipped(), id="zip-by-content"),
        pytest.param("x.tar", tarred(), id="tar"),
        pytest.param("x.tar.gz", tarred(mode="w:gz"), id="tar-gz"),
        pytest.param("x.tar.xz", tarred(mode="w:xz"), id="tar-xz"),
        pytest.param("x.bin", tarred(mode="w:bz2"), id="tar-bz2-by-content"),
    ],
)


@KINDS
async def test_list_of_any_kind(server, session, name, data):
    """Names, sizes and kinds; the type is detected by the content."""
    server.put(f"generic-local/{name}", data)
    assert await aioartifact.list_archive(f"{server.url}/generic-local/{name}", session=session) == LISTED


@KINDS
async def test_member_of_any_kind(server, session, oss, name, data):
    """Every member is read as it was stored, by the server or the library."""
    for each, by in ((server, session), oss):
        each.put(f"generic-local/{name}", data)
        for member, content in CONTENT.items():
            url = f"{each.url}/generic-local/{name}"
            assert await aioartifact.read_archive_member(url, member, session=by) == content


async def test_requests_for_a_zip(server, session):
    """A small one comes whole with the first request; of a large one, the end is the second."""
    url = f"{server.url}/generic-local/x.zip"
    server.put("generic-local/x.zip", zipped({"a": b"a"}))
    await aioartifact.list_archive(url, session=session)
    server.assert_requests(["GET generic-local/x.zip"])
    server.put("generic-local/x.zip", zipped())
    server.clear_log()
    await aioartifact.list_archive(url, session=session)
    assert len(server.requests) == 2


async def test_requests_for_a_member(server, session, oss):
    """One where the server looks into archives; else one refusal for the session, and a few parts of the archive."""
    server.put("generic-local/x.zip", zipped())
    await aioartifact.read_archive_member(f"{server.url}/generic-local/x.zip", "dir/b c#.txt", session=session)
    server.assert_requests(["GET generic-local/x.zip!/dir/b c#.txt"])
    other, by = oss
    other.put("generic-local/x.zip", zipped())
    await aioartifact.read_archive_member(f"{other.url}/generic-local/x.zip", "a.txt", session=by)
    assert [each.status for each in other.requests] == [403, 206, 206]
    await aioartifact.read_archive_member(f"{other.url}/generic-local/x.zip", "a.txt", session=by)
    assert [each.status for each in other.requests[3:]] == [206, 206], "it was asked again"


async def test_heads_of_a_tar_only(server, session):
    """What lies between the heads of an uncompressed tar file is not read."""
    data = tarred({f"{number}": bytes(1_000_000) for number in range(8)})
    server.put("generic-local/x.tar", data)
    await aioartifact.list_archive(f"{server.url}/generic-local/x.tar", session=session)
    assert sum(request.bytes_sent for request in server.requests) < len(data) / 2


async def test_member_that_is_forbidden(server):
    """Who may not read the archive may not read a member, and the session does not learn from that."""
    server.put("generic-local/x.zip", zipped())
    server.put("generic-local/open/x.zip", zipped())
    server.add_user("reader", password="secret")
    server.grant("reader", "generic-local", "r", "open/**")
    async with aioartifact.session(server.url, auth=("reader", "secret")) as session:
        with pytest.raises(aioartifact.ForbiddenError):
            await aioartifact.read_archive_member(f"{server.url}/generic-local/x.zip", "a.txt", session=session)
        server.clear_log()
        await aioartifact.read_archive_member(f"{server.url}/generic-local/open/x.zip", "a.txt", session=session)
    server.assert_requests(["GET generic-local/open/x.zip!/a.txt"])


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault.status(200, b"other", headers={"X-Checksum-Sha1": "0" * 40}), id="checksum"),
        pytest.param(Fault.status(200, b"other", headers={"Content-Encoding": "gzip"}), id="coding"),
        pytest.param(Fault.status(200, b"<html>Sign in", headers={"Content-Type": "text/html"}), id="page"),
    ],
)
async def test_member_that_cannot_be_verified(server, session, fault):
    """It is read out of the archive itself, whose directory has its checksum."""
    server.put("generic-local/x.zip", zipped())
    server.fail("GET", "generic-local/x.zip!/*", fault=fault)
    content = await aioartifact.read_archive_member(f"{server.url}/generic-local/x.zip", "a.txt", session=session)
    assert content == CONTENT["a.txt"]
    assert len(server.requests) > 1


async def test_member_that_is_verified(server, session):
    """A checksum in the response is compared."""
    server.put("generic-local/x.zip", zipped())
    headers = {"X-Checksum-Sha1": hashlib.sha1(b"served").hexdigest()}
    server.fail("GET", "generic-local/x.zip!/*", fault=Fault.status(200, b"served", headers=headers))
    url = f"{server.url}/generic-local/x.zip"
    assert await aioartifact.read_archive_member(url, "a.txt", session=session) == b"served"
    assert len(server.requests) == 1


async def test_checksum_of_a_member_is_no_member(server, session):
    """A server sends the checksum of "a" for "a.sha1"; a member of that name is another thing."""
    server.put("generic-local/x.zip", zipped({"a": b"a", "a.sha1": b"mine"}))
    url = f"{server.url}/generic-local/x.zip"
    assert await aioartifact.read_archive_member(url, "a.sha1", session=session) == b"mine"
    with pytest.raises(aioartifact.NotFoundError, match=r"no member 'a\.md5'"):
        await aioartifact.read_archive_member(url, "a.md5", session=session)


async def test_last_member_of_a_name(oss):
    """The one that unpacking would leave."""
    server, session = oss
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"second")
    server.put("generic-local/x.zip", file.getvalue())
    assert await aioartifact.read_archive_member(f"{server.url}/generic-local/x.zip", "a", session=session) == b"second"


def hostile_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("../out", b"x")
        archive.writestr("/abs/olute", b"x")
        archive.writestr("dir/", b"")
        pipe = zipfile.ZipInfo("pipe")
        pipe.external_attr = (stat.S_IFIFO | 0o777) << 16
        archive.writestr(pipe, b"")
    return file.getvalue()


def hostile_tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind, target in (
            ("link", tarfile.SYMTYPE, "/etc/passwd"),
            ("hard", tarfile.LNKTYPE, "link"),
            ("../out", tarfile.REGTYPE, ""),
            ("/abs/olute", tarfile.REGTYPE, ""),
            ("dir", tarfile.DIRTYPE, ""),
            ("pipe", tarfile.FIFOTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return file.getvalue()


@pytest.mark.parametrize("data", [hostile_zip(), hostile_tar()], ids=["zip", "tar"])
async def test_hostile_members_are_only_named(oss, data):
    """Links, pipes and names that lead elsewhere are reported as such; nothing follows them."""
    server, session = oss
    server.put("generic-local/x", data)
    url = f"{server.url}/generic-local/x"
    found = {each.name: each.kind for each in await aioartifact.list_archive(url, session=session)}
    expected = {"link": "link", "../out": "file", "abs/olute": "file", "dir": "folder", "pipe": "other"}
    assert {name: found[name] for name in expected} == expected
    for name in ("link", "dir", "pipe"):
        with pytest.raises(aioartifact.ArchiveError, match="expected a file"):
            await aioartifact.read_archive_member(url, name, session=session)


def zip_that_lies(claimed: int, size: int = 1_000_000, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file whose member holds *size* bytes, and declares another number in both of its places."""
    data = bytearray(zipped({"a": bytes(size)}, compression))
    real = size.to_bytes(4, "little")
    assert data.count(real) == 2
    return bytes(data.replace(real, claimed.to_bytes(4, "little")))


def encrypted_zip() -> bytes:
    data = bytearray(zipped({"a": b"a"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(zipped()[:-10], id="zip-without-end"),
        pytest.param(zipped()[200:], id="not-from-the-start"),
        pytest.param(b"PK nothing of the kind", id="only-the-mark"),
        pytest.param(b"", id="empty"),
        pytest.param(b"plain text", id="text"),
        pytest.param(bytes(10), id="few-zeros"),
        pytest.param(tarred(mode="w:gz")[:1000], id="tar-gz-cut"),
        pytest.param(gzip.compress(b"no tar", mtime=0), id="gzip-of-something"),
    ],
)
async def test_what_is_no_archive(oss, data):
    """Each is one error of ours that names the file, on one line."""
    server, session = oss
    server.put("generic-local/x.zip", data)
    url = f"{server.url}/generic-local/x.zip"
    with pytest.raises(aioartifact.ArchiveError, match=r"x\.zip: cannot be read") as caught:
        await aioartifact.list_archive(url, session=session)
    assert "\n" not in str(caught.value)
    with pytest.raises(aioartifact.ArchiveError):
        await aioartifact.read_archive_member(url, "a", session=session)


@pytest.mark.parametrize("cut", [0, 100], ids=["damaged", "cut"])
async def test_head_that_is_damaged(oss, cut):
    """What stands before a damaged head is not all there is: no list is better than half of one."""
    server, session = oss
    data = bytearray(tarred({"a": b"1", "b": b"2", "c": b"3"}))
    head = data.index(b"./b\0")
    data[head] ^= 1
    server.put("generic-local/x.tar", bytes(data[: head + cut] if cut else data))
    with pytest.raises(aioartifact.ArchiveError, match=r"x\.tar: cannot be read"):
        await aioartifact.list_archive(f"{server.url}/generic-local/x.tar", session=session)
    with pytest.raises(aioartifact.ArchiveError):
        await aioartifact.read_archive_member(f"{server.url}/generic-local/x.tar", "c", session=session)


EXTENSIONS = {
    "pax": tarfile.XHDTYPE,
    "pax-global": tarfile.XGLTYPE,
    "solaris": tarfile.SOLARIS_XHDTYPE,
    "long-name": tarfile.GNUTYPE_LONGNAME,
    "long-link": tarfile.GNUTYPE_LONGLINK,
}


def head_of(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.slow
@pytest.mark.parametrize("kind", EXTENSIONS)
def test_head_that_would_fill_the_memory(kind):
    """A few bytes of gzip may declare a name of any length; it is refused before it is read."""
    size = 50_000_000
    content = head_of(EXTENSIONS[kind], size) + bytes(size) + head_of(tarfile.REGTYPE, 0) + bytes(1024)
    bomb = gzip.compress(content, mtime=0)  # in some seconds, the head of gzip has the checksum of a tar file's head
    assert len(bomb) < size / 500
    tracemalloc.start()
    try:
        with pytest.raises(aioartifact.ArchiveError, match="a head of 50000000 bytes"):
            list_members(io.BytesIO(bomb), "x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 10


@pytest.mark.slow
def test_heads_that_would_fill_the_memory_together():
    """What a member brought along is gone when the next one is read."""
    comment = b"1000012 comment=" + bytes(999_995) + b"\n"
    one = head_of(tarfile.XHDTYPE, len(comment)) + comment.ljust(1_000_448, b"\0") + head_of(tarfile.REGTYPE, 0)
    bomb = gzip.compress(one * 50 + bytes(1024))
    tracemalloc.start()
    try:
        assert len(list_members(io.BytesIO(bomb), "x")) == 50
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.slow
@pytest.mark.parametrize("claimed", [10, 100_000])
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_member_that_would_fill_the_memory(method, claimed):
    """What unpacks to more than it declares is not unpacked to see how much that is."""
    bomb = zip_that_lies(claimed, 20_000_123, method)
    tracemalloc.start()
    try:
        with pytest.raises(aioartifact.ArchiveError, match=r"more bytes than it declares|CRC"):
            read_member(io.BytesIO(bomb), "x", "a", 1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(zip_that_lies(10), id="more-than-declared"),
        pytest.param(zip_that_lies(2_000_000), id="less-than-declared"),
        pytest.param(encrypted_zip(), id="encrypted"),
    ],
)
async def test_members_that_lie(oss, data):
    """What does not fit its declaration is refused, and never handed out in part."""
    server, session = oss
    server.put("generic-local/x.zip", data)
    with pytest.raises(aioartifact.ArchiveError):
        await aioartifact.read_archive_member(f"{server.url}/generic-local/x.zip", "a", session=session)


@pytest.mark.parametrize(
    ("name", "data"),
    [("x.zip", zipped({"a": bytes(10_000_000)})), ("x.tar.gz", tarred({"a": bytes(10_000_000)}, mode="w:gz"))],
)
async def test_member_that_is_too_large(server, session, oss, name, data):
    """The declared size is checked before anything is unpacked, by the server or the library."""
    for each, by in ((server, session), oss):
        each.put(f"generic-local/{name}", data)
        with pytest.raises(aioartifact.ArchiveError, match="raise max_size"):
            await aioartifact.read_archive_member(
                f"{each.url}/generic-local/{name}", "a", max_size=1_000_000, session=by
            )


async def test_connection_that_breaks_under_a_reader(oss):
    """Zipfile would report a damaged archive; it is repaired, and reported as what it is if that fails."""
    server, session = oss
    server.put("generic-local/x.zip", zipped())
    url = f"{server.url}/generic-local/x.zip"
    server.fail("GET", fault=Fault.reset(after=1000))
    assert await aioartifact.list_archive(url, session=session) == LISTED
    for name in ("x.zip", "x.tar.gz"):
        server.put(f"generic-local/{name}", zipped() if name == "x.zip" else tarred(mode="w:gz"))
        server.clear_faults()
        server.fail("GET", times=1, fault=Fault.slow())
        server.fail("GET", times=None, fault=Fault.reset())
        with pytest.raises(aioartifact.ConnectionLostError):
            await aioartifact.list_archive(f"{server.url}/generic-local/{name}", session=session)


async def test_reader_that_is_cancelled(oss):
    """The thread that waits for bytes is let go, and nothing is left behind."""
    server, session = oss
    server.put("generic-local/x.zip", zipped())
    server.fail("GET", times=1, fault=Fault.slow())
    held = server.fail("GET", times=1, fault=Fault.hold())
    reading = asyncio.ensure_future(aioartifact.list_archive(f"{server.url}/generic-local/x.zip", session=session))
    await held.reached()
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    assert [task for task in asyncio.all_tasks() if "aioartifact/_" in str(task)] == []
    held.release()


async def test_reader_that_takes_long_to_be_cancelled():
    """The call ends when nothing of it reads any more, also where the end of a read takes long."""
    reading, ended = anyio.Event(), []

    class Slow:
        size = 10

        async def seek(self, position):
            pass

        async def read(self, size):
            reading.set()
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await asyncio.wait([listing], timeout=0.2)
                ended.append(listing.done())

    listing = asyncio.ensure_future(run_on_file(Slow(), lambda file: file.read(2)))
    await reading.wait()
    listing.cancel()
    await asyncio.wait([listing])
    assert listing.cancelled()
    assert ended == [False]


async def test_thread_that_reads_on_after_its_call_was_cancelled():
    """Libraries ignore some errors: each further read fails, too, instead of waiting for a call that has ended."""
    reading, failures = anyio.Event(), []

    class Silent:
        size = 10

        async def seek(self, position):
            pass

        async def read(self, size):
            reading.set()
            await anyio.sleep_forever()

    def work(file):
        for _ in range(3):
            try:
                file.read(2)
            except BaseException as error:  # noqa: BLE001  # as broad as in such a library
                failures.append(type(error).__name__)

    listing = asyncio.ensure_future(run_on_file(Silent(), work))
    await reading.wait()
    listing.cancel()
    _, waiting = await asyncio.wait([listing], timeout=60)
    assert not waiting
    assert failures == ["CancelledError", "ValueError", "ValueError"]


async def test_archive_that_is_replaced_while_it_is_read(oss):
    """Heads of one archive and bytes of another are never put together."""
    server, session = oss
    server.put("generic-local/x.zip", zipped())
    server.fail("GET", times=1, fault=Fault.slow())
    server.fail("GET", times=None, fault=Fault.overwrite(zipped({"other": os.urandom(400_000)})))
    with pytest.raises(aioartifact.IntegrityError, match="changed"):
        await aioartifact.list_archive(f"{server.url}/generic-local/x.zip", session=session)


async def test_what_is_no_file(server, session):
    """Folders and missing files."""
    server.put("generic-local/a/x.zip", zipped())
    for ask in (
        lambda url: aioartifact.list_archive(url, session=session),
        lambda url: aioartifact.read_archive_member(url, "a", session=session),
    ):
        with pytest.raises(IsADirectoryError):
            await ask(f"{server.url}/generic-local/a")
        with pytest.raises(FileNotFoundError):
            await ask(f"{server.url}/generic-local/none.zip")


@pytest.mark.parametrize(
    ("member", "options"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param(None, {}, id="none"),
        pytest.param("a", {"max_size": 0}, id="nothing-allowed"),
        pytest.param("a", {"max_size": "1"}, id="text-for-a-size"),
    ],
)
async def test_senseless_calls(server, session, member, options):
    """Refused before any request."""
    with pytest.raises(aioartifact.InvalidArgumentError):
        await aioartifact.read_archive_member(f"{server.url}/generic-local/x.zip", member, **options, session=session)
    server.assert_requests([])
