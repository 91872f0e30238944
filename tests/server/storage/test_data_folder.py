"""Which folders a server accepts for its data, and that it leaves every other one as it is."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from aioartifact.testing import ArtifactoryServer, DataFolderError, ThreadedArtifactoryServer

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
MARKER = ".aioartifact-data.json"
SERVE = """
import sys
from aioartifact.testing import serve
serve(sys.argv[1], port=0, on_ready=lambda server: print(server.url, flush=True))
"""


def snapshot(folder: Path) -> dict[str, object]:
    """Everything in *folder*: the bytes of files, the targets of links, the names of folders."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = path.readlink()
        else:
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


async def fill(folder: Path) -> None:
    """Make a data folder with a file in it."""
    async with ArtifactoryServer(folder) as server:
        server.put("generic-local/a/b.bin", b"content")


async def assert_refused(folder, problem: str) -> None:
    with pytest.raises(DataFolderError, match=problem) as caught:
        async with ArtifactoryServer(folder):
            pass  # pragma: no cover
    assert caught.value.folder == Path(folder).absolute()


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("oci-layout", "index.json", f"blobs/sha256/{'a' * 64}"), id="OCI layout"),
        pytest.param((".bashrc", "Documents/thesis.tex"), id="home"),
        pytest.param(("blobs/aa/" + "a" * 64,), id="blobs"),
        pytest.param(("uploads/" + "0" * 32 + "-0",), id="uploads"),
        pytest.param(("metadata.sqlite", f"blobs/aa/{'a' * 64}"), id="a database without marker"),
        pytest.param((".gitkeep",), id="hidden file"),
    ],
)
async def test_foreign_folder_is_refused_and_left_alone(tmp_path, names):
    """What is not empty and has no marker keeps every byte, and gets none."""
    write(tmp_path, *names)
    before = snapshot(tmp_path)
    await assert_refused(tmp_path, "it is not empty, and not the data folder of a server")
    assert snapshot(tmp_path) == before


async def test_file_and_links_are_refused(tmp_path):
    """A link may point to anything; a file is no folder, nor is one in the way of a parent."""
    write(tmp_path, "file")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder", target_is_directory=True)
    (tmp_path / "dangling").symlink_to("missing", target_is_directory=True)
    before = snapshot(tmp_path)
    await assert_refused(tmp_path / "file", "it is not a folder")
    await assert_refused(tmp_path / "file" / "below", r"Not a directory|exists|No such")
    await assert_refused(tmp_path / "link", "it is a symbolic link")
    await assert_refused(tmp_path / "dangling", "it is a symbolic link")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("marker", "problem"),
    [
        pytest.param(b'{"purpose": "data of aioartifact.testing", "schema": 99}', "schema version 99", id="newer"),
        pytest.param(b'{"purpose": "data of aioartifact.testing", "schema": "1"}', "damaged", id="text"),
        pytest.param(b'{"purpose": "something else", "schema": 1}', "damaged", id="other purpose"),
        pytest.param(b"[]", "damaged", id="list"),
        pytest.param(b'{"purpose": "da', "damaged", id="cut"),
        pytest.param(b"\xff\xfe\x00", "damaged", id="binary"),
        pytest.param(b"", "although no server ever finished its start", id="empty"),
    ],
)
async def test_marker_that_does_not_fit_is_refused(tmp_path, marker, problem):
    """A newer schema, or a marker that says something else, keeps everything as it is."""
    await fill(tmp_path)
    (tmp_path / MARKER).write_bytes(marker)
    before = snapshot(tmp_path)
    await assert_refused(tmp_path, problem)
    assert snapshot(tmp_path) == before


def replace_by_link(path: Path, target: Path) -> None:
    target.mkdir()
    shutil.move(path, target)
    path.symlink_to(target / path.name)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        pytest.param(lambda data: (data / "metadata.sqlite").unlink(), "is missing", id="missing"),
        pytest.param(lambda data: (data / "metadata.sqlite").write_bytes(b""), "damaged", id="empty"),
        pytest.param(lambda data: (data / "metadata.sqlite").write_bytes(b"x" * 8192), "damaged", id="other bytes"),
        pytest.param(
            lambda data: (data / "metadata.sqlite").write_bytes((data / "metadata.sqlite").read_bytes()[:8192]),
            "damaged",
            id="cut",
        ),
        pytest.param(
            lambda data: replace_by_link(data / "metadata.sqlite", data.parent / "elsewhere"), "regular", id="link"
        ),
        pytest.param(
            lambda data: replace_by_link(data / "blobs", data.parent / "elsewhere"), "not a folder", id="blobs"
        ),
        pytest.param(lambda data: shutil.rmtree(data / "blobs"), "folder blobs is missing", id="no blobs"),
    ],
)
async def test_folder_that_is_not_whole_is_refused(tmp_path, damage, problem):
    """Without its database no blob is known to be unused, so none is deleted."""
    data = tmp_path / "data"
    await fill(data)
    damage(data)
    before = snapshot(tmp_path)
    await assert_refused(data, problem)
    assert snapshot(tmp_path) == before


async def test_database_of_another_program_is_refused(tmp_path):
    """Even where it is whole, and its tables have the same names."""
    await fill(tmp_path)
    (tmp_path / "metadata.sqlite").unlink()
    connection = sqlite3.connect(tmp_path / "metadata.sqlite")
    for table in ("items", "properties", "stats", "repositories"):
        connection.execute(f"CREATE TABLE {table} (id)")
    connection.close()
    before = snapshot(tmp_path)
    await assert_refused(tmp_path, "it is not a server's")
    assert snapshot(tmp_path) == before


async def test_own_files_in_the_folder_survive(tmp_path):
    """In a data folder, too, only files with names of the server's own are deleted."""
    await fill(tmp_path)
    unused, notes = f"blobs/aa/{'a' * 64}", ("notes.txt", "uploads/mine", "blobs/aa/mine", f"blobs/bb/{'a' * 64}")
    write(tmp_path, unused, f"uploads/{'0' * 32}-7", *notes)
    async with ArtifactoryServer(tmp_path) as server:
        assert server.read("generic-local/a/b.bin") == b"content"
    assert [name for name in notes if (tmp_path / name).read_bytes() != name.encode()] == []
    assert not (tmp_path / unused).exists()
    assert not (tmp_path / f"uploads/{'0' * 32}-7").exists()


async def test_start_that_was_interrupted_is_repeated(tmp_path):
    """A marker is empty until the first start is complete: nothing is lost by beginning again."""
    write(tmp_path, MARKER)
    (tmp_path / MARKER).write_bytes(b"")
    (tmp_path / "blobs").mkdir()
    await fill(tmp_path)
    async with ArtifactoryServer(tmp_path) as server:
        assert server.read("generic-local/a/b.bin") == b"content"


async def test_one_server_at_a_time(tmp_path, ask):
    """The second one is refused, and the first does not notice."""
    async with ArtifactoryServer(tmp_path) as server:
        server.put("generic-local/a.bin", b"content")
        await assert_refused(tmp_path, "another server uses it")
        with pytest.raises(DataFolderError, match="another server uses it"), ThreadedArtifactoryServer(tmp_path):
            pass  # pragma: no cover
        assert (await ask(server, "GET", "/generic-local/a.bin")).body == b"content"
    async with ArtifactoryServer(tmp_path) as server:
        assert server.read("generic-local/a.bin") == b"content"


def test_lock_ends_with_its_process(tmp_path):
    """Another process keeps the folder for as long as it lives; SIGKILL leaves nothing that blocks."""
    command = [sys.executable, "-c", SERVE, tmp_path / "data"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        try:
            assert child.stdout.readline().startswith("http://")
            with pytest.raises(DataFolderError, match="another server uses it"):
                ThreadedArtifactoryServer(tmp_path / "data").__enter__()
        finally:
            child.kill()
    with ThreadedArtifactoryServer(tmp_path / "data") as server:
        server.put("generic-local/a.bin", b"content")


async def test_home_folder(tmp_path, monkeypatch):
    """No folder with the name ``~`` is made."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    async with ArtifactoryServer("~/data"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert (tmp_path / "home/data/metadata.sqlite").exists()


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", ["data", "a/b/../data", "./what is 100% #1?"])
async def test_relative_path(tmp_path, monkeypatch, ask, kind, name):
    """It counts from the folder of the start, wherever the process goes later: queries open the database again."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a/b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        monkeypatch.chdir(tmp_path)
        async with ArtifactoryServer(kind(name)) as server:
            monkeypatch.chdir("elsewhere")
            server.put("generic-local/a/b.bin", b"content")
            aql = await ask(server, "POST", "/api/search/aql", body=b'items.find({"name": "b.bin"})')
            assert [row["path"] for row in aql.json()["results"]] == ["a"]
            listing = await ask(server, "GET", "/api/storage/generic-local/a?list")
            assert [row["uri"] for row in listing.json()["files"]] == ["/b.bin"]
            assert (await ask(server, "GET", "/generic-local/a/b.bin")).body == b"content"
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (tmp_path / name / "metadata.sqlite").is_file()


UNPRIVILEGED = """
import asyncio, os, sys
from aioartifact.testing import ArtifactoryServer, DataFolderError
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
async def main():
    for folder in sys.argv[1:]:
        try:
            async with ArtifactoryServer(folder):
                print("started")
        except DataFolderError as error:
            print(type(error.__cause__).__name__)
asyncio.run(main())
"""


def test_read_only_folder_is_refused(tmp_path):
    """A folder without the right to write, new, empty or with a marker, is the same typed error."""
    readable = Path("/") / "tmp" if os.geteuid() == 0 else tmp_path  # pytest's own is closed to other users
    folder = readable / f"aioartifact-read-only-{os.getpid()}"
    folder.mkdir()
    try:
        (folder / "empty").mkdir()
        (folder / "ours").mkdir()
        with ThreadedArtifactoryServer(folder / "ours") as server:
            server.put("generic-local/a.bin", b"content")
        before = snapshot(folder)
        for path in (folder, folder / "empty", *(folder / "ours").rglob("*"), folder / "ours"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        command = [sys.executable, "-c", UNPRIVILEGED, folder / "new", folder / "empty", folder / "ours"]
        output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        assert output.split() == ["PermissionError"] * 3
        assert snapshot(folder) == before
    finally:
        for path in (folder, folder / "empty", folder / "ours", *(folder / "ours").rglob("*")):
            path.chmod(0o755)
        shutil.rmtree(folder)


async def test_folder_from_before_builds(tmp_path, ask):
    """A database without the tables of builds gets them, and keeps what it has."""
    await fill(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "metadata.sqlite")) as connection:
        for table in (
            "artifacts",
            "dependencies",
            "module_properties",
            "modules",
            "build_promotions",
            "build_properties",
        ):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP TABLE builds")
    build = json.dumps({"name": "app", "number": "1", "started": "2024-06-01T12:00:00.000Z"}).encode()
    async with ArtifactoryServer(tmp_path) as server:
        assert server.read("generic-local/a/b.bin") == b"content"
        assert (await ask(server, "PUT", "/api/build", body=build)).status == 204
    async with ArtifactoryServer(tmp_path) as server:
        assert (await ask(server, "GET", "/api/build/app/1")).status == 200
