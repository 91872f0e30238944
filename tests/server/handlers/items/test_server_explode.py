"""Archives that are deployed as what is in them."""

import hashlib
import io
import tarfile
import zipfile

import pytest

from aioartifact.testing import ArtifactoryServer

FILES = {"a.txt": b"a", "d/b.txt": b"b" * 100_000, "d/e/c": b""}


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    return buffer.getvalue()


def tarred(files, mode="w"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def explode(ask, admin):
    async def explode(server, path, body, headers=None):
        headers = {"X-Explode-Archive": "true"} | (admin if headers is None else headers)
        return await ask(server, "PUT", path, headers=headers, body=body)

    return explode


@pytest.mark.parametrize("header", ["X-Explode-Archive", "X-Explode-Archive-Atomic"])
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("x.zip", zipped(FILES)),
        ("x.TAR", tarred(FILES)),
        ("x.tar.gz", tarred(FILES, "w:gz")),
        ("x.tgz", tarred(FILES, "w:gz")),
        ("x.tar.bz2", tarred(FILES, "w:bz2")),
    ],
)
async def test_exploding(server, ask, admin, header, name, body):
    """Every file is deployed below the folder, with the properties of the request, and the archive is not."""
    path = f"/generic-local/to/{name};k=v"
    answer = await ask(server, "PUT", path, headers=admin | {header: "true"}, body=body)
    assert (answer.status, answer.body) == (200, b"")
    assert {path: server.read(f"generic-local/to/{path}") for path in FILES} == FILES
    assert server.properties("generic-local/to/d/b.txt") == {"k": ["v"]}
    assert not server.exists(f"generic-local/to/{name}")


async def test_exploding_into_a_root_and_over_files(server, explode):
    """The root of a repository is a folder too, and files that are there are replaced."""
    server.put("generic-local/a.txt", b"old", properties={"old": "o"})
    assert (await explode(server, "/generic-local/x.zip", zipped(FILES))).status == 200
    assert (server.read("generic-local/a.txt"), server.properties("generic-local/a.txt")) == (b"a", {})


async def test_exploding_into_a_virtual_repository(server, explode):
    """The files go where its deploys go."""
    server.create_repository("all", kind="virtual", members=("generic-local",), deploy_to="generic-local")
    assert (await explode(server, "/all/x.zip", zipped(FILES))).status == 200
    assert server.exists("generic-local/a.txt")


async def test_original_checksums_of_entries(server, ask, explode):
    """The client said nothing of them, so they have none to serve."""
    await explode(server, "/generic-local/x.zip", zipped(FILES))
    assert (await ask(server, "GET", "/generic-local/a.txt.sha1")).status == 404


@pytest.mark.parametrize("header", [{}, {"X-Explode-Archive": "false"}, {"X-Explode-Archive": "yes"}])
async def test_archives_that_stay_whole(server, ask, admin, header):
    """Only ``true`` unpacks."""
    assert (await ask(server, "PUT", "/generic-local/x.zip", headers=admin | header, body=zipped(FILES))).status == 201
    assert server.exists("generic-local/x.zip")


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        pytest.param("x.zip", b"nothing", 400, "x.zip cannot be read: File is not a zip file", id="no zip"),
        pytest.param("x.zip", zipped({"../up": b"x"}), 400, "Cannot explode an entry whose path is '../up'", id="up"),
        pytest.param(
            "x.zip", zipped({"in/the": b"x"}), 409, "Cannot make a folder: generic-local:in is a file", id="file"
        ),
        pytest.param(
            "x.zip", zipped({"there": b"x"}), 409, "Cannot deploy a file: generic-local:there is a folder", id="folder"
        ),
        pytest.param(
            "x.rar",
            b"",
            400,
            "Cannot explode 'generic-local:x.rar': it is none of .zip, .tar, .tar.gz, .tgz, .tar.bz2",
            id="other archive",
        ),
        pytest.param(
            "folder/",
            b"",
            400,
            "Cannot explode 'generic-local:folder': it is none of .zip, .tar, .tar.gz, .tgz, .tar.bz2",
            id="no name",
        ),
    ],
)
async def test_archives_that_are_refused(server, explode, path, body, status, message):
    """Nothing of them is stored."""
    server.put("generic-local/in", b"x")
    server.make_folder("generic-local/there")
    body = body if not body.startswith(b"PK") else zipped({"0first": b"x"} | read(body))
    answer = await explode(server, f"/generic-local/{path}", body)
    assert (answer.status, answer.message) == (status, message)
    assert not server.exists("generic-local/0first")


def read(body):
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        return {name: file.read(name) for name in file.namelist()}


async def test_checksum_of_an_exploded_archive(server, explode, admin):
    """It is verified as that of any deploy."""
    body = zipped(FILES)
    right = admin | {"X-Checksum-Sha1": hashlib.sha1(body).hexdigest()}
    assert (await explode(server, "/generic-local/x.zip", body, admin | {"X-Checksum-Sha1": "0" * 40})).status == 409
    assert not server.exists("generic-local/a.txt")
    assert (await explode(server, "/generic-local/x.zip", body, right)).status == 200


@pytest.mark.parametrize(
    ("actions", "pattern", "message"),
    [
        ("r", "**", "The user: 'u' is not permitted to deploy 'x.zip' into 'generic-local:x.zip'."),
        ("w", "*", "The user: 'u' is not permitted to deploy 'd/b.txt' into 'generic-local:d/b.txt'."),
        (
            "w",
            "**",
            "Not enough permissions to delete/overwrite artifact 'generic-local:d/b.txt' (user: 'u' needs DELETE"
            " permission).",
        ),
        ("wd", "**", None),
    ],
)
async def test_rights_to_explode(server, explode, basic, actions, pattern, message):
    """Every entry needs the rights a deploy of it would need; without one of them nothing is stored."""
    server.put("generic-local/d/b.txt", b"old")
    server.add_user("u", password="pw")
    server.grant("u", "generic-local", actions, pattern)
    answer = await explode(server, "/generic-local/x.zip", zipped(FILES), basic("u", "pw"))
    if message:
        assert (answer.status, answer.message) == (403, message)
    assert server.exists("generic-local/a.txt") is (message is None)


async def test_rules_of_the_repository(server, explode):
    """An entry the repository would not take is refused with its text."""
    server.create_repository("picky", excludes="**/*.txt")
    answer = await explode(server, "/picky/x.zip", zipped(FILES))
    assert (answer.status, answer.message) == (
        409,
        "The repository 'picky' rejected the artifact 'picky:a.txt' due to its include/exclude pattern settings.",
    )


async def test_exploding_in_the_open_source_edition(explode):
    """It refuses with a shorter text than elsewhere."""
    async with ArtifactoryServer(edition="oss") as server:
        answer = await explode(server, "/generic-local/x.zip", zipped(FILES))
    assert (answer.status, answer.message) == (400, "This REST API is available only in Artifactory Pro.")
