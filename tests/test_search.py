"""search(): by one thing that is known."""

from datetime import UTC, datetime, timedelta

import pytest

import aioartifact
from aioartifact import FileInfo, FolderInfo
from aioartifact.testing import ArtifactoryServer, Fault

DAY = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.fixture
def items(server):
    """Files with hostile names, coordinates, properties and dates, and a folder with a property."""
    server.create_repository("maven", package_type="maven", layout="maven-2-default")
    for version in ("1.0", "1.1"):
        server.put(f"maven/org/acme/tool/{version}/tool-{version}.jar", version.encode())
    for n, name in enumerate(["a b#.bin", "100%;.bin", "ü[1].bin"]):
        moment = DAY + timedelta(days=n)
        server.put(f"generic-local/t/{name}", bytes(n), properties={"n": str(n)}, created=moment, modified=moment)
    server.make_folder("generic-local/marked", properties={"n": "folder"})


async def found(server, session, **asked):
    return [f"{each.repository}/{each.path}" async for each in aioartifact.search(server.url, session=session, **asked)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({"name": "*.bin"}, ["a b#.bin", "100%;.bin", "ü[1].bin"], id="name"),
        pytest.param({"name": "b#"}, ["a b#.bin"], id="part-of-a-name"),
        pytest.param({"name": "*.bin", "repositories": "maven"}, [], id="elsewhere"),
        pytest.param({"properties": {"n": "1"}}, ["100%;.bin"], id="property"),
        pytest.param({"created_after": DAY}, ["100%;.bin", "ü[1].bin"], id="created-after"),
        pytest.param({"created_before": DAY + timedelta(days=1)}, ["a b#.bin"], id="created-before"),
        pytest.param(
            {"modified_after": DAY, "modified_before": DAY + timedelta(days=2)}, ["100%;.bin"], id="modified-between"
        ),
        pytest.param({"created_after": DAY + timedelta(days=50_000)}, [], id="no-such-date"),
    ],
)
async def test_what_is_found(server, session, items, asked, expected):
    """One request finds it, by its real name."""
    where = {"repositories": ["generic-local"], **asked}
    assert sorted(await found(server, session, **where)) == sorted(f"generic-local/t/{name}" for name in expected)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("asked", "versions"),
    [
        ({"group_id": "org.acme", "artifact_id": "tool"}, ["1.0", "1.1"]),
        ({"artifact_id": "t*l", "version": "1.1"}, ["1.1"]),
        ({"group_id": "org.other"}, []),
    ],
)
async def test_coordinates(server, session, items, asked, versions):
    """Where a layout names them, artifacts are found by group, name and version."""
    assert await found(server, session, **asked) == [f"maven/org/acme/tool/{v}/tool-{v}.jar" for v in versions]


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
async def test_checksum(server, session, items, algorithm):
    """Any of the three finds the file, whatever it is called, in either case."""
    server.put("maven/copy.bin", b"1.0")
    checksum = server.checksums("maven/copy.bin")[algorithm]
    expected = ["maven/copy.bin", "maven/org/acme/tool/1.0/tool-1.0.jar"]
    assert sorted(await found(server, session, checksum=checksum.upper())) == expected


async def test_results_are_described(server, session, items):
    """What is found has size and checksums, and a URL that leads to it."""
    (file,) = [each async for each in aioartifact.search(server.url, name="b#", session=session)]
    assert isinstance(file, FileInfo)
    assert await aioartifact.info(file.url, session=session) == file


async def test_folders_are_found_by_properties(server, session, items):
    """They are distinguished from files."""
    results = aioartifact.search(server.url, properties={"n": "f*"}, session=session)
    (folder,) = [each async for each in results]
    assert isinstance(folder, FolderInfo)
    assert folder.path == "marked"
    assert results.is_complete


async def test_links_alone_will_do(server, session, items):
    """Where a proxy drops the request for details, items are named by the links, which are not followed."""
    links = b'{"results":[{"uri":"http://inside:8081/artifactory/api/storage/generic-local/t/a b#.bin"}]}'
    server.fail("GET", "api/search/artifact", fault=Fault.status(200, links))
    (file,) = [each async for each in aioartifact.search(server.url, name="x", session=session)]
    assert file == FileInfo(f"{server.url}/generic-local/t/a%20b%23.bin", "generic-local", "t/a b#.bin")


@pytest.mark.parametrize("entry", [b"{}", b'{"uri":"x"}', b'{"uri":"http://h/api/storage/"}', b'{"repo":1,"uri":2}'])
async def test_results_that_are_nowhere(server, session, entry):
    """A result without a place is an error."""
    server.fail("GET", "api/search/artifact", fault=Fault.status(200, b'{"results":[' + entry + b"]}"))
    with pytest.raises(aioartifact.ProtocolError):
        await found(server, session, name="x")


async def test_as_many_as_a_server_gives_are_not_complete():
    """A thousand may be all that a user is shown, and nothing says so: the results are not vouched for."""
    async with ArtifactoryServer(anonymous=True) as server, aioartifact.session(server.url) as session:
        server.grant("anonymous", "generic-local")
        for n in range(1001):
            server.put(f"generic-local/{n % 10}/{n}.bin", b"")
        results = aioartifact.search(server.url, name="*.bin", session=session)
        assert len([each async for each in results]) == 1000
        assert not results.is_complete
        fewer = aioartifact.search(server.url, name="1*.bin", session=session)
        assert len([each async for each in fewer]) == 272  # any with a 1: more may stand before the pattern
        assert fewer.is_complete


@pytest.mark.parametrize("fault", [Fault.cut(after=300), Fault.reset(after=300), Fault.status(503)])
async def test_broken_answer_is_asked_for_again(server, session, items, fault):
    """A search that breaks off is repeated."""
    server.fail("GET", "api/search/artifact", fault=fault)
    assert len(await found(server, session, name=".bin")) == 3
    assert len(server.requests) == 2


async def test_search_that_takes_a_licence():
    """What the open-source edition does not have is refused by the server, in its words."""
    async with (
        ArtifactoryServer(edition="oss") as server,
        aioartifact.session(server.url, auth=(server.username, server.password)) as session,
    ):
        with pytest.raises(aioartifact.BadRequestError, match="Artifactory Pro"):
            await found(server, session, checksum="0" * 40)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        pytest.param({}, "search by nothing", id="nothing"),
        pytest.param({"name": ""}, "expected a text", id="empty-name"),
        pytest.param({"name": "a", "version": "1"}, "artifact and gavc", id="two-things"),
        pytest.param({"created_after": DAY, "modified_after": DAY}, "knows one of them", id="two-dates"),
        pytest.param({"created_after": DAY.replace(tzinfo=None)}, "time zone", id="no-time-zone"),
        pytest.param({"checksum": "abc"}, "hexadecimal digits", id="no-checksum"),
        pytest.param({"checksum": "x" * 40}, "hexadecimal digits", id="no-digits"),
        pytest.param({"properties": {"repos": "a"}}, "expected a key", id="taken-key"),
        pytest.param({"properties": {"a": 1}}, "expected a key", id="number"),
    ],
)
def test_what_cannot_be_searched(asked, complaint):
    """Mistakes are errors at the call."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=complaint):
        aioartifact.search("https://host/artifactory", **asked)
