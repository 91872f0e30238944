"""download_folder(archive=True): one request for many files, and nothing of the archive is believed."""

import asyncio
import io
import os
import random
import stat
import zipfile

import pytest

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault

pytestmark = pytest.mark.slow

TREE = {f"d{number % 3}/f {number}.txt": f"content {number}".encode() for number in range(12)}
TREE |= {"empty": b"", "big.bin": random.Random(5).randbytes(3_000_000)}


@pytest.fixture
def url(server):
    for path, data in TREE.items():
        server.put(f"generic-local/t/{path}", data)
    server.enable_folder_download()
    return f"{server.url}/generic-local/t"


def local(folder):
    """Every file below *folder*, by its path there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def zipped(content) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content:
            archive.writestr(name, data)
    return file.getvalue()


def answer(server, content):
    server.fail("GET", "api/archive/**", fault=Fault.status(200, zipped(content)))


async def test_archive_costs_two_requests(server, session, url, tmp_path):
    """A listing and an archive, whatever the number of files; every file is reported as fetched."""
    progress = aioartifact.Progress()
    report = await aioartifact.download_folder(url, tmp_path, archive=True, session=session, progress=progress)
    assert local(tmp_path) == TREE
    assert len(report.downloaded) == len(report) == len(TREE)
    assert {outcome.path for outcome in report} == {str(tmp_path / path) for path in TREE}
    server.assert_requests(["GET api/storage/generic-local/t", "GET api/archive/download/generic-local/t"])
    seen = progress.snapshot()
    assert (seen.files_done, seen.bytes_done) == (len(TREE), sum(map(len, TREE.values())))


async def test_archive_of_a_folder_that_is_here(server, session, url, tmp_path):
    """Where most files are here already, the rest costs less than an archive."""
    await aioartifact.download_folder(url, tmp_path, archive=True, session=session)
    (tmp_path / "empty").unlink()
    server.clear_log()
    report = await aioartifact.download_folder(url, tmp_path, archive=True, session=session)
    assert (len(report.downloaded), len(report.unchanged)) == (1, len(TREE) - 1)
    server.assert_requests(["GET api/storage/generic-local/t", "GET generic-local/t/empty"])


@pytest.mark.parametrize(
    ("overwrite", "kept"), [("changed", b"content 0"), ("always", b"content 0"), ("never", b"mine and longer")]
)
async def test_archive_over_files_that_exist(session, url, tmp_path, overwrite, kept):
    """What is here is treated as without an archive."""
    (tmp_path / "d0").mkdir()
    (tmp_path / "d0/f 0.txt").write_bytes(b"mine and longer")
    await aioartifact.download_folder(url, tmp_path, archive=True, overwrite=overwrite, session=session)
    assert local(tmp_path) == TREE | {"d0/f 0.txt": kept}


async def test_durable_archive(session, url, tmp_path):
    """The files are synced like others."""
    report = await aioartifact.download_folder(url, tmp_path, archive=True, durable=True, session=session)
    assert len(report.downloaded) == len(TREE)
    assert local(tmp_path) == TREE


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault.status(403), id="disabled"),
        pytest.param(Fault.status(404), id="no-local-repository"),
        pytest.param(Fault.status(400, message="This REST API is available only in Artifactory Pro"), id="no-licence"),
        pytest.param(Fault.reset(after=1_000_000), id="reset"),
        pytest.param(Fault.cut(after=1_000_000), id="cut-short"),
        pytest.param(Fault.status(200, b"no archive"), id="something-else"),
        pytest.param(Fault.status(200, b""), id="empty"),
        pytest.param(Fault.status(200, b"", headers={"Content-Encoding": "gzip"}), id="empty-with-a-coding"),
        pytest.param(Fault.status(200, bytes(20_000_000)), id="far-too-long"),
    ],
)
async def test_archive_that_does_not_come(server, session, url, tmp_path, fault):
    """Everything comes file by file, as without an archive."""
    server.fail("GET", "api/archive/**", times=None, fault=fault)
    report = await aioartifact.download_folder(url, tmp_path, archive=True, session=session)
    assert local(tmp_path) == TREE
    assert len(report.downloaded) == len(TREE)


async def test_damaged_member(server, session, url, tmp_path):
    """A member whose bytes are others is fetched by itself; those before it stay."""
    content = [(path, data if path != "big.bin" else data[::-1]) for path, data in TREE.items()]
    answer(server, content)
    await aioartifact.download_folder(url, tmp_path, archive=True, session=session)
    assert local(tmp_path) == TREE
    assert server.count("GET", "generic-local/**") == 1


async def test_archive_with_a_flipped_byte(server, session, url, tmp_path):
    """What was unpacked before stays, the rest is fetched by itself."""
    data = bytearray(zipped([*list(TREE.items())[:5], ("big.bin", TREE["big.bin"])]))
    data[2_000_000] ^= 0xFF
    server.fail("GET", "api/archive/**", fault=Fault.status(200, bytes(data)))
    await aioartifact.download_folder(url, tmp_path, archive=True, session=session)
    assert local(tmp_path) == TREE
    assert server.count("GET", "generic-local/**") == len(TREE) - 5


def link(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


async def test_hostile_archive(server, session, url, tmp_path):
    """Nothing but what was listed is written, whatever else the archive holds."""
    answer(
        server,
        [
            ("../outside", b"x"),
            ("/outside", b"x"),
            ("d0/../../outside", b"x"),
            ("extra", b"x"),
            link("empty", "/etc/passwd"),
            link("d1", "/tmp"),
            ("d0/f 0.txt", bytes(1000)),
            ("big.bin", TREE["big.bin"]),
        ],
    )
    destination = tmp_path / "in/side"
    await aioartifact.download_folder(url, destination, archive=True, session=session)
    assert local(tmp_path) == {f"in/side/{path}": data for path, data in TREE.items()}
    assert not (destination / "empty").is_symlink()
    assert server.count("GET", "generic-local/**") == len(TREE) - 1


async def test_symbolic_link_in_the_way(session, url, tmp_path):
    """A link that leads out of the destination fails the files below it, and nothing is written there."""
    (tmp_path / "out").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/d0").symlink_to(tmp_path / "out")
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_folder(url, tmp_path / "in", archive=True, session=session)
    assert all(isinstance(error, aioartifact.UnsafePathError) for error in caught.value.exceptions)
    assert os.listdir(tmp_path / "out") == []
    assert len(caught.value.report.downloaded) == sum(not path.startswith("d0/") for path in TREE)


async def test_archive_that_is_cancelled(server, session, url, tmp_path):
    """Nothing is left, of the archive or of a file."""
    held = server.fail("GET", "api/archive/**", fault=Fault.stall(after=1_000_000))
    fetching = asyncio.create_task(aioartifact.download_folder(url, tmp_path, archive=True, session=session))
    await held.reached()
    fetching.cancel()
    await asyncio.wait([fetching])
    assert fetching.cancelled()
    assert local(tmp_path) == {}
    held.release()


async def test_archive_in_the_open_source_edition(tmp_path):
    """Its refusal costs one request."""
    async with ArtifactoryServer(edition="oss") as server:
        for path, data in TREE.items():
            server.put(f"generic-local/t/{path}", data)
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            await aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path, archive=True, session=session)
        assert local(tmp_path) == TREE
        assert server.count("GET", "api/archive/**") == 1
