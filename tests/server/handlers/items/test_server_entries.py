"""Files out of archives."""

import hashlib
import io
import tarfile
import zipfile

import pytest

from aioartifact.testing import ArtifactoryServer

LARGE = bytes(range(256)) * 10_000


def zipped(compression=zipfile.ZIP_DEFLATED, **files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, data in files.items():
            file.writestr(name.replace("__", "/"), data)
    return buffer.getvalue()


def tarred(mode, **files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


FILES = {"META-INF__MANIFEST.MF": b"Manifest-Version: 1.0\n", "large.txt": LARGE}


@pytest.fixture
def raw(talk, admin):
    """Return the bytes of an answer."""

    async def raw(server, method, path):
        head = f"{method} /artifactory{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        return await talk(server.origin, f"{head}Authorization: {admin['Authorization']}\r\n\r\n".encode())

    return raw


@pytest.fixture
def stored(server):
    for name, data in {
        "a.jar": zipped(**FILES),
        "a.zip": zipped(**FILES),
        "a.tar": tarred("w", **FILES),
        "a.tar.gz": tarred("w:gz", **FILES),
        "broken.jar": b"no archive",
        "a.txt": b"text",
    }.items():
        server.put(f"generic-local/lib/{name}", data)
    return server


@pytest.mark.parametrize("archive", ["a.jar", "a.zip", "a.tar", "a.tar.gz"])
@pytest.mark.parametrize("mark", ["!", "%21"])
async def test_entry(stored, ask, archive, mark):
    """Bytes and type are the entry's, the names its path; large entries are streamed."""
    small = await ask(stored, "GET", f"/generic-local/lib/{archive}{mark}/META-INF/MANIFEST.MF")
    assert (small.status, small.body) == (200, b"Manifest-Version: 1.0\n")
    assert small.headers["x-artifactory-filename"] == "META-INF/MANIFEST.MF"
    assert small.headers["content-disposition"] == (
        "attachment; filename=\"META-INF/MANIFEST.MF\"; filename*=UTF-8''META-INF/MANIFEST.MF"
    )
    assert "etag" not in small.headers
    large = await ask(stored, "GET", f"/generic-local/lib/{archive}{mark}/large.txt")
    assert (large.status, large.body, large.headers["content-type"]) == (200, LARGE, "text/plain")


@pytest.mark.parametrize(("entry", "length"), [("META-INF/MANIFEST.MF", 22), ("large.txt", len(LARGE))])
async def test_head_of_an_entry(stored, ask, entry, length):
    """HEAD states the length, also where GET sends chunks."""
    answer = await ask(stored, "HEAD", f"/generic-local/lib/a.jar!/{entry}")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, str(length), b"")
    assert answer.headers["x-artifactory-filename"] == entry


@pytest.mark.parametrize("algorithm", ["sha1", "md5", "sha256"])
async def test_checksum_of_an_entry(stored, ask, algorithm):
    """The digest of the entry's bytes."""
    answer = await ask(stored, "GET", f"/generic-local/lib/a.tar!/large.txt.{algorithm}")
    assert answer.body.decode() == hashlib.new(algorithm, LARGE).hexdigest()
    assert answer.headers["content-type"] == "application/x-checksum"


@pytest.mark.parametrize(
    "path",
    [
        "a.jar!/missing",
        "a.jar!/missing.sha1",
        "a.jar!/META-INF",
        "a.jar!/",
        "a.jar!/large.txt!/x",
        "missing.jar!/large.txt",
        "a.txt!/large.txt",
    ],
)
async def test_missing_entries(stored, ask, path):
    """No such entry, a folder, an archive in an archive, no such archive, and no archive at all."""
    answer = await ask(stored, "GET", f"/generic-local/lib/{path}")
    assert (answer.status, answer.message) == (404, "File not found.")


async def test_entry_of_a_broken_archive(stored, ask):
    """It is reported, and not as an error of the server."""
    answer = await ask(stored, "GET", "/generic-local/lib/broken.jar!/a")
    assert answer.status == 404
    assert answer.message.startswith("broken.jar cannot be read: ")


async def test_entry_that_is_damaged(server, raw):
    """What shows only at the end of the entry cuts the answer."""
    damaged = bytearray(zipped(zipfile.ZIP_STORED, **FILES))
    damaged[len(damaged) // 2] ^= 0xFF
    server.put("generic-local/a.jar", bytes(damaged))
    answer = await raw(server, "GET", "/generic-local/a.jar!/large.txt")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not answer.endswith(b"\r\n0\r\n\r\n")


async def test_entries_need_the_right_to_read(stored, ask, basic):
    """That of the archive."""
    stored.add_user("u", password="pw")
    answer = await ask(stored, "GET", "/generic-local/lib/a.jar!/large.txt", headers=basic("u", "pw"))
    assert (answer.status, answer.message) == (
        403,
        "Download request for repo:path 'generic-local:lib/a.jar' is forbidden for user: 'u'.",
    )


async def test_entries_of_the_open_source_edition(ask):
    """It refuses with a text of its own."""
    async with ArtifactoryServer(edition="oss") as server:
        answer = await ask(server, "GET", "/generic-local/a.jar!/large.txt")
    assert (answer.status, answer.message) == (
        403,
        "Direct resource download from zip requires the Filtered resources add-on.",
    )


async def test_entries_of_other_kinds_of_repositories(stored, ask):
    """An archive is found as any file: among the members of a virtual repository, and afar."""
    async with ArtifactoryServer(anonymous=True) as afar:
        afar.grant("anonymous", "**")
        afar.put("generic-local/b.zip", zipped(**FILES))
        stored.create_repository("mirror", kind="remote", url=f"{afar.url}/generic-local")
        stored.create_repository("all", kind="virtual", members=("generic-local", "mirror"))
        for path in ("all/lib/a.jar", "all/b.zip", "mirror-cache/b.zip", "mirror/b.zip"):
            assert (await ask(stored, "GET", f"/{path}!/META-INF/MANIFEST.MF")).status == 200
    missing = await ask(stored, "GET", "/all/missing.jar!/x")
    assert (missing.status, missing.message) == (404, "Could not find resource")


async def test_exclamation_marks_in_names(server, ask):
    """Only one before a slash leads into an archive."""
    server.put("generic-local/!bang/a!b", b"x")
    assert (await ask(server, "GET", "/generic-local/!bang/a!b")).body == b"x"
